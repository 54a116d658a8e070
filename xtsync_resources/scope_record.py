"""ScopeRecord: whom the stack puts in scope, written down before anybody comes or goes; and draining, at the end.

A run that is cut off after `SyncScope` has taken somebody out leaves azuread's assignment in the state as if nothing
had been. So whoever comes into scope again gets another number here (`since`), and the assignment that it belongs to
is made anew. The record makes no call, so that it is in the state before anything happens.

It stands between the job and the scope, so it is deleted after the scope has taken everybody out. With `onDestroy:
drain` the people are then gone from the target before the pair is. An `up` drains nobody: what it deletes is not the
end.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from .assigned import assignments, name_of, names_in, principal_of, take_out
from .graph import calls
from .graph.errors import DeadlineError, RefusedError
from .job_running import at_rest, contradiction, make_so, pause
from .job_state import (
    ACTIVE,
    NOT_RUN,
    Job,
    has_succeeded,
    last_cycle,
    may_start,
    never_ran,
    people_counted,
    people_synchronized,
    quarantine_reason,
    schedule_state,
    status_code,
)
from .lifecycle import (
    HOME,
    WARNING,
    CheckResult,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    program_runs,
    tell,
)
from .settings_object import deletion_threshold, everybody
from .sync_secrets import live_settings
from .tenant_resource import Home, TenantResource

if TYPE_CHECKING:
    from .assigned import Assignment
    from .graph.operation import Operation

DRAIN = "drain"
NOBODY_LEFT = "nobody of this pair is left in the target"
NEVER_RAN = (
    "the job never ran for this stack, so it made nobody; people who were provisioned on demand stay in the target"
)
NOT_BY_UP = (
    "nobody is removed from the target, though xtsync:onDestroy is drain: an `up` drains nobody, and neither does "
    "`destroy --run-program`. `pulumi destroy` does"
)
INPUTS = (
    HOME,
    "servicePrincipalId",
    "jobId",
    "appRoleId",
    "principals",
    "since",
    "generation",
    "foundState",
    "foundPeople",
    "foundCycle",
)
SETTLE_SECONDS = 60.0
RELEASE_INSTEAD = "set xtsync:onDestroy to release and run `pulumi up --skip-preview` first, which leaves people there"


# --- lifecycle ---------------------------------------------------------------------------------------------


def describe(on_destroy: str, users: int, groups: int) -> str:
    """What `pulumi destroy` will do to the people, for the stack's outputs."""
    scope = " and ".join(
        f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((users, "user"), (groups, "group")) if count
    )
    one = users + groups == 1
    leave = f"{scope} {'leaves' if one else 'leave'} the scope"
    if on_destroy == DRAIN:
        return f"drain: {leave}, and the people are DELETED in the target, then the pair ends"
    return f"release: {leave}, {'the' if one else 'their'} people stay in the target as they are"


def refuse_to_drain(
    operation: Operation, service_principal: str, job_id: str, job: Job, others: Sequence[Assignment]
) -> None:
    """Refuse before anything is changed: where the job would not remove them, or might remove somebody else.

    Calls: GET secrets.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        job: as it is now.
        others: assignments of people whom this stack did not put in scope.

    Raises:
        RefusedError: it is in a quarantine that starting it must not end, has everybody in scope, or would remove more
            people than the threshold allows.
    """
    if never_ran(job):
        return
    if not may_start(job):
        raise does_not_run(operation, job_id, job)
    settings = live_settings(operation, service_principal) or {}
    if everybody(settings):
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            "somebody has made everybody the scope (SyncAll), so the job would keep everybody in the target",
            f"run `pulumi refresh` and `pulumi up`, look at who is in the target, then destroy; or {RELEASE_INSTEAD}",
        )
    kept = sum(one.get("principalType") == "User" for one in others)
    refuse_beyond_threshold(operation, people_synchronized(job) - kept, deletion_threshold(settings))


def refuse_beyond_threshold(operation: Operation, people: int, threshold: int | None) -> None:
    """Refuse to drain more people than the accidental-deletion threshold lets go.

    Raises:
        RefusedError: the job would stop in quarantine and remove nobody.
    """
    if threshold is not None and people > threshold:
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            f"{people} people would be deleted in the target, more than xtsync:deletionThreshold ({threshold})",
            f"if that is intended, set xtsync:deletionThreshold to {people} or more, run `pulumi up`, then "
            "`pulumi destroy`",
        )


def refuse_missing(operation: Operation, found: Collection[str], there: Collection[str]) -> None:
    """Refuse to let the job run while somebody who is not ours is out of its scope: it would delete them.

    Raises:
        RefusedError: naming who was in scope before this stack, and is not assigned now.
    """
    missing = sorted(set(found) - set(there))
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            f"{names_in(operation, missing)} had been in scope before this stack took the pair over, and {are} not "
            "assigned now: the job would delete them in the target as well",
            "assign them again in the portal, or delete them in the target by hand if they should go and then "
            f"{RELEASE_INSTEAD}",
        )


def job_is_gone(operation: Operation, job_id: str) -> RefusedError:
    """The refusal to call a pair drained whose job cannot say so any more."""
    return RefusedError(
        f"Cannot drain the pair: the job {job_id} in {operation.tenant} is gone",
        "only the job can remove people from the target, and say when they are gone",
        "remove the people in the target by hand if they should go; then set xtsync:onDestroy to release, run `pulumi "
        "refresh`, `pulumi up` and `pulumi destroy`",
    )


def does_not_run(operation: Operation, job_id: str, job: Job) -> RefusedError:
    """The refusal to wait for a job that removes nobody."""
    reason = quarantine_reason(job)
    state = f"in quarantine ({reason})" if reason else schedule_state(job) or "in an unknown state"
    return RefusedError(
        f"Cannot drain the pair: the job {job_id} in {operation.tenant} does not run",
        f"it is {state}, so it would remove nobody from the target",
        f"start it or end its quarantine in the portal, then run `pulumi destroy` again; or {RELEASE_INSTEAD}",
    )


def drain(
    operation: Operation, service_principal: str, job_id: str, others: Sequence[Assignment], found_cycle: str = ""
) -> str:
    """Have the job remove everybody who has left the scope, and wait until it has.

    The job rests when it gets here for the first time, so that the cycle that counts is one after that. Where it runs
    already this is a destroy that goes on waiting.

    Calls: GET jobs/{id}, repeatedly; POST jobs/{id}/start.

    Returns:
        What can be said of the people then.

    Raises:
        RefusedError: the job does not run, so waiting is no use.
        DeadlineError: people are left when the time is over; the next destroy goes on waiting.
    """
    get = calls.get_job(service_principal, job_id)
    job = operation.read_surely(get)
    if job is None:
        raise job_is_gone(operation, job_id)
    if never_ran(job):
        job = contradiction(operation, get, never_ran)
        if job is None:
            return NEVER_RAN
    if found_cycle and at_rest(job) and last_cycle(job) == found_cycle:
        return NEVER_RAN
    before = last_cycle(job) if at_rest(job) or others else None
    if at_rest(job):
        job = make_so(operation, service_principal, job_id, True, job)
    return wait_until_drained(operation, service_principal, job_id, before, kept=bool(others))


def wait_until_drained(
    operation: Operation, service_principal: str, job_id: str, before: str | None, *, kept: bool
) -> str:
    """Wait until the job has removed everybody it synchronized.

    Calls: GET jobs/{id}, repeatedly.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        before: the last cycle before everybody left the scope, which proves nothing; None where the job has been
            running since.
        kept: whether others are in scope, who stay in the target and in the job's count.
    """
    call = calls.get_job(service_principal, job_id)
    left = {"people": 0}

    def drained(job: Job | None) -> bool:
        if job is None:
            if operation.read_surely(call) is None:
                raise job_is_gone(operation, job_id)
            return False
        if schedule_state(job) != ACTIVE or quarantine_reason(job):
            raise does_not_run(operation, job_id, job)
        counted = people_counted(job)
        left["people"] = 0 if kept else counted or 0
        if left["people"]:
            operation.status(f"{left['people']} people are still in the target; the job runs every 40 minutes")
        if before is not None and last_cycle(job) == before:
            return False
        # Before its first cycle has ended a job counts nobody, whoever it has made already.
        return status_code(job) != NOT_RUN and (counted == 0 or has_succeeded(job)) and not left["people"]

    try:
        operation.wait_until(call, drained, "waiting for the people to be gone from the target")
    except DeadlineError:
        why = "no cycle has ended since everybody left the scope, so it is not known whether people are left"
        if left["people"]:
            why = f"{left['people']} people are still in the target; the job removes them in its next cycle"
        raise DeadlineError(call, operation.tenant, why) from None
    return f"{NOBODY_LEFT} but those whom others have put in scope" if kept else NOBODY_LEFT


class ScopeRecordProvider(TenantResourceProvider):
    """Keeps the record; at the end, with `drain`, has the job remove the people."""

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Give whoever comes into scope a number of their own."""
        known, wanted = set(olds.get("principals") or ()), news["principals"]
        coming = set(wanted) - known if olds else set[str]()
        generation = int(olds.get("generation") or 0) + bool(coming)
        former = olds.get("since") or {}
        since = {one: generation if one in coming else former[one] for one in wanted if one in coming or one in former}
        return CheckResult({**news, "since": since, "generation": generation}, [])

    def create(self, props: Properties) -> CreateResult:
        """Write it down; who was in scope before this stack is remembered."""
        return CreateResult(f"{props['jobId']}/scope-record", {**props, "before": props["foundPeople"]})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Nothing to see."""
        return ReadResult(id_, props, inputs_of(props, INPUTS))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Write it down."""
        return UpdateResult({**news, "before": olds["before"]})

    def delete(self, _id: str, props: Properties) -> None:
        """With `drain`, have the job remove the people. Calls: GET appRoleAssignedTo, GET jobs/{id}, POST start.

        A job that was found paused is paused again; one that was found running goes on.

        Raises:
            DeadlineError: people are left in the scope or in the target; the next destroy goes on.
        """
        leaving = set(props["principals"]) - set(props["before"])
        if self.settings.on_destroy != DRAIN or not leaving:
            return
        if program_runs():
            tell(NOT_BY_UP, severity=WARNING)
            return
        operation, service_principal, role = self.operation(), props["servicePrincipalId"], props["appRoleId"]
        others = see_them_out(operation, service_principal, role, leaving)
        refuse_missing(operation, props["before"], {principal_of(one) for one in others})
        tell(drain(operation, service_principal, props["jobId"], others, props["foundCycle"]))
        if others:
            tell(f"in the target stay the people of {', '.join(name_of(one) for one in others)}")
        if props["foundState"] not in ("", ACTIVE):
            found = operation.read_surely(calls.get_job(service_principal, props["jobId"]))
            if found is not None:
                pause(operation, service_principal, props["jobId"], found)


def see_them_out(operation: Operation, service_principal: str, role: str, leaving: set[str]) -> list[Assignment]:
    """See that none of these users and groups is assigned, and take out who is; gives the assignments of others.

    Calls: GET appRoleAssignedTo, repeated while removals spread; as a rule no more, else POST $batch.

    Raises:
        RefusedError: somebody still is: the job would keep them.
    """
    seen: list[Assignment] = []

    def gone() -> bool | None:
        seen[:] = assignments(operation, service_principal, role)
        left = leaving & {principal_of(one) for one in seen}
        if left:
            take_out(operation, service_principal, role, left)
        return None if left else True

    if operation.look_for(gone, SETTLE_SECONDS) is None:
        left = leaving & {principal_of(one) for one in seen}
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant} yet",
            f"{names_in(operation, left)} are still seen assigned, so the job would keep their people in the target",
            "run `pulumi destroy` again, which takes them out and goes on",
        )
    return seen


SCOPE_RECORD = ScopeRecordProvider()


# --- resource ----------------------------------------------------------------------------------------------


class ScopeRecord(TenantResource):
    """Whom the stack puts in scope.

    Args:
        name: the resource's name.
        home: the source.
        job: service principal, job, role and what was found, by the names of the inputs.
        principals: object ids of the users and groups in scope.
        depends_on: job and settings; the scope and the assignments depend on this.

    Attributes:
        since: a number for each object id that came into scope later; another number means: assign anew.
    """

    since: pulumi.Output[dict[str, int]]

    def __init__(
        self,
        name: str,
        home: Home,
        job: Mapping[str, pulumi.Input[Any]],
        principals: Sequence[str],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs: dict[str, Any] = {**job, "principals": sorted(principals), "since": {}, "generation": 0}
        super().__init__(name, home, inputs, computed=["before"], depends_on=depends_on)

    def trigger(self, object_id: str) -> pulumi.Output[str]:
        """What changes when an assignment has to be made anew."""
        return self.since.apply(lambda since: str(int(since.get(object_id, 0))))
