"""Groups whose members are hidden: of those Graph lists nobody without a permission of its own, as of an empty group.

Source: https://learn.microsoft.com/graph/api/group-list-members
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..graph.errors import CallError
from ..graph.permissions import HIDDEN_MEMBERS
from .calls import get_group, list_members

if TYPE_CHECKING:
    from ..graph.operation import Operation

HIDDEN_MEMBERSHIP = "HiddenMembership"


class HiddenMembersError(CallError):
    """A group seems to be empty, and its members are hidden from this sign-in."""


def hides_members(operation: Operation, group: Mapping[str, Any]) -> bool:
    """Whether a group's members are hidden from this sign-in, where it seems to be empty.

    No call but, once in a process, the sign-in.
    """
    if group.get("visibility") != HIDDEN_MEMBERSHIP:
        return False
    claims = operation.claims()
    return HIDDEN_MEMBERS not in {*map(str, claims.get("roles") or ()), *str(claims.get("scp") or "").split()}


def hidden_members(operation: Operation, group: str) -> HiddenMembersError:
    """What to say of such a group."""
    why = f"its members are hidden: it takes the permission {HIDDEN_MEMBERS} to see them"
    return HiddenMembersError(
        list_members(group), operation.tenant, why, f"give the signed-in application {HIDDEN_MEMBERS}", ""
    )


def refuse_hidden(operation: Operation, group: str) -> None:
    """Do not take a group for empty whose members are hidden. Call: GET groups/{id} (GroupMember.Read.All).

    Raises:
        HiddenMembersError: they are.
    """
    if hides_members(operation, operation.read(get_group(group)) or {}):
        raise hidden_members(operation, group)
