"""The people who leave the scope: whom nothing else keeps in it, and when they are too many.

Members are listed of groups that leave, to find who they are, and of groups that stay or come, to find who stays.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..assignments.operations import (
    TooManyPeople,
    in_scope,
    kinds_of,
    listed,
    names_in,
    number_of_people,
    parted,
    people_in,
    people_of_group,
)
from ..directory.find import by_id
from ..directory.hidden import HiddenMembersError
from ..directory.members import GROUP, USER
from ..graph.errors import ForbiddenError, NotFoundError, RefusedError, TenantName
from ..graph.permissions import HIDDEN_MEMBERS
from ..pulumi_runtime.engine import WARNING, report

if TYPE_CHECKING:
    from ..graph.operation import Operation

# A preview is not to list a whole directory: more who leave are not listed unless the stack file allows more to leave,
# and where more stay it is not seen who of those who leave stays.
MOST_LEAVING, MOST_STAYING = 2000, 20_000
WHAT_BECOMES = "The next cycle of a job that runs deletes them in the target; they can be restored there for 30 days"
HELD_BACK = "The job holds their deletion back (xtsync:deletionThreshold) until `xtsync approve-deletions` lets them go"
# What has become of the job that knows who leaves.
GONE, MADE_ANEW = "is gone", "was made anew"
STAY_FORGOTTEN = (
    "They stay in the target: the job that has synchronized them {lost}, and another one does not know them. Delete "
    "them there by hand if they should go"
)
NOT_COUNTED = (
    "was not counted: it takes the permission GroupMember.Read.All in the source, and where the members are hidden "
    f"{HIDDEN_MEMBERS} as well"
)
NOT_KNOWN = "nobody can tell, as it is gone"
# Kind (`user`, `group`) and object id.
Principal = tuple[str, str]


@dataclass(frozen=True)
class Leavers:
    """The people whom nothing else keeps in scope.

    Attributes:
        ids: object ids of those who were counted.
        some_may_stay: whether who stays could not be read, so that fewer of these may leave.
        unread: groups that leave, and whose members could not be read.
        gone: groups that leave, and were deleted in the source already, so that nobody can tell their members.
        more_than: where they are too many to be listed, how many they are at least; else 0.
        deleted: how many more are deleted in the source already, whom the job removes whatever this run does.
    """

    ids: Collection[str] = ()
    some_may_stay: bool = False
    unread: Sequence[str] = ()
    gone: Sequence[str] = ()
    more_than: int = 0
    deleted: int = 0

    def __str__(self) -> str:
        """How many people they are."""
        if self.more_than:
            return f"more than {self.more_than} people"
        number = number_of_people(len(self.ids))
        words = f"up to {number}" if self.some_may_stay else number
        if not self.groups:
            return words
        return f"{words} and the members of {listed(self.groups)}" if self.ids else f"members of {listed(self.groups)}"

    @property
    def groups(self) -> list[str]:
        """The groups whose members are not known."""
        return [*self.unread, *self.gone]

    def named(self, names: Mapping[str, str]) -> Leavers:
        """The same, with groups by what the configuration calls them."""
        unread, gone = ([names.get(one, one) for one in groups] for groups in (self.unread, self.gone))
        return replace(self, unread=unread, gone=gone)

    def exceed(self, most: int | None) -> bool:
        """Whether more people leave than may; None is any number. Members who could not be read stop nothing."""
        return most is not None and max(len(self.ids), self.more_than + 1 if self.more_than else 0) > most


def people_who_leave(
    operation: Operation,
    scope: Mapping[str, Any],
    gone: Sequence[Principal],
    coming: Sequence[Principal],
    most: int | None,
) -> Leavers:
    """Whom nothing else keeps in scope.

    Whoever was deleted in the source already is not counted: the job removes that person whatever this run does.

    Calls: those of `by_id`; GET groups/{id}/members of groups (GroupMember.Read.All), GET appRoleAssignedTo, page by
    page.

    Args:
        operation: in the source.
        scope: service principal and role, by the names of the scope's inputs.
        gone: who leaves.
        coming: who comes.
        most: how many people may leave; None is any number.

    Raises:
        XtsyncError: Graph could not be asked.
    """
    limit, unread, lost = max(MOST_LEAVING, most or 0), list[str](), list[str]()
    users = [object_id for kind, object_id in gone if kind.lower() == USER]
    leaving = {*by_id(operation, USER, users)}
    deleted = len({*users} - leaving)
    try:
        for group in (object_id for kind, object_id in gone if kind.lower() == GROUP):
            try:
                leaving |= people_of_group(operation, group, limit)
            except (ForbiddenError, HiddenMembersError):
                unread.append(group)
            except NotFoundError:
                lost.append(group)
    except TooManyPeople:
        return Leavers(more_than=limit, deleted=deleted)
    if len(leaving) > limit:
        return Leavers(more_than=limit, deleted=deleted)
    left, role = {object_id for _, object_id in gone}, scope["appRoleId"]
    # Whoever has another role of the application as well stays by that one, which is not this stack's to take away.
    _, stay = parted(in_scope(operation, scope["servicePrincipalId"]), role, left)
    kept = [people_or_none(operation, principals) for principals in (kinds_of(stay), coming)]
    remaining = leaving.difference(*(people or () for people in kept))
    some_may_stay = None in kept and bool(remaining)
    return Leavers(remaining, some_may_stay=some_may_stay, unread=unread, gone=lost, deleted=deleted)


def people_or_none(operation: Operation, principals: Sequence[Principal]) -> set[str] | None:
    """Object ids of the people; None where they may not be read, or are too many to be."""
    try:
        return people_in(operation, principals, MOST_STAYING)
    except TooManyPeople:
        return None


def known_to_leave(gone: Sequence[Principal]) -> Leavers:
    """Who leaves as far as it is known where Graph cannot be asked: users by name, of whom some may stay."""
    users = {object_id for kind, object_id in gone if kind.lower() == USER}
    groups = [object_id for kind, object_id in gone if kind.lower() == GROUP]
    return Leavers(users, some_may_stay=bool(users), unread=groups)


def what_becomes(number: int, holds_from: int | None, lost: str = "") -> str:
    """What becomes of so many people who leave.

    Args:
        number: how many they are.
        holds_from: from how many on the job holds deletions back; 0 or None for never.
        lost: what has become of the job that knows them; "" where it is there.
    """
    if lost:
        return STAY_FORGOTTEN.format(lost=lost)
    return HELD_BACK if holds_from and number >= holds_from else WHAT_BECOMES


def report_who_leaves(
    operation: Operation, leavers: Leavers, *, deletes: bool, holds_from: int | None, lost: str = ""
) -> None:
    """Say how many people leave, who, and what becomes of them. Calls: those of `names_in`.

    Args:
        operation: in the source.
        leavers: who they are.
        deletes: whether the job deletes whoever leaves.
        holds_from: see `what_becomes`.
        lost: see `what_becomes`.
    """
    kept = "the scope with this change, not the target (xtsync:flowTypes)"
    where = f"the {'scope' if lost else 'target'} with this change" if deletes else kept
    number = max(len(leavers.ids), leavers.more_than)
    becomes = f". {what_becomes(number, holds_from, lost)}" if deletes else ""
    if leavers.deleted:
        report(already_deleted(leavers.deleted, deletes=deletes, lost=lost), severity=WARNING)
    if leavers.more_than:
        report(f"{leavers} leave {where}; they are too many to be listed{becomes}", severity=WARNING)
        return
    if leavers.ids:
        verb = "leaves" if len(leavers.ids) == 1 else "leave"
        people = str(replace(leavers, unread=(), gone=()))
        stay = "; who of them stays by another group could not be read" if leavers.some_may_stay else ""
        report(f"{people} {verb} {where}: {names_in(operation, leavers.ids)}{stay}{becomes}", severity=WARNING)
    for groups, why in ((leavers.unread, NOT_COUNTED), (leavers.gone, NOT_KNOWN)):
        if groups:
            report(f"how many members of {listed(groups)} leave {where}, {why}{becomes}", severity=WARNING)
    if not leavers.ids and not leavers.groups and not leavers.deleted:
        report("nobody leaves the target with this change: everybody stays in scope by another group or assignment")


def already_deleted(number: int, *, deletes: bool, lost: str = "") -> str:
    """What to say of people who leave the stack file and were deleted in the source; `lost` as in `what_becomes`."""
    who = "1 person is" if number == 1 else f"{number} people are"
    becomes = what_becomes(0, None, lost) if deletes else "They stay in the target (xtsync:flowTypes)"
    return f"{who} deleted in the source already, so that no assignment keeps them. {becomes}"


def refuse_forgotten(tenant: TenantName, leavers: Leavers, lost: str) -> None:
    """Refuse to let people leave whom the job of then does not know; who is deleted in the source cannot stay either.

    Args:
        tenant: the source.
        leavers: who they are.
        lost: what has become of the job that knows them; "" where it is there.

    Raises:
        RefusedError: there are some, and it is not.
    """
    if lost and (leavers.ids or leavers.more_than or leavers.unread):
        again = "run `pulumi up --refresh --diff`, which makes another job" if lost == GONE else "run this again"
        raise RefusedError(
            f"Will not let {replace(leavers, gone=())} leave the scope in {tenant}",
            f"the job that has synchronized them {lost}, and another one does not know them: no job would remove them "
            "from the target",
            f"put them back (whom somebody has assigned by hand, into the stack file) and {again}; take them out once "
            "the new job has ended a cycle (`xtsync status --wait first-cycle`)",
        )


def refuse_many(tenant: TenantName, leavers: Leavers, most: int | None) -> None:
    """Refuse to let more people leave than the stack file allows; groups that could not be read stop nothing.

    Raises:
        RefusedError: by number.
    """
    if leavers.exceed(most):
        number = "at least their number" if leavers.more_than else len(leavers.ids)
        raise RefusedError(
            f"Will not let {leavers} leave the scope in {tenant}",
            "that is as many as xtsync:deletionThreshold or more: the job would hold their deletion back",
            f"if they are to leave, set xtsync:allowDeletions to {number}, run `pulumi up`, and then `xtsync "
            "approve-deletions` once the job has held them back; else put them back",
        )
