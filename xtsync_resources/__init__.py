"""Cross-tenant synchronization between two Microsoft Entra tenants, as Pulumi resources."""
