"""SyncJob: the synchronization job on the configuration's service principal, behind the gate of step 6.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationjob
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from .graph import calls
from .graph.errors import NotFoundError
from .job_start import pause, refuse_held_deletions
from .job_state import ACTIVE, DISABLED, Job, schedule_state
from .lifecycle import (
    HOME,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    tell,
)
from .service_principal import TEMPLATE, SynchronizationBaseline, job_of_template
from .tenant_resource import Home, TenantResource

if TYPE_CHECKING:
    from .graph.operation import Operation

INPUTS = (HOME, "servicePrincipalId", "templateId", "targetTenantId", "baseline")
# A job that was asked for without an answer is looked for this long before another is asked for: two jobs for
# one pair are not supported, and Graph does not refuse the second.
LOST_JOB_SECONDS = 10.0
GATE = (calls.POLICIES_APPEAR, *calls.SERVICE_PRINCIPAL_SETTLES)


# --- lifecycle ---------------------------------------------------------------------------------------------


def create(operation: Operation, service_principal: str, template: str, target: str) -> tuple[str, bool]:
    """Pass the gate, then make the job; give its id, and whether it is somebody else's.

    Calls: POST jobs/validateCredentials, repeated while the policies of this run spread; GET jobs, unless
    this very process saw that there was none; POST jobs. Least permission: Application.ReadWrite.OwnedBy as
    owner, else Synchronization.ReadWrite.All.
    """
    operation.send(calls.validate_credentials(service_principal, template, target), *GATE)

    def look() -> Any:
        return job_of_template(operation.send(calls.list_jobs(service_principal)))

    # A run that was killed may have made it a moment ago; a list that lags would lead to a second one.
    job = None if operation.client.made_here(service_principal) else operation.look_for(look, LOST_JOB_SECONDS)
    if job is None:
        job = operation.make(
            calls.create_job(service_principal, template),
            look,
            *calls.SERVICE_PRINCIPAL_SETTLES,
            settle_seconds=LOST_JOB_SECONDS,
        )
        if "id" not in job:  # made, but its answer got lost on the way
            job = operation.poll(look, calls.list_jobs(service_principal), "waiting for the new job to be listed")
        operation.client.remember_made(str(job["id"]))
    job_id = str(job["id"])
    # Ours are started last of all: one that was ever started has been made by hand since this stack first looked.
    if schedule_state(job) in ("", DISABLED):
        return job_id, False
    tell(f"adopts the existing job {job_id} ({schedule_state(job)})")
    rest(operation, service_principal, job_id, job)
    return job_id, True


def rest(operation: Operation, service_principal: str, job_id: str, job: Job) -> None:
    """Bring an adopted job to rest: nobody may be found unassigned before everybody is. The start resumes it.

    A destroy after a run that got this far removes assignments under a job at rest.

    Calls: POST jobs/{id}/pause, GET jobs/{id}.

    Raises:
        RefusedError: it holds deletions back.
    """
    refuse_held_deletions(operation, job_id, job, "adopt")
    pause(operation, service_principal, job_id, job)
    if schedule_state(job) == ACTIVE:
        tell("the adopted job is paused until everybody is assigned; it is started again at the end of this run")


class SyncJobProvider(TenantResourceProvider):
    """Owns the job, or leaves it where it was there before."""

    replace_keys = ("servicePrincipalId", "templateId", "targetTenantId")

    def create(self, props: Properties) -> CreateResult:
        """Make or adopt the job. Calls: POST validateCredentials, (GET jobs), POST jobs."""
        service_principal = props["servicePrincipalId"]
        found = SynchronizationBaseline.parse(props["baseline"])
        operation = self.operation()
        job = operation.read_surely(calls.get_job(service_principal, found.job)) if found.job else None
        if job is not None:
            tell(f"adopts the existing job {found.job} ({found.state})")
            rest(operation, service_principal, found.job, job)
            operation.send(
                calls.validate_credentials(service_principal, props["templateId"], props["targetTenantId"]),
                *GATE,
            )
            return CreateResult(found.job, {**props, "rested": str(uuid.uuid4())})
        made, adopted = create(operation, service_principal, props["templateId"], props["targetTenantId"])
        of_others = {"adopted": True, "rested": str(uuid.uuid4())}
        return CreateResult(made, {**props, **(of_others if adopted else {"rested": ""})})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See that it is there. Call: GET jobs/{id}."""
        job = self.operation().read_surely(calls.get_job(props["servicePrincipalId"], id_))
        return ReadResult("", {}) if job is None else ReadResult(id_, props, inputs_of(props, INPUTS))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Nothing of a job can be changed here; the baseline is ours alone."""
        return UpdateResult({**news, **{key: olds[key] for key in ("adopted", "rested") if key in olds}})

    def delete(self, id_: str, props: Properties) -> None:
        """Delete the job; the people it synchronized stay. Call: DELETE jobs/{id}. An adopted job stays."""
        if props.get("adopted") or SynchronizationBaseline.parse(props["baseline"]).job == id_:
            tell(f"the job {id_} was there before and is not deleted; it goes with its application if that goes")
            return
        try:
            self.operation().send(calls.delete_job(props["servicePrincipalId"], id_))
        except NotFoundError:
            return


SYNC_JOB = SyncJobProvider()


# --- resource ----------------------------------------------------------------------------------------------


class SyncJob(TenantResource):
    """The synchronization job.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        target_tenant_id: whom it synchronizes to.
        baseline: `ServicePrincipal.baseline`.
        depends_on: the policies of both tenants.

    Attributes:
        rested: tells when an adopted job was brought to rest, so that the start starts it again; "" for a new job.
    """

    provider_reference = ("sync_job", "SYNC_JOB")
    rested: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        home: Home,
        service_principal_id: pulumi.Input[str],
        target_tenant_id: str,
        baseline: pulumi.Output[str],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {
            "servicePrincipalId": service_principal_id,
            "templateId": TEMPLATE,
            "targetTenantId": target_tenant_id,
            "baseline": baseline,
        }
        super().__init__(name, home, inputs, computed=["rested"], depends_on=depends_on)
