"""Calls of the application area."""

from lab.entra.applications import responses
from lab.entra.routing import OWNED, any_of, route

_ALL = "Application.ReadWrite.All"
_READ = any_of("Application.Read.All", _ALL, OWNED, "Directory.Read.All", "Directory.ReadWrite.All")
_MAKE = any_of(_ALL, "Directory.ReadWrite.All", OWNED)
_WRITE = any_of(_ALL, OWNED)
_ASSIGN_READ = any_of("Application.Read.All", _ALL, OWNED, "Directory.Read.All", "AppRoleAssignment.ReadWrite.All")
# Ownership does not stand in for reading here: Application.ReadWrite.OwnedBy is not documented for this call.
_ASSIGN = any_of(
    *(frozenset({"AppRoleAssignment.ReadWrite.All", read}) for read in ("Application.Read.All", "Directory.Read.All")),
    _ALL,
)
_UNASSIGN = any_of("AppRoleAssignment.ReadWrite.All", _ALL)
_TEMPLATE = "/applicationTemplates/{template}"
_APPLICATION = "/applications/{application}"
_PRINCIPAL = "/servicePrincipals/{principal}"
_ASSIGNMENTS = f"{_PRINCIPAL}/appRoleAssignedTo"

ROUTES = [
    route("GET", _TEMPLATE, responses.get_template, any_of(frozenset())),
    route("POST", f"{_TEMPLATE}/instantiate", responses.instantiate, _MAKE),
    route("GET", "/applications", responses.list_applications, _READ),
    route("GET", _APPLICATION, responses.get_application, _READ, owned="application"),
    route("PATCH", _APPLICATION, responses.update_application, _WRITE, owned="application"),
    route("DELETE", _APPLICATION, responses.delete_application, _WRITE, owned="application"),
    route("GET", f"{_APPLICATION}/owners", responses.list_application_owners, _READ, owned="application"),
    route("GET", "/servicePrincipals", responses.list_principals, _READ),
    route("GET", _PRINCIPAL, responses.get_principal, _READ, owned="principal"),
    route("PATCH", _PRINCIPAL, responses.update_principal, _WRITE, owned="principal"),
    route("DELETE", _PRINCIPAL, responses.delete_principal, _WRITE, owned="principal"),
    route("GET", f"{_PRINCIPAL}/owners", responses.list_principal_owners, _READ, owned="principal"),
    route("GET", _ASSIGNMENTS, responses.list_assignments, _ASSIGN_READ, owned="principal"),
    route("POST", _ASSIGNMENTS, responses.create_assignment, _ASSIGN, owned="principal"),
    route("GET", f"{_ASSIGNMENTS}/{{assignment}}", responses.get_assignment, _ASSIGN_READ, owned="principal"),
    route("DELETE", f"{_ASSIGNMENTS}/{{assignment}}", responses.delete_assignment, _UNASSIGN),
]
