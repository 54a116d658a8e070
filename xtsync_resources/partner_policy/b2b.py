"""B2B collaboration and B2B direct connect in a partner policy: whom and what a part of a setting lets through.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyb2bsetting
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ALLOWED, BLOCKED = "allowed", "blocked"
# What each part of a B2B setting calls all there is, and how we do.
ALL = {"usersAndGroups": "AllUsers", "applications": "AllApplications"}
EVERYONE = {"usersAndGroups": "everyone", "applications": "every application"}


def is_part(part: Any) -> bool:
    """Whether a B2B setting has a part, and it is known."""
    return isinstance(part, Mapping) and part.get("accessType") in (ALLOWED, BLOCKED) and bool(targets(part))


def targets(part: Mapping[str, Any]) -> list[str]:
    """Whom or what a part of a B2B setting names."""
    found = part.get("targets")
    items = found if isinstance(found, list) else []
    return [str(one["target"]) for one in items if isinstance(one, Mapping) and isinstance(one.get("target"), str)]


def shut(name: str, part: Mapping[str, Any]) -> bool:
    """Whether nobody gets through."""
    return part["accessType"] == BLOCKED and ALL[name].lower() in map(str.lower, targets(part))


def wide(name: str, part: Mapping[str, Any]) -> bool:
    """Whether all there is gets through, or all but what is named."""
    return part["accessType"] == BLOCKED or everything(name, part)


def everything(name: str, part: Mapping[str, Any]) -> bool:
    """Whether all there is gets through, without exception."""
    return part["accessType"] == ALLOWED and ALL[name].lower() in map(str.lower, targets(part))


def within(name: str, part: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a part lets nobody through whom another does not, as far as ids tell: who is in a group they do not."""
    if shut(name, part) or everything(name, other):
        return True
    if part["accessType"] != other["accessType"]:
        return False
    named, by_other = (set(comparable_targets(one)) for one in (part, other))
    return by_other <= named if part["accessType"] == BLOCKED else named <= by_other


def comparable_targets(part: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom or what a part of a B2B setting names, with its type, in an order and a writing that mean nothing."""
    named = (one for one in part["targets"] if isinstance(one, Mapping))
    return sorted((str(one.get("target", "")).lower(), str(one.get("targetType", ""))) for one in named)
