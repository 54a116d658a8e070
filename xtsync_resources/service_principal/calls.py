"""The calls for the service principal of the configuration: step 5 of the how-to.

Source: https://learn.microsoft.com/graph/api/serviceprincipal-get
"""

from typing import Any, Required, TypedDict

from ..graph.call import Body, Call, Repeat, segment
from ..graph.json_reader import Id
from ..graph.permissions import APPLICATION, APPLICATION_ROLE, JOB_ROLE, SYNCHRONIZATION


class AppRole(TypedDict, total=False):
    """A role that people are assigned to."""

    id: Required[str]
    displayName: str | None
    value: str | None
    isEnabled: bool | None
    allowedMemberTypes: list[str] | None


class ServicePrincipal(TypedDict, total=False):
    """A service principal, new ones with few members."""

    id: Id | None
    appId: str | None
    displayName: str | None
    appRoles: list[AppRole] | None


def service_principal_path(service_principal: str) -> str:
    """The path of a service principal."""
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


def synchronization_call(
    method: str,
    service_principal: str,
    path: str,
    purpose: str,
    body: Body | None = None,
    repeat: Repeat = Repeat.SAFE,
    answer: Any = dict,
    *,
    read_only: bool = False,
    whole: bool = False,
) -> Call:
    """A call below the synchronization of a service principal: jobs, settings and schema."""
    return Call(
        method,
        f"{service_principal_path(service_principal)}/synchronization/{path}",
        purpose,
        # Owners manage what they made with Application.ReadWrite.OwnedBy; Synchronization.* works for any.
        SYNCHRONIZATION,
        JOB_ROLE,
        body,
        repeat,
        read_only=read_only,
        whole=whole,
        answer=answer,
    )
