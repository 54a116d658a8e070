"""Whose deletion a job holds back, as the provisioning log tells: each cycle stages them anew.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/accidental-deletions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..graph.errors import RefusedError
from ..graph.pace import Pace
from .model import last_ended, quarantined_since
from .provisioning_log import Event, Identity, events, filter_for

if TYPE_CHECKING:
    from ..graph.errors import TenantName
    from ..graph.operation import Operation
    from .model import Job

STAGED = "stagedDelete"
# The cycle that began the quarantine may have begun long before it.
CYCLE = timedelta(days=2)
# Where somebody decides about people, who have to be all there are.
MOST_EVENTS = 20_000
# The log tells of a cycle some minutes after it.
LATE = timedelta(minutes=15)


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


def may_be_more(job: Job, people: int, threshold: int | None, now: datetime) -> bool:
    """Whether the log may not have told of all yet, whose deletion the job holds back.

    A job holds back no fewer than its threshold. That may have been raised since; so what the log says counts once the
    last cycle is long enough ago.
    """
    if not people:
        return True
    ended = last_ended(job)
    return threshold is not None and people < threshold and (ended is None or now - ended < LATE)
