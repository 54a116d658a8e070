"""The calls for partner policies: steps 3 and 4 of the how-to.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner
"""

from __future__ import annotations

from ..graph.call import Body, Call, Repeat, segment
from ..graph.permissions import POLICY_READ, POLICY_ROLE, POLICY_WRITE
from .graph_types import Capabilities, PartnerPolicy, PolicySettings

PARTNERS = "/policies/crossTenantAccessPolicy/partners"


def partner_path(partner: str) -> str:
    """The path of the policy for a partner."""
    return f"{PARTNERS}/{segment(partner)}"


def get_partner(partner: str) -> Call:
    """Read a partner policy; the key is the partner's tenant id."""
    purpose = f"read the partner policy for {partner}"
    return Call("GET", partner_path(partner), purpose, POLICY_READ, POLICY_ROLE, answer=PartnerPolicy)


def create_partner(partner: str, settings: Body) -> Call:
    """Create a partner policy with its first settings (steps 2, 3 and 4 of the how-to)."""
    return Call(
        "POST",
        PARTNERS,
        f"create the partner policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
        {"tenantId": partner, **settings},
        Repeat.CHECK_IF_DONE,
        answer=PolicySettings,
    )


def update_partner(partner: str, settings: Body) -> Call:
    """Change a partner policy; properties that are not sent stay as they are."""
    return Call(
        "PATCH",
        partner_path(partner),
        f"update the partner policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
        settings,
    )


def delete_partner(partner: str) -> Call:
    """Delete a partner policy; Graph refuses while it has an identity sync policy."""
    return Call(
        "DELETE",
        partner_path(partner),
        f"delete the partner policy for {partner}",
        POLICY_WRITE,
        POLICY_ROLE,
    )


def list_m365_capabilities(partner: str) -> Call:
    """Read what Microsoft 365 keeps of a partner beside the members that a plain read of the policy shows."""
    purpose = f"read the Microsoft 365 capabilities of the partner policy for {partner}"
    path = f"{partner_path(partner)}/m365Capabilities"
    return Call("GET", path, purpose, POLICY_READ, POLICY_ROLE, answer=Capabilities)


# Microsoft keeps what was deleted for 30 days, and does not say whether its key is free meanwhile.
KEPT_FOR_30_DAYS = (
    "{what} that somebody deleted is kept for 30 days and may block its key. See whether there is one, and remove it "
    "for good if nobody needs it: `az rest --method GET --url GRAPH/beta/policies/deletedItems/{kind}`, then `--method "
    "DELETE` with `/TENANT-ID-OF-THE-PARTNER` behind (GRAPH is https://graph.microsoft.com, or your cloud's)"
)


PARTNER_IN_THE_WAY = KEPT_FOR_30_DAYS.format(what="a partner policy", kind="crossTenantPartners")


def get_policy_defaults() -> Call:
    """Read what partners without a setting of their own inherit."""
    path, purpose = "/policies/crossTenantAccessPolicy/default", "read the cross-tenant defaults"
    return Call("GET", path, purpose, POLICY_READ, POLICY_ROLE, answer=PolicySettings)
