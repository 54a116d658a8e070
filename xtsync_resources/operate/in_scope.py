"""Whether everybody whom the stack file names is in scope: the job deletes in the target whom it finds outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..assignments.calls import list_assignments
from ..config import GUID
from ..directory.find import find
from ..graph.errors import ForbiddenError
from ..sync_scope.principals import meant
from .recorded import recorded_of

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from .stack import Stack

# What an assignment without any of the application's roles has; it puts nobody in scope.
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"


def unassigned(operation: Operation, stack: Stack) -> Sequence[str]:
    """The users and groups of the stack file who are not assigned, or whom a name does not lead to.

    Whoever is called otherwise now is who the name meant at the last run.

    Calls: those of `find` for names; GET appRoleAssignedTo, page by page (Application.Read.All).
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
    there = {
        str(one.get("principalId"))
        for one in operation.pages(list_assignments(stack.service_principal))
        if one.get("appRoleId") != DEFAULT_ACCESS
    }
    # A name that several have means nobody.
    return [name for name, ids in wanted.items() if len(ids) != 1 or not ids <= there]


def out_of_scope(operation: Operation, stack: Stack) -> Sequence[str] | None:
    """Who is configured and not in scope; None where that may not be read. Calls: those of `unassigned`."""
    try:
        return unassigned(operation, stack)
    except ForbiddenError:
        return None
