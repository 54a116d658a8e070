"""Users, groups, licences and tenants as Microsoft Graph has them, as far as they are read.

What is not named here is passed on as it is; a member that is not required may be missing or null. Of a collection
`value` is required: an answer without it says nothing, and must not be taken for an empty one.

Source: https://learn.microsoft.com/graph/api/resources/user
"""

# Not with postponed annotations: `Required` in a text is not seen.
from typing import Required, TypedDict

from ..graph.json_reader import Id


class AuthorizationPolicy(TypedDict, total=False):
    """Who may invite guests."""

    allowInvitesFrom: str | None


DirectoryObject = TypedDict(
    "DirectoryObject",
    {
        "id": Required[Id],
        "@odata.type": str | None,
        "displayName": str | None,
        "userPrincipalName": str | None,
        "userType": str | None,
        "accountEnabled": bool | None,
        "mail": str | None,
        "groupTypes": list[str] | None,
        "visibility": str | None,
        "securityEnabled": bool | None,
    },
    total=False,
)


class DirectoryObjects(TypedDict):
    """A page of users, groups or members of one."""

    value: list[DirectoryObject]


CountedObjects = TypedDict(
    "CountedObjects", {"value": Required[list[DirectoryObject]], "@odata.count": int | None}, total=False
)


class ServicePlan(TypedDict, total=False):
    """A part of a licence."""

    servicePlanName: str | None
    provisioningStatus: str | None


class Licence(TypedDict, total=False):
    """What the tenant has bought."""

    capabilityStatus: str | None
    servicePlans: list[ServicePlan] | None


class Licences(TypedDict):
    """A page of licences."""

    value: list[Licence]


class TenantInformation(TypedDict, total=False):
    """What a tenant is called in public."""

    displayName: str | None
    defaultDomainName: str | None
