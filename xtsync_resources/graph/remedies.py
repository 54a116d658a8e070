"""From what Graph answered to what an administrator can do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .call import Call

from collections.abc import Callable

from .clouds import ACROSS_CLOUDS
from .permissions import SYNCHRONIZATION

# Our own words for an answer that is none.
REPEATED_PAGE = "the next page it names is one that was read already"


def remedy_for(call: Call, status: int, mentions: Callable[[str], bool]) -> str:
    """What to do about an error answer, or "" where no cure is known.

    Args:
        call: the call that failed.
        status: its HTTP status.
        mentions: whether a text occurs in the answer's code, message or details, whatever its case.
    """
    for text, remedy in KNOWN:
        if mentions(text):
            return remedy
    if status == 401 and mentions("InvalidAuthenticationToken"):
        return (
            "sign in again; if it persists, check this computer's clock and that the tenant's conditional "
            "access policies let this application in"
        )
    if status in (401, 403):
        return permission_remedy(call)
    if status == 429:
        return "run the command again later; other work in this tenant shares its limits"
    if status >= 500:
        return "run the command again later; nothing is done twice"
    return ""


def permission_remedy(call: Call) -> str:
    """The least permission and role for a call, as an instruction."""
    permission = call.permission
    if call.permission == SYNCHRONIZATION:
        permission = f"{SYNCHRONIZATION} (or, for an application it owns, Application.ReadWrite.OwnedBy)"
    return (
        f"give the signed-in application the application permission {permission} and consent to it, "
        f"or (for `az login`) sign in as a person with the role {call.role}"
    )


KNOWN: tuple[tuple[str, str], ...] = (
    (
        REPEATED_PAGE,
        "run the command again later; nothing was changed by reading. If it persists, give the reference to "
        "Microsoft's support",
    ),
    (
        "source tenant has not enabled automatic user consent",
        "set automaticUserConsentSettings.outboundAllowed of the partner policy in the source tenant "
        "(`pulumi up` does; `pulumi refresh --diff` shows whether somebody changed it)",
    ),
    (
        "target tenant has not enabled inbound synchronization",
        "set automaticUserConsentSettings.inboundAllowed and the identity sync policy of the partner policy "
        "in the target tenant (`pulumi up` does; `pulumi refresh --diff` shows whether somebody changed it)",
    ),
    (
        "Policy permitting auto-redemption",
        "set automatic redemption in both tenants: outboundAllowed in the source, inboundAllowed in the "
        "target (`pulumi up` does; `pulumi refresh --diff` shows whether somebody changed it)",
    ),
    (
        "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure",
        "check automatic redemption (source: outboundAllowed, target: inboundAllowed) and the identity sync "
        "policy in the target",
    ),
    (
        "ExternalTenantNotFound",
        f"check xtsync:target.tenantId: this cloud does not know it; {ACROSS_CLOUDS}",
    ),
    (
        "AzureActiveDirectoryTokenExpired",
        f"check that both tenants are in the same cloud; {ACROSS_CLOUDS}",
    ),
    (
        "NonPremiumTenant",
        "give the tenant Microsoft Entra ID P1; without it this part of Graph is closed",
    ),
    (
        "license",
        "check that the source tenant has Microsoft Entra ID P1 (or Entra ID Governance for group synchronization)",
    ),
)
