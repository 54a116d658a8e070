"""The people who leave the scope: whom nothing else keeps in it, and when they are too many.

Members are listed of groups that leave, to find who they are, and of groups that stay or come, to find who stays.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..assignments.operations import TooManyPeople, assignments, kinds_of, names_in, people_in, principal_of
from ..graph.errors import RefusedError, TenantName
from ..pulumi_runtime.engine import WARNING, report

if TYPE_CHECKING:
    from ..graph.operation import Operation

# A preview is not to list a whole directory: more who leave are not listed unless the stack file allows more to leave,
# and where more stay it is not seen who of those who leave stays.
MOST_LEAVING, MOST_STAYING = 2000, 20_000
WHAT_BECOMES = "The next cycle of a job that runs removes them there; they can be restored for 30 days"
WHAT_IT_TAKES = "it takes the permission GroupMember.Read.All in the source"
# Kind (`user`, `group`) and object id.
Principal = tuple[str, str]


@dataclass(frozen=True)
class Leavers:
    """The people whom nothing else keeps in scope.

    Attributes:
        ids: their object ids; None where they were not counted.
        some_may_stay: whether groups that stay could not be read, so that these are the most who leave.
        more_than: where they were not counted, how many they are at least; 0 where the groups could not be read.
    """

    ids: Collection[str] | None = ()
    some_may_stay: bool = False
    more_than: int = 0

    def __str__(self) -> str:
        """How many people they are."""
        if self.ids is None:
            return f"more than {self.more_than} people"
        number = "1 person" if len(self.ids) == 1 else f"{len(self.ids)} people"
        return f"up to {number}" if self.some_may_stay else number

    def exceed(self, most: int | None) -> bool:
        """Whether more people leave than may; None is any number. Groups that could not be read stop nothing."""
        least = self.more_than + 1 if self.ids is None and self.more_than else len(self.ids or ())
        return most is not None and least > most


UNREAD = Leavers(None)


def people_who_leave(
    operation: Operation,
    scope: Mapping[str, Any],
    gone: Sequence[Principal],
    coming: Sequence[Principal],
    most: int | None,
) -> Leavers:
    """Whom nothing else keeps in scope.

    Calls: GET groups/{id}/members of groups (GroupMember.Read.All), GET appRoleAssignedTo, page by page.

    Args:
        operation: in the source.
        scope: service principal and role, by the names of the scope's inputs.
        gone: who leaves.
        coming: who comes.
        most: how many people may leave; None is any number.

    Raises:
        XtsyncError: Graph could not be asked.
    """
    limit = max(MOST_LEAVING, most or 0)
    try:
        leaving = people_in(operation, gone, limit)
    except TooManyPeople:
        return Leavers(None, more_than=limit)
    if leaving is None:
        return UNREAD
    left = {object_id for _, object_id in gone}
    assigned = assignments(operation, scope["servicePrincipalId"], scope["appRoleId"])
    stay = kinds_of(one for one in assigned if principal_of(one) not in left)
    kept = [people_or_none(operation, principals) for principals in (stay, coming)]
    return Leavers(leaving.difference(*(people or () for people in kept)), some_may_stay=None in kept and bool(leaving))


def people_or_none(operation: Operation, principals: Sequence[Principal]) -> set[str] | None:
    """Object ids of the people; None where they may not be read, or are too many to be."""
    try:
        return people_in(operation, principals, MOST_STAYING)
    except TooManyPeople:
        return None


def report_who_leaves(operation: Operation, leavers: Leavers, *, deletes: bool) -> None:
    """Say how many people leave, who, and what becomes of them. Calls: GET users/{id} of who is named.

    Args:
        operation: in the source.
        leavers: who they are.
        deletes: whether the job deletes whoever leaves.
    """
    where = "the target with that" if deletes else "the scope with that, not the target (xtsync:flowTypes)"
    becomes = f". {WHAT_BECOMES}" if deletes else ""
    if leavers.ids is None and not leavers.more_than:
        report(f"how many people leave {where}, was not counted: {WHAT_IT_TAKES}{becomes}", severity=WARNING)
    elif leavers.ids is None:
        report(f"{leavers} leave {where}; they are too many to be listed{becomes}", severity=WARNING)
    elif leavers.ids:
        verb = "leaves" if len(leavers.ids) == 1 else "leave"
        stay = "; who of them stays by another group could not be read" if leavers.some_may_stay else ""
        report(f"{leavers} {verb} {where}: {names_in(operation, leavers.ids)}{stay}{becomes}", severity=WARNING)
    else:
        report("nobody leaves the target with that: everybody stays in scope by another group or assignment")


def refuse_many(tenant: TenantName, leavers: Leavers, most: int | None) -> None:
    """Refuse to let more people leave than the stack file allows; groups that could not be read stop nothing.

    Raises:
        RefusedError: by number.
    """
    if leavers.exceed(most):
        number = "at least their number" if leavers.ids is None else len(leavers.ids)
        raise RefusedError(
            f"Will not let {leavers} leave the scope in {tenant}",
            "that is as many as xtsync:deletionThreshold or more: the job would hold their deletion back",
            f"if they are to leave, set xtsync:allowDeletions to {number}, run `pulumi up`, and then `xtsync "
            "approve-deletions` once the job has held them back; else put them back",
        )
