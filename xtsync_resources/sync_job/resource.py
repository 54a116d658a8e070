"""SyncJob: the synchronization job on the configuration's service principal, behind the gate of step 6.

Where a job was there before, this records it, its settings and who was assigned, before anything of that is written.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationjob
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from ..assignments.operations import assignments, principal_of
from ..graph.consistency import LOST_JOB, POLICIES_APPEAR, SERVICE_PRINCIPAL_SETTLES
from ..graph.errors import RefusedError, XtsyncError
from ..pulumi_runtime.engine import WARNING, Partial, report
from ..pulumi_runtime.provider import (
    HOME,
    CheckResult,
    CreateResult,
    DiffResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    is_preview,
    is_unknown,
)
from ..pulumi_runtime.tenant_resource import Home, TenantResource
from ..sync_secrets.model import COMPANY
from ..sync_secrets.operations import live_settings
from . import calls
from .found import (
    FOUND_BESIDE,
    GONE,
    NOTHING_FOUND,
    REMEMBERED,
    first_found,
    found_beside,
    found_first,
    remembered,
    to_remember,
)
from .model import ACTIVE, PAUSED, TEMPLATE, Job, job_of_template, last_cycle, schedule_state, was_started
from .running import at_rest, pause, refuse_held_deletions, set_running

if TYPE_CHECKING:
    from ..graph.operation import Operation

# An output of a job that was taken over, where the run did not pass the gate.
UNPROVEN = "unproven"
INPUTS = (HOME, "servicePrincipalId", "appRoleId", "templateId", "targetTenantId", "onDemand", "madeByHand", REMEMBERED)
POLICIES_SEEN = (POLICIES_APPEAR, *SERVICE_PRINCIPAL_SETTLES)

# --- provider ----------------------------------------------------------------------------------------------


def existing(operation: Operation, service_principal: str) -> Job | None:
    """The job that is there, if any; a list may still show one that was deleted a moment ago.

    The list is also the first call that the synchronization service answers for a new service principal.

    Calls: GET jobs; GET jobs/{id} where it lists one.
    """
    listed = job_of_template(operation.send(calls.list_jobs(service_principal), *SERVICE_PRINCIPAL_SETTLES))
    return None if listed is None else operation.read_settled(calls.get_job(service_principal, str(listed["id"])))


STAYS_AT_REST = (
    "the adopted job is at rest meanwhile: the next `pulumi up` goes on, and `pulumi destroy` leaves it as it was found"
)
MAY_REST = (
    "whether the job that this stack takes over was paused was not seen: the next `pulumi up` goes on, and `pulumi "
    "destroy` leaves it as it was found"
)
WAS_PAUSED = (
    "the adopted job does not run. Once this stack starts it (xtsync:running), its next cycle removes from the "
    "target whom it has synchronized and who is not assigned any more; the target's users show who that is"
)


def make(operation: Operation, service_principal: str, template: str) -> str:
    """Make a job; give its id. Calls: POST jobs; GET jobs where its answer was lost."""

    def look() -> Job | None:
        return job_of_template(operation.send(calls.list_jobs(service_principal)))

    job = operation.make(
        calls.create_job(service_principal, template),
        look,
        *SERVICE_PRINCIPAL_SETTLES,
        lost=LOST_JOB,
    )
    if "id" not in job:  # made, but its answer got lost on the way
        job = operation.poll(look, calls.list_jobs(service_principal), "waiting for the new job to be listed")
    return str(job["id"])


def to_adopt(operation: Operation, props: Properties, job: Job) -> bool:
    """Whether a job is taken over as somebody's.

    A run that was killed leaves one without settings that was never started. Settings are this stack's own where it
    made the application, which a preview cannot know, or had a job there before.

    Calls: none where somebody started it, else GET secrets.
    """
    if was_started(job) or first_found(props) or not props["madeByHand"]:
        return was_started(job)
    return COMPANY in (live_settings(operation, props["servicePrincipalId"]) or {})


def announce_adoption(operation: Operation, service_principal: str, job: Job, *, allowed: bool) -> None:
    """Say what becomes of a job that somebody made, in a preview as when it is done.

    Args:
        operation: in whose tenant it is.
        service_principal: whose it is.
        job: as it is now.
        allowed: whether a job may be taken over.

    Raises:
        RefusedError: none may, or it holds deletions back.
    """
    job_id, state = str(job["id"]), schedule_state(job) or PAUSED
    if not allowed:
        raise refusal(operation, service_principal, job)
    report(f"adopts the existing job {job_id} ({state})")
    refuse_held_deletions(operation, job_id, job, "adopt")
    if state != ACTIVE:
        report(WAS_PAUSED, severity=WARNING)
    else:
        report("the adopted job is paused until everybody is assigned; it is started again at the end of this run")


def leave_as_found(operation: Operation, id_: str, props: Properties) -> None:
    """Let an adopted job be as it was: paused, or running where that removes nobody.

    One that has not run since it was adopted knows nobody whom this stack has put in scope. Any other was left
    running by the scope, or is at rest for good reason.

    Calls: GET jobs/{id}; as a rule no more, else GET appRoleAssignedTo, POST start or pause.
    """
    service_principal = props["servicePrincipalId"]
    job = operation.read_settled(calls.get_job(service_principal, id_))
    if job is None:
        return
    if props["foundState"] != ACTIVE:
        if not at_rest(job):
            pause(operation, service_principal, id_, job)
        return
    # Whoever was provisioned on demand is known to the job although no cycle has run.
    if at_rest(job) and last_cycle(job) == props["foundCycle"] and not props["everOnDemand"]:
        there = {principal_of(one) for one in assignments(operation, service_principal, props["appRoleId"])}
        if there >= set(props["foundPeople"]):
            set_running(operation, service_principal, id_, True, job)


class SyncJobProvider(TenantResourceProvider):
    """Owns the job, or leaves it where it was there before."""

    replace_keys = ("servicePrincipalId", "templateId", "targetTenantId")

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Accept; what the state knew matters only where this is made. Before a create, say what is adopted."""
        if not olds:
            self.announce(news)
        return CheckResult({**news, REMEMBERED: olds[REMEMBERED]} if olds else news, [])

    def announce(self, props: Properties) -> None:
        """Say in a preview what a create adopts, where the service principal is there already.

        Calls: GET jobs; GET secrets where there is a job that nobody has started.
        """
        service_principal, first = props["servicePrincipalId"], first_found(props)
        if is_unknown(service_principal) or not is_preview(props):
            return
        # A job that this stack made goes first where it is replaced.
        if first and not first["foundState"] and not first.get(GONE):
            return
        operation = self.operation()
        found = job_of_template(operation.read(calls.list_jobs(service_principal)) or {})
        if found is not None and to_adopt(operation, props, found):
            announce_adoption(operation, service_principal, found, allowed=self.may_adopt(first))

    def may_adopt(self, first: Mapping[str, Any]) -> bool:
        """Whether a job may be taken over; one that was before is this stack's already."""
        return self.settings.on_existing != "fail" or bool(first)

    def create(self, props: Properties) -> CreateResult:
        """Pass the gate, then make or adopt the job.

        Calls: POST jobs/validateCredentials, repeated while the policies of this run spread; GET jobs, GET jobs/{id};
        POST jobs. Where somebody made the application also GET secrets, GET appRoleAssignedTo.
        Least permission: Application.ReadWrite.OwnedBy as owner, else Synchronization.ReadWrite.All.

        Raises:
            RefusedError: there is one, and `onExisting` is `fail`, or it holds deletions back.
            Partial: it is taken over and at rest, and the gate is shut; the next `pulumi up` goes on.
        """
        operation, service_principal = self.operation(), props["servicePrincipalId"]
        first = first_found(props)
        on_demand = bool(props["onDemand"] or first.get("everOnDemand"))
        found = existing(operation, service_principal)
        if found is not None and to_adopt(operation, props, found):
            announce_adoption(operation, service_principal, found, allowed=self.may_adopt(first))
            job_id, now = str(found["id"]), to_remember(operation, service_principal, props["appRoleId"], found)
            outputs = {**props, **found_first(first, now), "everOnDemand": on_demand}
            rests = MAY_REST
            try:
                rested = pause(operation, service_principal, job_id, found)
                outputs |= found_first(first, {**now, "foundCycle": last_cycle(rested)})
                rests = STAYS_AT_REST
                self.validate_both_tenants(operation, props)
            except XtsyncError as error:
                if rests == MAY_REST and not operation.has_written:
                    raise
                # It may rest now, so that it was running before must not be forgotten.
                raise Partial(job_id, {**outputs, UNPROVEN: True}, [error, rests]) from None
            return CreateResult(job_id, outputs)
        self.validate_both_tenants(operation, props)
        if first:
            there = {key: first[key] for key in FOUND_BESIDE if key in first}
        else:
            # An application that somebody made may have settings, and people assigned, and no job.
            there = found_beside(operation, service_principal, props["appRoleId"]) if props["madeByHand"] else {}
        id_ = str(found["id"]) if found is not None else make(operation, service_principal, props["templateId"])
        return CreateResult(id_, {**props, **NOTHING_FOUND, **there, "everOnDemand": on_demand})

    @staticmethod
    def validate_both_tenants(operation: Operation, props: Properties) -> None:
        """Have the synchronization service see that both tenants allow the pair."""
        target, template = props["targetTenantId"], props["templateId"]
        operation.send(calls.validate_credentials(props["servicePrincipalId"], template, target), *POLICIES_SEEN)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See that it is there. Call: GET jobs/{id}."""
        job = self.operation().read_settled(calls.get_job(props["servicePrincipalId"], id_))
        return ReadResult("", {}) if job is None else ReadResult(id_, props, inputs_of(props, INPUTS))

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        """As of every resource; a job that has not passed the gate is to be changed, also after a refresh."""
        result = super().diff(id_, olds, news)
        if olds.get(UNPROVEN):
            result.changes = True
        return result

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Nothing of a job can be changed here; what was found at first, and what ever was, stays remembered.

        Calls, where the last run did not pass the gate: GET jobs/{id}, POST pause where it does not rest yet, and POST
        jobs/validateCredentials.
        """
        if olds.get(UNPROVEN):
            operation, service_principal = self.operation(), news["servicePrincipalId"]
            job = operation.read_settled(calls.get_job(service_principal, id_))
            if job is not None and not at_rest(job):
                refuse_held_deletions(operation, id_, job, "adopt")
                rested = pause(operation, service_principal, id_, job)
                olds = {**olds, "foundCycle": last_cycle(rested)}
            self.validate_both_tenants(operation, news)
        kept = {key: value for key, value in olds.items() if key != UNPROVEN}
        return UpdateResult({**kept, **news, "everOnDemand": bool(olds["everOnDemand"] or news["onDemand"])})

    def delete(self, id_: str, props: Properties) -> None:
        """Delete the job; the people it synchronized stay. Call: DELETE jobs/{id}. An adopted job stays as found."""
        operation = self.operation()
        if props["foundState"]:
            report(f"the job {id_} was there before and is not deleted")
            leave_as_found(operation, id_, props)
            return
        if not operation.remove(calls.delete_job(props["servicePrincipalId"], id_)):
            return
        # Deletes are answered before they are everywhere; a job that is still seen would be adopted.
        gone = calls.get_job(props["servicePrincipalId"], id_)
        operation.wait_until(gone, lambda seen: seen is None, "waiting for the job to be gone")


def refusal(operation: Operation, service_principal: str, found: Job) -> RefusedError:
    """The refusal to take a job over."""
    return RefusedError(
        f"There is a {TEMPLATE} job on the service principal {service_principal} in {operation.tenant} already",
        f"xtsync:onExisting is fail, and this was found: {found['id']} ({schedule_state(found)})",
        "set xtsync:onExisting to adopt to take it over, or delete the job",
    )


SYNC_JOB = SyncJobProvider()


# --- resource ----------------------------------------------------------------------------------------------


class SyncJob(TenantResource):
    """The synchronization job.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        app_role_id: its role that puts people in scope.
        target_tenant_id: whom it synchronizes to.
        on_demand: whether people are provisioned on demand.
        made_by_hand: whether somebody made the application, so that people may be assigned to it.
        before: its outputs in the state; empty where it is not there.
        depends_on: the policies of both tenants.

    Attributes:
        found_state: `schedule.state` of the job that was there before; "" where there was none.
        found_settings: the synchronization settings then, by key, as a record.
        found_people: object ids of the users and groups that were in scope then.
        found_cycle: what tells its last cycle then; "" where there was none.
        rested: tells when an adopted job was brought to rest, so that the start starts it again; "" for a new job.
    """

    found_state: pulumi.Output[str]
    found_settings: pulumi.Output[str]
    found_people: pulumi.Output[list[str]]
    found_cycle: pulumi.Output[str]
    rested: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        service_principal_id: pulumi.Input[str],
        app_role_id: pulumi.Input[str],
        target_tenant_id: str,
        on_demand: bool,
        made_by_hand: pulumi.Input[bool],
        before: Mapping[str, Any],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {
            "servicePrincipalId": service_principal_id,
            "appRoleId": app_role_id,
            "templateId": TEMPLATE,
            "targetTenantId": target_tenant_id,
            "onDemand": on_demand,
            "madeByHand": made_by_hand,
            REMEMBERED: remembered(before),
        }
        computed = ["found_state", "found_settings", "found_people", "found_cycle", "rested", "ever_on_demand"]
        super().__init__(name, home, inputs, computed=computed, depends_on=depends_on)
