"""People and groups of one tenant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lab.entra.context import Context, new_id
from lab.entra.exceptions import bad_request, not_found

DELETED_ARE_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Origin:
    """Where a synchronized object came from: the mark by which a later cycle finds it again."""

    tenant_id: str
    object_id: str


@dataclass
class User:
    """A person's account."""

    id: str
    user_principal_name: str
    display_name: str
    mail: str | None
    user_type: str
    created_at: datetime
    account_enabled: bool = True
    department: str | None = None
    external_state: str | None = None
    origin: Origin | None = None
    sms_sign_in: bool = False
    deleted_at: datetime | None = None

    @property
    def internal_member(self) -> bool:
        """Whether the account belongs here: no guest, and not synchronized from elsewhere."""
        return self.user_type == "Member" and self.origin is None and "#EXT#" not in self.user_principal_name


@dataclass
class Group:
    """A security group, or one for mail only; members are ids of users and groups, which it may hide."""

    id: str
    display_name: str
    created_at: datetime
    members: list[str] = field(default_factory=list)
    members_hidden: bool = False
    origin: Origin | None = None
    deleted_at: datetime | None = None
    security_enabled: bool = True


class DirectoryBackend:
    """All users and groups of one tenant, live and deleted."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.deleted_users: dict[str, User] = {}
        self.deleted_groups: dict[str, Group] = {}
        self.skus: list[str] = ["AAD_PREMIUM_P2"]

    def add_user(
        self,
        user_principal_name: str,
        *,
        display_name: str | None = None,
        user_type: str = "Member",
        mail: str | None = None,
        account_enabled: bool = True,
        department: str | None = None,
        sms_sign_in: bool = False,
        user_id: str | None = None,
    ) -> User:
        """Make an account."""
        user = User(
            id=user_id or new_id(),
            user_principal_name=user_principal_name,
            display_name=display_name or user_principal_name.partition("@")[0].capitalize(),
            mail=mail or user_principal_name,
            user_type=user_type,
            created_at=self._context.now(),
            account_enabled=account_enabled,
            department=department,
            sms_sign_in=sms_sign_in,
        )
        self.users[user.id] = user
        return user

    def add_group(
        self,
        display_name: str,
        members: Iterable[User | Group] = (),
        group_id: str | None = None,
        *,
        security_enabled: bool = True,
    ) -> Group:
        """Make a group; one that is not security enabled is a mail distribution list."""
        ids = [member.id for member in members]
        group = Group(group_id or new_id(), display_name, self._context.now(), ids, security_enabled=security_enabled)
        self.groups[group.id] = group
        return group

    def user(self, key: str) -> User:
        """A user by object id or by user principal name, letter case aside."""
        wanted = key.lower()
        for user in self.users.values():
            if wanted in (user.id, user.user_principal_name.lower()):
                return user
        raise not_found(key)

    def group(self, group_id: str) -> Group:
        """A group by object id."""
        if group_id not in self.groups:
            raise not_found(group_id)
        return self.groups[group_id]

    def assignee(self, object_id: str) -> tuple[str, str, str] | None:
        """Id, type and name of a user or group that can be assigned.

        Source: https://learn.microsoft.com/entra/identity/enterprise-apps/assign-user-or-group-access-portal
        """
        if user := self.users.get(object_id):
            return user.id, "User", user.display_name
        if group := self.groups.get(object_id):
            if not group.security_enabled:
                # Microsoft says that such a group is not supported, and not in which words it is refused.
                raise bad_request("The group is not security enabled and cannot be assigned to an application.")
            return group.id, "Group", group.display_name
        return None

    def synchronized_user(self, origin: Origin) -> User | None:
        """The account a person of another tenant has here."""
        return next((user for user in self.users.values() if user.origin == origin), None)

    def deleted_synchronized_user(self, origin: Origin) -> User | None:
        """The soft-deleted account a person of another tenant had here."""
        return next((user for user in self.deleted_users.values() if user.origin == origin), None)

    def synchronized_group(self, origin: Origin) -> Group | None:
        """The group that stands for a group of another tenant."""
        return next((group for group in self.groups.values() if group.origin == origin), None)

    def delete_user(self, user_id: str) -> None:
        """Soft-delete an account."""
        user = self.users.pop(user_id)
        user.deleted_at = self._context.now()
        self.deleted_users[user_id] = user

    def delete_group(self, group_id: str) -> None:
        """Soft-delete a group."""
        group = self.groups.pop(group_id)
        group.deleted_at = self._context.now()
        self.deleted_groups[group_id] = group

    def restore(self, object_id: str) -> User | Group:
        """Undo a soft delete."""
        if object_id in self.deleted_users:
            user = self.users[object_id] = self.deleted_users.pop(object_id)
            user.deleted_at = None
            return user
        if object_id not in self.deleted_groups:
            raise not_found(object_id)
        group = self.groups[object_id] = self.deleted_groups.pop(object_id)
        group.deleted_at = None
        return group

    def forget_expired(self) -> None:
        """Drop what was deleted too long ago to be restored."""
        limit = self._context.now() - DELETED_ARE_KEPT
        for user in list(self.deleted_users.values()):
            if user.deleted_at and user.deleted_at < limit:
                del self.deleted_users[user.id]
        for group in list(self.deleted_groups.values()):
            if group.deleted_at and group.deleted_at < limit:
                del self.deleted_groups[group.id]
