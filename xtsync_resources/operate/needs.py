"""The least each sign-in application needs, for a given configuration. Pure: nothing is called.

Source: https://learn.microsoft.com/graph/permissions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..config import Settings
from ..graph import calls

GRAPH = "00000003-0000-0000-c000-000000000000"
# Ids of Microsoft Graph's application roles; the same in every tenant of every cloud.
ROLE_IDS: Mapping[str, str] = {
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
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
        optional: whether `pulumi up` and `destroy` work without it.
    """

    permission: str
    reason: str
    optional: bool = False

    @property
    def role_id(self) -> str:
        """Its id among Graph's application roles."""
        return ROLE_IDS[self.permission]


ROLES: Mapping[str, tuple[str, ...]] = {
    "source": ("Security Administrator", "Hybrid Identity Administrator", "Cloud Application Administrator"),
    "target": ("Security Administrator",),
}


def needs_of(side: str, *, users: bool = True, groups: bool = True) -> tuple[Need, ...]:
    """What the sign-in application of a side needs.

    Args:
        side: source or target.
        users: whether users are named in the configuration.
        groups: whether groups are.
    """
    if side == "target":
        return (Need(calls.POLICY_WRITE, "the partner policy and the identity sync policy"),)
    found = [
        Need(calls.POLICY_WRITE, "the partner policy"),
        Need(calls.APPLICATION, "the configuration application and its synchronization, which it owns"),
        Need(calls.SYNCHRONIZATION, "the job and its settings, also of an application made by somebody else"),
        Need(calls.ASSIGNMENT, "users and groups in scope"),
        Need(calls.READ_APPLICATION, "users and groups in scope"),
    ]
    if users:
        found.append(Need(calls.READ_USERS, "finding users by name"))
    if groups:
        found.append(Need(calls.READ_GROUPS, "finding groups by name"))
    found.append(Need(calls.PROVISIONING_LOG, "xtsync logs and xtsync report", optional=True))
    return tuple(found)


def needs(settings: Settings) -> dict[str, tuple[Need, ...]]:
    """What both sign-in applications need for a pair."""
    users = bool(settings.users or settings.provision_on_demand)
    return {side: needs_of(side, users=users, groups=bool(settings.groups)) for side in ("source", "target")}
