"""Cross-tenant synchronization between two Microsoft Entra tenants, as Pulumi resources."""

VERSION = "0.2.0"
