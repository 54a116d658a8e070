"""The calls for users, groups and tenants, read only.

Source: https://learn.microsoft.com/graph/api/user-get
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from ..graph.call import Call, literal, segment
from ..graph.permissions import (
    POLICY_READ,
    POLICY_ROLE,
    READ_GROUPS,
    READ_LICENCES,
    READ_ROLE,
    READ_TENANTS,
    READ_USERS,
)
from .graph_types import (
    AuthorizationPolicy,
    CountedObjects,
    DirectoryObject,
    DirectoryObjects,
    Licences,
    TenantInformation,
)

USER_MEMBERS = "id,userPrincipalName,displayName,mail,userType,accountEnabled"
GROUP_MEMBERS = "id,displayName,securityEnabled"


LARGEST_PAGE = 999


def selected(more: Sequence[str]) -> str:
    """What to read of a user: what is always needed and more."""
    return ",".join(dict.fromkeys([*USER_MEMBERS.split(","), *(quote(name, safe="") for name in more)]))


def get_user(user: str, more: Sequence[str] = ()) -> Call:
    """Read a user by object id or user principal name; `more` names further properties."""
    path = f"/users/{segment(user)}?$select={selected(more)}"
    return Call("GET", path, f"read the user {user}", READ_USERS, READ_ROLE, answer=DirectoryObject)


def search_users(key: str, values: Sequence[str]) -> Call:
    """Find the users that have one of at most fifteen values in a property."""
    query = f"$filter={one_of(key, values)}&$select=id,userPrincipalName,mail,userType,accountEnabled"
    return Call("GET", f"/users?{query}", "look up users", READ_USERS, READ_ROLE, answer=DirectoryObjects)


def search_groups(key: str, values: Sequence[str]) -> Call:
    """Find the groups that have one of at most fifteen values in a property."""
    query = f"$filter={one_of(key, values)}&$select={GROUP_MEMBERS}&$top={LARGEST_PAGE}"
    return Call("GET", f"/groups?{query}", "look up groups", READ_GROUPS, READ_ROLE, answer=DirectoryObjects)


def one_of(key: str, values: Sequence[str]) -> str:
    """A filter for some values of a property."""
    return quote(f"{key} in ({','.join(map(literal, values))})", safe="")


def find_groups(display_name: str) -> Call:
    """Find groups by display name."""
    query = f"$filter=displayName%20eq%20{quote(literal(display_name), safe='')}&$select={GROUP_MEMBERS},visibility"
    purpose = f"find the group {display_name}"
    return Call("GET", f"/groups?{query}", purpose, READ_GROUPS, READ_ROLE, answer=DirectoryObjects)


def get_group(group: str) -> Call:
    """Read a group by object id."""
    path = f"/groups/{segment(group)}?$select={GROUP_MEMBERS},groupTypes,visibility"
    return Call("GET", path, f"read the group {group}", READ_GROUPS, READ_ROLE, answer=DirectoryObject)


def list_members(group: str, more: Sequence[str] = ()) -> Call:
    """List a group's direct members, page by page: only those are synchronized.

    Of members of a type that the sign-in may not read Graph tells the id only; for users that is User.Read.All.
    Source: https://learn.microsoft.com/graph/api/group-list-members.
    """
    path = f"/groups/{segment(group)}/members?$select={selected(more)}&$top={LARGEST_PAGE}"
    return Call("GET", path, f"list the members of {group}", READ_GROUPS, READ_ROLE, answer=DirectoryObjects)


def count_members(group: str) -> Call:
    """Count a group's direct members: one of them is listed, with the number of all.

    Graph counts in an index that it brings up to date a little later, and only where it is told that this will do.
    Source: https://learn.microsoft.com/graph/aad-advanced-queries.
    """
    path, purpose = f"/groups/{segment(group)}/members?$select=id&$top=1&$count=true", f"count the members of {group}"
    how = (("ConsistencyLevel", "eventual"),)
    return Call("GET", path, purpose, READ_GROUPS, READ_ROLE, answer=CountedObjects, headers=how)


def list_licences() -> Call:
    """List what the tenant has bought. Source: https://learn.microsoft.com/graph/api/subscribedsku-list."""
    return Call("GET", "/subscribedSkus", "read the licences", READ_LICENCES, READ_ROLE, answer=Licences)


def find_tenant(tenant: str) -> Call:
    """Read another tenant's public name and domain; 404 where this cloud has no such tenant.

    Source: https://learn.microsoft.com/graph/api/tenantrelationship-findtenantinformationbytenantid.
    """
    path = f"/tenantRelationships/findTenantInformationByTenantId(tenantId='{segment(tenant)}')"
    return Call("GET", path, f"find the tenant {tenant}", READ_TENANTS, READ_ROLE, answer=TenantInformation)


def get_authorization_policy() -> Call:
    """Read who may invite guests. Source: https://learn.microsoft.com/graph/api/authorizationpolicy-get."""
    path, purpose = "/policies/authorizationPolicy", "read the authorization policy"
    return Call("GET", path, purpose, POLICY_READ, POLICY_ROLE, answer=AuthorizationPolicy)
