"""`xtsync status`: how the job does, in words.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationstatus
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..graph.errors import RefusedError
from ..service_principal.calls import get_service_principal
from ..sync_job.calls import get_job
from ..sync_job.model import ACTIVE, NOT_RUN, Job
from ..sync_job.provisioning_log import Identity
from ..sync_scope.draining import DRAIN
from .checks import ending
from .checks.finding import listed
from .choices import Wait
from .health import Health, ago, last_words, next_words, read_health
from .held_back import at_a_glance
from .in_scope import out_of_scope
from .screen import Rows, line, progress

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from .held_back import HeldBack
    from .screen import Screen
    from .stack import Stack

WATCH_SECONDS = 20.0
MAKE_JOB_AGAIN = (
    "run `pulumi up --replace 'URN'` with the job's URN (`pulumi stack --show-urns`; in quotes, as it holds a $), "
    "which makes it again"
)
MAKE_ALL_AGAIN = "run `pulumi up --refresh`, which makes both again"


@dataclass(frozen=True)
class Status(Health):
    """The health of a pair's job, for machines.

    Attributes:
        stack: whose job it is.
        job_id: which one it is.
        on_destroy: how the pair would end: `release` or `drain`.
        out_of_scope: entries of the stack file that are not in scope; null where nobody could look.
        held_back: whose deletion the job holds back; null where it does and the provisioning log does not tell.
    """

    stack: str
    job_id: str
    on_destroy: str
    out_of_scope: Sequence[str] | None
    held_back: Sequence[Identity] | None


# --- words -----------------------------------------------------------------------------------------------------


def as_table(
    stack: Stack,
    health: Health,
    now: datetime,
    missing: Sequence[str] | None = (),
    held: HeldBack | None = None,
) -> Rows:
    """The whole state as rows; for `missing` see `out_of_scope`, for `held` see `held_back`."""
    table = Rows()
    source, target = stack.settings.source, stack.settings.target
    colour = "green" if health.healthy else "red"
    rows: list[tuple[str, str]] = [
        ("Pair", f"{source.name} → {target.name} (stack {stack.name})"),
        ("Source", f"{source.name} {source.id}"),
        ("Target", f"{target.name} {target.id}"),
        ("Job", health.headline),
        *([("Held back", held.sentence(target.name))] if held else []),
        *([("Do", health.remedy)] if health.remedy else []),
        ("Schedule", f"{health.state or 'unknown'}, every {health.interval_minutes:g} minutes"),
        ("Last run", last_words(health, now)),
        ("Next run", next_words(health, now)),
        ("First cycle", f"done {ago(health.first_cycle, now)}" if health.first_cycle else "not done yet"),
        (
            "In the target",
            ", ".join(f"{count} {kind}" for kind, count in health.counts.items()) or "nobody counted yet",
        ),
    ]
    if missing is None:
        rows.append(("In scope", "not looked at: the sign-in may not read who is assigned"))
    elif missing:
        rows.append(("In scope", f"NOT {listed(missing)}, though configured: `xtsync doctor` says why"))
    rows += [("At the end", at_the_end(stack, health))]
    for label, value in rows:
        table.add(line((label, "bold")), line((value, colour if label == "Job" else "")))
    return table


def at_the_end(stack: Stack, health: Health) -> str:
    """What `pulumi destroy` would do to the people now, and whether the stack file says something else."""
    outputs, wanted = stack.outputs, stack.settings.on_destroy
    people = "people stay in the target"
    if ending.in_state(outputs) == DRAIN:
        people = f"{health.people} people would be deleted in the target"
    known = ending.in_state(outputs)
    other = ending.differs(outputs, wanted)
    return f"{known or wanted}: {people}" + (f"; {other}: {ending.RUN_UP}" if other else "")


def show(
    stack: Stack,
    screen: Screen,
    health: Health,
    now: datetime,
    missing: Sequence[str] | None = (),
    held: HeldBack | None = None,
) -> None:
    """Write the state for people, with where to look at it."""
    screen.print(as_table(stack, health, now, missing, held))
    if health.portal_url:
        # Not in the table, which would fold it.
        screen.print(line((f"{'Portal':<15}", "bold"), health.portal_url))
    if health.total:
        screen.print(progress("Cycle", health.done, health.total))


def as_document(
    stack: Stack, health: Health, missing: Sequence[str] | None = (), held: HeldBack | None = None
) -> Status:
    """The state for machines; for `missing` see `out_of_scope`, for `held` see `held_back`."""
    known = ending.in_state(stack.outputs) or stack.settings.on_destroy
    people = None if held and held.unknown else held.people if held else ()
    return Status(
        **vars(health),
        stack=stack.name,
        job_id=stack.job,
        on_destroy=known,
        out_of_scope=missing,
        held_back=people,
    )


# --- the command -----------------------------------------------------------------------------------------------


def read_job(operation: Operation, stack: Stack) -> Job:
    """The job. Call: GET jobs/{id} (Synchronization.Read.All; how-to step 12).

    Raises:
        RefusedError: it is gone.
        XtsyncError: it could not be read.
    """
    job = operation.read(get_job(stack.service_principal, stack.job))
    if job is None:
        raise gone(operation, stack)
    return job


def gone(operation: Operation, stack: Stack) -> RefusedError:
    """What to say of a job that is not there. Call: GET servicePrincipals/{id}."""
    what = f"The job {stack.job} in {operation.tenant} is gone"
    if operation.read(get_service_principal(stack.service_principal)) is None:
        return RefusedError(what, "somebody deleted the configuration application, and the job with it", MAKE_ALL_AGAIN)
    return RefusedError(what, "somebody deleted it", MAKE_JOB_AGAIN)


def judged(operation: Operation, stack: Stack, job: Job) -> Health:
    """What a job's answer means now, for what the configuration wants."""
    now, portal = operation.client.clock.now(), portal_url(stack)
    return read_health(job, now, running=stack.settings.running, portal=portal)


def portal_url(stack: Stack) -> str:
    """The configuration in the portal, as the program has put it out; "" where a stack of before has not."""
    return str(stack.outputs.get("portalUrl") or "")


def reached(wait: Wait, health: Health) -> bool:
    """Whether what is waited for has come.

    Raises:
        RefusedError: it cannot come, as the job does not run.
    """
    active = health.state == ACTIVE
    if wait is Wait.DRAINED:
        done = not health.people and health.code != NOT_RUN
    elif wait is Wait.FIRST_CYCLE:
        done = health.first_cycle is not None
    else:
        done = health.first_cycle is not None and active and health.healthy and not health.total
    if not done and (health.quarantine or not active):
        remedy = health.remedy or "set xtsync:running: true and run `pulumi up`"
        raise RefusedError(f"Waiting for {wait.value} is no use", f"the job is {health.headline}", remedy)
    return done


def wait_for(operation: Operation, stack: Stack, wait: Wait) -> None:
    """Wait until it has come. Call: GET jobs/{id}, again and again.

    Raises:
        RefusedError: it cannot come: the job does not run, or is gone.
        DeadlineError: it did not come in time.
    """

    def come(job: Job | None) -> bool:
        if job is None:
            raise gone(operation, stack)
        return reached(wait, judged(operation, stack, job))

    operation.wait_until(get_job(stack.service_principal, stack.job), come, f"waiting for {wait.value}")


def command(stack: Stack, screen: Screen, watch: bool, wait: Wait | None, minutes: float) -> int:
    """Show the state, perhaps after waiting or again and again; 0 if healthy and everybody is in scope, 1 if not."""
    if wait:
        wait_for(stack.operation("source", 60 * minutes, "wait longer with --minutes"), stack, wait)
    operation = stack.operation("source")
    while True:
        job = read_job(operation, stack)
        health, missing = judged(operation, stack, job), out_of_scope(operation, stack)
        held = at_a_glance(operation, stack.job, job)
        if screen.as_json:
            screen.json(as_document(stack, health, missing, held))
        else:
            show(stack, screen, health, operation.client.clock.now(), missing, held)
        if not watch:
            return 0 if health.healthy and not missing else 1
        operation.client.clock.sleep(WATCH_SECONDS)
        operation = stack.operation("source")
