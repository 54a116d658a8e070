"""Whether a job runs: starting it, pausing it, bringing it to rest.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-start
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..graph.call import Call
from ..graph.consistency import JOB_APPEARS, JOB_STATE, LOST_START
from ..graph.errors import CallError, GraphError, RefusedError
from ..state import command_on
from ..sync_secrets.calls import get_secrets
from ..sync_secrets.model import COMPANY, settings_by_key
from . import calls
from .model import (
    ACTIVE,
    DISABLED,
    PAUSED,
    Job,
    holds_deletions,
    may_start,
    never_ran,
    quarantine_reason,
    schedule_state,
    unfinished_progress,
)

if TYPE_CHECKING:
    from ..graph.operation import Operation

STILL_SECONDS = 180.0
STILL_SHARE = 0.7


def set_running(
    operation: Operation,
    service_principal: str,
    job_id: str,
    running: bool,
    job: Job,
    before_start: Callable[[Job], None] = lambda _: None,
) -> Job:
    """Start or pause a job, and see it so. `before_start` is asked before it is started, and may refuse.

    Starting a job that runs can stop it from working, so its state is read before. Starting what may hold deletions
    back is left alone.

    Calls: POST jobs/{id}/start or pause, GET jobs/{id}.
    """
    if not running:
        return pause(operation, service_principal, job_id, job)
    get = calls.get_job(service_principal, job_id)
    if runs(job):
        # Either somebody has started it meanwhile, or we paused it a moment ago and this is from before.
        job = contradiction(operation, get, runs) or job
    if runs(job) or not may_start(job):
        return job
    before_start(job)

    def look() -> Job | None:
        found = operation.read(get)
        return found if found is not None and schedule_state(found) == ACTIVE else None

    operation.make(calls.start_job(service_principal, job_id), look, JOB_APPEARS, lost=LOST_START)
    found = operation.wait_until(
        get, lambda answer: answer is not None and schedule_state(answer) == ACTIVE, "waiting for the job to be Active"
    )
    assert found is not None
    return found


def runs(job: Job) -> bool:
    """Whether the job runs as it should."""
    return schedule_state(job) == ACTIVE and not quarantine_reason(job)


def at_rest(job: Job | None) -> bool:
    """Whether the job is paused, was never started, or is gone."""
    return job is None or schedule_state(job) in (PAUSED, DISABLED)


def contradiction(operation: Operation, get: Call, holds: Callable[[Job], bool]) -> Job | None:
    """The job as a later look sees it where something does not hold of it; None if it holds in all of them.

    Call: GET jobs/{id}.
    """

    def look() -> Job | None:
        found = operation.read(get)
        return found if found is not None and not holds(found) else None

    return operation.look_again(JOB_STATE, look, at_once=False)


def certainly_never_ran(operation: Operation, service_principal: str, job_id: str, job: Job) -> bool:
    """Whether a job was never started, as several looks see it. Calls: none where it was, else GET jobs/{id}."""
    return never_ran(job) and contradiction(operation, calls.get_job(service_principal, job_id), never_ran) is None


def pause(operation: Operation, service_principal: str, job_id: str, job: Job) -> Job:
    """Bring a job to rest: paused, and no cycle going on. People leave the scope after this, so it has to be certain.

    A read that says it rests may be old, so it is paused all the same; that may be repeated.

    Calls: POST jobs/{id}/pause, GET jobs/{id}.
    """
    get = calls.get_job(service_principal, job_id)
    try:
        operation.send(calls.pause_job(service_principal, job_id), JOB_APPEARS)
    except GraphError as error:
        # Microsoft does not say what pausing a job at rest answers.
        if error.answer.status not in (400, 409) or not at_rest(job):
            raise
        if contradiction(operation, get, at_rest) is not None:
            raise
    found = operation.wait_until(get, at_rest, "waiting for the job to be at rest")
    return cycle_ended(operation, service_principal, job_id, found or job)


def bring_to_rest(operation: Operation, service_principal: str, job_id: str, *, new: bool) -> Job | None:
    """Bring a job that runs to rest before what it goes by is changed, also where the run ends in between.

    A job that is gone is left to whoever changes it next. One that holds deletions back goes on holding them: pausing
    it could lose the mark, and another filter may be what takes them back.

    Calls: GET jobs/{id}; where it runs POST jobs/{id}/pause, GET jobs/{id}.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        new: whether it may have been made a moment ago.

    Returns:
        The job as it was; None where it is gone.
    """
    get = calls.get_job(service_principal, job_id)
    found: Job | None = operation.send(get, JOB_APPEARS) if new else operation.read_settled(get)
    if found is None or (new and never_ran(found)):
        return found
    job = contradiction(operation, get, at_rest) if at_rest(found) else found
    if job is not None and not holds_deletions(job):
        pause(operation, service_principal, job_id, job)
    return found


def deleted_by_hand(
    operation: Operation, service_principal: str, job_id: str, what: str, urn: str = ""
) -> RefusedError:
    """The refusal to go on with a job that is not there any more. Calls: those of `how_it_went`."""
    why, do = how_it_went(operation, service_principal, urn)
    what = f"Cannot {what} the job {job_id} in {operation.tenant}"
    return RefusedError(what, f"there is no such job any more: {why}", do)


def how_it_went(operation: Operation, service_principal: str, urn: str, stack: str = "") -> tuple[str, str]:
    """Why a job of a service principal that is there is gone, and what to do; for the rest see `make_again`.

    An application that was deleted and restored has lost its settings and its assignments as well: a job alone would
    have nothing to go by. Where the settings cannot be read, it is taken for the job alone. Call: GET secrets.
    """
    with contextlib.suppress(CallError):
        if not settings_by_key(operation.read(get_secrets(service_principal)) or {}).get(COMPANY):
            why = "somebody has deleted its application and restored it, which brings back no job and no settings"
            return why, make_rest_again(stack)
    return "somebody has deleted it", make_again(urn, stack)


def make_rest_again(stack: str = "") -> str:
    """How all is made again that is gone; "" is the stack that is selected."""
    name = f" --stack {shlex.quote(stack)}" if stack else ""
    return f"run `pulumi up --refresh --diff{name}`, which makes again what is not there"


def make_again(urn: str, stack: str = "") -> str:
    """How a job that is gone is made again; for the rest see `command_on`."""
    command = command_on("pulumi up --replace URN", "the job", urn, stack)
    return f"run {command}; it makes it again and puts the same people in its scope"


def refuse_held_deletions(operation: Operation, job_id: str, job: Job, what: str) -> None:
    """Keep away from a job that holds deletions back: pausing may lose the mark, and starting then deletes.

    Raises:
        RefusedError: it does.
    """
    if holds_deletions(job):
        raise RefusedError(
            f"Will not {what} the job {job_id} in {operation.tenant}",
            "it holds deletions back (TooManyDeletes), and pausing and starting it could release them",
            "put all of those people back in scope, beside everybody who is in it now, and take others out with a run "
            "after that; or let them go with `xtsync approve-deletions`, which refuses while somebody new is in the "
            "stack file",
        )


def cycle_ended(operation: Operation, service_principal: str, job_id: str, job: Job) -> Job:
    """Wait for the cycle that a pause lets finish: it may still delete whoever leaves the scope.

    Progress that stands still for minutes is that of a cycle that is over. Calls: none where no cycle runs, else
    GET jobs/{id}.

    Raises:
        DeadlineError: it goes on to the end of the time allowed.
    """
    clock = operation.client.clock
    still = min(STILL_SECONDS, STILL_SHARE * operation.remaining)
    seen: list[Any] = [unfinished_progress(job), clock.monotonic()]

    def over(answer: Job | None) -> bool:
        now = unfinished_progress(answer or {})
        if now != seen[0]:
            seen[:] = [now, clock.monotonic()]
        return not now or clock.monotonic() - seen[1] >= still

    if not seen[0]:
        return job
    found = operation.wait_until(
        calls.get_job(service_principal, job_id), over, "waiting for the running cycle to end after the pause"
    )
    return found if found is not None else job
