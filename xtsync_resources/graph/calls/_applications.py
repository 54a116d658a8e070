"""The configuration application's service principal and who is assigned to it: steps 5 and 9 of the how-to.

Source: https://learn.microsoft.com/graph/api/serviceprincipal-get
and https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ._answers import Applications, Assignment, Assignments, Instances, Owners, ServicePrincipal
from ._call import APPLICATION, APPLICATION_ROLE, ASSIGNMENT, READ_APPLICATION, Call, Patience, literal, segment

INSTANCE = "id,appId,displayName"


def service_principal_path(service_principal: str) -> str:
    return f"/servicePrincipals/{segment(service_principal)}"


def get_service_principal(service_principal: str) -> Call:
    """Read the service principal's application id and app roles."""
    return Call(
        "GET",
        f"{service_principal_path(service_principal)}?$select=id,appId,displayName,appRoles",
        f"read the configuration's service principal {service_principal}",
        APPLICATION,
        APPLICATION_ROLE,
        answer=ServicePrincipal,
    )


# The template's service principal comes after its application, and is known everywhere later still: 404, then
# (to the synchronization service, and before ownership is known) 403 or 409. Those two also mean "missing
# permission", so they are believed for a minute only; not found it has been for longer than five.
SERVICE_PRINCIPAL_IS_OURS = Patience(
    "waiting for the new service principal to be known as ours", frozenset({400, 401, 403}), seconds=60
)
_SETTLES = "waiting for the new service principal to be known to the synchronization service"
SERVICE_PRINCIPAL_SETTLES = (
    Patience(_SETTLES, frozenset({404})),
    Patience(_SETTLES, frozenset({401, 403, 409}), seconds=60),
)


def list_applications(display_name: str) -> Call:
    """Find applications by display name."""
    select, purpose = "id,appId,applicationTemplateId,createdDateTime", f"find the application {display_name}"
    return _found_by("applications", "displayName", display_name, select, purpose, Applications)


def list_configurations(template: str) -> Call:
    """Find the applications that were made from a gallery template, page by page.

    Source: https://learn.microsoft.com/graph/api/application-list
    """
    select, purpose = "id,appId,displayName,createdDateTime", "list the configuration applications"
    return _found_by("applications", "applicationTemplateId", template, select, purpose, Applications)


def list_owners(application: str) -> Call:
    """List who owns an application, page by page: who made it does.

    Source: https://learn.microsoft.com/graph/api/application-list-owners
    """
    return Call(
        "GET",
        f"/applications/{segment(application)}/owners?$select=id",
        f"list the owners of the application {application}",
        READ_APPLICATION,
        APPLICATION_ROLE,
        answer=Owners,
    )


def delete_application(application: str) -> Call:
    """Delete an application, which can be restored for 30 days; its service principal goes with it.

    Source: https://learn.microsoft.com/graph/api/application-delete
    """
    return Call(
        "DELETE",
        f"/applications/{segment(application)}",
        f"delete the configuration application {application}",
        APPLICATION,
        APPLICATION_ROLE,
    )


def find_service_principal(app_id: str) -> Call:
    """Find the service principal of an application by its application (client) id."""
    purpose = f"find the service principal of {app_id}"
    return _found_by("servicePrincipals", "appId", app_id, INSTANCE, purpose, Instances)


def list_assignments(service_principal: str) -> Call:
    """List who is assigned to the service principal, page by page."""
    return Call(
        "GET",
        f"{service_principal_path(service_principal)}/appRoleAssignedTo",
        f"list the assignments of {service_principal}",
        READ_APPLICATION,
        APPLICATION_ROLE,
        answer=Assignments,
    )


def get_assignment(service_principal: str, assignment: str) -> Call:
    """Read one assignment."""
    return Call(
        "GET",
        f"{service_principal_path(service_principal)}/appRoleAssignedTo/{segment(assignment)}",
        f"read the assignment {assignment}",
        READ_APPLICATION,
        APPLICATION_ROLE,
        answer=Assignment,
    )


def delete_assignment(service_principal: str, assignment: str) -> Call:
    """Take one user or group out of the scope."""
    return Call(
        "DELETE",
        f"{service_principal_path(service_principal)}/appRoleAssignedTo/{segment(assignment)}",
        f"remove the assignment {assignment}",
        ASSIGNMENT,
        APPLICATION_ROLE,
    )


def list_instances(template: str) -> Call:
    """Find service principals of a gallery template, page by page."""
    purpose = "list the configuration applications"
    return _found_by("servicePrincipals", "applicationTemplateId", template, INSTANCE, purpose, Instances)


def find_application(app_id: str) -> Call:
    """Find an application by its application (client) id."""
    return _found_by("applications", "appId", app_id, INSTANCE, f"find the application {app_id}", Applications)


def _found_by(collection: str, member: str, value: str, select: str, purpose: str, answer: Any) -> Call:
    """The entries of a collection that have a value in one member."""
    query = f"$filter={member}%20eq%20{quote(literal(value), safe='')}&$select={select}"
    return Call("GET", f"/{collection}?{query}", purpose, READ_APPLICATION, APPLICATION_ROLE, answer=answer)
