"""Whose deletions a job holds back, at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..graph.errors import CallError, RefusedError
from ..sync_job.held_back import may_be_more, staged
from ..sync_job.model import holds_deletions
from ..sync_job.provisioning_log import Identity
from ..sync_secrets.calls import get_secrets
from ..sync_secrets.model import deletion_threshold, settings_by_key
from .checks.finding import counted, listed

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.model import Job
    from .health import Health

# Where nobody decides, and the first names will do.
A_GLANCE = 1_000
PUT_BACK = "Put back in scope before that cycle whoever is to stay: nothing asks again"
LATE = "the provisioning log does not say yet whose they are; its events come some minutes late"


@dataclass(frozen=True)
class HeldBack:
    """Whom a job is about to delete.

    Attributes:
        people: in the order of their names.
        unknown: why they cannot be told; "" where they can.
        let_go: why the next cycle deletes them, as they are fewer than the deletion threshold by now; "" where it does
            not.
    """

    people: Sequence[Identity] = ()
    unknown: str = ""
    let_go: str = ""

    def sentence(self, target: str) -> str:
        """Them in words, with the first names."""
        if self.unknown:
            return f"whose deletion is held back cannot be told here: {self.unknown}"
        who = listed([str(one) for one in self.people])
        number = counted(len(self.people), "person", "people")
        if self.let_go:
            return f"{self.let_go}: the next cycle DELETES {number} in {target}: {who}"
        return f"{number} would be deleted in {target}, as of the last cycle: {who}"

    def remedy(self, health: Health) -> str:
        """What to do about a job that holds deletions back, or did."""
        return PUT_BACK if self.let_go else health.remedy


def at_a_glance(operation: Operation, service_principal: str, job_id: str, job: Job) -> HeldBack | None:
    """Whom a job is about to delete; None where it holds nothing back. What fails here fails nothing.

    Calls: those of `staged` and GET secrets, where it does.
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
    if threshold is not None and len(people) >= threshold:
        return HeldBack(people)
    # No fewer than the threshold are held back; but the log may not have named all of a young cycle.
    young = may_be_more(job, len(people), threshold, operation.client.clock.now())
    missing = f"The threshold is {threshold}. Unless the log, which is some minutes late, lacks others"
    return HeldBack(people, let_go=missing if young else "The threshold was raised since")
