"""JobStart: the job runs, or is paused, for as long as the pair lives.

It comes after everybody is assigned. Whatever brought the job to rest on the way there changes one of its inputs, so
that it looks at the job again: `rested` where the job was adopted or filters change, `assignments` where one was made
(also anew), `unfinished` where the last run did not come this far.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-start
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from ..assignments.operations import names_in, not_assigned
from ..graph.consistency import JOB_APPEARS, SCOPE
from ..graph.errors import RefusedError
from ..pulumi_runtime.engine import WARNING, Partial, report, urn_beside
from ..pulumi_runtime.half_made import kept_if_written
from ..pulumi_runtime.provider import (
    HOME,
    CheckResult,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
)
from ..pulumi_runtime.tenant_resource import Home, TenantResource
from ..sync_job import calls
from ..sync_job.model import (
    ACTIVE,
    Job,
    jobs_of_template,
    never_ran,
    quarantine_explained,
    quarantine_reason,
    schedule_state,
    status_code,
)
from ..sync_job.running import at_rest, deleted_by_hand, refuse_held_deletions, runs, set_running
from ..sync_secrets.model import sync_all
from ..sync_secrets.operations import live_settings
from .beforehand import FILTERED, PAUSES, STARTS, changes_something, tell_of_job
from .deletions import quarantine_in_words

if TYPE_CHECKING:
    import pulumi_azuread as azuread

    from ..graph.operation import Operation

INPUTS = (
    HOME,
    "servicePrincipalId",
    "jobId",
    "appRoleId",
    "running",
    "everybody",
    "principals",
    "assignments",
    "rested",
    "unfinished",
)
EVERYBODY_LEAVES = (
    "the scope was everybody (SyncAll) and is the assigned users and groups again. The job is restarted for that to "
    "have effect: everybody else leaves the target, within xtsync:deletionThreshold"
)


# --- arguments ---------------------------------------------------------------------------------------------


def digest(made: Sequence[azuread.AppRoleAssignment]) -> pulumi.Output[str]:
    """What changes when an assignment is made, or made anew: their ids, which would be many bytes of the state."""
    ids = pulumi.Output.all(*(one.id for one in made))
    return ids.apply(lambda all_: hashlib.sha256("\n".join(sorted(all_)).encode()).hexdigest())


def mark_of_interrupted_run(before: Mapping[str, Any], scope: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What changes where the last run changed scope or schema and did not come to the start; else as it was.

    Such a run may have left the job at rest, and what it was to do may be taken back meanwhile.

    Args:
        before: the outputs of the start in the state; empty where it is not there.
        scope: those of the scope.
        schema: those of the schema.
    """
    known: str = before.get("unfinished") or ""
    principals = sorted((scope.get("principals") or {}).values())
    rested: str = schema.get("rested") or ""
    reached = principals == sorted(before.get("principals") or ()) and rested in str(before.get("rested"))
    if not before or not scope or reached:
        return known
    return hashlib.sha256("\n".join([*principals, rested]).encode()).hexdigest()


# --- wire form ---------------------------------------------------------------------------------------------


def seen(job: Job) -> Properties:
    """The properties that show a job's state."""
    running = schedule_state(job) == ACTIVE
    return {"running": running, "jobState": schedule_state(job), "jobStatus": status_code(job)}


# --- provider ----------------------------------------------------------------------------------------------


def find_job(operation: Operation, service_principal: str, job_id: str, *, new: bool) -> Job:
    """The job as it is now, the only one of its kind.

    A run that was killed may have left another, which nobody ever started: that one goes.

    Calls: GET jobs; as a rule no more, else DELETE jobs/{id}, GET jobs/{id}.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        new: whether this run has made it, so that it may still have to appear.

    Raises:
        RefusedError: it is gone.
    """
    jobs = jobs_of_template(operation.send(calls.list_jobs(service_principal)))
    ours = next((job for job in jobs if str(job["id"]).lower() == job_id.lower()), None)
    for job in jobs:
        if job is ours:
            continue
        if not never_ran(job):
            report(
                f"there is another job on the configuration's service principal: {job['id']} "
                f"({schedule_state(job)}). Two jobs for one pair are not supported by Microsoft",
                severity=WARNING,
            )
        # Nothing is removed before ours is seen beside it.
        elif ours is not None:
            report(f"removes the job {job['id']}, which a run that was cut off has left behind; it never ran")
            operation.remove(calls.delete_job(service_principal, str(job["id"])))
    if ours is None and new:
        return operation.send(calls.get_job(service_principal, job_id), JOB_APPEARS)
    found = ours or operation.read_settled(calls.get_job(service_principal, job_id))
    if found is None:
        raise deleted_by_hand(
            operation, service_principal, job_id, "start or pause", urn_beside("start", "SyncJob", "job")
        )
    return found


def wait_for_everybody(operation: Operation, props: Properties) -> None:
    """See everybody assigned before the job runs: whoever is not, it would delete in the target.

    Call: GET appRoleAssignedTo, repeated while the last of them spread.

    Raises:
        RefusedError: somebody is not.
    """
    wanted = missing = set(props["principals"])

    def everybody() -> bool | None:
        nonlocal missing
        missing = not_assigned(operation, props["servicePrincipalId"], props["appRoleId"], wanted)
        return None if missing else True

    if operation.look_again(SCOPE, everybody) is None:
        raise refuse_to_start(operation, props["jobId"], missing, len(wanted))


def refuse_to_start(operation: Operation, job_id: str, missing: Collection[str], count: int) -> RefusedError:
    """The refusal to let a job find somebody unassigned."""
    return RefusedError(
        f"Will not start the job {job_id} in {operation.tenant}",
        f"{len(missing)} of {count} configured users and groups are not assigned ({names_in(operation, missing)}); "
        "whoever is not would be deleted in the target",
        "run `pulumi up --refresh --diff`, which assigns them and starts it then",
    )


def warn_of_quarantine(operation: Operation, service_principal: str, job_id: str, job: Job, found: Job) -> None:
    """Say that a job stays in quarantine or was started out of one, what that means, and what to do.

    Calls: where it stays, those of `quarantine_in_words`.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        job: as it is now.
        found: as it was before.
    """
    if quarantine_reason(job):
        words = quarantine_in_words(operation, service_principal, job_id, job)
        report(f"the job stays in quarantine ({quarantine_reason(job)}): {words}", severity=WARNING)
    elif quarantine_reason(found):
        was = f"the job was in quarantine ({quarantine_reason(found)}), and is started again, which ends that"
        why = quarantine_explained(found, ended=True)
        report(f"{was}. It comes back where its cause is still there: {why}", severity=WARNING)


def restart(operation: Operation, service_principal: str, job_id: str, job: Job) -> None:
    """Restart a job whose scope was everybody: else the assigned users and groups do not become its scope.

    Call: POST jobs/{id}/restart.
    """
    if runs(job):
        operation.send(calls.restart_job(service_principal, job_id, calls.RESTART))
        report(EVERYBODY_LEAVES, severity=WARNING)
        return
    report(
        "the scope was everybody (SyncAll) and is the assigned users and groups again. That has no effect before the "
        "job is restarted, and it does not run now. `xtsync restart` does it, which removes everybody else from the "
        "target",
        severity=WARNING,
    )


class JobStartProvider(TenantResourceProvider):
    """Owns whether the job runs."""

    replace_keys = ("servicePrincipalId", "jobId")
    # Whether the stack file has filters.
    for_this_run = (FILTERED,)

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Say beforehand who leaves where the scope was everybody, as `read` saw, and what the job makes of a change.

        Calls: none without a change, else those of `tell_of_job`.
        """
        if olds.get("everybody") and not news["everybody"]:
            report(EVERYBODY_LEAVES, severity=WARNING)
        if olds and bool(olds.get("running")) != bool(news["running"]):
            report(STARTS if news["running"] else PAUSES, severity=WARNING)
        if olds.get("running") and news["running"] and changes_something(olds, news):
            tell_of_job(self.operation, olds, news)
        return CheckResult(news, [])

    def create(self, props: Properties) -> CreateResult:
        """Start it, or not. Calls: GET jobs, POST start or pause, GET jobs/{id}."""
        return CreateResult(props["jobId"], self.apply(self.operation(), props, {}))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See whether it runs and for whom; a quarantine is reported as an unhealthy resource.

        Calls: GET jobs/{id}, GET secrets; in quarantine those of `quarantine_in_words`.
        """
        operation, service_principal = self.operation(), props["servicePrincipalId"]
        job = operation.read_settled(calls.get_job(service_principal, id_))
        if job is None:
            return ReadResult("", {})
        settings = live_settings(operation, service_principal) or {}
        outputs = {**props, **seen(job), "everybody": sync_all(settings)}
        reason = quarantine_reason(job)
        if reason:
            words = quarantine_in_words(operation, service_principal, id_, job)
            raise Partial(id_, outputs, [f"the job is in quarantine ({reason}): {words}"])
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Start or pause it, and restart it where its scope was everybody. Calls: as for create, POST restart.

        Raises:
            Partial: it may be started or paused all the same; the next `pulumi up` sees to it again.
        """
        operation = self.operation()
        with kept_if_written(operation, id_, lambda: {**news, **olds}):
            return UpdateResult(self.apply(operation, news, olds))

    def apply(self, operation: Operation, news: Properties, olds: Properties) -> Properties:
        """Make it run or pause, and give the properties."""
        service_principal, job_id = news["servicePrincipalId"], news["jobId"]
        job = found = find_job(operation, service_principal, job_id, new=not olds)
        running = bool(news["running"])
        if not running:
            refuse_held_deletions(operation, job_id, job, "pause")

        def before_start(now: Job) -> None:
            # One that never ran knows nobody yet whom it could delete.
            if not never_ran(now):
                wait_for_everybody(operation, news)

        # A job that we paused before, and that is seen at rest, needs no second pause.
        if running or olds.get("running") is not False or not at_rest(job):
            job = set_running(operation, service_principal, job_id, running, job, before_start)
        warn_of_quarantine(operation, service_principal, job_id, job, found)
        if olds.get("everybody"):
            restart(operation, service_principal, job_id, job)
        return {**news, **seen(job), "running": running}

    def delete(self, _id: str, _props: Properties) -> None:
        """Nothing is called: the scope, which goes next, knows what the job has to do while people leave it."""
        report("the job goes on until the scope, which goes next, brings it to rest")


JOB_START = JobStartProvider()


# --- resource ----------------------------------------------------------------------------------------------


class JobStart(TenantResource):
    """Whether the job runs.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        job_id: the job.
        app_role_id: its role that puts people in scope.
        running: started or paused.
        principals: object ids of the users and groups in scope.
        made: their assignments.
        rested: of job and schema; another one means that the job was brought to rest meanwhile.
        unfinished: see the function; another one means that the last run did not come this far.
        filtered: whether the stack file has filters, which may keep out who is assigned.
        depends_on: settings and scope.
        options: what this is replaced with.

    Attributes:
        job_state: `schedule.state` of the job: Active, Paused or Disabled.
        job_status: `status.code` of the job: NotRun, Active, Paused, Quarantine.
    """

    job_state: pulumi.Output[str]
    job_status: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        service_principal_id: pulumi.Input[str],
        job_id: pulumi.Input[str],
        app_role_id: pulumi.Input[str],
        running: bool,
        principals: Iterable[str],
        made: Sequence[azuread.AppRoleAssignment],
        rested: pulumi.Input[str],
        unfinished: str,
        filtered: bool,
        depends_on: Sequence[pulumi.Resource],
        options: pulumi.ResourceOptions,
    ) -> None:
        inputs = {
            "servicePrincipalId": service_principal_id,
            "jobId": job_id,
            "appRoleId": app_role_id,
            "running": running,
            "everybody": False,
            "principals": sorted(principals),
            "assignments": digest(made),
            "rested": rested,
            "unfinished": unfinished,
            FILTERED: filtered,
        }
        computed = ["job_state", "job_status"]
        super().__init__(name, home, inputs, computed=computed, depends_on=depends_on, options=options)
