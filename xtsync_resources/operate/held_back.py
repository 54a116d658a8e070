"""Whose deletions a job holds back, as the provisioning log tells: each cycle stages them anew.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/accidental-deletions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..graph.errors import CallError, RefusedError
from ..graph.pace import Pace
from ..sync_job.model import holds_deletions, quarantined_since
from ..sync_job.provisioning_log import Event, Identity, events, filter_for
from .checks.finding import counted, listed

if TYPE_CHECKING:
    from ..graph.errors import TenantName
    from ..graph.operation import Operation
    from ..sync_job.model import Job

STAGED = "stagedDelete"
# The cycle that began the quarantine may have begun long before it.
CYCLE = timedelta(days=2)
# Where nobody decides, and the first names will do.
A_GLANCE = 1_000
LATE = "the provisioning log does not say yet whose they are; its events come some minutes late"


@dataclass(frozen=True)
class HeldBack:
    """Whom a job is about to delete.

    Attributes:
        people: in the order of their names.
        unknown: why they cannot be told; "" where they can.
    """

    people: Sequence[Identity] = ()
    unknown: str = ""

    def sentence(self, target: str) -> str:
        """Them in words, with the first names."""
        if self.unknown:
            return f"whose deletion is held back cannot be told here: {self.unknown}"
        who = listed([str(one) for one in self.people])
        return f"{counted(len(self.people), 'person', 'people')} would be deleted in {target}: {who}"


def at_a_glance(operation: Operation, job_id: str, job: Job) -> HeldBack | None:
    """Whom a job is about to delete; None where it holds nothing back. What fails here fails nothing.

    Calls: those of `staged`, where it does.
    """
    if not holds_deletions(job):
        return None
    try:
        people = staged(operation, job_id, job, A_GLANCE)
    except CallError as error:
        return HeldBack(unknown=f"{error.why}. {error.do}")
    except RefusedError as error:
        return HeldBack(unknown=error.why)
    return (
        HeldBack(people) if people else HeldBack(unknown=f"{LATE}. `xtsync approve-deletions` shows them once it does")
    )


def staged(operation: Operation, job_id: str, job: Job, most: int) -> list[Identity]:
    """Whose deletion was staged in the newest cycle that has staged any, in the order of their names.

    Calls: GET auditLogs/provisioning, page by page (ProvisioningLog.Read.All).

    Raises:
        RefusedError: the log has more events than are read, or one that names nobody, so that nobody knows whether
            these are all.
        CallError: the log cannot be read.
    """
    clock = operation.client.clock
    since = (quarantined_since(job) or clock.now()) - CYCLE
    found = events(operation, Pace(clock), filter_for(job_id, since, "", failures=False))
    # The newest event of somebody comes first, and has the name of now.
    people: dict[str, Identity] = {}
    for one in of_newest_cycle(no_more_than(most, found, job_id, operation.tenant)):
        if not one.source.id:
            what = f"Cannot tell whose deletions the job {job_id} in {operation.tenant} holds back"
            raise RefusedError(what, "an event of the log does not say whose it is", "look in the portal")
        people.setdefault(one.source.id, one.source)
    return sorted(people.values(), key=lambda one: (one.name.lower(), one.id))


def no_more_than(most: int, found: Iterable[Event], job_id: str, tenant: TenantName) -> Iterator[Event]:
    """The events, with a refusal in the place of one too many: then these are not all."""
    for number, one in enumerate(found):
        if number == most:
            what = f"Cannot tell whose deletions the job {job_id} in {tenant} holds back"
            why = f"it has logged more than {most:,} events since, and whoever is in older ones would be left out"
            raise RefusedError(what, why, "look in the portal, and approve them there")
        yield one


def of_newest_cycle(found: Iterable[Event]) -> Iterator[Event]:
    """Of events, newest first, the deletions that the newest cycle has staged; older events are not read."""
    cycle = None
    for one in found:
        if one.action.lower() == STAGED.lower():
            if cycle not in (None, one.cycle):
                return
            cycle = one.cycle
            yield one
