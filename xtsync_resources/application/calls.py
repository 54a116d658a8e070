"""The calls for the configuration application and its service principal: step 5 of the how-to.

Source: https://learn.microsoft.com/graph/api/serviceprincipal-get
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..graph.call import Call, literal, segment
from ..graph.permissions import APPLICATION, APPLICATION_ROLE, READ_APPLICATION, READ_ROLE
from .graph_types import Applications, Instances, Owners

INSTANCE = "id,appId,displayName"


def list_applications(display_name: str) -> Call:
    """Find applications by display name."""
    select, purpose = "id,appId,applicationTemplateId,createdDateTime", f"find the application {display_name}"
    return _found_by("applications", "displayName", display_name, select, purpose, Applications, whole=True)


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
    return _found_by("servicePrincipals", "appId", app_id, INSTANCE, purpose, Instances, whole=True)


def list_instances(template: str) -> Call:
    """Find service principals of a gallery template, page by page."""
    purpose = "list the configuration applications"
    return _found_by("servicePrincipals", "applicationTemplateId", template, INSTANCE, purpose, Instances)


def find_application(app_id: str) -> Call:
    """Find an application by its application (client) id."""
    return _found_by("applications", "appId", app_id, INSTANCE, f"find the application {app_id}", Applications)


def _found_by(
    collection: str, member: str, value: str, select: str, purpose: str, answer: Any, *, whole: bool = False
) -> Call:
    """The entries of a collection that have a value in one member."""
    query = f"$filter={member}%20eq%20{quote(literal(value), safe='')}&$select={select}"
    return Call(
        "GET", f"/{collection}?{query}", purpose, READ_APPLICATION, APPLICATION_ROLE, whole=whole, answer=answer
    )


def get_application_template(template: str) -> Call:
    """Read a gallery application; any token will do."""
    return Call(
        "GET", f"/applicationTemplates/{segment(template)}", "read the gallery application", READ_APPLICATION, READ_ROLE
    )


AZUREAD_APPLICATION = Call(
    "POST",
    "/applicationTemplates/{id}/instantiate",
    "make the configuration application",
    APPLICATION,
    APPLICATION_ROLE,
)
