"""Licences and the gallery: what the tenant must have been given by Microsoft.

Sources: https://learn.microsoft.com/graph/api/subscribedsku-list,
https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference and
https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from ...application.calls import get_application_template
from ...application.orphans import APPLICATION_TEMPLATE
from ...directory.calls import list_licences
from .finding import Finding, Look

AREA = "licence"
# The plan of Entra ID Governance, which Entra Suite has as well.
GOVERNANCE = frozenset({"entra_identity_governance"})
P1_OR_MORE = frozenset({"aad_premium", "aad_premium_p2"}) | GOVERNANCE
USABLE = ("enabled", "warning")  # warning: expired, in its days of grace
CHINA = (
    "Microsoft's pages disagree on cross-tenant synchronization within this cloud: one lists it, another does not. "
    "Provisioning logs are not listed for it: `xtsync logs` and `xtsync report` may find none"
)
PAGES_DISAGREE = (
    "no Microsoft Entra ID P1 was found. Microsoft's pages disagree: the overview asks for none in the target, the "
    "page on configuring says that its box for automatic redemption needs P1 or P2 there"
)


def plans_in_force(licences: Iterable[Mapping[str, Any]], wanted: AbstractSet[str]) -> list[str]:
    """The service plans in force among those that are wanted."""
    return sorted(
        {
            str(plan.get("servicePlanName"))
            for licence in licences
            if str(licence.get("capabilityStatus")).lower() in USABLE
            for plan in licence.get("servicePlans") or ()
            if str(plan.get("servicePlanName")).lower() in wanted
            and str(plan.get("provisioningStatus")).lower() != "disabled"
        }
    )


def check(look: Look) -> list[Finding]:
    """Look for the licence that a side needs. Call: GET subscribedSkus (LicenseAssignment.Read.All)."""
    licences = list(look.operation().pages(list_licences()))
    plans = plans_in_force(licences, P1_OR_MORE)
    if look.side == "source" and look.settings.sync_groups and not plans_in_force(licences, GOVERNANCE):
        there = f"there is {', '.join(plans) or 'none'}"
        found = f"xtsync:syncGroups needs Microsoft Entra ID Governance or Entra Suite; {there}"
        return [look.warning(AREA, found, "buy or assign the licence, or remove xtsync:syncGroups")]
    if plans:
        return [look.ok(AREA, f"there is {', '.join(plans)}")]
    if look.side == "target" and not look.settings.inbound_trust:
        return [look.warning(AREA, PAGES_DISAGREE, "ask Microsoft, or whoever sells you its licences")]
    why = "everybody who is synchronized" if look.side == "source" else "xtsync:inboundTrust"
    return [look.warning(AREA, f"no Microsoft Entra ID P1 was found; {why} needs it", "buy or assign the licence")]


def check_cloud(look: Look) -> list[Finding]:
    """Say what Microsoft says of the cloud; no call is made."""
    if look.settings.cloud.name != "china":
        return []
    return [look.warning("cloud", CHINA, "ask Microsoft before you rely on it")]


def check_template(look: Look) -> list[Finding]:
    """Look whether the gallery has the template. Call: GET applicationTemplates/{id} (Application.Read.All)."""
    template = look.operation().read(get_application_template(APPLICATION_TEMPLATE))
    if template is None:
        found = f"the gallery has no template {APPLICATION_TEMPLATE}: this cloud has no cross-tenant synchronization"
        return [look.problem("template", found, "check xtsync:cloud")]
    return [look.ok("template", "the gallery has the configuration's template")]
