"""Who is assigned to the configuration's service principal, and taking them out again.

What this stack assigns has one role of the application. Whoever has another one is in scope by it as well
(`in_scope`), and that one is not this stack's to take away.

Source: https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

from ..directory.calls import list_members
from ..directory.find import names_of
from ..directory.hidden import HiddenMembersError, refuse_hidden
from ..directory.members import USER, read_member, skipped_because
from ..graph.consistency import MEMBERSHIP
from ..graph.errors import ForbiddenError, NotFoundError
from . import calls

if TYPE_CHECKING:
    from ..graph.operation import Operation

Assignment = Mapping[str, Any]
MOST_NAMES = 10
# What an assignment without any of the application's roles has; it puts nobody in scope.
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"


def assignments(operation: Operation, service_principal: str, role: str) -> list[Assignment]:
    """The assignments with a role; none where there is no such service principal.

    Call: GET appRoleAssignedTo, page by page (Application.Read.All).
    """
    return [one for one in in_scope(operation, service_principal) if one.get("appRoleId") == role]


def not_assigned(operation: Operation, service_principal: str, role: str, principals: Collection[str]) -> set[str]:
    """Object ids of those users and groups who have no assignment with a role. Calls: those of `assignments`."""
    return {*principals} - {principal_of(one) for one in assignments(operation, service_principal, role)}


def in_scope(operation: Operation, service_principal: str) -> list[Assignment]:
    """Who is assigned by a role of the application; nobody where there is no such service principal.

    Call: GET appRoleAssignedTo, page by page (Application.Read.All).
    """
    try:
        listed = list(operation.pages(calls.list_assignments(service_principal)))
    except NotFoundError:
        return []
    return [one for one in listed if one.get("appRoleId") != DEFAULT_ACCESS]


def by_role(assigned: Iterable[Assignment], role: str) -> tuple[list[Assignment], list[Assignment]]:
    """The assignments with a role, and one of each who is in scope by another role only."""
    every = list(assigned)
    ours = [one for one in every if one.get("appRoleId") == role]
    have = {principal_of(one) for one in ours}
    others = {principal_of(one): one for one in every if principal_of(one) not in have}
    return ours, [*others.values()]


def parted(
    assigned: Iterable[Assignment], role: str, leaving: Collection[str]
) -> tuple[list[Assignment], list[Assignment]]:
    """The assignments of users and groups with a role, and all others: by another role they stay in scope."""
    every = list(assigned)
    goes = [one.get("appRoleId") == role and principal_of(one) in leaving for one in every]
    return [*compress(every, goes)], [*compress(every, (not it_goes for it_goes in goes))]


def principal_of(assignment: Assignment) -> str:
    """Object id of the user or group."""
    return str(assignment.get("principalId"))


def name_of(assignment: Assignment) -> str:
    """What the tenant calls the user or group."""
    return str(assignment.get("principalDisplayName") or principal_of(assignment))


def name_and_id(assignment: Assignment) -> str:
    """What the tenant calls the user or group, with the object id."""
    return f"{name_of(assignment)} ({principal_of(assignment)})"


def names_in(operation: Operation, principals: Collection[str]) -> str:
    """What the tenant calls users and groups, with their object ids; the first of them, where there are many.

    Calls: those of `names_of`.
    """
    shown = sorted(principals)[:MOST_NAMES]
    names = names_of(operation, shown)
    told = [object_id if names[object_id] == object_id else f"{names[object_id]} ({object_id})" for object_id in shown]
    return listed(told, len(principals))


def number_of_people(number: int) -> str:
    """How many people there are, in words."""
    return "1 person" if number == 1 else f"{number} people"


def listed(names: Sequence[str], count: int | None = None) -> str:
    """Names on one line; the first of them, where there are many."""
    shown = names[:MOST_NAMES]
    more = (len(names) if count is None else count) - len(shown)
    return ", ".join([*shown, *([f"and {more} more"] if more else [])])


class TooManyPeople(Exception):  # noqa: N818 - it is no error: whoever asks says what follows
    """There are more people than were to be listed."""


def people_of(operation: Operation, assigned: Iterable[Assignment]) -> set[str] | None:
    """Object ids of the people whom assignments put in scope: users, and direct members of groups.

    Calls: those of `people_in`. None where members may not be read.
    """
    return people_in(operation, kinds_of(assigned))


def kinds_of(assigned: Iterable[Assignment]) -> list[tuple[str, str]]:
    """Kinds (`User`, `Group`) and object ids of whom assignments put in scope."""
    return [(str(one.get("principalType")), principal_of(one)) for one in assigned]


def people_in(operation: Operation, principals: Iterable[tuple[str, str]], most: float = math.inf) -> set[str] | None:
    """The same as `people_of`, from kinds and object ids.

    Calls: those of `people_of_group`.

    Raises:
        TooManyPeople: they are more than `most`.
    """
    people: set[str] = set()
    for kind, object_id in principals:
        if kind.lower() == "user":
            people.add(object_id)
        elif kind.lower() == "group":
            try:
                people |= people_of_group(operation, object_id, most)
            except NotFoundError:
                continue
            except (ForbiddenError, HiddenMembersError):
                return None
        if len(people) > most:
            raise TooManyPeople
    return people


def people_of_group(operation: Operation, group: str, most: float = math.inf) -> set[str]:
    """Object ids of a group's direct members whom the service synchronizes, and of those of whom only the id is told.

    Calls: GET groups/{id}/members, page by page (GroupMember.Read.All); and where nobody is listed
    those of `refuse_hidden`.

    Raises:
        TooManyPeople: it has more members than `most`, of whatever kind.
        CallError: they cannot be read, or it is gone.
    """
    people: set[str] = set()
    number = -1
    for number, one in enumerate(operation.pages(list_members(group))):
        if number >= most:
            raise TooManyPeople
        if not skipped_because(read_member(one, USER)):
            people.add(str(one["id"]))
    if number < 0:
        refuse_hidden(operation, group)
    return people


def take_out(
    operation: Operation, service_principal: str, role: str, principals: Collection[str]
) -> tuple[list[Assignment], set[str]]:
    """Remove the assignments of these users and groups; whoever has none is out already.

    By what is listed now, never by an id that is remembered: an assignment that was made anew has another.

    Calls: GET appRoleAssignedTo, POST $batch (AppRoleAssignment.ReadWrite.All).

    Returns:
        The assignments that were seen of others, and object ids of those who were not seen assigned.
    """
    from ..graph.batch import remove_all  # noqa: PLC0415 - HTTP, which the program and a no-op do not need

    missing, removed = set(principals), set[str]()
    others: list[Assignment] = []

    def removal() -> bool | None:
        listed = assignments(operation, service_principal, role)
        others[:] = [one for one in listed if principal_of(one) not in principals]
        due = [one for one in listed if principal_of(one) in principals and str(one["id"]) not in removed]
        if due:
            removals = [calls.delete_assignment(service_principal, str(one["id"]), name_and_id(one)) for one in due]
            unknown = remove_all(operation, removals, f"take {len(due)} users and groups out of the scope")
            # What is said not to be there, and is listed, may be there all the same: it is asked for again.
            removed.update(str(one["id"]) for one, call in zip(due, removals, strict=True) if call not in unknown)
            missing.difference_update(principal_of(one) for one in due if str(one["id"]) in removed)
        return None if missing else True

    operation.look_again(MEMBERSHIP, removal)
    return others, missing
