"""The keys of B2B collaboration and B2B direct connect: whom and what a partner policy lets through.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyb2bsetting
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .keys import Object, key
from .kinds import GUID, Choice, Names
from .problems import Problems

ALL_USERS = "AllUsers"
ALL_APPLICATIONS = ("AllApplications", "Office365")
ACCESS = Choice.of("allowed", "blocked")


def is_id(text: str) -> bool:
    """Whether a text is an object id."""
    return GUID.fullmatch(text) is not None


def target(text: str, kind: str) -> dict[str, str]:
    """One target as Graph has it; ids in lower case as it gives them back."""
    return {"target": text.lower() if is_id(text) else text, "targetType": kind}


@dataclass(frozen=True)
class UsersAndGroups:
    """Who is let through or kept out."""

    access_type: str = key(ACCESS, "whether those named are let through or kept out")
    users: tuple[str, ...] = key(
        Names("AllUsers or an object id", lambda text: text == ALL_USERS or is_id(text)),
        "object ids of users in their own tenant, or `AllUsers`",
        default=(),
    )
    groups: tuple[str, ...] = key(Names("an object id", is_id), "object ids of groups in their own tenant", default=())

    def check(self, problems: Problems, where: str) -> None:
        """Note that nobody is named, or everybody and somebody."""
        if not self.users and not self.groups and not problems.concern(where):
            problems.add(where, None, "names nobody", "Name users or groups, or AllUsers")
        if ALL_USERS in self.users and len(self.users) + len(self.groups) > 1:
            problems.add(f"{where}.users", None, "names everybody and somebody", "Keep AllUsers alone, or remove it")

    def wire(self) -> dict[str, Any]:
        """To Graph."""
        people = [target(user, "user") for user in self.users] + [target(group, "group") for group in self.groups]
        return {"accessType": self.access_type, "targets": people}


@dataclass(frozen=True)
class Applications:
    """To which applications."""

    access_type: str = key(ACCESS, "whether those named can be used or not")
    targets: tuple[str, ...] = key(
        Names("AllApplications, Office365 or an application id", lambda text: text in ALL_APPLICATIONS or is_id(text)),
        "application ids, `Office365`, or `AllApplications`",
    )

    def check(self, problems: Problems, where: str) -> None:
        """Note that nothing is named, or everything and something."""
        if not self.targets and not problems.concern(f"{where}.targets"):
            problems.add(f"{where}.targets", None, "names nothing", "Name application ids, or AllApplications")
        if "AllApplications" in self.targets and len(self.targets) > 1:
            do = "Keep AllApplications alone, or remove it"
            problems.add(f"{where}.targets", None, "names everything and something", do)

    def wire(self) -> dict[str, Any]:
        """To Graph."""
        return {
            "accessType": self.access_type,
            "targets": [target(application, "application") for application in self.targets],
        }


@dataclass(frozen=True)
class Setting:
    """One direction; what is not named is not touched."""

    users_and_groups: UsersAndGroups | None = key(
        Object(UsersAndGroups, "an object with accessType, users and groups"), "who", default=None
    )
    applications: Applications | None = key(
        Object(Applications, "an object with accessType and targets"), "to which applications", default=None
    )

    def wire(self) -> dict[str, Any]:
        """To Graph, only what is named."""
        parts = {"usersAndGroups": self.users_and_groups, "applications": self.applications}
        return {name: part.wire() for name, part in parts.items() if part is not None}


@dataclass(frozen=True)
class B2B:
    """Both directions of the pair: the target lets in, the source lets out."""

    inbound: Setting | None = key(
        Object(Setting, "an object with usersAndGroups and applications"),
        "written in the target: the source's people it lets in",
        default=None,
    )
    outbound: Setting | None = key(
        Object(Setting, "an object with usersAndGroups and applications"),
        "written in the source: its own people it lets out",
        default=None,
    )

    def side(self, side: str) -> dict[str, Any]:
        """What belongs into the partner policy of one side, to Graph."""
        setting = self.inbound if side == "target" else self.outbound
        return {} if setting is None else setting.wire()
