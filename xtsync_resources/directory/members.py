"""What can be in scope, and what of it the service skips: only the tenant's own people are synchronized.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TYPE = "#microsoft.graph."
USER, GROUP = "user", "group"
# What Graph calls them, where people say it otherwise.
NOT_PEOPLE = {GROUP: "nested group", "orgContact": "contact", "servicePrincipal": "application"}
GUEST, OF_ANOTHER_TENANT = "guest", "from another tenant"


@dataclass(frozen=True)
class Member:
    """Something in scope: a user, or what a group holds besides users.

    Attributes:
        object_id: its object id.
        kind: `user`, `group`, `device`, `orgContact`, ...
        name: what people call it.
        principal_name: a user's; "" where it may not be read.
        guest: whether a user is one.
        enabled: whether a user can sign in.
        mail: a user's address; "" for none.
        attributes: what Graph told, for the scoping filters.
    """

    object_id: str
    kind: str
    name: str
    principal_name: str = ""
    guest: bool = False
    enabled: bool = True
    mail: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)


def read_member(entry: Mapping[str, Any], kind: str = "") -> Member:
    """From Graph: a user, or a member of a group, of whom perhaps only the id may be read.

    Args:
        entry: as Graph has it.
        kind: of it, where Graph does not say.
    """
    kind = str(entry.get("@odata.type") or "").removeprefix(TYPE) or kind or "object"
    principal_name = str(entry.get("userPrincipalName") or "")
    return Member(
        str(entry.get("id")),
        kind,
        str(entry.get("displayName") or principal_name or entry.get("id")),
        principal_name,
        str(entry.get("userType") or "").lower() == "guest",
        entry.get("accountEnabled") is not False,
        str(entry.get("mail") or ""),
        entry,
    )


def skipped_because(member: Member) -> str:
    """Why it would not be synchronized; "" for a person who would be."""
    if member.kind != USER:
        return NOT_PEOPLE.get(member.kind, member.kind)
    if member.guest:
        return GUEST
    return OF_ANOTHER_TENANT if "#ext#" in member.principal_name.lower() else ""
