"""Licences and the gallery: what the tenant must have been given by Microsoft.

Sources: https://learn.microsoft.com/graph/api/subscribedsku-list and
https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...configurations import APPLICATION_TEMPLATE
from ...graph import calls
from .finding import Finding, Look

AREA = "licence"
P1_OR_MORE = frozenset({"aad_premium", "aad_premium_p2", "entra_identity_governance"})
USABLE = ("enabled", "warning")  # warning: expired, in its days of grace


def premium_plans(licences: Iterable[Mapping[str, Any]]) -> list[str]:
    """The service plans in force that include Entra ID P1."""
    return sorted(
        {
            str(plan.get("servicePlanName"))
            for licence in licences
            if str(licence.get("capabilityStatus")).lower() in USABLE
            for plan in licence.get("servicePlans") or ()
            if str(plan.get("servicePlanName")).lower() in P1_OR_MORE
            and str(plan.get("provisioningStatus")).lower() != "disabled"
        }
    )


def check(look: Look) -> list[Finding]:
    """Look for Entra ID P1 where it is needed. Call: GET subscribedSkus (LicenseAssignment.Read.All)."""
    if look.side == "target" and not look.settings.inbound_trust:
        return [look.ok(AREA, "none is needed here")]
    plans = premium_plans(look.operation().pages(calls.list_licences()))
    if plans:
        return [look.ok(AREA, f"there is {', '.join(plans)}")]
    why = "everybody who is synchronized" if look.side == "source" else "xtsync:inboundTrust"
    return [look.warning(AREA, f"no Microsoft Entra ID P1 was found; {why} needs it", "buy or assign the licence")]


def check_template(look: Look) -> list[Finding]:
    """Look whether the gallery has the template. Call: GET applicationTemplates/{id} (Application.Read.All)."""
    template = look.operation().read(calls.get_application_template(APPLICATION_TEMPLATE))
    if template is None:
        found = f"the gallery has no template {APPLICATION_TEMPLATE}: this cloud has no cross-tenant synchronization"
        return [look.problem("template", found, "check xtsync:cloud")]
    return [look.ok("template", "the gallery has the configuration's template")]
