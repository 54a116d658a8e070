"""People and tenants of the directory, read only.

Source: https://learn.microsoft.com/graph/api/user-get
"""

from __future__ import annotations

from urllib.parse import quote

from ._call import POLICY_READ, POLICY_ROLE, READ_APPLICATION, Call, literal, segment

READ_GROUPS = "Group.Read.All"
READ_USERS = "User.Read.All"
READ_ROLE = "Directory Readers"


def get_user(user: str) -> Call:
    """Read a user by object id or user principal name."""
    return Call(
        "GET",
        f"/users/{segment(user)}?$select=id,userPrincipalName,displayName,mail,userType,accountEnabled",
        f"read the user {user}",
        READ_USERS,
        READ_ROLE,
    )


def find_groups(display_name: str) -> Call:
    """Find groups by display name."""
    query = f"$filter=displayName%20eq%20{quote(literal(display_name), safe='')}&$select=id,displayName"
    return Call("GET", f"/groups?{query}", f"find the group {display_name}", READ_GROUPS, READ_ROLE)


def get_group(group: str) -> Call:
    """Read a group by object id."""
    return Call(
        "GET", f"/groups/{segment(group)}?$select=id,displayName", f"read the group {group}", READ_GROUPS, READ_ROLE
    )


def list_members(group: str) -> Call:
    """List a group's direct members, page by page: only those are synchronized."""
    path = f"/groups/{segment(group)}/members?$select=id,displayName,userPrincipalName,userType,accountEnabled"
    return Call("GET", path, f"list the members of {group}", READ_GROUPS, READ_ROLE)


def list_licences() -> Call:
    """List what the tenant has bought. Source: https://learn.microsoft.com/graph/api/subscribedsku-list."""
    return Call("GET", "/subscribedSkus", "read the licences", "LicenseAssignment.Read.All", READ_ROLE)


def get_application_template(template: str) -> Call:
    """Read a gallery application; any token will do."""
    return Call(
        "GET", f"/applicationTemplates/{segment(template)}", "read the gallery application", READ_APPLICATION, READ_ROLE
    )


def get_policy_defaults() -> Call:
    """Read what partners without a setting of their own inherit."""
    return Call(
        "GET", "/policies/crossTenantAccessPolicy/default", "read the cross-tenant defaults", POLICY_READ, POLICY_ROLE
    )


def get_authorization_policy() -> Call:
    """Read who may invite guests. Source: https://learn.microsoft.com/graph/api/authorizationpolicy-get."""
    return Call("GET", "/policies/authorizationPolicy", "read the authorization policy", POLICY_READ, POLICY_ROLE)
