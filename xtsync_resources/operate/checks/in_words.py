"""What is configured and what is there, in words: no finding shows JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...partner_policy.b2b import BLOCKED, EVERYONE, is_part, shut, targets, wide
from ...partner_policy.model import CONSENT, TRUST, Values, leaf, same
from .finding import listed

NOBODY = {"usersAndGroups": "nobody", "applications": "no application"}
# What the switches of a partner policy are called, beside Graph's name of them.
SWITCHES: Mapping[str, str] = {
    "inboundAllowed": "automatic redemption",
    "outboundAllowed": "automatic redemption",
    "isMfaAccepted": "trust in the partner's multifactor authentication",
    "isCompliantDeviceAccepted": "trust in the partner's compliant devices",
    "isHybridAzureADJoinedDeviceAccepted": "trust in the partner's hybrid joined devices",
}


def value_in_words(value: Any) -> str:
    """A value of any shape."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        parts = [f"{name} {value_in_words(part)}" for name, part in value.items() if part is not None]
        return ", ".join(parts) or "nothing"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(value_in_words, value)) or "nothing"
    return str(value) or "empty"


def mapping_in_words(mapping: Mapping[str, Any]) -> str:
    """A mapping as the configuration says it, without the attribute that it is to."""
    rest = {name: part for name, part in mapping.items() if name not in ("target", "remove")}
    return "not there" if "remove" in mapping else value_in_words(rest)


def filters_in_words(filters: Sequence[Mapping[str, Any]]) -> str:
    """Groups of clauses."""
    return (
        "; ".join(
            f"{one.get('name') or 'without a name'} ({' and '.join(map(clause_in_words, one.get('clauses') or ()))})"
            for one in filters
        )
        or "nothing"
    )


def clause_in_words(clause: Mapping[str, Any]) -> str:
    """One clause of a filter."""
    return " ".join(str(clause[name]) for name in ("attribute", "operator", "value") if clause.get(name) is not None)


def policy_in_words(before: Values, after: Values) -> list[str]:
    """The members of a partner policy that are not as they are to be, a line each."""
    return [
        member_in_words(name, member, leaf(before, name, member), value)
        for name, members in after.items()
        for member, value in members.items()
        if not same(leaf(before, name, member), value)
    ]


def member_in_words(name: str, member: str, now: Any, wanted: Any) -> str:
    """One member, as it is and as it is to be."""
    if name in (CONSENT, TRUST):
        said = f"{SWITCHES[member]} ({name}.{member}) is {value_in_words(now)}"
        return f"{said}, and the stack file says {value_in_words(wanted)}"
    return (
        f"{name}.{member} lets through {part_in_words(member, now)}, and the stack file says "
        f"{part_in_words(member, wanted)}"
    )


def part_in_words(member: str, part: Any) -> str:
    """Whom or what a part of a B2B setting lets through."""
    if not is_part(part):
        return "whatever the tenant's default says"
    if shut(member, part):
        return NOBODY[member]
    named = listed(targets(part))
    if part["accessType"] == BLOCKED:
        return f"{EVERYONE[member]} but {named}"
    return EVERYONE[member] if wide(member, part) else f"only {named}"
