"""Whose deletions a job holds back, with what a stack file says, and what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..graph.errors import CallError
from ..sync_job import deletions
from ..sync_job.deletions import PUT_BACK
from ..sync_job.model import ACTIVE, holds_deletions
from ..sync_schema.calls import get_schema
from ..sync_schema.document import UnusableSchemaError
from ..sync_schema.model import FILTERS, live_parts

if TYPE_CHECKING:
    from ..config import Settings
    from ..graph.operation import Operation
    from ..sync_job.deletions import Change, HeldBack
    from ..sync_job.model import Job
    from ..sync_job.provisioning_log import Identity
    from .health import Health

WAIT = (
    "Wait for the next cycle, which ends the quarantine then; `xtsync status` says how it went. If it still holds them "
    "back, something else keeps them out of scope: `xtsync doctor` tells whom the service skips"
)
RUN_UP = "Let `pulumi up` run before the next cycle, which ends the quarantine then: whoever is in scope stays"


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


def remedy(held: HeldBack, health: Health) -> str:
    """What to do about a job that holds deletions back, or did."""
    if not held.people or health.state != ACTIVE or not health.quarantine:
        return health.remedy
    if held.let_go:
        return PUT_BACK
    if held.outside:
        return health.remedy
    return RUN_UP if held.change else WAIT
