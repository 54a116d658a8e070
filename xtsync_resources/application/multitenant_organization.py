"""What Microsoft 365 manages for a multitenant organization: recognised, told, and left alone.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/multi-tenant-organization-templates and
https://learn.microsoft.com/microsoft-365/enterprise/sync-users-multi-tenant-orgs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..graph.errors import CallError, RefusedError, TenantName
from ..state import command_on
from . import calls

if TYPE_CHECKING:
    from ..graph.operation import Operation

# Of a partner policy: both tenants are in one organization. Read only.
MEMBER = "isInMultiTenantOrganization"
# How Microsoft 365 calls its configurations, with the target's tenant id behind.
PREFIX = "MTO_Sync_"


def is_managed(display_name: str) -> bool:
    """Whether a configuration of this name belongs to Microsoft 365."""
    return display_name.casefold().startswith(PREFIX.casefold())


def refusal(display_name: str, tenant: TenantName, urn: str) -> RefusedError:
    """The refusal to take over what Microsoft 365 manages, whatever `onExisting` says.

    Args:
        display_name: what the configuration is called.
        tenant: where it is.
        urn: of the application, in this stack's state; "" where it is not known.
    """
    forget = command_on("pulumi state delete URN --target-dependents", "the application", urn)
    return RefusedError(
        f"The configuration {display_name} in {tenant} is not taken over",
        "it belongs to a multitenant organization, and Microsoft 365 manages it",
        "leave it to the Microsoft 365 admin center, and remove it from this stack's state: "
        f"{forget} forgets it without touching it; then `pulumi destroy` gives back what else this stack has adopted",
    )


def notice(partner: Mapping[str, Any], operation: Operation) -> str:
    """What people should know of a partner in the same organization; "" for any other partner.

    Call, only for such a partner and in the source: GET applications (Application.Read.All).
    """
    if not partner.get(MEMBER):
        return ""
    text = (
        "both tenants are in the same multitenant organization: its templates may rewrite this partner policy when "
        "tenants join; `pulumi refresh --diff` shows it"
    )
    if operation.tenant.side != "source":
        return text
    try:
        also = configuration(operation, str(partner.get("tenantId") or ""))
    except CallError as error:
        also = f"it could not be seen whether Microsoft 365 has a configuration for this target as well: {error.why}"
    return f"{text}; {also}" if also else text


def configuration(operation: Operation, target_id: str) -> str:
    """Say whether Microsoft 365 synchronizes into the same target; "" if not.

    Call: GET applications (Application.Read.All).

    Raises:
        CallError: it failed.
    """
    name = f"{PREFIX}{target_id}"
    if not operation.send(calls.list_applications(name)).get("value"):
        return ""
    return (
        f"Microsoft 365 has a configuration {name} for this target as well: it is left alone. Let only one of the "
        "two synchronize a person"
    )
