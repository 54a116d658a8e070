"""What a run opens and closes between two tenants, and what stands open once former values are back.

A pair that ends leaves each tenant as it was found, which may let in more than the pair needed. Nobody looks at a pair
that is gone, so it is said by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..graph.errors import TenantName
from ..identity_sync_policy.calls import GROUP_SYNC
from ..pulumi_runtime.engine import WARNING, report
from .b2b import EVERYONE, everything, is_part, shut, targets, wide, within
from .model import COLLABORATION, CONSENT, DIRECT_CONNECT, TRUST, USER_SYNC, Values, leaf, same

# What each member lets through, said of a tenant and its partner.
WHAT_IT_LETS: Mapping[tuple[str, str], str] = {
    (CONSENT, "inboundAllowed"): "the partner's people come in without being asked for consent",
    (CONSENT, "outboundAllowed"): "its people get into the partner without being asked for consent",
    (TRUST, "isMfaAccepted"): "multifactor authentication in the partner counts",
    (TRUST, "isCompliantDeviceAccepted"): "devices that are compliant in the partner count",
    (TRUST, "isHybridAzureADJoinedDeviceAccepted"): "hybrid joined devices of the partner count",
    (USER_SYNC, "isSyncAllowed"): "the partner may synchronize people into it",
    (GROUP_SYNC, "isSyncAllowed"): "the partner may synchronize groups into it",
}
DIRECTIONS = {
    COLLABORATION["target"]: "in as guests",
    COLLABORATION["source"]: "out as guests",
    DIRECT_CONNECT["target"]: "in by B2B direct connect",
    DIRECT_CONNECT["source"]: "out by B2B direct connect",
}
NAMED = {"usersAndGroups": "those", "applications": "the applications"}
BY_DEFAULT = {
    "usersAndGroups": "whoever the tenant's default lets through",
    "applications": "every application that the tenant's default lets through",
}


def report_changes(tenant: TenantName, before: Values, after: Values) -> None:
    """Say in whole sentences what a run opens and closes between a tenant and its partner.

    Args:
        tenant: whose policy it is.
        before: the members as they are, by complex value.
        after: the members as they will be; of those not named nothing is said.
    """
    opened, closed = changes_of_doors(before, after)
    for word, found in (("opens", opened), ("closes", closed)):
        if found:
            report(f"{word} {tenant.name}: {'; '.join(found)}")


def changes_of_doors(before: Values, after: Values) -> tuple[list[str], list[str]]:
    """What is opened and what is closed, in words, in the order of Graph's names.

    Where some are let through anew and others no more, it is both. Where that cannot be told, it is opened.
    """
    opened, closed = [], []
    for name, members in after.items():
        for member, value in members.items():
            was = leaf(before, name, member)
            opens_it, closes_it = directions(name, member, was, value)
            if opens_it:
                opened.append(lets(name, member, value))
            if closes_it:
                closed.append(lets(name, member, was, value))
    return opened, closed


def directions(name: str, member: str, was: Any, value: Any) -> tuple[bool, bool]:
    """Whether a change of a member lets anything through that was not, and whether it keeps anything out that was."""
    if same(was, value):
        return False, False
    if (name, member) in WHAT_IT_LETS:
        opens_it = value not in (None, False)
        return opens_it, was is True and not opens_it
    if is_part(was) and is_part(value):
        return not within(member, value, was), not within(member, was, value)
    # How wide the tenant's default is, is not known here: what names some may open it, and close it for others.
    if is_part(value):
        return not shut(member, value), not everything(member, value)
    closes_it = is_part(was) and everything(member, was)
    return not closes_it, closes_it


def lets(name: str, member: str, value: Any, then: Any = None) -> str:
    """What a value of a member lets through, in words with Graph's name, and whom only a narrower one lets then."""
    if what := WHAT_IT_LETS.get((name, member)):
        return f"{what} ({member if name == CONSENT else name})"
    still = f", then {who(member, then, 'will name')}" if is_part(then) and not shut(member, then) else ""
    return f"{who(member, value, 'names')} may come {DIRECTIONS.get(name, 'through')}{still} ({name})"


def who(member: str, part: Any, names: str) -> str:
    """Whom or what a part of a B2B setting lets through that lets through anything."""
    if not is_part(part):
        return BY_DEFAULT[member]
    if everything(member, part):
        return EVERYONE[member]
    named = f"{NAMED[member]} it {names} ({len(targets(part))})"
    if wide(member, part):
        return f"{EVERYONE[member]} but {named}"
    return f"only {named}" if names == "will name" else named


def report_open_doors(tenant: TenantName, partner: str, doors: Sequence[str]) -> None:
    """Say what stands open, if anything."""
    if doors:
        report(
            f"former values come back, and leave {tenant} open for {partner}: {', '.join(doors)}. This pair does not "
            "need that; close it in the cross-tenant access settings if nobody else does",
            severity=WARNING,
        )


def doors_of_partner(former: Values, written: Values) -> list[str]:
    """What former values of a partner policy open, by Graph's names."""
    return [
        f"{name}.{member} ({what})"
        for name, members in former.items()
        for member, value in members.items()
        if (what := opens(name, member, value, leaf(written, name, member)))
    ]


def opens(name: str, member: str, value: Any, written: Any) -> str:
    """What a former value lets through, in words; "" where it is nothing."""
    if value is True:
        return "true"
    if is_part(value):
        if shut(member, value):
            return ""
        return EVERYONE[member] if wide(member, value) else "those it names"
    # Microsoft's default lets guests of every tenant in and out.
    narrower = (
        name in COLLABORATION.values() and is_part(written) and (shut(member, written) or not wide(member, written))
    )
    if value is None and narrower:
        return f"the tenant's default, which is {EVERYONE[member]} unless somebody has changed it"
    return ""


def doors_of_sync(former: Mapping[str, Any]) -> list[str]:
    """What former values of an identity sync policy open."""
    kinds = (USER_SYNC, GROUP_SYNC)
    return [f"{kind}.isSyncAllowed (true)" for kind in kinds if leaf(former, kind, "isSyncAllowed") is True]
