"""Reading a service principal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# The role the synchronization service looks for. Only its name is fixed: its id differs in each instance.
ROLE = "msiam_access"


def assignable_role(service_principal: Mapping[str, Any]) -> str:
    """From Graph: the id of the role to assign people to; "" while there is none."""
    roles: Sequence[Mapping[str, Any]] = [
        role
        for role in service_principal.get("appRoles") or ()
        if role.get("isEnabled", True) and "User" in (role.get("allowedMemberTypes") or ("User",))
    ]
    named = [role for role in roles if ROLE in (role.get("displayName"), role.get("value"))]
    return str((named or roles)[0]["id"]) if len(roles) == 1 or named else ""
