"""Users, groups and tenants, read only."""
