"""Who comes into scope, and by which mail addresses the target may have accounts of theirs already.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..directory.calls import get_user
from ..directory.find import read
from ..graph.errors import ForbiddenError, GraphError, NotFoundError
from .affected import Answer, GroupRead, kinds, read_groups

if TYPE_CHECKING:
    from ..graph.operation import Operation

# Of more newcomers nobody reads the names, and a preview is not to search a whole directory.
MOST_LOOKED_UP = 500


def coming(wanted: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, str]:
    """Users and groups that come into scope, by name.

    Args:
        wanted: object ids of the configured ones, by name.
        before: the outputs of the pair's `SyncScope`; empty where there is none.
    """
    stay = {*(before.get("principals") or {}).values(), *(before.get("foundPeople") or ())}
    return {name: object_id for name, object_id in wanted.items() if object_id not in stay}


def groups_among(principals: Mapping[str, str]) -> dict[str, str]:
    """The groups, by name."""
    return {name: object_id for name, object_id in principals.items() if name.startswith("group ")}


def mails_of(operation: Operation, principals: Mapping[str, str], groups: Sequence[GroupRead]) -> list[str] | None:
    """The mail addresses of users and of direct members of groups, in lower case; None where those may not be read.

    Calls: POST $batch of GET users/{id} (User.Read.All).

    Args:
        operation: in the source.
        principals: users and groups, by name.
        groups: the groups among them, with the first page of their members.

    Raises:
        CallError: Graph could not be asked.
    """
    users = [object_id for kind, object_id in kinds(principals, principals.values()) if kind == "user"]
    try:
        found: list[Mapping[str, Any]] = [*read(operation, [get_user(one) for one in users])]
        for _, _, members in groups:
            found += members_of(members)
    except ForbiddenError:
        return None
    return sorted({str(one.get("mail") or "").lower() for one in found} - {""})[:MOST_LOOKED_UP]


def mails_of_newcomers(operation: Operation, wanted: Mapping[str, str], before: Mapping[str, Any]) -> list[str] | None:
    """The same for whoever comes into scope; no call where nobody does.

    Calls: those of `mails_of` and `read_groups`.
    """
    principals = coming(wanted, before)
    if not principals:
        return []
    groups = groups_among(principals)
    return mails_of(operation, principals, read_groups(operation, groups) if groups else ())


def members_of(answer: Answer) -> Sequence[Mapping[str, Any]]:
    """The members that an answer lists; none of a group that is gone."""
    if isinstance(answer, NotFoundError):
        return ()
    if isinstance(answer, GraphError):
        raise answer
    found: Sequence[Mapping[str, Any]] = answer.get("value") or ()
    return found
