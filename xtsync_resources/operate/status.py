"""`xtsync status`: how the pair does, in words: the job, and what it works by.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationstatus
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Never

from ..graph.errors import XtsyncError
from ..sync_job.calls import get_job
from ..sync_job.model import ACTIVE, NOT_RUN, Job, ended_well, last_cycle
from ..sync_job.provisioning_log import Identity
from ..sync_scope.before_draining import DRAIN
from .beside import JOB_ONLY, Beside, look_beside
from .checks import Finding, ending, people
from .checks.finding import DELETES, counted, listed
from .choices import FAILED, Wait, exit_code
from .gone import NotWellError, gone
from .health import ASSIGN, RESTORE, Health, ago, last_words, next_words, read_health, where_missing
from .in_scope import out_of_scope
from .screen import Rows, line, progress

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from .screen import Screen
    from .stack import Stack

WATCH_SECONDS = 20.0
# What is beside the job changes by somebody's hand only, and takes many calls.
BESIDE_SECONDS = 600.0
NEW = "new in the stack file, and in scope with the next `pulumi up`"


@dataclass(frozen=True)
class Status(Health):
    """The state of a pair, for machines; `healthy` is that of all that was looked at, the rest is the job's.

    Attributes:
        stack: whose job it is.
        job_id: which one it is.
        on_destroy: how the pair would end: `release` or `drain`.
        out_of_scope: entries of the stack file that are not in scope; null where nobody looked, or could.
        held_back: whose deletion the job holds back; null where it does and the provisioning log does not tell.
        findings: what of settings, schema and policies needs attention or could not be seen, as `xtsync doctor` says
            it; null where only the job was looked at.
        done_now: what the command has just done, and what follows; "" where it only looked.
    """

    stack: str
    job_id: str
    on_destroy: str
    out_of_scope: Sequence[str] | None
    held_back: Sequence[Identity] | None
    findings: Sequence[Finding] | None
    done_now: str


# --- words -----------------------------------------------------------------------------------------------------


def as_table(stack: Stack, health: Health, now: datetime, beside: Beside = JOB_ONLY, done_now: str = "") -> Rows:
    """The whole state as rows; `done_now` is what the command has just done, and what follows."""
    table = Rows()
    source, target = stack.settings.source, stack.settings.target
    names = {"source": source.name, "target": target.name}
    rows: list[tuple[str, str]] = [
        ("Pair", f"{source.name} → {target.name} (stack {stack.name})"),
        ("Source", f"{source.name} {source.id}"),
        ("Target", f"{target.name} {target.id}"),
        *([("Done", done_now)] if done_now else []),
        ("State", beside.verdict(health)),
        ("Job", health.headline),
        *([("Held back", beside.held.sentence(target.name))] if beside.held else []),
        *([("Do", health.remedy)] if health.remedy else []),
    ]
    for one in beside.findings:
        rows.append((one.level.value.capitalize(), f"{names[one.side]}, {one.area}: {one.found}"))
        rows += [("Do", one.do)] if one.do else []
    rows += [
        ("Schedule", schedule_words(health)),
        ("Last run", last_words(health, now)),
        ("Next run", next_words(health, now)),
        ("First cycle", f"done {ago(health.first_cycle, now)}" if health.first_cycle else "not done yet"),
        (
            "In the target",
            ", ".join(entries_of(kind, count) for kind, count in health.counts.items()) or "nobody counted yet",
        ),
    ]
    rows += in_scope_rows(stack, beside, advised=bool(health.remedy))
    rows += [("At the end", at_the_end(stack, health))]
    colours = {"Job": of_state(health.healthy), "State": of_state(health.healthy and beside.well)}
    for label, value in rows:
        table.add(line((label, "bold")), line((value, colours.get(label, ""))))
    return table


def in_scope_rows(stack: Stack, beside: Beside, *, advised: bool) -> list[tuple[str, str]]:
    """Who of the stack file is not in scope, and what to do unless the job's advice says it; nothing for nobody."""
    if beside.outside is None:
        unread = "not looked at: the sign-in may not read who is assigned"
        told = any(one.area == people.AREA for one in beside.failed)
        return [("In scope", unread)] if beside.looked and not told else []
    why, outside = "`xtsync doctor` says why", beside.outside
    missing = f"NOT {listed(outside.unassigned)}, though configured ({why}){what_follows(stack)}"
    nobody = f"not known of {listed(outside.nameless)}: nobody is called so, or several are; {why}"
    goes = ", and their people leave the target" if stack.settings.deletes else ""
    deleted = f"{listed(outside.deleted)} in {stack.settings.source.name}. {RESTORE}{goes}"
    back = {*outside.unassigned} - {*outside.deleted}
    return [
        *([("In scope", missing)] if outside.unassigned else []),
        *([("Deleted", deleted)] if outside.deleted else []),
        *([("Do", f"{ASSIGN}, before the next run")] if back and not advised else []),
        *([("In scope", f"not yet {listed(outside.new)}: {NEW}")] if outside.new else []),
        *([("In scope", nobody)] if outside.nameless else []),
    ]


def schedule_words(health: Health) -> str:
    """The schedule's state, and how often it runs."""
    slower = "; in quarantine less often, down to once a day" if health.quarantine else ""
    return f"{health.state or 'unknown'}, every {health.interval_minutes:g} minutes{slower}"


def what_follows(stack: Stack) -> str:
    """What becomes of people who are configured and not in scope."""
    return f"; {DELETES}" if stack.settings.deletes else ""


def entries_of(kind: str, count: int) -> str:
    """How many the job keeps in the target, of what Graph calls by two types."""
    one, many = {"user to user": ("person", "people"), "group to group": ("group", "groups")}.get(
        kind.lower(), (kind, kind)
    )
    return counted(count, one, many)


def of_state(well: bool) -> str:
    """The colour of what is well, or not."""
    return "green" if well else "red"


def at_the_end(stack: Stack, health: Health) -> str:
    """What `pulumi destroy` would do to the people now, and whether the stack file says something else."""
    outputs, wanted = stack.outputs, stack.settings.on_destroy
    becomes = "people stay in the target"
    if ending.in_state(outputs) == DRAIN:
        becomes = f"{ending.who_would_go(health.people)} would be deleted in the target"
    known = ending.in_state(outputs)
    other = ending.differs(outputs, wanted)
    return f"{known or wanted}: {becomes}" + (f"; {other}: {ending.RUN_UP}" if other else "")


def show(
    stack: Stack, screen: Screen, health: Health, now: datetime, beside: Beside = JOB_ONLY, done_now: str = ""
) -> None:
    """Write the state for people or machines, with where to look at it; for `done_now` see `as_table`."""
    if screen.as_json:
        screen.json(as_document(stack, health, beside, done_now))
        return
    screen.print(as_table(stack, health, now, beside, done_now))
    if health.portal_url:
        # Not in the table, which would fold it.
        screen.print(line((f"{'Portal':<15}", "bold"), health.portal_url))
    if health.total:
        screen.print(progress("Cycle", health.done, health.total))


def as_document(stack: Stack, health: Health, beside: Beside = JOB_ONLY, done_now: str = "") -> Status:
    """The state for machines."""
    held = beside.held
    known = ending.in_state(stack.outputs) or stack.settings.on_destroy
    held_back = None if held and held.unknown else held.people if held else ()
    of_job = vars(health) | {"healthy": health.healthy and beside.well}
    return Status(
        **of_job,
        stack=stack.name,
        job_id=stack.job,
        on_destroy=known,
        out_of_scope=None if beside.outside is None else beside.outside.all,
        held_back=held_back,
        findings=beside.findings if beside.looked else None,
        done_now=done_now,
    )


# --- the command -----------------------------------------------------------------------------------------------


def read_job(operation: Operation, stack: Stack) -> Job:
    """The job. Call: GET jobs/{id} (Synchronization.Read.All; how-to step 12).

    Raises:
        NotWellError: it is gone.
        XtsyncError: it could not be read.
    """
    job = operation.read(get_job(stack.service_principal, stack.job))
    if job is None:
        raise gone(operation, stack)
    return job


def judged(operation: Operation, stack: Stack, job: Job) -> Health:
    """What a job's answer means now, for what the configuration wants."""
    now, portal = operation.client.clock.now(), portal_url(stack)
    return read_health(job, now, running=stack.settings.running, portal=portal)


def judged_with_scope(operation: Operation, stack: Stack, job: Job) -> Health:
    """What a job's answer means now; where it is not well also whether somebody configured is not in scope.

    Calls: those of `out_of_scope`, where it is not well.
    """
    health = judged(operation, stack, job)
    try:
        outside = None if health.healthy else out_of_scope(operation, stack)
    except XtsyncError:  # what is known of the job counts more
        return health
    return where_missing(health, only_new=outside.only_new) if outside and outside.all else health


def portal_url(stack: Stack) -> str:
    """The configuration in the portal, as the program has put it out; "" where a stack of before has not."""
    return str(stack.outputs.get("portalUrl") or "")


def reached(wait: Wait, health: Health, *, a_cycle_later: bool = False) -> bool:
    """Whether what is waited for has come; `a_cycle_later` says that a cycle has gone by.

    Raises:
        NotWellError: it cannot come, as the job does not run.
    """
    active = health.state == ACTIVE
    if wait is Wait.DRAINED:
        # A job that counts nobody, not even as none, says no more than that a cycle has gone by.
        nobody = a_cycle_later if health.people is None else health.people == 0
        done = nobody and health.code != NOT_RUN
    elif wait is Wait.FIRST_CYCLE:
        done = health.first_cycle is not None
    else:
        done = health.first_cycle is not None and active and health.healthy and not health.total
    if not done and (health.quarantine or not active):
        remedy = health.remedy or "set xtsync:running: true and run `pulumi up`"
        raise NotWellError(f"Waiting for {wait.value} is no use", f"the job is {health.headline}", remedy)
    return done


def wait_for(operation: Operation, stack: Stack, wait: Wait) -> None:
    """Wait until it has come. Call: GET jobs/{id}, again and again.

    Raises:
        NotWellError: it cannot come: the job does not run, or is gone.
        DeadlineError: it did not come in time.
    """
    seen: list[str] = []

    def come(job: Job | None) -> bool:
        if job is None:
            raise gone(operation, stack)
        health = judged(operation, stack, job)
        stopped = health.quarantine or health.state != ACTIVE
        seen.append(last_cycle(job))
        found = judged_with_scope(operation, stack, job) if stopped else health
        return reached(wait, found, a_cycle_later=seen[-1] != seen[0] and ended_well(job))

    operation.wait_until(get_job(stack.service_principal, stack.job), come, f"waiting for {wait.value}")


def command(stack: Stack, screen: Screen, watch: bool, wait: Wait | None, minutes: float) -> int:
    """Show the state, perhaps after waiting or again and again; for what it gives see `choices.exit_code`."""
    if wait:
        wait_for(stack.operation("source", 60 * minutes, "wait longer with --minutes"), stack, wait)
    operation = stack.operation("source")
    job = read_job(operation, stack)
    beside = look_beside(stack, operation, job, screen.status)
    health = beside.judged(judged(operation, stack, job))
    show(stack, screen, health, operation.client.clock.now(), beside)
    if watch:
        go_on(stack, screen, health, beside)
    code = exit_code(wrong=not health.healthy or beside.wrong, unknown=bool(beside.failed))
    if code == FAILED:
        screen.error([f"It is {beside.verdict(health)}"])
    return code


def go_on(stack: Stack, screen: Screen, health: Health, beside: Beside) -> Never:
    """Show the state again and again, until somebody interrupts it, or the job cannot be read.

    Calls: GET jobs/{id} each time; those of `look_beside` only where the job is otherwise than before, or long after.
    """
    clock = stack.client("source").clock
    looked = clock.monotonic()
    while True:
        clock.sleep(WATCH_SECONDS)
        operation, before = stack.operation("source"), health.headline
        job = read_job(operation, stack)
        health = beside.judged(judged(operation, stack, job))
        if health.headline != before or clock.monotonic() - looked >= BESIDE_SECONDS:
            beside, looked = look_beside(stack, operation, job, screen.status), clock.monotonic()
            health = beside.judged(judged(operation, stack, job))
        show(stack, screen, health, clock.now(), beside)
        if not screen.as_json:
            screen.print(f"Beside the job, as looked at {(clock.monotonic() - looked) / 60:.0f} minutes ago.")
