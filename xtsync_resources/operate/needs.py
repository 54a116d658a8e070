"""The least each sign-in application needs, for a given configuration. Pure: nothing is called.

Source: https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..config import Settings
from ..graph.permissions import (
    APPLICATION,
    ASSIGNMENT,
    POLICY_READ,
    POLICY_WRITE,
    PROVISIONING_LOG,
    READ_APPLICATION,
    READ_GROUPS,
    READ_USERS,
    SYNCHRONIZATION,
)

GRAPH = "00000003-0000-0000-c000-000000000000"
# Ids of Microsoft Graph's application roles; the same in every tenant of every cloud.
ROLE_IDS: Mapping[str, str] = {
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.ReadWrite.CrossTenantAccess": "338163d7-f101-4c92-94ba-ca46fe52447c",
    "ProvisioningLog.Read.All": "091937d3-3e38-47a1-8649-b2f99d3035f1",
    "Synchronization.ReadWrite.All": "9b50c33d-700f-43b1-b2eb-87e89b703581",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
}


@dataclass(frozen=True)
class Need:
    """One application permission of Microsoft Graph.

    Attributes:
        permission: its name.
        reason: what it is for.
        optional: whether only commands besides `pulumi` need it.
        without: what happens without it, where that is no failure.
    """

    permission: str
    reason: str
    optional: bool = False
    without: str = ""

    @property
    def role_id(self) -> str:
        """Its id among Graph's application roles."""
        return ROLE_IDS[self.permission]


FOR_THE_LOG = (
    "xtsync logs, report and approve-deletions, the names of held-back deletions in xtsync status and doctor, and "
    "whom a drain has left"
)
SEE_WHAT_OTHERS_KEEP = Need(
    POLICY_READ,
    "seeing what Microsoft 365 keeps in a partner policy before it is deleted",
    without="`pulumi destroy` leaves the partner policy, emptied of ours",
)
ROLES: Mapping[str, tuple[str, ...]] = {
    "source": ("Security Administrator", "Hybrid Identity Administrator", "Cloud Application Administrator"),
    "target": ("Security Administrator",),
}


def needs_of(side: str, *, users: bool = True, groups: bool = True, adopt: bool = False) -> tuple[Need, ...]:
    """What the sign-in application of a side needs.

    Args:
        side: source or target.
        users: whether users are named in the configuration.
        groups: whether groups are.
        adopt: whether the configuration application was made by somebody else, so that the sign-in does not own it.
    """
    if side == "target":
        return (Need(POLICY_WRITE, "the partner policy and the identity sync policy"), SEE_WHAT_OTHERS_KEEP)
    found = [
        Need(POLICY_WRITE, "the partner policy"),
        SEE_WHAT_OTHERS_KEEP,
        Need(APPLICATION, "the configuration application, its job, settings and schema, which it owns"),
        Need(ASSIGNMENT, "users and groups in scope"),
        Need(READ_APPLICATION, "users and groups in scope"),
    ]
    if adopt:
        found.append(Need(SYNCHRONIZATION, "job, settings and schema of an application made by somebody else"))
    if users:
        found.append(Need(READ_USERS, "finding users by name"))
    if groups:
        found.append(Need(READ_GROUPS, "finding groups by name"))
    found.append(Need(PROVISIONING_LOG, FOR_THE_LOG, optional=True))
    return tuple(found)


def needs(settings: Settings, *, adopt: bool = False) -> dict[str, tuple[Need, ...]]:
    """What both sign-in applications need for a pair; for `adopt` see `needs_of`."""
    users = bool(settings.users or settings.provision_on_demand)
    return {
        side: needs_of(side, users=users, groups=bool(settings.groups), adopt=adopt) for side in ("source", "target")
    }
