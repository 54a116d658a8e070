"""Draining: the job removes everybody from the target before a pair ends. Nobody is said to be gone who is not.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..assignments.operations import (
    in_scope,
    listed,
    names_in,
    number_of_people,
    parted,
    people_of,
    people_of_group,
    principal_of,
    take_out,
)
from ..graph.consistency import SCOPE
from ..graph.errors import CallError, DeadlineError, RefusedError
from ..graph.pace import Pace
from ..graph.permissions import PROVISIONING_LOG
from ..sync_job.calls import get_job
from ..sync_job.model import (
    ACTIVE,
    NOT_RUN,
    Job,
    ended_well,
    last_cycle,
    never_ran,
    people_counted,
    quarantine_reason,
    schedule_state,
    status_code,
)
from ..sync_job.provisioning_log import Event, Identity, events, filter_for
from ..sync_job.running import at_rest, contradiction, set_running
from .before_draining import does_not_run, job_is_gone, refuse_job_that_keeps

if TYPE_CHECKING:
    from ..assignments.operations import Assignment
    from ..graph.operation import Operation

NOBODY_LEFT = "nobody of this pair is left in the target"
NEVER_RAN = (
    "the job never ran for this stack, so it made nobody; people who were provisioned on demand stay in the target"
)
# Who is not there any more need not be deleted.
TARGET_MISSING = "TargetMissing"
# A log that does not answer in this time is done without.
LOG_SECONDS = 30.0


def drain(
    operation: Operation,
    service_principal: str,
    job_id: str,
    others: Sequence[Assignment],
    leaving: Collection[str],
    found_cycle: str = "",
) -> str:
    """Have the job remove everybody who has left the scope, and wait until it has.

    The job rests when it gets here for the first time, so that the cycle that counts is one after that. Where it runs
    already this is a destroy that goes on waiting.

    Calls: GET jobs/{id}, repeatedly; those of `refuse_job_that_keeps`; POST jobs/{id}/start; GET groups/{id}/members of
    the groups of others; at the end GET auditLogs/provisioning, and before where a job that runs counts nobody.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        others: who is still assigned.
        leaving: object ids of the users and groups who have left the scope; empty where they are not known.
        found_cycle: what told the last cycle of the job when it was taken over; "" for a job that this stack made.

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
    goes_on = not at_rest(job) and not others
    # A job that counts nobody may have removed all, or never count: then the log tells, or a further cycle.
    if goes_on and people_counted(job) is None:
        goes_on = tried_to_delete_all(operation, job_id, leaving)
    before = None if goes_on else last_cycle(job)
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
            operation.status(f"{still_left(state.left)}; the job runs every 40 minutes")
        # Before its first cycle has ended a job counts nobody, whoever it has made already.
        if last_cycle(job) == before or status_code(job) == NOT_RUN or not (counted == 0 or ended_well(job)):
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


def still_left(number: int) -> str:
    """How many people are left, in words."""
    return f"{number_of_people(number)} {'is' if number == 1 else 'are'} still in the target"


def still_there(state: Waiting) -> str:
    """Why it is not drained when the time is over."""
    if not state.left:
        return "no cycle is known to have ended since everybody left the scope, nor whether people are left"
    there = still_left(state.left)
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
    deletions = last_deletions(operation, job_id)
    if deletions is None:
        return None
    return [
        f"{event.source} ({event.code or event.reason or event.status})"
        for event in deletions
        if event.status.lower() != "success" and event.code != TARGET_MISSING
    ]


def tried_to_delete_all(operation: Operation, job_id: str, leaving: Collection[str]) -> bool:
    """Whether the job has tried it with each of these users and groups' members; `spared` tells of whom in vain.

    Calls: GET auditLogs/provisioning; GET groups/{id}/members of what was not deleted itself.
    """
    tried = {event.source.id for event in last_deletions(operation, job_id) or ()}
    return bool(leaving) and all(one in tried or all_members_among(operation, one, tried) for one in leaving)


def all_members_among(operation: Operation, group: str, tried: set[str]) -> bool:
    """Whether all people of a group are among these; not where they cannot be read, or it is no group."""
    if not tried:
        return False
    try:
        people = people_of_group(operation, group)
    except CallError:
        return False
    return bool(people) and people <= tried


def last_deletions(operation: Operation, job_id: str) -> list[Event] | None:
    """The last event of everybody whose last in the past day is a deletion; None where the log cannot be read."""
    part = operation.client.operation(min(operation.remaining, LOG_SECONDS))
    since = operation.client.clock.now() - timedelta(days=1)
    newest: dict[Identity, Event] = {}
    try:
        for event in events(part, Pace(operation.client.clock), filter_for(job_id, since, "", failures=False)):
            newest.setdefault(event.source, event)
    except CallError:
        return None
    return [event for event in newest.values() if event.action.lower() == "delete"]


def wait_until_they_left(
    operation: Operation, service_principal: str, role: str, leaving: set[str]
) -> list[Assignment]:
    """See that none of these users and groups is assigned, and take out who is; gives what else is assigned.

    Whoever has another role of the application as well stays in scope by that one.

    Calls: GET appRoleAssignedTo, repeated while removals spread; as a rule no more, else POST $batch.

    Raises:
        RefusedError: somebody still is: the job would keep them.
    """
    seen: list[Assignment] = []
    left = set[str]()

    def gone() -> bool | None:
        ours, seen[:] = parted(in_scope(operation, service_principal), role, leaving)
        left.clear()
        left.update(map(principal_of, ours))
        if left:
            take_out(operation, service_principal, role, left)
        return None if left else True

    if operation.look_again(SCOPE, gone) is None:
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant} yet",
            f"{names_in(operation, left)} are still seen assigned, so the job would keep their people in the target",
            "run `pulumi destroy` again, which takes them out and goes on",
        )
    return seen
