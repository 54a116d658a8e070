"""Users, groups, the organization, its licences, other tenants' public facts and deleted objects."""
