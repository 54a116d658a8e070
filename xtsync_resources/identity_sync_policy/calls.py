"""The calls for the identity sync policy: step 2 of the how-to.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner
"""

from typing import Required, TypedDict

from ..graph.call import Body, Call
from ..graph.permissions import POLICY_READ, POLICY_ROLE, POLICY_WRITE
from ..partner_policy.calls import KEPT_FOR_30_DAYS, partner_path


class Permission(TypedDict, total=False):
    """Whether one kind of objects may be synchronized."""

    isSyncAllowed: bool | None


class IdentitySyncPolicy(TypedDict, total=False):
    """An identity sync policy."""

    tenantId: Required[str]
    displayName: str | None
    userSyncInbound: Permission | None
    groupSyncInbound: Permission | None


IDENTITY_SYNC_IN_THE_WAY = KEPT_FOR_30_DAYS.format(what="an identity sync policy", kind="crossTenantSyncPolicyPartners")


# Group synchronization is in beta only; everything else of the policy is in v1.0.
GROUP_SYNC = "groupSyncInbound"


def _identity_sync(
    method: str, partner: str, purpose: str, permission: str, *, groups: bool, body: Body | None = None
) -> Call:
    path = f"{partner_path(partner)}/identitySynchronization"
    purpose = f"{purpose} the identity sync policy for {partner}"
    reads = method == "GET"
    return Call(
        method,
        path,
        purpose,
        permission,
        POLICY_ROLE,
        body,
        version="beta" if groups else "v1.0",
        none_has=("tenantId",) if reads else None,
        answer=IdentitySyncPolicy if reads else dict,
    )


def get_identity_sync(partner: str, *, groups: bool = False) -> Call:
    """Read the identity sync policy of a partner; with `groups` also whether groups may be synchronized (beta)."""
    return _identity_sync("GET", partner, "read", POLICY_READ, groups=groups)


def create_identity_sync(partner: str, settings: Body) -> Call:
    """Create the identity sync policy (step 2); PUT answers 409 when there is one already.

    Repeating it is safe: a second PUT either replaces the same values or is told 409.
    """
    return _identity_sync("PUT", partner, "create", POLICY_WRITE, groups=GROUP_SYNC in settings, body=settings)


def update_identity_sync(partner: str, settings: Body) -> Call:
    """Change the identity sync policy."""
    return _identity_sync("PATCH", partner, "update", POLICY_WRITE, groups=GROUP_SYNC in settings, body=settings)


def delete_identity_sync(partner: str) -> Call:
    """Delete the identity sync policy; people already synchronized stay."""
    return _identity_sync("DELETE", partner, "delete", POLICY_WRITE, groups=False)
