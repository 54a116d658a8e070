"""Cycles: everything due on the clock happens, in both tenants, as the service would do it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lab.entra.applications.models import ServicePrincipal
from lab.entra.context import new_id
from lab.entra.exceptions import GraphError
from lab.entra.synchronization.models import INTERVAL, Execution, Job, Quarantine
from lab.entra.synchronization.provisioning import (
    Outcome,
    Pairing,
    assigned_ids,
    deprovision,
    deprovision_group,
    everybody,
    provision,
    provision_group,
    skip_reason,
    staged,
)
from lab.entra.synchronization.validation import target_of

if TYPE_CHECKING:
    from lab.entra.models import Entra, Tenant

_RETRY_HOURS = (6, 12, 24)
_QUARANTINE_ENDS_AFTER = timedelta(days=28)


def run_due_cycles(entra: Entra) -> int:
    """Run every cycle whose time has come, the earliest first; how many there were."""
    count = 0
    while due := _due(entra):
        moment, source, principal, job = min(due, key=lambda one: one[0])
        _run(entra, source, principal, job, moment)
        count += 1
    return count


def _due(entra: Entra) -> list[tuple[datetime, Tenant, ServicePrincipal, Job]]:
    now = entra.clock.now()
    return [
        (job.next_cycle, tenant, principal, job)
        for tenant in entra.tenants.values()
        for principal in tenant.applications.principals.values()
        for job in principal.synchronization.jobs.values()
        if job.next_cycle is not None and job.next_cycle <= now
    ]


def _run(entra: Entra, source: Tenant, principal: ServicePrincipal, job: Job, moment: datetime) -> None:
    cycle = new_id()
    try:
        target = target_of(entra, source, principal.synchronization.secrets)
    except GraphError as refusal:
        job.just_started = False
        job.last_execution = Execution(
            moment, moment, "Failed", cycle, error_code=refusal.code, error_message=refusal.message
        )
        _hold(job, "EncounteredQuarantineException", refusal.code, refusal.message, moment)
        return
    pairing = Pairing(source, target, principal, job)
    outcomes, leaving_held = _users(pairing)
    outcomes += _groups(pairing)
    for outcome in outcomes:
        source.audit.record(pairing, outcome, cycle, moment)
    _finish(pairing, outcomes, cycle, moment)
    if not leaving_held:
        job.status_code, job.quarantine, job.failures_in_a_row = "Active", None, 0
    else:
        count = "1 deletion reaches" if leaving_held == 1 else f"{leaving_held} deletions reach"
        message = f"{count} the threshold, and nobody was deleted."
        _hold(job, "TooManyDeletes", "TooManyDeletes", message, moment)


def _users(pairing: Pairing) -> tuple[list[Outcome], int]:
    directory, job = pairing.source.directory, pairing.job
    in_scope: set[str] = set()
    outcomes: list[Outcome | None] = []
    if pairing.mapped("User"):
        for user_id in assigned_ids(pairing):
            user = directory.users.get(user_id)
            if user is None:
                continue
            if reason := skip_reason(pairing, user):
                outcomes.append(_skipped(pairing, user_id, user.user_principal_name, reason))
                continue
            in_scope.add(user_id)
            outcomes.append(provision(pairing, user))
    leaving = [user_id for user_id in job.exported if user_id not in in_scope]
    threshold = pairing.principal.synchronization.delete_threshold()
    held = len(leaving) if threshold is not None and len(leaving) >= threshold and not job.force_deletes else 0
    if not held and pairing.flows("Delete"):
        outcomes += [deprovision(pairing, user_id) for user_id in leaving]
        job.force_deletes = False
    if held:
        outcomes += [staged(pairing, user_id) for user_id in leaving]
    return [outcome for outcome in outcomes if outcome], held


def _skipped(pairing: Pairing, user_id: str, name: str, reason: tuple[str, str]) -> Outcome | None:
    # Logged once: the user does not flow again until something about them changes.
    if pairing.source.audit.already_skipped(pairing.job.id, user_id):
        return None
    return Outcome("other", "skipped", user_id, name, reason_code=reason[0], reason=reason[1])


def _groups(pairing: Pairing) -> list[Outcome]:
    theirs = pairing.target.policies.partners[pairing.source.tenant_id]
    allowed = theirs.identity_sync is not None and theirs.identity_sync.allows("groupSyncInbound")
    if not allowed or not pairing.flows("Add", "Group") or everybody(pairing):
        return []
    assigned = {
        one.principal_id: pairing.source.directory.groups[one.principal_id]
        for one in pairing.principal.assignments.values()
        if one.principal_id in pairing.source.directory.groups
    }
    outcomes = [provision_group(pairing, group) for group in assigned.values()]
    leaving = [group_id for group_id in pairing.job.exported_groups if group_id not in assigned]
    if pairing.flows("Delete", "Group"):
        outcomes += [deprovision_group(pairing, group_id) for group_id in leaving]
    return [outcome for outcome in outcomes if outcome]


def _finish(pairing: Pairing, outcomes: list[Outcome], cycle: str, moment: datetime) -> None:
    job = pairing.job
    failed = sum(outcome.status == "failure" for outcome in outcomes)
    execution = Execution(
        moment,
        moment,
        "EntryLevelErrors" if failed else "Succeeded",
        cycle,
        imported=len(outcomes),
        exported=sum(outcome.status == "success" for outcome in outcomes),
        entitled=len(job.exported),
        escrowed=failed,
    )
    job.last_execution, job.just_started = execution, False
    if not failed:
        job.last_success = execution
        job.last_success_with_exports = execution if execution.exported else job.last_success_with_exports
    job.steady_first, job.steady_last = job.steady_first or moment, moment
    job.next_cycle = moment + INTERVAL


def _hold(job: Job, reason: str, code: str, message: str, moment: datetime) -> None:
    job.failures_in_a_row += 1
    hours = _RETRY_HOURS[min(job.failures_in_a_row, len(_RETRY_HOURS)) - 1]
    began = job.quarantine.began if job.quarantine else moment
    job.quarantine = Quarantine(reason, code, message, began, moment + timedelta(hours=hours), job.failures_in_a_row)
    job.status_code, job.next_cycle = "Quarantine", job.quarantine.next_attempt
    if moment - began >= _QUARANTINE_ENDS_AFTER:
        job.schedule_state, job.next_cycle = "Disabled", None
