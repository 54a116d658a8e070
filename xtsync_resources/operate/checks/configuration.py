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
    names = "; ".join(map(str, others))
    if others and look.unread and not look.own:
        text = f"there is a configuration of this pair, and nobody knows whether it is this stack's: {names}"
        findings.append(look.not_reached(AREA, text, "leave it alone until the stack's state can be read"))
    elif others:
        text = f"another configuration synchronizes this pair: {names}"
        if look.settings.allow_second_configuration:
            findings.append(look.warning(AREA, text, "let only one of them synchronize a person"))
        else:
            do = (
                "use the stack that has it (`pulumi login` to where that is kept), or bring it under management "
                "(docs/operations.md): `up` makes no second one"
            )
            findings.append(look.problem(AREA, text, do))
    if unreadable:
        do = "give the sign-in Application.Read.All and Synchronization.Read.All, or look at them in the portal"
        findings.append(look.warning(AREA, unjudged(unreadable), do))
    return findings or [look.ok(AREA, "no other configuration synchronizes this pair")]
