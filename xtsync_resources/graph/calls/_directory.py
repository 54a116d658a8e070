"""People and tenants of the directory, read only.

Source: https://learn.microsoft.com/graph/api/user-get
"""

from __future__ import annotations

from ._call import Call, segment

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
