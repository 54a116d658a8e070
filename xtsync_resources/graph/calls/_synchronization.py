"""Jobs and settings of the synchronization: steps 6 to 8, 11 and 12 of the how-to.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-overview
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._answers import Job, Jobs, MadeJob, Operators, ParsedExpression, Schema, Settings
from ._applications import service_principal_path
from ._call import JOB_ROLE, SYNCHRONIZATION, Body, Call, Patience, Repeat, segment


def _synchronization(
    method: str,
    service_principal: str,
    path: str,
    purpose: str,
    body: Body | None = None,
    repeat: Repeat = Repeat.SAFE,
    answer: Any = dict,
) -> Call:
    return Call(
        method,
        f"{service_principal_path(service_principal)}/synchronization/{path}",
        purpose,
        # Owners manage what they made with Application.ReadWrite.OwnedBy; Synchronization.* works for any.
        SYNCHRONIZATION,
        JOB_ROLE,
        body,
        repeat,
        answer=answer,
    )


def validate_credentials(service_principal: str, template: str, target: str) -> Call:
    """Ask the synchronization service whether both tenants allow the pair (step 6); changes nothing."""
    body = {
        "useSavedCredentials": False,
        "templateId": template,
        "credentials": [
            {"key": "CompanyId", "value": target},
            {"key": "AuthenticationType", "value": "SyncPolicy"},
        ],
    }
    purpose = f"validate that {target} accepts synchronization"
    return _synchronization("POST", service_principal, "jobs/validateCredentials", purpose, body)


# The synchronization service sees new policies of either tenant with a delay; its other refusals are final.
POLICIES_APPEAR = Patience(
    "waiting for the synchronization service to see the policies of both tenants",
    frozenset(range(400, 500)),
    texts=(
        "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure",
        "AzureDirectoryB2BManagementPolicyCheckFailure",
        "has not enabled automatic user consent",
        "has not enabled inbound synchronization",
        "auto-redemption of invitations not configured",
    ),
)


JOB_APPEARS = Patience("waiting for the new job to appear", frozenset({404}), seconds=300)


def list_jobs(service_principal: str) -> Call:
    """List the service principal's synchronization jobs."""
    return _synchronization("GET", service_principal, "jobs", f"list the jobs of {service_principal}", answer=Jobs)


def create_job(service_principal: str, template: str) -> Call:
    """Create a synchronization job from a template (step 7); it starts out disabled."""
    purpose = f"create the {template} job of {service_principal}"
    body = {"templateId": template}
    return _synchronization("POST", service_principal, "jobs", purpose, body, Repeat.LOOK_FIRST, MadeJob)


def get_job(service_principal: str, job: str) -> Call:
    """Read a job's schedule and status (step 12)."""
    return _synchronization("GET", service_principal, f"jobs/{segment(job)}", f"read the job {job}", answer=Job)


def delete_job(service_principal: str, job: str) -> Call:
    """Delete a job with its state; the people it synchronized stay."""
    return _synchronization("DELETE", service_principal, f"jobs/{segment(job)}", f"delete the job {job}")


def start_job(service_principal: str, job: str) -> Call:
    """Start a job (step 11). Not to be repeated on a job that runs."""
    return _synchronization(
        "POST",
        service_principal,
        f"jobs/{segment(job)}/start",
        f"start the job {job}",
        repeat=Repeat.LOOK_FIRST,
    )


def pause_job(service_principal: str, job: str) -> Call:
    """Pause a job; a cycle that runs is finished first, and the state is kept."""
    return _synchronization("POST", service_principal, f"jobs/{segment(job)}/pause", f"pause the job {job}")


def get_secrets(service_principal: str) -> Call:
    """Read the settings ("secrets") of the synchronization; sensitive values come back as `*`."""
    purpose = f"read the synchronization settings of {service_principal}"
    return _synchronization("GET", service_principal, "secrets", purpose, answer=Settings)


def put_secrets(service_principal: str, values: Mapping[str, str]) -> Call:
    """Write settings of the synchronization (step 8)."""
    body = {"value": [{"key": key, "value": value} for key, value in values.items()]}
    purpose = f"save the synchronization settings of {service_principal}"
    return _synchronization("PUT", service_principal, "secrets", purpose, body)


# Everything is looked at again; deletions that are held back stay held back (that would be ForceDeletes).
RESTART = "Watermark, Escrows, QuarantineState"
RESTART_FULL = "Full"
FORCE_DELETES = "ForceDeletes"


def restart_job(service_principal: str, job: str, reset_scope: str) -> Call:
    """Restart a job, so that everything is looked at again; needed after the scope shrank from everybody.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-restart
    """
    body = {"criteria": {"resetScope": reset_scope}}
    return _synchronization("POST", service_principal, f"jobs/{segment(job)}/restart", f"restart the job {job}", body)


def get_schema(service_principal: str, job: str, *, expand: bool = False) -> Call:
    """Read a job's rules, mappings and scoping filters; `expand` asks for the directories, which may be left out."""
    path = f"jobs/{segment(job)}/schema{'?$expand=directories' if expand else ''}"
    return _synchronization("GET", service_principal, path, f"read the schema of the job {job}", answer=Schema)


def get_template_schema(service_principal: str, template: str) -> Call:
    """Read the schema that jobs of a template start with.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-get
    """
    path = f"templates/{segment(template)}/schema"
    purpose = f"read the schema of the template {template}"
    return _synchronization("GET", service_principal, path, purpose, answer=Schema)


def put_schema(service_principal: str, job: str, schema: Body) -> Call:
    """Replace a job's schema, whole: what is left out is deleted. PATCH does not exist.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-update
    """
    path = f"jobs/{segment(job)}/schema"
    return _synchronization("PUT", service_principal, path, f"save the schema of the job {job}", schema)


def filter_operators(service_principal: str, job: str) -> Call:
    """List the operators of scoping filters, as the service spells them.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-filteroperators
    """
    path = f"jobs/{segment(job)}/schema/filterOperators"
    purpose = f"list the filter operators of the job {job}"
    return _synchronization("GET", service_principal, path, purpose, answer=Operators)


def parse_expression(service_principal: str, job: str, expression: str) -> Call:
    """Have Graph parse an expression of a mapping; changes nothing.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationschema-parseexpression
    """
    path = f"jobs/{segment(job)}/schema/parseExpression"
    body = {"expression": expression}
    purpose = f"check the expression {expression}"
    return _synchronization("POST", service_principal, path, purpose, body, answer=ParsedExpression)


def provision_on_demand(service_principal: str, job: str, rule: str, user: str) -> Call:
    """Provision one user now (step 10). Not repeated blindly: the first try may still be creating the person.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-provisionondemand
    """
    subject = {"objectId": user, "objectTypeName": "User"}
    body = {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    path = f"jobs/{segment(job)}/provisionOnDemand"
    return _synchronization("POST", service_principal, path, f"provision {user} on demand", body, Repeat.LOOK_FIRST)
