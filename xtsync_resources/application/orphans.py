"""The configuration applications of a tenant: which were there before, and what runs that were killed left behind.

azuread makes an application in some twenty seconds; a run that is killed meanwhile, or whose answer is lost, leaves one
that no state knows. Such a one is removed where everything says that nobody uses it, and is described otherwise.

Source: https://learn.microsoft.com/graph/api/applicationtemplate-instantiate
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ..assignments.calls import list_assignments
from ..graph.errors import CallError, NotFoundError
from ..pulumi_runtime.engine import WARNING, report
from ..sync_job.calls import list_jobs
from ..sync_job.model import jobs_of_template, schedule_state
from ..sync_secrets.calls import get_secrets
from ..sync_secrets.model import settings_by_key
from . import calls

if TYPE_CHECKING:
    from ..graph.operation import Operation

APPLICATION_TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
# What Pulumi calls an application that azuread has made from it.
APPLICATION_TYPE = "azuread:index/applicationFromTemplate:ApplicationFromTemplate"
Json = Mapping[str, Any]


def configurations(operation: Operation, passes: type[CallError] = CallError) -> list[Json] | None:
    """The applications made from the template; None, with a warning, where they cannot be read.

    Call: GET applications, page by page (Application.Read.All).

    Args:
        operation: in the source.
        passes: the errors for which the run goes on.

    Raises:
        CallError: another one.
    """
    try:
        return list(operation.pages(calls.list_configurations(APPLICATION_TEMPLATE)))
    except passes as error:
        report(f"could not look for other configuration applications: {error.why}", severity=WARNING)
        return None


def remove_orphans(operation: Operation, name: str, before: Collection[str] | None, own: str = "") -> None:
    """Remove configuration applications of a name that runs of this stack have left behind.

    Calls: GET applications; as a rule no more, else those of `in_use`, and DELETE applications/{id}.

    Args:
        operation: in the source.
        name: what this stack calls its application.
        before: application (client) ids of those that were there before this stack; None where that is not known.
        own: application (client) id of the one that this stack has.
    """
    found = configurations(operation) or ()
    made = next((str(one.get("createdDateTime") or "") for one in found if own and one.get("appId") == own), "")
    for application in found:
        if application.get("displayName") != name or application.get("appId") in (own, *(before or ())):
            continue
        created = str(application.get("createdDateTime") or "")
        words = f"another configuration application of this name: {application['id']}, made {created}"
        if before is None:
            used = "it is not known whether it was there before this stack"
        elif made and created > made:
            used = "it was made after this stack's own, so another run may be at work with it"
        else:
            used = in_use(operation, application)
        if used:
            report(f"there is {words}. It is left alone: {used}", severity=WARNING)
            continue
        if operation.remove(calls.delete_application(str(application["id"]))):
            report(f"removed {words}. A run that was cut off had left it behind; it can be restored for 30 days")


def in_use(operation: Operation, application: Json) -> str:
    """What speaks against removing an application; "" where nothing does.

    Calls: GET servicePrincipals, applications/{id}/owners, and of the service principal GET jobs, secrets,
    appRoleAssignedTo.
    """
    try:
        owners = {str(one.get("id")) for one in operation.pages(calls.list_owners(str(application["id"])))}
        if operation.claims().get("oid") not in owners:
            return "it was not made by this sign-in"
        found = operation.send(calls.find_service_principal(str(application["appId"])))["value"]
        return next((used for used in (use_of(operation, str(one["id"])) for one in found) if used), "")
    except NotFoundError:
        return ""  # deleted a moment ago, and still listed
    except CallError as error:
        return f"it could not be looked at: {error.why}"


def use_of(operation: Operation, service_principal: str) -> str:
    """What a service principal is used for; "" for nothing."""
    try:
        jobs = jobs_of_template(operation.send(list_jobs(service_principal)))
        if jobs:
            return f"it has a job, {jobs[0].get('id')} ({schedule_state(jobs[0])})"
        settings = settings_by_key(operation.send(get_secrets(service_principal)))
        if settings:
            return f"it has synchronization settings, for the tenant {settings.get('CompanyId') or 'that is not named'}"
        if next(operation.pages(list_assignments(service_principal)), None) is not None:
            return "users or groups are assigned to it"
    except NotFoundError:
        return ""
    return ""
