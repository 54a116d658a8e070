"""What `pulumi destroy` would do to the people now. It goes by the stack's state, not by the stack file.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ...application.configurations import configurations_into, others_among
from ...assignments.operations import in_scope, number_of_people, parted, people_of
from ...graph.errors import RefusedError
from ...service_principal.calls import get_service_principal
from ...service_principal.model import assignable_role
from ...sync_job.calls import get_job
from ...sync_job.model import people_counted
from ...sync_job.quarantine import said_by_doctor
from ...sync_scope.before_draining import DRAIN, refuse_shared, refuse_to_drain
from .finding import as_advice
from .people import scope_of

if TYPE_CHECKING:
    from .finding import Finding, Look

AREA = "destroy"
RUN_UP = "run `pulumi up`, so that the state knows"


def in_state(outputs: Mapping[str, Any]) -> str:
    """How the stack's state says that the pair ends: `drain` or `release`; "" where there is none."""
    return str(outputs.get("onDestroy") or "").partition(":")[0]


def differs(outputs: Mapping[str, Any], wanted: str) -> str:
    """What to say where the state and the stack file do not agree; "" where they do."""
    known = in_state(outputs)
    return (
        f"the stack file says {wanted}, but the state says {known}, which counts" if known not in ("", wanted) else ""
    )


def said(outputs: Mapping[str, Any]) -> int | None:
    """How many people the stack has said it would delete; None where it could not count them."""
    people = (outputs.get("scope") or {}).get("people")
    return None if people is None else int(people)


def who_would_go(people: int | None) -> str:
    """Whom `drain` would delete, in words; None where the job does not count them."""
    return "everybody whom the job keeps" if people is None else number_of_people(people)


def check(look: Look) -> list[Finding]:
    """Say what would happen, and what `pulumi destroy` would refuse.

    Calls: with `drain` those of `read_scope` and `configurations_into`, GET jobs/{id}, GET servicePrincipals/{id},
    GET appRoleAssignedTo, GET groups/{id}/members, GET secrets.
    """
    outputs, settings = look.outputs, look.settings
    if not in_state(outputs):
        return []
    findings = [look.warning(AREA, text, RUN_UP)] if (text := differs(outputs, settings.on_destroy)) else []
    if in_state(outputs) != DRAIN:
        return [*findings, look.ok(AREA, str(outputs["onDestroy"]))]
    operation, service_principal, job_id = look.operation(), look.own, str(outputs.get("jobId"))
    job = operation.read(get_job(service_principal, job_id))
    if job is None:
        do = "set xtsync:onDestroy to release, `pulumi up --refresh --diff`, then destroy"
        return [*findings, look.problem(AREA, "the job is gone, and only the job can drain the pair", do)]
    role = assignable_role(operation.send(get_service_principal(service_principal)))
    assigned = in_scope(operation, service_principal)
    goes, others = parted(assigned, role, scope_of(look).assigned)
    ours = partial(people_of, operation, goes)
    try:
        refuse_to_drain(operation, service_principal, job_id, job, ours, others, said(outputs))
        found, _ = configurations_into(operation, look.partner.id)
        refuse_shared(operation, people_of(operation, assigned), others_among(found, service_principal))
    except RefusedError as error:
        return [
            *findings,
            look.problem(AREA, f"`pulumi destroy` would refuse: {error.why}", as_advice(said_by_doctor(error.do))),
        ]
    who = who_would_go(people_counted(job))
    return [*findings, look.warning(AREA, f"`pulumi destroy` would delete {who} in the target now")]
