"""Whether everybody whom the stack file names is in scope: the job deletes in the target whom it finds outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assignments.calls import list_assignments
from ..assignments.operations import principal_of
from ..config import GUID
from ..directory.find import find, names_now
from ..graph.errors import ForbiddenError
from ..sync_scope.principals import meant
from .recorded import recorded_of

if TYPE_CHECKING:
    from ..assignments.operations import Assignment
    from ..graph.operation import Operation
    from .stack import Stack

# What an assignment without any of the application's roles has; it puts nobody in scope.
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Outside:
    """Entries of the stack file that put nobody in scope.

    Attributes:
        unassigned: who is there and not assigned: the job deletes in the target whom nothing else keeps.
        nameless: names that nobody has, or several, so that nobody knows whether who was meant is assigned.
    """

    unassigned: Sequence[str] = ()
    nameless: Sequence[str] = ()

    @property
    def all(self) -> Sequence[str]:
        """All of them."""
        return [*self.unassigned, *self.nameless]


def in_scope(operation: Operation, service_principal: str) -> list[Assignment]:
    """Who is assigned by a role of the application.

    Call: GET appRoleAssignedTo, page by page (Application.Read.All).
    """
    listed = operation.pages(list_assignments(service_principal))
    return [one for one in listed if one.get("appRoleId") != DEFAULT_ACCESS]


def unassigned(operation: Operation, stack: Stack) -> Outside:
    """The users and groups of the stack file who are not in scope.

    Whoever is called otherwise now is who the name meant at the last run.

    Calls: those of `find` for names, of `names_now` for ids, and of `in_scope`.
    """
    given = {"user": stack.settings.users, "group": stack.settings.groups}
    names = {kind: [one for one in listed if not GUID.fullmatch(one)] for kind, listed in given.items()}
    found = find(operation, names, GUID.fullmatch)
    nameless = any((kind, name.lower()) not in found for kind, listed in names.items() for name in listed)
    known = meant(recorded_of(stack), stack.settings.source.id) if nameless else {}

    def ids_of(kind: str, name: str) -> set[str]:
        if GUID.fullmatch(name):
            return {name.lower()}
        was = known.get(f"{kind} {name}".lower())
        return {*found.get((kind, name.lower()), [was] if was else [])}

    wanted = {name: ids_of(kind, name) for kind, listed in given.items() for name in listed}
    # Graph may go on listing the assignment of whoever was deleted; whom `find` has found is there.
    unseen = [
        (kind, id_)
        for kind, listed in given.items()
        for name in listed
        if (kind, name.lower()) not in found
        for id_ in wanted[name]
    ]
    gone = {id_ for (_, id_), name in zip(unseen, names_now(operation, unseen), strict=True) if name is None}
    there = {principal_of(one) for one in in_scope(operation, stack.service_principal)} - gone
    return Outside(
        [name for name, ids in wanted.items() if len(ids) == 1 and not ids <= there],
        [name for name, ids in wanted.items() if len(ids) != 1],
    )


def out_of_scope(operation: Operation, stack: Stack) -> Outside | None:
    """Who is configured and not in scope; None where that may not be read. Calls: those of `unassigned`."""
    try:
        return unassigned(operation, stack)
    except ForbiddenError:
        return None
