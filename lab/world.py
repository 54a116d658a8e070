"""The lab's two tenants, as Pulumi.dev.yaml names them."""

from __future__ import annotations

from pathlib import Path

from lab.entra import Clock, Entra
from lab.entra.policies.models import PartnerPolicy

SOURCE_TENANT = "a5c2f7d0-3b6e-4c1a-9d52-6f1e0b7c4a11"
TARGET_TENANT = "d81e4b3c-92f5-4a07-8b6d-2c94e7f0a522"
FOREIGN_TENANT = "3f9c1b7a-6d24-4e58-a0c3-71b8e5d2f944"
SOURCE_CLIENT = "5b1f0c9e-7a34-4d28-b1e6-93c7d2f8a033"
TARGET_CLIENT = "0e9d6a72-4c5b-4f81-a3d7-8b26f1c5e044"
SOURCE_SECRET = "lab-source-secret"
TARGET_SECRET = "lab-target-secret"

TARGET_PERMISSIONS = ("Policy.ReadWrite.CrossTenantAccess", "Policy.Read.All")
SOURCE_PERMISSIONS = (
    "Policy.ReadWrite.CrossTenantAccess",
    "Policy.Read.All",
    "Application.ReadWrite.OwnedBy",
    "Synchronization.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "ProvisioningLog.Read.All",
    "User.Read.All",  # names in the configuration are looked up
    "Group.Read.All",
)


def dev_world(clock: Clock | None = None, *, traffic_file: Path | None = None) -> Entra:
    """Contoso and Fabrikam before anyone has connected them, each with a foreign partner that must survive."""
    entra = Entra(clock, traffic_file=traffic_file)
    source = entra.add_tenant("Contoso", tenant_id=SOURCE_TENANT, domain="contoso.com")
    for name in ("alice", "bob"):
        source.add_user(f"{name}@contoso.com")
    carol, dave = (source.add_user(f"{name}@contoso.com") for name in ("carol", "dave"))
    source.add_user("visitor_partner.example#EXT#@contoso.com", display_name="Visitor", user_type="Guest")
    source.add_group("Nested", members=[source.add_group("Finance", members=[carol, dave])])
    source.register_client(SOURCE_CLIENT, SOURCE_SECRET, SOURCE_PERMISSIONS)

    target = entra.add_tenant("Fabrikam", tenant_id=TARGET_TENANT, domain="fabrikam.com")
    for name in ("frank", "grace"):
        target.add_user(f"{name}@fabrikam.com")
    target.register_client(TARGET_CLIENT, TARGET_SECRET, TARGET_PERMISSIONS)

    for tenant in (source, target):
        tenant.policies.partners[FOREIGN_TENANT] = _foreign_partner()
    return entra


def _foreign_partner() -> PartnerPolicy:
    trust = {
        "isMfaAccepted": True,
        "isCompliantDeviceAccepted": True,
        "isHybridAzureADJoinedDeviceAccepted": False,
    }
    none = {"inboundAllowed": None, "outboundAllowed": None}
    return PartnerPolicy(
        FOREIGN_TENANT,
        {
            "inboundTrust": trust,
            "automaticUserConsentSettings": {"inboundAllowed": True, "outboundAllowed": None},
            "crossCloudMeetingConfiguration": none,
        },
    )
