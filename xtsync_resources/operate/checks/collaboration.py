"""B2B collaboration must be open towards the partner: out of the source, into the target.

An account that the job makes is one of B2B collaboration. Microsoft Entra ID refuses a sign-in that either tenant
blocks, and with it the redemption of an invitation: AADSTS500212 for the outbound settings of the source, AADSTS500213
for the inbound ones of the target. The job asks nobody to sign in, so it does not tell.

Sources: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyb2bsetting and
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from ...partner_policy.b2b import ALL, BLOCKED
from ...partner_policy.calls import get_partner, get_policy_defaults
from ...partner_policy.model import B2B_MEMBERS, COLLABORATION, same
from .finding import Finding, Look

AREA = "collaboration"
REFUSED = {"source": "AADSTS500212", "target": "AADSTS500213"}
# What a part lets through, and what follows for the people of the source.
SOME_OF = {
    "usersAndGroups": ("some people", "the others of {source} cannot come"),
    "applications": ("some applications", "people of {source} can use no others"),
}


class Reach(Enum):
    """Whom, or what, a part of a B2B setting lets through."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


def reach(part: Mapping[str, Any]) -> Reach:
    """What a part lets through; Microsoft's default, which lets all through, where it says nothing."""
    targets = [str(one.get("target")).lower() for one in part.get("targets") or ()]
    if targets and not {*map(str.lower, ALL.values())} & {*targets}:
        return Reach.SOME
    return Reach.NONE if str(part.get("accessType")).lower() == BLOCKED else Reach.ALL


def check(look: Look) -> list[Finding]:
    """Look whether people may pass at all; a partner's own part comes before the default's.

    Calls: GET partners/{id} and, where that leaves something to it, GET default (Policy.Read.All or
    Policy.ReadWrite.CrossTenantAccess).
    """
    name, operation = COLLABORATION[look.side], look.operation()
    own = (operation.read(get_partner(look.partner.id)) or {}).get(name) or {}
    inherits = any(not own.get(part) for part in B2B_MEMBERS)
    default = (operation.send(get_policy_defaults()).get(name) or {}) if inherits else {}
    findings = [
        finding
        for part in B2B_MEMBERS
        if (finding := of_part(look, part, own.get(part) or default.get(part) or {}, own=bool(own.get(part))))
    ]
    way = "out to" if look.side == "source" else "in from"
    return findings or [look.ok(AREA, f"everybody may come {way} {look.partner.name}")]


def of_part(look: Look, part: str, setting: Mapping[str, Any], *, own: bool) -> Finding | None:
    """What one part keeps out, if anything; pure."""
    found = reach(setting)
    if found is Reach.ALL:
        return None
    name, here, there = COLLABORATION[look.side], look.tenant.name, look.partner.name
    out = look.side == "source"
    whose = "its people" if out else f"people of {there}"
    where = f"{'the settings for ' + there if own else 'the default settings'} of {here} ({name}.{part})"
    configured = (look.settings.b2b_collaboration.side(look.side) or {}).get(part)
    wanted = look.settings.partner_policy(look.side).get(name, {}).get(part)
    if not configured:
        do = (
            f"open B2B collaboration for {there} in {here}: Cross-tenant access settings, Organizational settings, "
            f"{there}, {'Outbound' if out else 'Inbound'} access ({name}.{part})"
        )
    elif look.may_be_set_up and not same(setting, wanted):
        said = ", as is said of it" if look.set_up else ", when the stack's state can be read"
        do = f"bring the partner policy in line with the stack file{said}"
    else:
        do = f"open xtsync:b2bCollaboration.{'outbound' if out else 'inbound'}.{part} in the stack file"
    if found is Reach.NONE:
        nobody = "nobody" if part == "usersAndGroups" else "nothing"
        text = (
            f"{where} let {nobody} through: {whose} can be synchronized, but cannot redeem an invitation or sign in to "
            f"{there if out else here} ({REFUSED[look.side]})"
        )
        return look.problem(AREA, text, do)
    what, follows = SOME_OF[part]
    text = f"{where} let only {what} through: {follows.format(source=look.settings.source.name)}"
    return look.warning(AREA, text, f"see that nobody in scope is kept out; else {do}")
