"""JobStart: the job runs, or is paused.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-start
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from .graph import calls
from .graph.errors import NotFoundError
from .lifecycle import (
    WARNING,
    CreateResult,
    Partial,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    reference,
    tell,
)

if TYPE_CHECKING:
    from .graph.client import Operation

INPUTS = ("servicePrincipalId", "jobId", "running")
ACTIVE, PAUSED = "Active", "Paused"
QUARANTINE = "Quarantine"
HELD_DELETIONS = "TooManyDeletes"
Job = Mapping[str, Any]


# --- wire form ---------------------------------------------------------------------------------------------


def schedule_state(job: Job) -> str:
    """From Graph: `Active`, `Paused` or `Disabled`."""
    return str((job.get("schedule") or {}).get("state") or "")


def status_code(job: Job) -> str:
    """From Graph: `NotRun`, `Active`, `Paused`, `Quarantine`, ..."""
    return str((job.get("status") or {}).get("code") or "")


def quarantine_reason(job: Job) -> str:
    """From Graph: why the job is in quarantine; "" where it is not."""
    if status_code(job) != QUARANTINE:
        return ""
    return str(((job.get("status") or {}).get("quarantine") or {}).get("reason") or "unknown")


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
    if (current == ACTIVE) == running and not (job is not None and running and may_release(job)):
        return job if job is not None else operation.send(get)
    if running:

        def look() -> Job | None:
            found = operation.send(get)
            return found if schedule_state(found) == ACTIVE else None

        operation.make(calls.start_job(service_principal, job_id), look)
    else:
        operation.send(calls.pause_job(service_principal, job_id))
    state = ACTIVE if running else PAUSED
    found = operation.wait_until(
        get,
        lambda answer: answer is not None and (schedule_state(answer) == ACTIVE) == running,
        f"waiting for the job to be {state}",
    )
    assert found is not None
    return found


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
        job = self.operation().read(calls.get_job(props["servicePrincipalId"], id_))
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
        job = None if known_new else operation.send(calls.get_job(service_principal, job_id))
        job = make_so(operation, service_principal, job_id, bool(props["running"]), job)
        warn_of_quarantine(job)
        return {**seen(job), "running": bool(props["running"])}

    def delete(self, id_: str, props: Properties) -> None:
        """Pause it before anybody leaves the scope, so that nobody is deleted in the target.

        Calls: GET jobs/{id}, POST pause, GET jobs/{id}.
        """
        operation, service_principal = self.operation(), props["servicePrincipalId"]
        try:
            job = operation.send(calls.get_job(service_principal, id_))
            make_so(operation, service_principal, id_, False, job)
        except NotFoundError:
            return


JOB_START = JobStartProvider()


# --- resource ----------------------------------------------------------------------------------------------


class JobStart(pulumi.CustomResource):
    """Whether the job runs.

    Args:
        name: the resource's name.
        service_principal_id: the configuration's service principal.
        job_id: the job.
        running: started or paused.
        opts: with the source's explicit provider, depending on settings and assignments.

    Attributes:
        job_state: `schedule.state` of the job: Active, Paused or Disabled.
        job_status: `status.code` of the job: NotRun, Active, Paused, Quarantine.
    """

    job_state: pulumi.Output[str]
    job_status: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        service_principal_id: pulumi.Input[str],
        job_id: pulumi.Input[str],
        running: bool,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(
            "pulumi-python:dynamic/xtsync:JobStart",
            name,
            {
                "servicePrincipalId": service_principal_id,
                "jobId": job_id,
                "running": running,
                "jobState": None,
                "jobStatus": None,
                "__provider": reference("job_start", "JOB_START"),
            },
            opts,
        )

    def translate_output_property(self, prop: str) -> str:
        """The attribute for a property."""
        return {"jobState": "job_state", "jobStatus": "job_status"}.get(prop, prop)
