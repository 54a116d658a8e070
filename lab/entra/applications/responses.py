"""Applications and service principals on the wire."""

from __future__ import annotations

from typing import Any

from lab.entra.applications.models import TEMPLATES, Application, RoleAssignment, ServicePrincipal
from lab.entra.clock import wire_time
from lab.entra.exceptions import bad_request, not_found
from lab.entra.members import Shape, check_members, require
from lab.entra.odata import filtered, operations, page, selected
from lab.entra.routing import Answer, Call

_EQ = operations("eq", "in")
_NAME = operations("eq", "in", "startswith")
_FILTERS = {"appId": _EQ, "displayName": _NAME, "applicationTemplateId": _EQ, "id": _EQ}
_PATCH_APPLICATION: Shape = {
    "displayName": str,
    "notes": str,
    "description": str,
    "tags": [str],
    "serviceManagementReference": str,
    "web": object,
    "identifierUris": [str],
}
_PATCH_PRINCIPAL: Shape = {
    "displayName": str,
    "notes": str,
    "description": str,
    "tags": [str],
    "accountEnabled": bool,
    "appRoleAssignmentRequired": bool,
    "notificationEmailAddresses": [str],
}


def application_body(application: Application) -> dict[str, Any]:
    """An app registration in full."""
    return {
        "id": application.id,
        "deletedDateTime": wire_time(application.deleted_at) if application.deleted_at else None,
        "appId": application.app_id,
        "applicationTemplateId": application.template_id,
        "createdDateTime": wire_time(application.created_at),
        "displayName": application.display_name,
        "description": None,
        "groupMembershipClaims": None,
        "identifierUris": [],
        "isFallbackPublicClient": None,
        "notes": None,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "serviceManagementReference": None,
        "api": {"knownClientApplications": [], "oauth2PermissionScopes": [], "preAuthorizedApplications": []},
        "appRoles": application.roles,
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "keyCredentials": [],
        "passwordCredentials": [],
        "info": {"logoUrl": None},
        "web": {
            "homePageUrl": "https://account.activedirectory.windowsazure.com:444/applications/default.aspx"
            "?metadata=aad2aadsync|ISV9.1|primary|z",
            "redirectUris": [],
            "logoutUrl": None,
        },
        **application.details,
    }


def principal_body(principal: ServicePrincipal, owner_tenant: str) -> dict[str, Any]:
    """A service principal in full."""
    return {
        "id": principal.id,
        "deletedDateTime": wire_time(principal.deleted_at) if principal.deleted_at else None,
        "accountEnabled": True,
        "appId": principal.app_id,
        "applicationTemplateId": principal.template_id,
        "appDisplayName": principal.display_name,
        "appOwnerOrganizationId": owner_tenant,
        "appRoleAssignmentRequired": True,
        "createdDateTime": wire_time(principal.created_at),
        "description": None,
        "displayName": principal.display_name,
        "homepage": None,
        "loginUrl": None,
        "logoutUrl": None,
        "notes": None,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": None,
        "replyUrls": [],
        "samlSingleSignOnSettings": None,
        "servicePrincipalNames": [principal.app_id],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMyOrg",
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
        "appRoles": principal.roles,
        "oauth2PermissionScopes": [],
        "keyCredentials": [],
        "passwordCredentials": [],
        **principal.details,
    }


def _assignment_body(principal: ServicePrincipal, assignment: RoleAssignment) -> dict[str, Any]:
    return {
        "id": assignment.id,
        "deletedDateTime": None,
        "appRoleId": assignment.role_id,
        "createdDateTime": wire_time(assignment.created_at),
        "principalDisplayName": assignment.principal_name,
        "principalId": assignment.principal_id,
        "principalType": assignment.principal_type,
        "resourceDisplayName": principal.display_name,
        "resourceId": principal.id,
    }


def get_template(call: Call) -> Answer:
    """GET an application template."""
    template_id = call.parameters["template"]
    if template_id not in TEMPLATES:
        raise not_found(template_id)
    body = {"id": template_id, "displayName": TEMPLATES[template_id], "supportedProvisioningTypes": ["sync"]}
    return Answer(200, {"@odata.context": call.context("applicationTemplates/$entity"), **body})


def instantiate(call: Call) -> Answer:
    """POST instantiate."""
    members = check_members(call.body, {"displayName": str, "serviceManagementReference": str})
    require(members, "displayName")
    application, principal = call.tenant.applications.instantiate(
        call.parameters["template"], members["displayName"], call.client.object_id
    )
    body = {
        "@odata.context": call.context("microsoft.graph.applicationServicePrincipal"),
        "application": application_body(application),
        "servicePrincipal": principal_body(principal, call.tenant.tenant_id),
    }
    return Answer(201, body)


def list_applications(call: Call) -> Answer:
    """GET applications."""
    bodies = [application_body(one) for one in call.tenant.applications.all_applications()]
    return Answer(200, page(call, "applications", filtered(bodies, call.query.get("$filter"), _FILTERS)))


def get_application(call: Call) -> Answer:
    """GET one application."""
    body = application_body(call.tenant.applications.application(call.parameters["application"]))
    context = {"@odata.context": call.context("applications/$entity")}
    return Answer(200, {**context, **selected(body, call.query.get("$select"))})


def update_application(call: Call) -> Answer:
    """PATCH one application."""
    members = check_members(call.body, _PATCH_APPLICATION)
    display_name = members.pop("displayName", None)
    call.tenant.applications.update_application(call.parameters["application"], display_name, members)
    return Answer()


def delete_application(call: Call) -> Answer:
    """DELETE one application, softly."""
    call.tenant.applications.delete_application(call.parameters["application"])
    return Answer()


def list_application_owners(call: Call) -> Answer:
    """GET the owners of an application."""
    application = call.tenant.applications.application(call.parameters["application"])
    return Answer(200, page(call, "directoryObjects", _owners(application.owners)))


def list_principals(call: Call) -> Answer:
    """GET servicePrincipals."""
    principals = call.tenant.applications.all_principals()
    bodies = [principal_body(one, call.tenant.tenant_id) for one in principals]
    return Answer(200, page(call, "servicePrincipals", filtered(bodies, call.query.get("$filter"), _FILTERS)))


def get_principal(call: Call) -> Answer:
    """GET one service principal."""
    principal = call.tenant.applications.read_principal(call.parameters["principal"])
    body = selected(principal_body(principal, call.tenant.tenant_id), call.query.get("$select"))
    return Answer(200, {"@odata.context": call.context("servicePrincipals/$entity"), **body})


def update_principal(call: Call) -> Answer:
    """PATCH one service principal."""
    members = check_members(call.body, _PATCH_PRINCIPAL)
    principal = call.tenant.applications.visible_principal(call.parameters["principal"])
    call.tenant.applications.update_principal(principal, members.pop("displayName", None), members)
    return Answer()


def delete_principal(call: Call) -> Answer:
    """DELETE one service principal, softly."""
    call.tenant.applications.delete_principal(call.parameters["principal"])
    return Answer()


def list_principal_owners(call: Call) -> Answer:
    """GET the owners of a service principal."""
    principal = call.tenant.applications.read_principal(call.parameters["principal"])
    return Answer(200, page(call, "directoryObjects", _owners(principal.owners)))


def list_assignments(call: Call) -> Answer:
    """GET appRoleAssignedTo."""
    principal = call.tenant.applications.visible_principal(call.parameters["principal"])
    assignments = call.tenant.applications.assignments(principal)
    bodies = [_assignment_body(principal, one) for one in assignments]
    return Answer(200, page(call, f"servicePrincipals('{principal.id}')/appRoleAssignedTo", list(bodies)))


def create_assignment(call: Call) -> Answer:
    """POST appRoleAssignedTo."""
    principal = call.tenant.applications.visible_principal(call.parameters["principal"])
    members = check_members(call.body, {"appRoleId": str, "principalId": str, "resourceId": str})
    require(members, "appRoleId", "principalId", "resourceId")
    if members["resourceId"] != principal.id:
        raise bad_request("The resourceId does not match the service principal.")
    assignee = call.tenant.directory.assignee(members["principalId"])
    assignment = call.tenant.applications.assign(principal, members["appRoleId"], assignee)
    context = call.context(f"servicePrincipals('{principal.id}')/appRoleAssignedTo/$entity")
    return Answer(201, {"@odata.context": context, **_assignment_body(principal, assignment)})


def get_assignment(call: Call) -> Answer:
    """GET one app role assignment."""
    principal = call.tenant.applications.visible_principal(call.parameters["principal"])
    wanted = call.parameters["assignment"]
    for assignment in call.tenant.applications.assignments(principal):
        if assignment.id == wanted:
            return Answer(200, _assignment_body(principal, assignment))
    raise not_found(wanted)


def delete_assignment(call: Call) -> Answer:
    """DELETE one app role assignment."""
    principal = call.tenant.applications.visible_principal(call.parameters["principal"])
    call.tenant.applications.unassign(principal, call.parameters["assignment"])
    return Answer()


def _owners(owners: list[str]) -> list[Any]:
    return [{"@odata.type": "#microsoft.graph.servicePrincipal", "id": owner} for owner in owners]
