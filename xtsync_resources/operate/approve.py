"""`xtsync approve-deletions`: let a job carry out the deletions that it holds back, after showing whose they are.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/accidental-deletions
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..graph.errors import ConfigurationError, RefusedError
from ..graph.pace import Pace
from ..sync_job.calls import FORCE_DELETES
from ..sync_job.model import holds_deletions, quarantined_since
from ..sync_job.provisioning_log import Identity, events, filter_for
from .control import refuse_missing_assignments, restart
from .status import Status, as_document, as_table, read_health, read_job

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.model import Job
    from .screen import Screen
    from .stack import Stack

STAGED = "stagedDelete"
# The cycle that began the quarantine may have begun long before it.
CYCLE = timedelta(days=2)
MOST_EVENTS, MOST_NAMES = 20_000, 50


@dataclass(frozen=True)
class Approved(Status):
    """The health of the job after deletions were approved, for machines.

    Attributes:
        approved: whose deletions they are.
    """

    approved: Sequence[Identity]


def command(stack: Stack, screen: Screen, count: int | None) -> int:
    """Show who would be deleted, want their number, and let it happen; 1 if it was declined.

    Calls: those of `refuse_missing_assignments` and `held_back`; GET jobs/{id}; POST jobs/{id}/restart.

    Raises:
        RefusedError: nothing is held back, nobody knows whose deletion is, or somebody configured is not assigned.
        ConfigurationError: `count` is another number.
    """
    operation = stack.operation("source")
    job = read_job(operation, stack)
    if not holds_deletions(job):
        raise RefusedError(
            f"Nothing to approve for the job {stack.job} in {operation.tenant}",
            "it holds no deletions back",
            "see `xtsync status`",
        )
    refuse_missing_assignments(operation, stack, "approve the deletions of")
    people = held_back(operation, stack, job)
    target = stack.settings.target.name
    what = f"{len(people)} {'person' if len(people) == 1 else 'people'}"
    screen.tell(f"{what} would be deleted in {target} (restorable there for 30 days):", style="bold")
    for one in people[:MOST_NAMES]:
        screen.tell(f"  {one.name or '(no name)'}  {one.id}")
    if len(people) > MOST_NAMES:
        screen.tell(f"  and {len(people) - MOST_NAMES} more (`xtsync logs --json`)")
    typed = count if count is not None else screen.number(f"To delete them, type how many they are ({what})")
    if typed != len(people):
        if count is not None:
            raise ConfigurationError(
                "Nothing was approved", f"--count is {count}, and they are {len(people)}", "look again"
            )
        screen.tell(f"{typed} is not {len(people)}. Nothing was done.")
        return 1
    restart(operation, stack, job, FORCE_DELETES)
    health = read_health(read_job(operation, stack), running=stack.settings.running)
    if screen.as_json:
        screen.json(Approved(**vars(as_document(stack, health)), approved=people))
    else:
        screen.print(as_table(stack, health, operation.client.clock.now()))
    return 0


def held_back(operation: Operation, stack: Stack, job: Job) -> list[Identity]:
    """Whose deletion is held back, in the order of their names, as the provisioning log tells.

    Calls: GET auditLogs/provisioning, page by page (ProvisioningLog.Read.All).

    Raises:
        RefusedError: it does not tell.
    """
    clock = operation.client.clock
    since = (quarantined_since(job) or clock.now()) - CYCLE
    found = events(operation, Pace(clock), filter_for(stack.job, since, "", failures=False))
    staged = [one for one in itertools.islice(found, MOST_EVENTS) if one.action.lower() == STAGED.lower()]
    # Each cycle stages them anew; the newest tells who is left.
    people = {one.source for one in staged if one.cycle == staged[0].cycle}
    if not people:
        raise RefusedError(
            f"Will not approve deletions of the job {stack.job} in {operation.tenant}",
            "the provisioning log does not say whose they are; its events come some minutes late",
            "run this again in a quarter of an hour, or look in the portal and approve them there",
        )
    return sorted(people, key=lambda one: (one.name.lower(), one.id))
