"""JobStart: the job runs, or is paused.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-start
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from .graph import calls
from .graph.errors import GraphError, RefusedError
from .job_state import (
    ACTIVE,
    Job,
    holds_deletions,
    may_start,
    quarantine_reason,
    schedule_state,
    status_code,
    unfinished_progress,
)
from .lifecycle import (
    HOME,
    WARNING,
    CreateResult,
    DiffResult,
    Partial,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    is_unknown,
    tell,
)
from .tenant_resource import Home, TenantResource

if TYPE_CHECKING:
    from .graph.operation import Operation

# A start without an answer is looked for this long: starting a job that runs can stop it from working.
LOST_START_SECONDS = 5.0
STILL_SECONDS = 180.0
STILL_SHARE = 0.7
# Before a job is taken to be as wanted already, other replicas are asked: a read may be older than our last write.
SURE_PAUSES = (0.5, 1.0, 2.0)
INPUTS = (HOME, "servicePrincipalId", "jobId", "running", "rested")


# --- wire form ---------------------------------------------------------------------------------------------


def seen(job: Job) -> Properties:
    """The properties that show a job's state."""
    running = schedule_state(job) == ACTIVE
    return {"running": running, "jobState": schedule_state(job), "jobStatus": status_code(job)}


# --- lifecycle ---------------------------------------------------------------------------------------------


def make_so(operation: Operation, service_principal: str, job_id: str, running: bool, job: Job | None) -> Job:
    """Start or pause a job, and see it so.

    Starting a job that runs can stop it from working, so its state is known before: it was read, or this very
    process made the job (None), and new ones are disabled. Starting what may hold deletions back is left alone.
    """
    if not running:
        return pause(operation, service_principal, job_id, job)
    get = calls.get_job(service_principal, job_id)
    if job is not None and runs(job):
        # Either somebody has started it meanwhile, or we paused it a moment ago and this is from before.
        job = contradiction(operation, get, runs) or job
    if job is not None and (runs(job) or not may_start(job)):
        return job

    def look() -> Job | None:
        found = operation.read(get)
        return found if found is not None and schedule_state(found) == ACTIVE else None

    operation.make(
        calls.start_job(service_principal, job_id), look, calls.JOB_APPEARS, settle_seconds=LOST_START_SECONDS
    )
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
    return job is None or schedule_state(job) != ACTIVE


def contradiction(operation: Operation, get: calls.Call, holds: Callable[[Job], bool]) -> Job | None:
    """The job as a later look sees it where something does not hold of it; None if it holds in all of them.

    Call: GET jobs/{id}.
    """
    for seconds in SURE_PAUSES:
        operation.client.clock.sleep(seconds)
        found = operation.read(get)
        if found is not None and not holds(found):
            return found
    return None


def pause(operation: Operation, service_principal: str, job_id: str, job: Job | None) -> Job:
    """Bring a job to rest: paused, and no cycle going on. People leave the scope after this, so it has to be certain.

    A read that says it rests may be old, so it is paused all the same; that may be repeated. None is a job that this
    very process made and nobody has started.

    Calls: POST jobs/{id}/pause, GET jobs/{id}.
    """
    get = calls.get_job(service_principal, job_id)
    if job is None:
        return operation.send(get, calls.JOB_APPEARS)
    try:
        operation.send(calls.pause_job(service_principal, job_id), calls.JOB_APPEARS)
    except GraphError as error:
        # Microsoft does not say what pausing a job at rest answers.
        if error.answer.status not in (400, 409) or not at_rest(job):
            raise
        if contradiction(operation, get, at_rest) is not None:
            raise
    found = operation.wait_until(get, at_rest, "waiting for the job to be at rest")
    return cycle_ended(operation, service_principal, job_id, found or job)


def refuse_held_deletions(operation: Operation, job_id: str, job: Job, what: str) -> None:
    """Keep away from a job that holds deletions back: pausing may lose the mark, and starting then deletes.

    Raises:
        RefusedError: it does.
    """
    if holds_deletions(job):
        raise RefusedError(
            f"Will not {what} the job {job_id} in {operation.tenant}",
            "it holds deletions back (TooManyDeletes), and pausing and starting it could release them",
            "check the scope; approve the deletions in the portal or put people back in scope, then run again",
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


def warn_of_quarantine(job: Job) -> None:
    """Say that a job stays in quarantine, and what to do."""
    if holds_deletions(job):
        tell(
            "the job stays in quarantine (TooManyDeletes): more people would be deleted in the target than "
            "xtsync:deletionThreshold allows. Check the scope; approving deletions is done by hand",
            severity=WARNING,
        )
    elif not may_start(job):
        tell(
            f"the job stays in quarantine ({quarantine_reason(job)}): what starting it would let loose is not known. "
            "Look at it in the portal, and restart it there",
            severity=WARNING,
        )


class JobStartProvider(TenantResourceProvider):
    """Owns whether the job runs."""

    replace_keys = ("servicePrincipalId", "jobId")

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        """As usual; a preview does not know `rested` of a job made before there was such an output."""
        others = [key for key in INPUTS if key != "rested"]
        if is_unknown(news.get("rested")) and all(olds.get(key) == news.get(key) for key in others):
            return DiffResult(changes=False)
        return super().diff(id_, olds, news)

    def create(self, props: Properties) -> CreateResult:
        """Start it, or not. Calls: (GET jobs/{id}), POST start or pause, GET jobs/{id}."""
        return CreateResult(props["jobId"], {**props, **self.apply(props, made_here_counts=True)})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See whether it runs; a quarantine is reported as an unhealthy resource. Call: GET jobs/{id}."""
        job = self.operation().read_surely(calls.get_job(props["servicePrincipalId"], id_))
        if job is None:
            return ReadResult("", {})
        outputs = {**props, **seen(job)}
        reason = quarantine_reason(job)
        if reason:
            raise Partial(id_, outputs, [f"the job is in quarantine: {reason}"])
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, _id: str, _olds: Properties, news: Properties) -> UpdateResult:
        """Start or pause it. Calls: GET jobs/{id}, POST start or pause, GET jobs/{id}."""
        return UpdateResult({**news, **self.apply(news, made_here_counts=False)})

    def apply(self, props: Properties, *, made_here_counts: bool) -> Properties:
        """Make it run or pause, and give the state."""
        operation, service_principal, job_id = self.operation(), props["servicePrincipalId"], props["jobId"]
        known_new = made_here_counts and operation.client.made_here(job_id)
        job = None if known_new else operation.send(calls.get_job(service_principal, job_id), calls.JOB_APPEARS)
        if job is not None and not props["running"]:
            refuse_held_deletions(operation, job_id, job, "pause")
        job = make_so(operation, service_principal, job_id, bool(props["running"]), job)
        warn_of_quarantine(job)
        return {**seen(job), "running": bool(props["running"])}

    def delete(self, _id: str, _props: Properties) -> None:
        """Nothing: the brake, which is deleted next, knows what the job has to do while people leave the scope."""


JOB_START = JobStartProvider()


# --- resource ----------------------------------------------------------------------------------------------


class JobStart(TenantResource):
    """Whether the job runs.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        job_id: the job.
        running: started or paused.
        rested: `SyncJob.rested`; another one means that the job was brought to rest meanwhile.
        depends_on: settings and assignments.

    Attributes:
        job_state: `schedule.state` of the job: Active, Paused or Disabled.
        job_status: `status.code` of the job: NotRun, Active, Paused, Quarantine.
    """

    provider_reference = ("job_start", "JOB_START")
    job_state: pulumi.Output[str]
    job_status: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        home: Home,
        service_principal_id: pulumi.Input[str],
        job_id: pulumi.Input[str],
        running: bool,
        rested: pulumi.Input[str],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {
            "servicePrincipalId": service_principal_id,
            "jobId": job_id,
            "running": running,
            "rested": rested,
        }
        super().__init__(name, home, inputs, computed=["job_state", "job_status"], depends_on=depends_on)
