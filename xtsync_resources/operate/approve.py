"""`xtsync approve-deletions`: let a job carry out the deletions that it holds back, after showing whose they are.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/accidental-deletions
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..graph.errors import ConfigurationError, ForbiddenError, RefusedError
from ..graph.permissions import PROVISIONING_LOG
from ..sync_job.calls import FORCE_DELETES
from ..sync_job.held_back import MOST_EVENTS, may_be_more, staged
from ..sync_job.model import ACTIVE, holds_deletions, quarantine_explained, schedule_state
from ..sync_job.provisioning_log import Identity
from ..sync_scope.deletions import LATE, put_back
from ..sync_scope.prediction import KEPT_OUT, UNSEEN, named
from ..sync_secrets.calls import get_secrets
from ..sync_secrets.model import NOTIFICATION, deletion_threshold, settings_by_key, threshold_of
from .checks.finding import counted
from .checks.synchronization import threshold
from .control import health_after, refuse_missing_assignments, restart
from .recorded import beside_outputs, last_settings
from .screen import refuse_to_ask_nobody
from .status import Status, as_document, portal_url, read_job, show

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.model import Job
    from .screen import Screen
    from .stack import Stack

MOST_NAMES = 50


@dataclass(frozen=True)
class Approved(Status):
    """The health of the job after deletions were approved, for machines.

    Attributes:
        approved: whose deletions they are.
    """

    approved: Sequence[Identity]


def command(stack: Stack, screen: Screen, count: int | None) -> int:
    """Show who would be deleted, want their number, and let it happen; 1 if it was declined.

    Calls: those of `refuse_missing_assignments`, `held_back` and `put_back`; GET secrets, GET jobs/{id}; POST
    jobs/{id}/restart.

    Raises:
        RefusedError: nothing is held back, nobody knows whose deletion is, all of them are back in scope, or somebody
            configured is not assigned.
        ConfigurationError: `count` is another number.
    """
    if count is None:
        refuse_to_ask_nobody("--count")
    operation = stack.operation("source")
    job = read_job(operation, stack)
    if not holds_deletions(job):
        raise RefusedError(
            f"Nothing to approve for the job {stack.job} in {operation.tenant}",
            "it holds no deletions back",
            "see `xtsync status`",
        )
    if schedule_state(job) != ACTIVE:
        raise RefusedError(
            f"Will not approve deletions of the job {stack.job} in {operation.tenant}",
            f"it is {schedule_state(job) or 'not running'}, and deletes nobody",
            quarantine_explained(job),
        )
    refuse_missing_assignments(operation, stack, "approve the deletions of")
    live = deletion_threshold(settings_by_key(operation.send(get_secrets(stack.service_principal))))
    least = least_held_back(stack, live)
    staged_now = held_back(operation, stack, job, least)
    back = put_back(operation, stack.service_principal, stack.job, staged_now)
    people = [one for one in staged_now if one not in (back or ())]
    if back and not people:
        raise RefusedError(
            f"Nothing to approve for the job {stack.job} in {operation.tenant}",
            f"whoever it holds back is assigned by now ({named(back)}), so that the next cycle leaves them, {KEPT_OUT}",
            "wait for the next cycle. If it still holds them back, look with `xtsync doctor` for whom the service "
            "skips, and take out of the stack file whoever is to go",
        )
    target = stack.settings.target.name
    what = counted(len(people), "person", "people")
    since = ""
    if live is None or len(people) < live:
        why = "it was raised since" if live is None or len(staged_now) < live else "they are fewer by now"
        since = f"; {why}, so the next cycle deletes them in any case"
    screen.tell(f"The job holds {threshold(live)} (xtsync:deletionThreshold){since}.")
    screen.tell(
        f"{what} would be deleted in {target} (restorable there for 30 days), and with them whoever leaves the scope "
        "before the next cycle:",
        style="bold",
    )
    for one in people[:MOST_NAMES]:
        screen.tell(f"  {one.name or '(no name)'}  {one.id}")
    if len(people) > MOST_NAMES:
        screen.tell(f"  and {len(people) - MOST_NAMES} more (`xtsync logs --json`)")
    if back is None:
        screen.tell(f"{UNSEEN}.")
    elif back:
        screen.tell(f"Not among them, as they are assigned by now: {named(back)}. They stay, {KEPT_OUT}.")
    if url := portal_url(stack):
        screen.tell(f"In the portal: {url}")
    typed = count if count is not None else screen.number(f"To delete them, type how many they are ({what})")
    if typed != len(people):
        if count is not None:
            why = f"--count is {count}, and they are {len(people)}"
            do = f"look at who they are, and give --count {len(people)} if all of them are to be deleted"
            raise ConfigurationError("Nothing was approved", why, do)
        screen.tell(f"{typed} is not {len(people)}.")
        screen.declined(f"{typed} was typed, and they are {len(people)}")
        return 1
    if count is None:
        now = held_back(operation, stack, read_job(operation, stack), least)
        if now != staged_now or put_back(operation, stack.service_principal, stack.job, now) != back:
            refused = f"Will not approve deletions of the job {stack.job} in {operation.tenant}"
            why = "they are others now than those who were shown"
            raise RefusedError(refused, why, "run this again, and look at them")
    restart(operation, stack, job, FORCE_DELETES)
    health = health_after(stack, read_job(operation, stack))
    done_now = (
        f"approved: the next cycle deletes {what} in {target}, restorable there for 30 days. Graph may show the "
        "quarantine until then; `xtsync status` says how the cycle went"
    )
    if screen.as_json:
        screen.json(Approved(**vars(as_document(stack, health, done_now=done_now)), approved=people))
    else:
        show(stack, screen, health, operation.client.clock.now(), done_now=done_now)
    return 0


def least_held_back(stack: Stack, live: int | None) -> int | None:
    """How many people a job holds back at least; None where nobody knows.

    Somebody may have changed the threshold since it began to: the lower one of now and of the last `up` counts.
    """
    known = last_settings(beside_outputs(stack), stack.settings)
    last = threshold_of(known["settings"][NOTIFICATION]) if known else None
    return min((number for number in (live, last) if number is not None), default=None)


def held_back(operation: Operation, stack: Stack, job: Job, least: int | None) -> list[Identity]:
    """Whose deletion is held back. Calls: those of `staged`.

    Args:
        operation: in the source.
        stack: whose job it is.
        job: as it is now.
        least: how many it holds back at least; None where nobody knows.

    Raises:
        RefusedError: the provisioning log does not tell, or not of all of them, or may not be read.
    """
    what = f"Will not approve deletions of the job {stack.job} in {operation.tenant}"
    there = f"approve them in the portal, which has them under Provisioning logs{of_portal(stack)}"
    try:
        people = staged(operation, stack.job, job, MOST_EVENTS)
    except ForbiddenError:
        why = "nobody can see here whose they are: the sign-in may not read the provisioning log"
        do = f"give the sign-in of {stack.settings.source.name} {PROVISIONING_LOG} (`xtsync permissions` prints how)"
        raise RefusedError(what, why, f"{do}; or look and {there}") from None
    again = f"run this again in a quarter of an hour; or look and {there}"
    if not people:
        raise RefusedError(what, LATE, again)
    if may_be_more(job, len(people), least, operation.client.clock.now()):
        why = f"the provisioning log names {counted(len(people), 'person', 'people')} so far, of at least {least}"
        raise RefusedError(what, f"{why}; its events come some minutes late", again)
    return people


def of_portal(stack: Stack) -> str:
    """The address of the configuration in the portal, after a colon; "" where the stack does not know it."""
    url = portal_url(stack)
    return f": {url}" if url else ""
