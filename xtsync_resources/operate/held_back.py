"""Whose deletions a job holds back, at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..assignments.operations import TooManyPeople, kinds_of, number_of_people, people_in
from ..graph.errors import CallError, RefusedError
from ..sync_job.held_back import may_be_more, staged
from ..sync_job.model import holds_deletions
from ..sync_job.provisioning_log import Identity
from ..sync_secrets.calls import get_secrets
from ..sync_secrets.model import deletion_threshold, settings_by_key
from .checks.finding import listed
from .in_scope import in_scope

if TYPE_CHECKING:
    from ..config import Settings
    from ..graph.operation import Operation
    from ..sync_job.model import Job
    from .health import Health

# Where nobody decides, and the first names will do.
A_GLANCE = 1_000
MOST_IN_SCOPE = 2_000
PUT_BACK = "Put back in scope before that cycle whoever is to stay: nothing asks again"
WAIT = "Wait for the next cycle, which ends the quarantine then; `xtsync status` says how it went"
LATE = "the provisioning log does not say yet whose they are; its events come some minutes late"


@dataclass(frozen=True)
class HeldBack:
    """Whom a job is about to delete.

    Attributes:
        people: in the order of their names.
        unknown: why they cannot be told; "" where they can.
        let_go: why the next cycle deletes them, as they are fewer than the deletion threshold by now; "" where it does
            not.
        assigned: those of them who have been put back in scope since, themselves or by a group; where the stack file
            has scoping filters nobody can tell, as they keep out people who are assigned.
    """

    people: Sequence[Identity] = ()
    unknown: str = ""
    let_go: str = ""
    assigned: Sequence[Identity] = ()

    @property
    def outside(self) -> Sequence[Identity]:
        """Those of them whom nothing puts in scope."""
        return [one for one in self.people if one not in self.assigned]

    def sentence(self, target: str) -> str:
        """Them in words, with the first names."""
        if self.unknown:
            return f"whose deletion is held back cannot be told here: {self.unknown}"
        leaves = "the next cycle leaves them, unless a scoping filter keeps them out"
        back = f". Assigned by now: {named(self.assigned)}; {leaves}" if self.assigned else ""
        if self.let_go and (going := self.outside):
            number = number_of_people(len(going))
            return f"{self.let_go}: the next cycle DELETES {number} in {target}: {named(going)}{back}"
        number = number_of_people(len(self.people))
        return f"{number} would be deleted in {target}, as of the last cycle: {named(self.people)}{back}"

    def remedy(self, health: Health) -> str:
        """What to do about a job that holds deletions back, or did."""
        if self.people and not self.outside:
            return WAIT
        return PUT_BACK if self.let_go else health.remedy


def named(several: Sequence[Identity]) -> str:
    """The first of their names."""
    return listed([str(one) for one in several])


def assigned_among(operation: Operation, service_principal: str, several: Sequence[Identity]) -> list[Identity]:
    """Those of some people who are assigned; none where that cannot be seen, or takes too long.

    Calls: GET appRoleAssignedTo, GET groups/{id}/members, page by page.
    """
    try:
        found = people_in(operation, kinds_of(in_scope(operation, service_principal)), MOST_IN_SCOPE)
    except (CallError, TooManyPeople):
        return []
    return [one for one in several if one.id in (found or ())]


def at_a_glance(
    operation: Operation, service_principal: str, job_id: str, job: Job, settings: Settings
) -> HeldBack | None:
    """Whom a job is about to delete; None where it holds nothing back. What fails here fails nothing.

    Calls: those of `staged` and `assigned_among`, and GET secrets, where it does.
    """
    if not holds_deletions(job):
        return None
    try:
        people = staged(operation, job_id, job, A_GLANCE)
        threshold = deletion_threshold(settings_by_key(operation.send(get_secrets(service_principal))))
    except CallError as error:
        return HeldBack(unknown=f"{error.why}. {error.do}")
    except RefusedError as error:
        return HeldBack(unknown=error.why)
    if not people:
        return HeldBack(unknown=f"{LATE}. `xtsync approve-deletions` shows them once it does")
    back = [] if settings.scoping_filters else assigned_among(operation, service_principal, people)
    if threshold is not None and len(people) >= threshold:
        return HeldBack(people, assigned=back)
    # No fewer than the threshold are held back; but the log may not have named all of a young cycle.
    young = may_be_more(job, len(people), threshold, operation.client.clock.now())
    missing = f"The threshold is {threshold}. Unless the log, which is some minutes late, lacks others"
    return HeldBack(people, let_go=missing if young else "The threshold was raised since", assigned=back)
