"""Policies of both tenants: steps 2, 3 and 4 of the how-to.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner
and https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner
"""

from __future__ import annotations

from ._answers import Capabilities, IdentitySyncPolicy, PartnerPolicy, PolicySettings
from ._call import POLICY_READ, POLICY_ROLE, POLICY_WRITE, Body, Call, Patience, Repeat, segment

PARTNERS = "/policies/crossTenantAccessPolicy/partners"


def _partner_path(partner: str) -> str:
    return f"{PARTNERS}/{segment(partner)}"


def get_partner(partner: str) -> Call:
    """Read a partner policy; the key is the partner's tenant id."""
    purpose = f"read the partner policy for {partner}"
    return Call("GET", _partner_path(partner), purpose, POLICY_READ, POLICY_ROLE, answer=PartnerPolicy)


def create_partner(partner: str, settings: Body) -> Call:
    """Create a partner policy with its first settings (steps 2, 3 and 4 of the how-to)."""
    return Call(
        "POST",
        PARTNERS,
        f"create the partner policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
        {"tenantId": partner, **settings},
        Repeat.LOOK_FIRST,
        answer=PolicySettings,
    )


def update_partner(partner: str, settings: Body) -> Call:
    """Change a partner policy; properties that are not sent stay as they are."""
    return Call(
        "PATCH",
        _partner_path(partner),
        f"update the partner policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
        settings,
    )


# A deleted identity sync policy holds its partner policy for as long as a replica still knows it.
PARTNER_IS_FREE = Patience(
    "waiting for the deleted identity sync policy to be gone everywhere", frozenset({400, 409}), seconds=60
)


def delete_partner(partner: str) -> Call:
    """Delete a partner policy; Graph refuses while it has an identity sync policy."""
    return Call(
        "DELETE",
        _partner_path(partner),
        f"delete the partner policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
    )


def list_m365_capabilities(partner: str) -> Call:
    """Read what Microsoft 365 keeps of a partner beside the members that a plain read of the policy shows."""
    purpose = f"read the Microsoft 365 capabilities of the partner policy for {partner}"
    path = f"{_partner_path(partner)}/m365Capabilities"
    return Call("GET", path, purpose, POLICY_READ, POLICY_ROLE, answer=Capabilities)


# After our own create another replica may not know the object yet.
PARTNER_APPEARS = Patience("waiting for the new partner policy to appear", frozenset({404}))


# Microsoft keeps what was deleted for 30 days, and does not say whether its key is free meanwhile.
_KEPT = (
    "{what} that somebody deleted is kept for 30 days and may block its key. See whether there is one, and remove it "
    "for good if nobody needs it: `az rest --method GET --url GRAPH/beta/policies/deletedItems/{kind}`, then `--method "
    "DELETE` with `/TENANT-ID-OF-THE-PARTNER` behind (GRAPH is https://graph.microsoft.com, or your cloud's)"
)
PARTNER_IN_THE_WAY = _KEPT.format(what="a partner policy", kind="crossTenantPartners")
IDENTITY_SYNC_IN_THE_WAY = _KEPT.format(what="an identity sync policy", kind="crossTenantSyncPolicyPartners")


# --- identity sync policy: https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner


# Group synchronization is in beta only; everything else of the policy is in v1.0.
GROUP_SYNC = "groupSyncInbound"


def _identity_sync(
    method: str, partner: str, purpose: str, permission: str, *, groups: bool, body: Body | None = None
) -> Call:
    path = f"{_partner_path(partner)}/identitySynchronization"
    purpose = f"{purpose} the identity sync policy for {partner}"
    answer = IdentitySyncPolicy if method == "GET" else dict
    version = "beta" if groups else "v1.0"
    return Call(method, path, purpose, permission, POLICY_ROLE, body, version=version, answer=answer)


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
