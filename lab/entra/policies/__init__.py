"""Cross-tenant access policies: partners and their identity synchronization."""
