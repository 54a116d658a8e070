"""Whose deletions a job holds back, and what a cycle makes of them once some are back in scope.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/accidental-deletions
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..assignments.operations import TooManyPeople, in_scope, kinds_of, listed, number_of_people, people_in
from ..graph.errors import CallError, RefusedError
from ..pulumi_runtime.engine import WARNING, report
from ..sync_job.calls import get_job
from ..sync_job.held_back import may_be_more, staged
from ..sync_job.model import ACTIVE, holds_deletions, message_of_quarantine, schedule_state
from ..sync_job.provisioning_log import Identity
from ..sync_job.quarantine import sentence
from ..sync_schema.calls import get_schema
from ..sync_schema.document import UnusableSchemaError
from ..sync_schema.model import FILTERS, live_parts
from ..sync_secrets.calls import get_secrets
from ..sync_secrets.model import deletion_threshold, settings_by_key

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.model import Job
    from .leavers import Principal

# Where nobody decides, and the first names will do.
A_GLANCE = 1_000
MOST_IN_SCOPE = 2_000
LATE = "the provisioning log does not say yet whose they are; its events come some minutes late"
NEXT, ONCE_STARTED = "the next cycle", "the first cycle after a start"
UNSEEN = "Who of them is back in scope by now cannot be seen here"
KEPT_OUT = "unless something else keeps them out of scope (a scoping filter, or that they are guests)"
FEWER = "where fewer than the deletion threshold stay out, {cycle} deletes those without asking"


@dataclass(frozen=True)
class HeldBack:
    """Whom a job is about to delete.

    Attributes:
        people: in the order of their names.
        unknown: why they cannot be told; "" where they can.
        let_go: why the next cycle deletes them, as they are fewer than the deletion threshold by now; "" where it does
            not.
        assigned: those of them who have been put back in scope since, themselves or by a group; null where nobody can
            tell, as where the job has scoping filters, which keep out people who are assigned.
        cycle: which cycle looks at them next.
        change: what is taken for done already, as "with this change"; "" for nothing.
    """

    people: Sequence[Identity] = ()
    unknown: str = ""
    let_go: str = ""
    assigned: Sequence[Identity] | None = ()
    cycle: str = NEXT
    change: str = ""

    @property
    def outside(self) -> Sequence[Identity]:
        """Those of them whom nothing is known to put in scope."""
        return [one for one in self.people if one not in (self.assigned or ())]

    def sentence(self, target: str) -> str:
        """Them in words, with the first names."""
        fewer = FEWER.format(cycle=self.cycle)
        if self.unknown:
            unknown = f"whose deletion is held back cannot be told here: {self.unknown}"
            return f"{unknown}. {sentence(fewer)}" if self.change else unknown
        back = ""
        if self.assigned:
            back = f". {self.since}: {named(self.assigned)}; they stay, {KEPT_OUT}"
        elif self.assigned is None:
            back = f". {UNSEEN}{'' if self.let_go else f'; {fewer}'}"
        if self.let_go and (going := self.outside):
            of_them = "whoever is still out of scope of " if self.assigned is None else ""
            number = f"{of_them}{number_of_people(len(going))}"
            return f"{self.let_go}: {self.cycle} DELETES {number} in {target}: {named(going)}{back}"
        # Nobody asks about whom a filter keeps out all the same.
        lets_go = f". {self.let_go}: {self.cycle} deletes whoever is out of scope" if self.let_go else ""
        number = number_of_people(len(self.people))
        return f"{number} would be deleted in {target}, as of the last cycle: {named(self.people)}{back}{lets_go}"

    @property
    def since(self) -> str:
        """By when those are in scope who are."""
        return f"In scope {self.change}" if self.change else "Assigned by now"


def named(several: Sequence[Identity]) -> str:
    """The first of their names."""
    return listed([str(one) for one in several])


def put_back(
    operation: Operation,
    service_principal: str,
    job_id: str,
    several: Sequence[Identity],
    coming: Sequence[Principal] = (),
) -> list[Identity] | None:
    """Those of some people who are assigned; None where that says nothing, as of filters, or cannot be seen in time.

    Calls: GET jobs/{id}/schema, GET appRoleAssignedTo, GET groups/{id}/members, page by page.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        several: the people.
        coming: users and groups that are taken for assigned already.
    """
    try:
        schema = operation.send(get_schema(service_principal, job_id))
        if live_parts(schema, {FILTERS: None})[FILTERS]:
            return None
        assigned = kinds_of(in_scope(operation, service_principal))
        found = people_in(operation, [*assigned, *coming], MOST_IN_SCOPE)
    except (CallError, TooManyPeople, UnusableSchemaError):
        return None
    return None if found is None else [one for one in several if one.id in found]


def at_a_glance(
    operation: Operation,
    service_principal: str,
    job_id: str,
    job: Job,
    *,
    filtered: bool = False,
    coming: Sequence[Principal] = (),
    change: str = "",
) -> HeldBack | None:
    """Whom a job is about to delete; None where it holds nothing back. What fails here fails nothing.

    Calls: those of `staged` and `put_back`, and GET secrets, where it does.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        job: as it is now.
        filtered: whether the stack file has scoping filters, which may come with the next `up`, and keep out who is
            assigned.
        coming: users and groups that a change puts in scope.
        change: see `HeldBack`.
    """
    if not holds_deletions(job):
        return None
    message = message_of_quarantine(job)
    said = f". Graph says: {message}" if message else ""
    cycle = NEXT if schedule_state(job) == ACTIVE else ONCE_STARTED
    try:
        people = staged(operation, job_id, job, A_GLANCE)
        threshold = deletion_threshold(settings_by_key(operation.send(get_secrets(service_principal))))
    except CallError as error:
        return HeldBack(unknown=f"{error.why}. {error.do}{said}", cycle=cycle, change=change)
    except RefusedError as error:
        return HeldBack(unknown=f"{error.why}{said}", cycle=cycle, change=change)
    if not people:
        unknown = f"{LATE}. `xtsync approve-deletions` shows them once it does{said}"
        return HeldBack(unknown=unknown, cycle=cycle, change=change)
    back = None if filtered else put_back(operation, service_principal, job_id, people, coming)
    young = may_be_more(job, len(people), threshold, operation.client.clock.now())
    return replace(among(people, back, threshold, young=young, change=change), cycle=cycle)


def report_held_back(operation: Operation, service_principal: str, job_id: str, coming: Sequence[Principal]) -> None:
    """Say of a job that holds deletions back whom it deletes once others are back in scope; what fails fails nothing.

    Calls: GET jobs/{id}; those of `at_a_glance`.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        coming: users and groups that this run puts in scope.
    """
    try:
        job = operation.read(get_job(service_principal, job_id))
    except CallError as error:
        report(f"whether the job holds deletions back could not be read: {error.why}", severity=WARNING)
        return
    held = at_a_glance(operation, service_principal, job_id, job or {}, coming=coming, change="with this change")
    if held is not None:
        report(f"the job holds deletions back. {sentence(held.sentence('the target'))}", severity=WARNING)


def among(
    people: Sequence[Identity], back: Sequence[Identity] | None, threshold: int | None, *, young: bool, change: str = ""
) -> HeldBack:
    """Whom the next cycle deletes; pure.

    Args:
        people: whose deletion the last cycle has staged.
        back: those of them who are assigned; None where nobody can tell.
        threshold: from how many on a cycle holds deletions back now; None for never.
        young: whether the log may not have named all yet, as a cycle holds back no fewer than its threshold.
        change: what is taken for done already; see `HeldBack`.
    """
    outside = len(people) - len(back or ())
    if young:
        let_go = f"The threshold is {threshold}. Unless the log, which is some minutes late, lacks others"
    elif threshold is None or len(people) < threshold:
        let_go = "The threshold was raised since"
    elif 0 < outside < threshold:
        fewer = f"fewer of those held back stay out of scope than the deletion threshold, which is {threshold}"
        let_go = sentence(f"{change} {fewer}" if change else fewer)
    else:
        let_go = ""
    return HeldBack(people, let_go=let_go, assigned=back, change=change)
