"""Whose deletions a job holds back, with what a stack file says, and what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..graph.errors import CallError
from ..sync_job import deletions
from ..sync_job.deletions import PUT_BACK, WAIT, Change
from ..sync_job.model import ACTIVE, holds_deletions
from ..sync_schema.calls import get_schema
from ..sync_schema.document import UnusableSchemaError
from ..sync_schema.model import FILTERS, live_parts
from .health import ASSIGN, ASSIGN_NEW, where_missing

if TYPE_CHECKING:
    from ..config import Settings
    from ..graph.operation import Operation
    from ..sync_job.deletions import HeldBack
    from ..sync_job.model import Job
    from ..sync_job.provisioning_log import Identity
    from .health import Health
    from .in_scope import Outside

BY_UP, BY_REFRESH = "with the next `pulumi up`", "with the next `pulumi up --refresh`"
PUT_BACK_FIRST = (
    "put in the stack file whoever else is to stay, before any `pulumi up`: after that nothing asks again, and the "
    "next cycle deletes the others. Then "
)
BEFORE_IT = ", before the next cycle, which ends the quarantine then"


def put_back(
    operation: Operation, service_principal: str, job_id: str, several: Sequence[Identity]
) -> list[Identity] | None:
    """Those of some people who are assigned; None where that says nothing, as of filters, or cannot be seen in time.

    Calls: GET jobs/{id}/schema; those of `deletions.put_back`.
    """
    if is_filtered(operation, service_principal, job_id):
        return None
    return deletions.put_back(operation, service_principal, several)


def is_filtered(operation: Operation, service_principal: str, job_id: str) -> bool:
    """Whether scoping filters may keep out who is assigned; also where nobody can say. Call: GET jobs/{id}/schema."""
    try:
        schema = operation.send(get_schema(service_principal, job_id))
        return bool(live_parts(schema, {FILTERS: None})[FILTERS])
    except (CallError, UnusableSchemaError):
        return True


def at_a_glance(
    operation: Operation,
    service_principal: str,
    job_id: str,
    job: Job,
    settings: Settings,
    change: Change | None = None,
) -> HeldBack | None:
    """Whom a job is about to delete; None where it holds nothing back. A call that fails here fails nothing.

    Calls: those of `deletions.at_a_glance` and `is_filtered`, where it does.
    """
    # A filter of the stack file may come with the next `up`.
    filtered = holds_deletions(job) and (
        bool(settings.scoping_filters) or is_filtered(operation, service_principal, job_id)
    )
    return deletions.at_a_glance(operation, service_principal, job_id, job, filtered=filtered, change=change)


def change_by_up(outside: Outside | None) -> Change | None:
    """What `up` does to the scope, by who of the stack file is not in it; None for nothing."""
    if not outside or not outside.ids:
        return None
    return Change(BY_REFRESH if outside.unassigned else BY_UP, outside.ids)


def judged(health: Health, held: HeldBack | None, outside: Outside | None) -> Health:
    """The health of a job, with what to do by whose deletion it holds back and who is not in scope; pure."""
    if held and held.people and health.state == ACTIVE and health.quarantine:
        assign = ASSIGN_NEW if outside and outside.only_new else ASSIGN
        if held.let_go:
            return replace(health, remedy=f"{PUT_BACK_FIRST}{assign}" if held.change else PUT_BACK)
        if not held.outside:
            return replace(health, remedy=f"{assign}{BEFORE_IT}" if held.change else WAIT)
    return where_missing(health, only_new=outside.only_new) if outside and outside.all else health
