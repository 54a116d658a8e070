"""JobStart: the job runs, or is paused.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-start
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from .graph import calls
from .job_state import (
    ACTIVE,
    HELD_DELETIONS,
    PAUSED,
    Job,
    quarantine_reason,
    schedule_state,
    status_code,
    unfinished_progress,
)
from .lifecycle import (
    HOME,
    WARNING,
    CreateResult,
    Partial,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    tell,
)
from .tenant_resource import Home, TenantResource

if TYPE_CHECKING:
    from .graph.operation import Operation

# A start without an answer is looked for this long: starting a job that runs can stop it from working.
LOST_START_SECONDS = 5.0
STILL_SECONDS = 180.0
INPUTS = (HOME, "servicePrincipalId", "jobId", "running")


# --- wire form ---------------------------------------------------------------------------------------------


def seen(job: Job) -> Properties:
    """The properties that show a job's state."""
    running = schedule_state(job) == ACTIVE
    return {"running": running, "jobState": schedule_state(job), "jobStatus": status_code(job)}


# --- lifecycle ---------------------------------------------------------------------------------------------


def make_so(operation: Operation, service_principal: str, job_id: str, running: bool, job: Job | None) -> Job:
    """Start or pause a job unless it is so already, and see it so.

    Starting a job that runs can stop it from working, so its state is known before: it was read, or this very
    process made the job, and new ones are disabled. The read afterwards gives the outputs.

    Calls: POST jobs/{id}/start or /pause, GET jobs/{id}.
    """
    get = calls.get_job(service_principal, job_id)
    current = "Disabled" if job is None else schedule_state(job)
    if running and job is not None and quarantine_reason(job) == HELD_DELETIONS:
        return job  # starting would release the deletions that are held back, in whatever state the job is
    if (current == ACTIVE) == running and not (job is not None and running and may_release(job)):
        known = job if job is not None else operation.send(get, calls.JOB_APPEARS)
        return known if running else cycle_ended(operation, service_principal, job_id, known)
    if running:

        def look() -> Job | None:
            found = operation.read(get)
            return found if found is not None and schedule_state(found) == ACTIVE else None

        operation.make(
            calls.start_job(service_principal, job_id), look, calls.JOB_APPEARS, settle_seconds=LOST_START_SECONDS
        )
    else:
        operation.send(calls.pause_job(service_principal, job_id), calls.JOB_APPEARS)
    state = ACTIVE if running else PAUSED
    found = operation.wait_until(
        get,
        lambda answer: answer is not None and (schedule_state(answer) == ACTIVE) == running,
        f"waiting for the job to be {state}",
    )
    assert found is not None
    return found if running else cycle_ended(operation, service_principal, job_id, found)


def cycle_ended(operation: Operation, service_principal: str, job_id: str, job: Job) -> Job:
    """Wait for the cycle that a pause lets finish: it may still delete whoever leaves the scope.

    Progress that stands still for minutes is that of a cycle that is over. Calls: none where no cycle runs, else
    GET jobs/{id}.

    Raises:
        DeadlineError: it goes on to the end of the time allowed.
    """
    clock = operation.client.clock
    seen: list[Any] = [unfinished_progress(job), clock.monotonic()]

    def over(answer: Job | None) -> bool:
        now = unfinished_progress(answer or {})
        if now != seen[0]:
            seen[:] = [now, clock.monotonic()]
        return not now or clock.monotonic() - seen[1] >= STILL_SECONDS

    if not seen[0]:
        return job
    found = operation.wait_until(
        calls.get_job(service_principal, job_id), over, "waiting for the running cycle to end after the pause"
    )
    return found if found is not None else job


def may_release(job: Job) -> bool:
    """Whether starting the job again is a safe way out of quarantine.

    Never for held-back deletions: starting clears the quarantine, and approving them is a person's decision.
    """
    return quarantine_reason(job) not in ("", HELD_DELETIONS)


def warn_of_quarantine(job: Job) -> None:
    """Say that a job stays in quarantine, and what to do."""
    if quarantine_reason(job) == HELD_DELETIONS:
        tell(
            "the job stays in quarantine (TooManyDeletes): more people would be deleted in the target than "
            "xtsync:deletionThreshold allows. Check the scope; approving deletions is done by hand",
            severity=WARNING,
        )


class JobStartProvider(TenantResourceProvider):
    """Owns whether the job runs."""

    replace_keys = ("servicePrincipalId", "jobId")

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
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {"servicePrincipalId": service_principal_id, "jobId": job_id, "running": running}
        super().__init__(name, home, inputs, computed=["job_state", "job_status"], depends_on=depends_on)
