"""The calls for the job: steps 6, 7, 11 and 12 of the how-to.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationjob
"""

from __future__ import annotations

from urllib.parse import quote

from ..graph.call import Call, Repeat, segment
from ..graph.permissions import LOG_ROLE, PROVISIONING_LOG
from ..service_principal.calls import synchronization_call
from .graph_types import Events, Job, Jobs, MadeJob


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
    return synchronization_call("POST", service_principal, "jobs/validateCredentials", purpose, body, read_only=True)


def list_jobs(service_principal: str) -> Call:
    """List the service principal's synchronization jobs."""
    purpose = f"list the jobs of {service_principal}"
    return synchronization_call("GET", service_principal, "jobs", purpose, answer=Jobs, whole=True)


def create_job(service_principal: str, template: str) -> Call:
    """Create a synchronization job from a template (step 7); it starts out disabled."""
    purpose = f"create the {template} job of {service_principal}"
    body = {"templateId": template}
    return synchronization_call("POST", service_principal, "jobs", purpose, body, Repeat.CHECK_IF_DONE, MadeJob)


def get_job(service_principal: str, job: str) -> Call:
    """Read a job's schedule and status (step 12)."""
    return synchronization_call("GET", service_principal, f"jobs/{segment(job)}", f"read the job {job}", answer=Job)


def delete_job(service_principal: str, job: str) -> Call:
    """Delete a job with its state; the people it synchronized stay."""
    return synchronization_call("DELETE", service_principal, f"jobs/{segment(job)}", f"delete the job {job}")


def start_job(service_principal: str, job: str) -> Call:
    """Start a job (step 11). Not to be repeated on a job that runs."""
    return synchronization_call(
        "POST",
        service_principal,
        f"jobs/{segment(job)}/start",
        f"start the job {job}",
        repeat=Repeat.CHECK_IF_DONE,
    )


def pause_job(service_principal: str, job: str) -> Call:
    """Pause a job; a cycle that runs is finished first, and the state is kept."""
    return synchronization_call("POST", service_principal, f"jobs/{segment(job)}/pause", f"pause the job {job}")


# Everything is looked at again; deletions that are held back stay held back (that would be ForceDeletes).
RESTART = "Watermark, Escrows, QuarantineState"


RESTART_FULL = "Full"


FORCE_DELETES = "ForceDeletes"


def restart_job(service_principal: str, job: str, reset_scope: str) -> Call:
    """Restart a job, so that everything is looked at again; needed after the scope shrank from everybody.

    Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-restart
    """
    body = {"criteria": {"resetScope": reset_scope}}
    path = f"jobs/{segment(job)}/restart"
    return synchronization_call("POST", service_principal, path, f"restart the job {job}", body)


def provisioning_logs(filter_text: str, top: int) -> Call:
    """List what the job did, newest first, page by page.

    Args:
        filter_text: an OData filter, values in it by `literal`.
        top: entries on a page.
    """
    query = f"$filter={quote(filter_text, safe='')}&$orderby={quote('activityDateTime desc', safe='')}&$top={top}"
    path = f"/auditLogs/provisioning?{query}"
    return Call("GET", path, "read the provisioning logs", PROVISIONING_LOG, LOG_ROLE, answer=Events)
