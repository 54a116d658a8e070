"""Whether the pair has one configuration: a second one shares its policies, and whoever ends first takes them away.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from ...application.configurations import configurations_into, unjudged
from .finding import Finding, Look

AREA = "other configurations"


def check(look: Look) -> list[Finding]:
    """Look for configurations of this pair. Calls: see `configurations_into`."""
    found, unreadable = configurations_into(look.operation(), look.partner.id)
    others = [one for one in found if str(one.principal["id"]) != look.own]
    findings = []
    if others:
        text = f"another configuration synchronizes this pair: {'; '.join(map(str, others))}"
        if look.settings.allow_second_configuration:
            findings.append(look.warning(AREA, text, "let only one of them synchronize a person"))
        else:
            do = (
                "bring it under management (docs/operations.md), or use the stack that has it: `up` makes no second one"
            )
            findings.append(look.problem(AREA, text, do))
    if unreadable:
        do = "give the sign-in Application.Read.All and Synchronization.Read.All, or look at them in the portal"
        findings.append(look.warning(AREA, unjudged(unreadable), do))
    return findings or [look.ok(AREA, "no other configuration synchronizes this pair")]
