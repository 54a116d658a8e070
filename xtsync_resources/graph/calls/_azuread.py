"""What azuread asks of Graph in our stead: never sent from here, but their permissions are told when one is refused."""

from __future__ import annotations

from ._call import APPLICATION, APPLICATION_ROLE, ASSIGNMENT, Call

AZUREAD_APPLICATION = Call(
    "POST",
    "/applicationTemplates/{id}/instantiate",
    "make the configuration application",
    APPLICATION,
    APPLICATION_ROLE,
)
AZUREAD_ASSIGNMENT = Call(
    "POST",
    "/servicePrincipals/{id}/appRoleAssignedTo",
    "assign a user or group",
    ASSIGNMENT,
    APPLICATION_ROLE,
)
