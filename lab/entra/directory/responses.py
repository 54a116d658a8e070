"""Users, groups and the organization on the wire."""

from __future__ import annotations

from typing import Any

from lab.entra.clock import wire_time
from lab.entra.directory.models import Group, User
from lab.entra.exceptions import GraphError
from lab.entra.odata import filtered, operations, page, selected
from lab.entra.routing import Answer, Call

_EQ = operations("eq", "in")
_USER_FILTERS = {
    "id": _EQ,
    "userPrincipalName": operations("eq", "in", "startswith"),
    "mail": operations("eq", "in", "startswith"),
    "displayName": operations("eq", "in", "startswith"),
    "mailNickname": _EQ,
    "employeeId": _EQ,
    "userType": _EQ,
    "accountEnabled": _EQ,
    "externalUserState": _EQ,
}
_GROUP_FILTERS = {
    "id": _EQ,
    "displayName": operations("eq", "in", "startswith"),
    "mailNickname": _EQ,
    "securityEnabled": _EQ,
    "mailEnabled": _EQ,
}
_READS_USERS = {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"}
_BASIC_USER = (
    "id",
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
)
# Members every user has on the wire and the emulator keeps nothing in.
_EMPTY_USER = """
    givenName jobTitle mobilePhone officeLocation preferredLanguage surname ageGroup city companyName
    consentProvidedForMinor country employeeHireDate employeeId employeeOrgData employeeType faxNumber
    externalUserStateChangeDateTime identities isResourceAccount legalAgeGroupClassification
    onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes onPremisesImmutableId
    onPremisesLastSyncDateTime onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled
    onPremisesUserPrincipalName passwordPolicies postalCode state streetAddress usageLocation showInAddressList
"""


def user_body(user: User) -> dict[str, Any]:
    """A user in full."""
    return {
        **dict.fromkeys(_EMPTY_USER.split()),
        "id": user.id,
        "businessPhones": [],
        "displayName": user.display_name,
        "mail": user.mail,
        "userPrincipalName": user.user_principal_name,
        "mailNickname": user.user_principal_name.partition("@")[0],
        "accountEnabled": user.account_enabled,
        "createdDateTime": wire_time(user.created_at),
        "creationType": "Invitation" if user.external_state else None,
        "deletedDateTime": wire_time(user.deleted_at) if user.deleted_at else None,
        "department": user.department,
        "externalUserState": user.external_state,
        "imAddresses": [],
        "otherMails": [],
        "proxyAddresses": [],
        "userType": user.user_type,
    }


def group_body(group: Group) -> dict[str, Any]:
    """A group in full."""
    return {
        "id": group.id,
        "deletedDateTime": wire_time(group.deleted_at) if group.deleted_at else None,
        "createdDateTime": wire_time(group.created_at),
        "description": None,
        "displayName": group.display_name,
        "groupTypes": [],
        "mail": None,
        "mailEnabled": not group.security_enabled,
        "mailNickname": group.display_name.replace(" ", ""),
        "securityEnabled": group.security_enabled,
        "visibility": "HiddenMembership" if group.members_hidden else None,
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [],
        "isAssignableToRole": None,
        "membershipRule": None,
        "membershipRuleProcessingState": None,
        "preferredDataLocation": None,
        "preferredLanguage": None,
        "resourceBehaviorOptions": [],
        "resourceProvisioningOptions": [],
        "theme": None,
        "onPremisesDomainName": None,
        "onPremisesNetBiosName": None,
        "onPremisesSamAccountName": None,
        "writebackConfiguration": {"isEnabled": None, "onPremisesGroupType": None},
    }


def _user_select(call: Call) -> str:
    return call.query.get("$select", ",".join(_BASIC_USER))


def list_users(call: Call) -> Answer:
    """GET users."""
    bodies = [user_body(user) for user in call.tenant.directory.users.values()]
    found = filtered(bodies, call.query.get("$filter"), _USER_FILTERS)
    return Answer(200, page(call, "users", [selected(one, _user_select(call)) for one in found]))


def get_user(call: Call) -> Answer:
    """GET one user, by id or user principal name."""
    body = selected(user_body(call.tenant.directory.user(call.parameters["user"])), _user_select(call))
    return Answer(200, {"@odata.context": call.context("users/$entity"), **body})


def list_groups(call: Call) -> Answer:
    """GET groups."""
    bodies = [group_body(group) for group in call.tenant.directory.groups.values()]
    return Answer(200, page(call, "groups", filtered(bodies, call.query.get("$filter"), _GROUP_FILTERS)))


def get_group(call: Call) -> Answer:
    """GET one group."""
    body = selected(group_body(call.tenant.directory.group(call.parameters["group"])), call.query.get("$select"))
    return Answer(200, {"@odata.context": call.context("groups/$entity"), **body})


def list_members(call: Call) -> Answer:
    """GET the direct members of a group; of users the caller may not read, only that they are there.

    Of a group that hides its members nobody is listed without Member.Read.Hidden.

    Source: https://learn.microsoft.com/graph/permissions-overview#limited-information-returned-for-inaccessible-member-objects
    """
    directory = call.tenant.directory
    group_read = directory.group(call.parameters["group"])
    hidden = group_read.members_hidden and "Member.Read.Hidden" not in call.roles
    bodies: list[Any] = []
    for member_id in [] if hidden else group_read.members:
        if user := directory.users.get(member_id):
            body = user_body(user)
            shown = body if call.roles & _READS_USERS else {**dict.fromkeys(body), "id": user.id}
            bodies.append({"@odata.type": "#microsoft.graph.user", **shown})
        elif group := directory.groups.get(member_id):
            bodies.append({"@odata.type": "#microsoft.graph.group", **group_body(group)})
    select = call.query.get("$select")
    trimmed = [_trimmed(body, select) for body in bodies]
    return Answer(200, page(call, "directoryObjects", trimmed, select=False))


def _trimmed(body: dict[str, Any], select: str | None) -> dict[str, Any]:
    if select is None:
        return body
    names = {name.strip() for name in select.split(",")}
    return {name: value for name, value in body.items() if name in names or name.startswith("@")}


def list_owners(call: Call) -> Answer:
    """GET the owners of a group: the emulator's groups have none."""
    call.tenant.directory.group(call.parameters["group"])
    return Answer(200, page(call, "directoryObjects", []))


def get_organization(call: Call) -> Answer:
    """GET organization."""
    tenant = call.tenant
    body = {
        "id": tenant.tenant_id,
        "displayName": tenant.display_name,
        "tenantType": "AAD",
        "verifiedDomains": [{"name": tenant.domain, "isDefault": True, "isInitial": True, "type": "Managed"}],
    }
    return Answer(200, page(call, "organization", [body]))


def list_skus(call: Call) -> Answer:
    """GET subscribedSkus."""
    bodies = [
        {
            "id": f"{call.tenant.tenant_id}_{name}",
            "skuPartNumber": name,
            "capabilityStatus": "Enabled",
            "prepaidUnits": {"enabled": 100, "suspended": 0, "warning": 0},
            "consumedUnits": 0,
            "servicePlans": [{"servicePlanName": name, "provisioningStatus": "Success"}],
        }
        for name in call.tenant.directory.skus
    ]
    return Answer(200, page(call, "subscribedSkus", list(bodies)))


def find_tenant(call: Call) -> Answer:
    """GET the public facts of another tenant by its id."""
    tenant_id = call.parameters["tenant"].lower()
    found = call.entra.tenants.get(tenant_id)
    if found is None:
        raise GraphError(404, "Directory_ObjectNotFound", f"Unable to read the company information of '{tenant_id}'.")
    body = {
        "@odata.context": call.context("microsoft.graph.tenantInformation"),
        "tenantId": found.tenant_id,
        "federationBrandName": None,
        "displayName": found.display_name,
        "defaultDomainName": found.domain,
    }
    return Answer(200, body)


def delete_user(call: Call) -> Answer:
    """DELETE one user, softly."""
    call.tenant.directory.delete_user(call.tenant.directory.user(call.parameters["user"]).id)
    return Answer()
