"""Whose deletions a job holds back, at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..assignments.operations import TooManyPeople, kinds_of, number_of_people, people_in
from ..graph.errors import CallError, RefusedError
from ..sync_job.held_back import may_be_more, staged
from ..sync_job.model import ACTIVE, holds_deletions, schedule_state
from ..sync_job.provisioning_log import Identity
from ..sync_schema.calls import get_schema
from ..sync_schema.document import UnusableSchemaError
from ..sync_schema.model import FILTERS, live_parts
from ..sync_secrets.calls import get_secrets
from ..sync_secrets.model import deletion_threshold, settings_by_key
from .checks.finding import listed
from .health import message_of_quarantine
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
WAIT = (
    "Wait for the next cycle, which ends the quarantine then; `xtsync status` says how it went. If it still holds them "
    "back, something else keeps them out of scope: `xtsync doctor` tells whom the service skips"
)
LATE = "the provisioning log does not say yet whose they are; its events come some minutes late"
NEXT, ONCE_STARTED = "the next cycle", "the first cycle after a start"
UNSEEN = "Who of them is back in scope by now cannot be seen here"
KEPT_OUT = "unless something else keeps them out of scope (a scoping filter, or that they are guests)"


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
    """

    people: Sequence[Identity] = ()
    unknown: str = ""
    let_go: str = ""
    assigned: Sequence[Identity] | None = ()
    cycle: str = NEXT

    @property
    def outside(self) -> Sequence[Identity]:
        """Those of them whom nothing is known to put in scope."""
        return [one for one in self.people if one not in (self.assigned or ())]

    def sentence(self, target: str) -> str:
        """Them in words, with the first names."""
        if self.unknown:
            return f"whose deletion is held back cannot be told here: {self.unknown}"
        back = f". Assigned by now: {named(self.assigned)}; they stay, {KEPT_OUT}" if self.assigned else ""
        if self.assigned is None:
            fewer = f"; where fewer than the deletion threshold stay out, {self.cycle} deletes those without asking"
            back = f". {UNSEEN}{'' if self.let_go else fewer}"
        if self.let_go and (going := self.outside):
            of_them = "whoever is still out of scope of " if self.assigned is None else ""
            number = f"{of_them}{number_of_people(len(going))}"
            return f"{self.let_go}: {self.cycle} DELETES {number} in {target}: {named(going)}{back}"
        # Nobody asks about whom a filter keeps out all the same.
        lets_go = f". {self.let_go}: {self.cycle} deletes whoever is out of scope" if self.let_go else ""
        number = number_of_people(len(self.people))
        return f"{number} would be deleted in {target}, as of the last cycle: {named(self.people)}{back}{lets_go}"

    def remedy(self, health: Health) -> str:
        """What to do about a job that holds deletions back, or did."""
        if not self.people or health.state != ACTIVE or not health.quarantine:
            return health.remedy
        if self.let_go:
            return PUT_BACK
        return health.remedy if self.outside else WAIT


def named(several: Sequence[Identity]) -> str:
    """The first of their names."""
    return listed([str(one) for one in several])


def put_back(
    operation: Operation, service_principal: str, job_id: str, several: Sequence[Identity]
) -> list[Identity] | None:
    """Those of some people who are assigned; None where that says nothing, as of filters, or cannot be seen in time.

    Calls: GET jobs/{id}/schema, GET appRoleAssignedTo, GET groups/{id}/members, page by page.
    """
    try:
        schema = operation.send(get_schema(service_principal, job_id))
        if live_parts(schema, {FILTERS: None})[FILTERS]:
            return None
        found = people_in(operation, kinds_of(in_scope(operation, service_principal)), MOST_IN_SCOPE)
    except (CallError, TooManyPeople, UnusableSchemaError):
        return None
    return None if found is None else [one for one in several if one.id in found]


def at_a_glance(
    operation: Operation, service_principal: str, job_id: str, job: Job, settings: Settings
) -> HeldBack | None:
    """Whom a job is about to delete; None where it holds nothing back. What fails here fails nothing.

    Calls: those of `staged` and `put_back`, and GET secrets, where it does.
    """
    if not holds_deletions(job):
        return None
    message = message_of_quarantine(job)
    said = f". Graph says: {message}" if message else ""
    try:
        people = staged(operation, job_id, job, A_GLANCE)
        threshold = deletion_threshold(settings_by_key(operation.send(get_secrets(service_principal))))
    except CallError as error:
        return HeldBack(unknown=f"{error.why}. {error.do}{said}")
    except RefusedError as error:
        return HeldBack(unknown=f"{error.why}{said}")
    if not people:
        return HeldBack(unknown=f"{LATE}. `xtsync approve-deletions` shows them once it does{said}")
    # A filter of the stack file may come with the next `up`, and keep out who is assigned.
    back = None if settings.scoping_filters else put_back(operation, service_principal, job_id, people)
    young = may_be_more(job, len(people), threshold, operation.client.clock.now())
    held = among(people, back, threshold, young=young)
    return held if schedule_state(job) == ACTIVE else replace(held, cycle=ONCE_STARTED)


def among(
    people: Sequence[Identity], back: Sequence[Identity] | None, threshold: int | None, *, young: bool
) -> HeldBack:
    """Whom the next cycle deletes; pure.

    Args:
        people: whose deletion the last cycle has staged.
        back: those of them who are assigned by now; None where nobody can tell.
        threshold: from how many on a cycle holds deletions back now; None for never.
        young: whether the log may not have named all yet, as a cycle holds back no fewer than its threshold.
    """
    outside = len(people) - len(back or ())
    if young:
        let_go = f"The threshold is {threshold}. Unless the log, which is some minutes late, lacks others"
    elif threshold is None or len(people) < threshold:
        let_go = "The threshold was raised since"
    elif 0 < outside < threshold:
        let_go = f"They are fewer by now than the deletion threshold, which is {threshold}"
    else:
        let_go = ""
    return HeldBack(people, let_go=let_go, assigned=back)
