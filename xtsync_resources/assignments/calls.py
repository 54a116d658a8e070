"""The calls for assignments: step 9 of the how-to.

Source: https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto
"""

from typing import Required, TypedDict

from ..graph.call import Call, segment
from ..graph.json_reader import Id
from ..graph.permissions import APPLICATION_ROLE, ASSIGNMENT, READ_APPLICATION
from ..service_principal.calls import service_principal_path


class Assignment(TypedDict, total=False):
    """That somebody is assigned."""

    id: Required[Id]
    principalId: Required[Id]
    principalType: str | None
    principalDisplayName: str | None
    appRoleId: str | None


class Assignments(TypedDict):
    """A page of assignments."""

    value: list[Assignment]


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


def delete_assignment(service_principal: str, assignment: str, whose: str = "") -> Call:
    """Take one user or group out of the scope; `whose` it is, where that is known, is for messages and the audit."""
    return Call(
        "DELETE",
        f"{service_principal_path(service_principal)}/appRoleAssignedTo/{segment(assignment)}",
        f"remove the assignment {assignment}{f' of {whose}' if whose else ''}",
        ASSIGNMENT,
        APPLICATION_ROLE,
    )


AZUREAD_ASSIGNMENT = Call(
    "POST",
    "/servicePrincipals/{id}/appRoleAssignedTo",
    "assign a user or group",
    ASSIGNMENT,
    APPLICATION_ROLE,
)
