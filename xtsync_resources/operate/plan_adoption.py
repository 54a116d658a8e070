"""What `xtsync plan` sees of a pair that is to be taken over: the state has its application, and no job of it yet.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-overview
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..application.orphans import APPLICATION_TYPE
from ..assignments.operations import assignments, principal_of
from ..service_principal.calls import get_service_principal
from ..service_principal.model import assignable_role
from ..state import type_token
from ..sync_job.calls import list_jobs
from ..sync_job.model import job_of_template, was_started
from ..sync_schema.calls import get_schema
from ..sync_schema.model import live_parts
from ..sync_schema.unusable import refusing_unusable

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..program.stack_state import Recorded


def to_take_over(state: Sequence[Recorded]) -> str:
    """The service principal of an application of which the state has no job; "" where it has none, or several."""
    if any(one.type == type_token("SyncJob") for one in state):
        return ""
    found = [str(one.outputs.get("servicePrincipalObjectId") or "") for one in state if one.type == APPLICATION_TYPE]
    return found[0] if len(found) == 1 else ""


def assigned_to(operation: Operation, service_principal: str) -> set[str]:
    """Object ids of who is in scope. Calls: GET servicePrincipals/{id}, GET appRoleAssignedTo."""
    role = assignable_role(operation.read(get_service_principal(service_principal)) or {})
    return {principal_of(one) for one in assignments(operation, service_principal, role)}


def parts_that_change(operation: Operation, service_principal: str, wanted: Mapping[str, Any]) -> list[str]:
    """The parts of the schema of a job that runs, or ran, which the stack file has otherwise.

    Calls: none where it has none, else GET jobs, and of such a job GET jobs/{id}/schema.
    """
    job = job_of_template(operation.read(list_jobs(service_principal)) or {}) if wanted else None
    schema = operation.read(get_schema(service_principal, str(job["id"]))) if job and was_started(job) else None
    if job is None or schema is None:
        return []
    with refusing_unusable(operation.tenant, str(job["id"])):
        live = live_parts(schema, wanted)
    return [part for part, value in wanted.items() if live[part] != value]
