"""Draining: the job removes everybody from the target before a pair ends, and what has to be certain before that.

Nobody is deleted whom the stack has not announced, and nobody is said to be gone who is not.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..application.configurations import PairConfiguration
from ..assignments import calls
from ..assignments.operations import assignments, listed, names_in, people_of, principal_of, take_out
from ..graph.consistency import SCOPE
from ..graph.errors import CallError, DeadlineError, RefusedError
from ..graph.pace import Pace
from ..graph.permissions import PROVISIONING_LOG
from ..sync_job.calls import get_job
from ..sync_job.model import (
    ACTIVE,
    NOT_RUN,
    Job,
    has_succeeded,
    last_cycle,
    may_start,
    never_ran,
    people_counted,
    people_synchronized,
    quarantine_explained,
    quarantine_reason,
    schedule_state,
    status_code,
)
from ..sync_job.provisioning_log import Event, Identity, events, filter_for
from ..sync_job.quarantine import reason_of
from ..sync_job.running import at_rest, contradiction, set_running
from ..sync_schema.calls import get_schema
from ..sync_schema.document import UnusableSchemaError, object_mapping
from ..sync_schema.model import flows_from_graph
from ..sync_secrets.model import deletion_threshold, sync_all
from ..sync_secrets.operations import live_settings

if TYPE_CHECKING:
    from ..assignments.operations import Assignment
    from ..graph.operation import Operation

DRAIN = "drain"
# Whoever runs `pulumi destroy` says with it how many people may be deleted, where the stack has said fewer.
AGREED = "XTSYNC_DRAIN"
NOBODY_LEFT = "nobody of this pair is left in the target"
NEVER_RAN = (
    "the job never ran for this stack, so it made nobody; people who were provisioned on demand stay in the target"
)
# Who is not there any more need not be deleted.
TARGET_MISSING = "TargetMissing"
# A log that does not answer in this time is done without.
LOG_SECONDS = 30.0
RELEASE_INSTEAD = "set xtsync:onDestroy to release and run `pulumi up --skip-preview` first, which leaves people there"

# --- what is refused -------------------------------------------------------------------------------------------


def refuse_to_drain(
    operation: Operation,
    service_principal: str,
    job_id: str,
    job: Job,
    others: Sequence[Assignment],
    said: int | None,
) -> None:
    """Refuse before anything is changed: where the job would not remove them, or might remove somebody else.

    Calls: GET secrets, GET jobs/{id}/schema, GET groups/{id}/members of the groups of others.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        job: as it is now.
        others: assignments of people whom this stack did not put in scope.
        said: how many people the stack has said it would delete; None where it could not count them.

    Raises:
        RefusedError: it is in a quarantine that starting it must not end, has everybody in scope, deletes nobody, or
            would remove more people than the threshold allows, or than was said.
    """
    if never_ran(job):
        return
    if not may_start(job):
        raise does_not_run(operation, job_id, job, quarantine_explained(job))
    settings = refuse_job_that_keeps(operation, service_principal, job_id)
    people = people_synchronized(job) - len(people_of(operation, others) or ())
    refuse_beyond_threshold(operation, people, deletion_threshold(settings))
    refuse_more_than_said(operation, people, said)


def refuse_job_that_keeps(operation: Operation, service_principal: str, job_id: str) -> Mapping[str, str]:
    """Refuse where the job would remove nobody; gives its settings. Calls: GET secrets, GET jobs/{id}/schema.

    Raises:
        RefusedError: everybody is in scope, or the job deletes nobody.
    """
    settings = live_settings(operation, service_principal) or {}
    if sync_all(settings):
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            "somebody has made everybody the scope (SyncAll), so the job would keep everybody in the target",
            f"run `pulumi up --refresh --diff`, look at who is in the target, then destroy; or {RELEASE_INSTEAD}",
        )
    if not deletes(operation, service_principal, job_id):
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            "the job deletes nobody: somebody has taken the flow type Delete out of its schema",
            "put it back with the mapping of users in the portal (target object actions), then run `pulumi destroy`; "
            f"or {RELEASE_INSTEAD}",
        )
    return settings


def deletes(operation: Operation, service_principal: str, job_id: str) -> bool:
    """Whether the job deletes people, by its schema, or it cannot be told. Call: GET jobs/{id}/schema."""
    schema = operation.read_settled(get_schema(service_principal, job_id))
    try:
        users = {} if schema is None else object_mapping(schema, "User")
    except UnusableSchemaError:
        return True
    return users.get("flowTypes") is None or "Delete" in flows_from_graph(users)


def refuse_beyond_threshold(operation: Operation, people: int, threshold: int | None) -> None:
    """Refuse to drain as many people as the accidental-deletion threshold holds back.

    Raises:
        RefusedError: the job would stop in quarantine and remove nobody.
    """
    if threshold is not None and people >= threshold:
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            f"{people} people would be deleted in the target, and xtsync:deletionThreshold ({threshold}) holds back "
            f"{threshold} and more",
            f"if that is intended, set xtsync:deletionThreshold to {people + 1} or more, run `pulumi up`, then "
            "`pulumi destroy`",
        )


def refuse_more_than_said(operation: Operation, people: int, said: int | None) -> None:
    """Refuse to drain more people than the stack has said, unless whoever runs this says the number.

    Raises:
        RefusedError: nobody has said that so many go.
    """
    agreed = os.environ.get(AGREED, "")
    allowed = max(said or 0, int(agreed) if re.fullmatch(r"[0-9]{1,9}", agreed) else 0)
    if people <= allowed:
        return
    counted = "the people in the scope could not be counted" if said is None else f"the last count was {said}"
    also = f", and {AGREED} says {agreed}" if agreed else ""
    raise RefusedError(
        f"Will not drain the pair in {operation.tenant}",
        f"{people} people would be deleted in the target, but {counted}{also}",
        f"see who they are (the users and the members of the groups in scope); if all of them are to go, run "
        f"`{AGREED}={people} pulumi destroy`; or {RELEASE_INSTEAD}",
    )


def refuse_shared(operation: Operation, ours: set[str] | None, others: Sequence[PairConfiguration]) -> None:
    """Refuse to drain people whom another configuration of the pair has in scope.

    Calls: GET appRoleAssignedTo of the others, GET groups/{id}/members.

    Args:
        operation: in the source.
        ours: object ids of the people who would go; None where they could not be read.
        others: the other configurations.

    Raises:
        RefusedError: naming them.
    """
    for other in others:
        assigned = operation.pages(calls.list_assignments(str(other.principal["id"])))
        theirs = None if sync_all(other.settings) else people_of(operation, assigned)
        if ours is None or theirs is None:
            who = "who may be anybody here"
        elif shared := ours & theirs:
            who = names_in(operation, shared)
        else:
            continue
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            f"{other} has people of it in scope as well, {who}: they would be deleted in the target",
            f"take them out of the other one first; or {RELEASE_INSTEAD}",
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


def does_not_run(operation: Operation, job_id: str, job: Job, do: str = "") -> RefusedError:
    """The refusal to wait for a job that removes nobody.

    Args:
        operation: in the source.
        job_id: the job.
        job: as it is now.
        do: what sets it going; without it only the portal does, as the commands of ours start no job whose people
            have left the scope already.
    """
    reason = quarantine_reason(job)
    state = f"in quarantine ({reason}): {reason_of(reason).meaning}" if reason else schedule_state(job)
    return RefusedError(
        f"Cannot drain the pair: the job {job_id} in {operation.tenant} does not run",
        f"it would remove nobody from the target, as it is {state or 'in an unknown state'}",
        f"{do or 'start it in the portal, which ends a quarantine as well'}. Then run `pulumi destroy` again; or "
        f"{RELEASE_INSTEAD}",
    )


def drain(
    operation: Operation, service_principal: str, job_id: str, others: Sequence[Assignment], found_cycle: str = ""
) -> str:
    """Have the job remove everybody who has left the scope, and wait until it has.

    The job rests when it gets here for the first time, so that the cycle that counts is one after that. Where it runs
    already this is a destroy that goes on waiting.

    Calls: GET jobs/{id}, repeatedly; those of `refuse_job_that_keeps`; POST jobs/{id}/start; GET groups/{id}/members of
    the groups of others; at the end GET auditLogs/provisioning.

    Returns:
        What can be said of the people then.

    Raises:
        RefusedError: the job does not run, so waiting is no use.
        DeadlineError: people are left when the time is over; the next destroy goes on waiting.
    """
    get = get_job(service_principal, job_id)
    job = operation.read_settled(get)
    if job is None:
        raise job_is_gone(operation, job_id)
    if never_ran(job):
        job = contradiction(operation, get, never_ran)
        if job is None:
            return NEVER_RAN
    if found_cycle and at_rest(job) and last_cycle(job) == found_cycle:
        return NEVER_RAN
    refuse_job_that_keeps(operation, service_principal, job_id)
    before = last_cycle(job) if at_rest(job) or others else None
    if at_rest(job):
        job = set_running(operation, service_principal, job_id, True, job)
    keeps = people_of(operation, others)
    return wait_until_drained(operation, service_principal, job_id, before, None if keeps is None else len(keeps))


def wait_until_drained(
    operation: Operation, service_principal: str, job_id: str, before: str | None, keeps: int | None
) -> str:
    """Wait until the job has removed everybody it synchronized.

    Calls: GET jobs/{id}, repeatedly; GET auditLogs/provisioning where people are left after a cycle, and at the end.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        before: the last cycle before everybody left the scope, which proves nothing; None where the job has been
            running since.
        keeps: how many people others have put in scope, who stay in the target and in the job's count; None if they
            could not be counted.
    """
    call = get_job(service_principal, job_id)
    state = Waiting()

    def drained(job: Job | None) -> bool:
        if job is None:
            if operation.read_settled(call) is None:
                raise job_is_gone(operation, job_id)
            return False
        if schedule_state(job) != ACTIVE or quarantine_reason(job):
            raise does_not_run(operation, job_id, job)
        counted = people_counted(job)
        state.left = 0 if keeps is None else max(0, (counted or 0) - keeps)
        if state.left:
            operation.status(f"{state.left} people are still in the target; the job runs every 40 minutes")
        # Before its first cycle has ended a job counts nobody, whoever it has made already.
        if last_cycle(job) == before or status_code(job) == NOT_RUN or not (counted == 0 or has_succeeded(job)):
            return False
        if state.left:
            state.cycle_ended, state.spared = True, spared(operation, job_id)
        return state.left <= len(state.spared or ())

    try:
        operation.wait_until(call, drained, "waiting for the people to be gone from the target")
    except DeadlineError:
        raise DeadlineError(call, operation.tenant, still_there(state)) from None
    return gone_but(state.spared if state.left else spared(operation, job_id), keeps)


@dataclass
class Waiting:
    """What was seen while waiting.

    Attributes:
        left: how many people the job still counts in the target.
        cycle_ended: whether a cycle has ended after which people were left.
        spared: whom the job has not deleted, and why, as the log says then; None where it cannot be read.
    """

    left: int = 0
    cycle_ended: bool = False
    spared: Sequence[str] | None = ()


def still_there(state: Waiting) -> str:
    """Why it is not drained when the time is over."""
    if not state.left:
        return "no cycle has ended since everybody left the scope, so it is not known whether people are left"
    there = f"{state.left} people are still in the target"
    if not state.cycle_ended:
        return f"{there}; the job removes them in its next cycle"
    why = f"the provisioning log would say why, and could not be read ({PROVISIONING_LOG})"
    if state.spared is not None:
        why = f"the job did not delete {listed(state.spared)}" if state.spared else "its log does not say why"
    return f"{there} after a cycle has ended: {why}. Somebody may have put people in scope meanwhile"


def gone_but(spared: Sequence[str] | None, keeps: int | None) -> str:
    """What can be said of the people at the end."""
    said = f"{NOBODY_LEFT} but those whom others have put in scope" if keeps != 0 else NOBODY_LEFT
    if spared is None:
        return (
            f"{said}, by the job's own count. Whom it has left alone, such as people who are disabled in the source, "
            f"only the provisioning log says, which could not be read ({PROVISIONING_LOG})"
        )
    if spared:
        return f"{said}, and {listed(spared)}: the job did not delete them; delete them in the target if they should go"
    return said


def spared(operation: Operation, job_id: str) -> list[str] | None:
    """Whom the job was to delete and has not, with the reason; None where the log cannot be read.

    Call: GET auditLogs/provisioning (ProvisioningLog.Read.All).
    """
    part = operation.client.operation(min(operation.remaining, LOG_SECONDS))
    since = operation.client.clock.now() - timedelta(days=1)
    newest: dict[Identity, Event] = {}
    try:
        for event in events(part, Pace(operation.client.clock), filter_for(job_id, since, "", failures=False)):
            newest.setdefault(event.source, event)
    except CallError:
        return None
    return [
        f"{event.source} ({event.code or event.reason or event.status})"
        for event in newest.values()
        if event.action.lower() == "delete" and event.status.lower() != "success" and event.code != TARGET_MISSING
    ]


def wait_until_they_left(
    operation: Operation, service_principal: str, role: str, leaving: set[str]
) -> list[Assignment]:
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

    if operation.look_again(SCOPE, gone) is None:
        left = leaving & {principal_of(one) for one in seen}
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant} yet",
            f"{names_in(operation, left)} are still seen assigned, so the job would keep their people in the target",
            "run `pulumi destroy` again, which takes them out and goes on",
        )
    return seen
