"""One person or group through the steps of provisioning: scope, match, write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.entra.applications.models import ServicePrincipal
from lab.entra.context import new_id
from lab.entra.directory.models import Group, Origin, User
from lab.entra.synchronization.filters import in_scope, mapped
from lab.entra.synchronization.models import Job
from lab.entra.synchronization.schema import constant_user_type, object_mapping

if TYPE_CHECKING:
    from lab.entra.models import Tenant


@dataclass(frozen=True)
class Outcome:
    """What became of one object in one cycle."""

    action: str
    status: str
    source_id: str
    source_name: str
    identity_type: str = "User"
    target_id: str = ""
    reason_code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Pairing:
    """A job on its way from one tenant to another."""

    source: Tenant
    target: Tenant
    principal: ServicePrincipal
    job: Job

    def mapped(self, kind: str) -> bool:
        """Whether objects of a kind are synchronized at all."""
        return bool(object_mapping(self.job.schema, kind).get("enabled"))

    def flows(self, flow: str, kind: str = "User") -> bool:
        """Whether the mapping of a kind adds, updates or deletes."""
        return self.mapped(kind) and flow in object_mapping(self.job.schema, kind).get("flowTypes", "")


def everybody(pairing: Pairing) -> bool:
    """Whether the scope is the whole tenant; a job that had everybody keeps everybody until it is restarted."""
    job, wanted = pairing.job, pairing.principal.synchronization.everybody()
    if job.everybody is None or wanted:
        job.everybody = wanted
    return job.everybody


def assigned_ids(pairing: Pairing) -> dict[str, None]:
    """Ids of the users that are assigned: directly, or as direct members of an assigned group; in order."""
    source, found = pairing.source.directory, dict[str, None]()
    if everybody(pairing):
        return dict.fromkeys(source.users)
    for assignment in pairing.principal.assignments.values():
        if assignment.principal_type == "User":
            found[assignment.principal_id] = None
        elif group := source.groups.get(assignment.principal_id):
            found.update(dict.fromkeys(member for member in group.members if member in source.users))
    return found


def skip_reason(pairing: Pairing, user: User) -> tuple[str, str] | None:
    """Why an assigned user is not synchronized."""
    if not in_scope(pairing.job.schema, user):
        return "NotInScope", "The user does not satisfy the scoping filters."
    if not user.internal_member:
        return "NotEffectivelyEntitled", "The user is not an internal member of the source tenant."
    if user.sms_sign_in:
        return "NotEffectivelyEntitled", "SMS sign-in is enabled for the user."
    return None


def attributes(pairing: Pairing, user: User) -> dict[str, Any]:
    """What flows from source to target."""
    schema = pairing.job.schema
    return {
        "display_name": mapped(schema, user, "displayName"),
        "mail": mapped(schema, user, "mail"),
        "department": mapped(schema, user, "department"),
        "account_enabled": user.account_enabled,
    }


def provision(pairing: Pairing, user: User) -> Outcome | None:
    """Create or update one person in the target; `None` when nothing has changed since the last export."""
    wanted = attributes(pairing, user)
    known = pairing.job.exported.get(user.id)
    if known == wanted:
        return None
    origin = Origin(pairing.source.tenant_id, user.id)
    existing = pairing.target.directory.synchronized_user(origin)
    if existing is None:
        return _create(pairing, user, origin, wanted)
    user_type, always = constant_user_type(pairing.job.schema)
    pairing.job.exported[user.id] = wanted
    retype = always and existing.user_type != user_type
    if all(getattr(existing, name) == value for name, value in wanted.items()) and not retype:
        return _outcome("update", "skipped", user, existing.id, "RedundantExport", "The object is up to date.")
    if not pairing.flows("Update"):
        return _outcome("update", "skipped", user, existing.id, "FlowDisabled", "Updates are turned off.")
    for name, value in wanted.items():
        setattr(existing, name, value)
    existing.user_type = user_type if retype else existing.user_type
    return _outcome("update", "success", user, existing.id)


def _create(pairing: Pairing, user: User, origin: Origin, wanted: dict[str, Any]) -> Outcome:
    if not user.account_enabled:
        reason = "The user is not active in the source system."
        return _outcome("other", "skipped", user, "", "NotEffectivelyEntitled", reason)
    if not pairing.flows("Add"):
        return _outcome("create", "skipped", user, "", "FlowDisabled", "Creations are turned off.")
    if not pairing.target.guest_invitations_allowed:
        reason = "The target tenant does not allow guest invitations."
        return _outcome("create", "failure", user, "", "AzureActiveDirectoryForbidden", reason)
    directory = pairing.target.directory
    if deleted := directory.deleted_synchronized_user(origin):
        directory.restore(deleted.id)
        account = deleted
    else:
        name = user.user_principal_name.replace("@", "_")
        account = directory.add_user(f"{name}#EXT#@{pairing.target.domain}", user_id=new_id())
        account.origin, account.external_state = origin, "Accepted"
        account.user_type = constant_user_type(pairing.job.schema)[0]
    for member, value in wanted.items():
        setattr(account, member, value)
    pairing.job.exported[user.id] = wanted
    return _outcome("create", "success", user, account.id)


def staged(pairing: Pairing, user_id: str) -> Outcome:
    """A deletion that is held back."""
    directory = pairing.source.directory
    user = directory.users.get(user_id) or directory.deleted_users.get(user_id)
    return Outcome("stagedDelete", "skipped", user_id, user.user_principal_name if user else user_id)


def deprovision(pairing: Pairing, user_id: str) -> Outcome:
    """Soft-delete a person who left the scope; the job forgets them."""
    del pairing.job.exported[user_id]
    source = pairing.source.directory
    user = source.users.get(user_id) or source.deleted_users.get(user_id)
    name = user.user_principal_name if user else user_id
    account = pairing.target.directory.synchronized_user(Origin(pairing.source.tenant_id, user_id))
    if account is None:
        return Outcome("delete", "skipped", user_id, name, reason_code="TargetMissing", reason="No account left.")
    if not account.account_enabled:
        reason = "An account that was disabled before is left as it is."
        return Outcome("delete", "skipped", user_id, name, "User", account.id, "AccountDisabled", reason)
    pairing.target.directory.delete_user(account.id)
    return Outcome("delete", "success", user_id, name, target_id=account.id)


def provision_group(pairing: Pairing, group: Group) -> Outcome | None:
    """Create or update one group in the target, with those of its members that are synchronized."""
    origin = Origin(pairing.source.tenant_id, group.id)
    directory = pairing.target.directory
    accounts = [directory.synchronized_user(Origin(pairing.source.tenant_id, member)) for member in group.members]
    members = [account.id for account in accounts if account]
    wanted = {"display_name": group.display_name, "members": members}
    if pairing.job.exported_groups.get(group.id) == wanted:
        return None
    twin = directory.synchronized_group(origin)
    action = "update" if twin else "create"
    if twin is None:
        twin = directory.add_group(group.display_name)
        twin.origin = origin
    twin.display_name, twin.members = group.display_name, list(members)
    pairing.job.exported_groups[group.id] = wanted
    return Outcome(action, "success", group.id, group.display_name, "Group", twin.id)


def deprovision_group(pairing: Pairing, group_id: str) -> Outcome:
    """Soft-delete a group that left the scope."""
    wanted = pairing.job.exported_groups.pop(group_id)
    twin = pairing.target.directory.synchronized_group(Origin(pairing.source.tenant_id, group_id))
    name = str(wanted.get("display_name", group_id))
    if twin is None:
        return Outcome("delete", "skipped", group_id, name, "Group", reason_code="TargetMissing")
    pairing.target.directory.delete_group(twin.id)
    return Outcome("delete", "success", group_id, name, "Group", twin.id)


def _outcome(action: str, status: str, user: User, target_id: str, code: str = "", reason: str = "") -> Outcome:
    return Outcome(action, status, user.id, user.user_principal_name, "User", target_id, code, reason)
