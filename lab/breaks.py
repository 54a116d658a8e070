"""What somebody breaks in the served tenants, and what gives exactly that back, whatever else was broken meanwhile.

A break looks first and changes then: one that cannot be made changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from lab import world
from lab.entra import Entra, Fault, Group
from lab.entra.applications.models import SYNC_TEMPLATE, ServicePrincipal
from lab.entra.directory.models import DirectoryBackend
from lab.entra.synchronization.models import Job
from lab.entra.synchronization.schema import template_schema

T = TypeVar("T")
BLOCKED = "AADSTS53003: Access has been blocked by Conditional Access policies."
AT_EVERY_SIGN_IN = 1_000_000
CYCLE_MINUTES = 41
ONE, NO_THRESHOLD = 1, 10_000
NOTIFICATION = "SyncNotificationSettings"
CONSENT, SYNC = "automaticUserConsentSettings", "userSyncInbound"
FIRST = "run `up` first, and let a cycle pass"


class NotThereError(Exception):
    """What is to be broken or mended is not there; the text says so."""


@dataclass(frozen=True)
class Done:
    """A break that was made.

    Attributes:
        words: what was done.
        undo: gives back what it took, and says so.
        group: which it is about, by whatever name; None where it is about none.
    """

    words: str
    undo: Callable[[], str]
    group: Group | None = None


# --- people and groups ---------------------------------------------------------------------------------------------


def delete_user(entra: Entra, name: str) -> Done:
    """Delete a user of the source; the assignment goes along."""
    directory = entra.tenants[world.SOURCE_TENANT].directory
    user = directory.user(name)
    directory.delete_user(user.id)
    unassign(entra, user.id)
    return Done(f"{name} is deleted in Contoso", lambda: restored(directory, user.id, name))


def find_deleted_user(entra: Entra, name: str) -> str:
    """Restore a user whom something else has deleted."""
    directory = entra.tenants[world.SOURCE_TENANT].directory
    user = the_one(directory.deleted_users, lambda one: one.user_principal_name == name, f"deleted user {name}")
    return restored(directory, user.id, name)


def restored(directory: DirectoryBackend, object_id: str, name: str) -> str:
    """Restore a deleted object, unless that has happened; who was in scope is so again by Pulumi only."""
    if object_id in directory.users or object_id in directory.groups:
        return f"{name} is in Contoso already"
    directory.restore(object_id)
    return f"{name} is restored in Contoso, without what it was assigned to: `up --refresh` assigns it again"


def rename_group(entra: Entra, name: str) -> Done:
    """Rename a group of the source."""
    group = group_of(entra, name)
    new = f"{name} of old"
    group.display_name = new

    def undo() -> str:
        if group.display_name != new:
            return f"the group is called {group.display_name} already"
        group.display_name = name
        return f"the group {new} is called {name} again"

    return Done(f"the group {name} is now called {new}", undo, group)


def delete_group(entra: Entra, name: str) -> Done:
    """Delete a group of the source; the assignment goes along."""
    directory, group = entra.tenants[world.SOURCE_TENANT].directory, group_of(entra, name)
    directory.delete_group(group.id)
    unassign(entra, group.id)
    said = f"the group {name}"
    return Done(f"{said} is deleted in Contoso", lambda: restored(directory, group.id, said), group)


def find_deleted_group(entra: Entra, name: str) -> str:
    """Restore a group that something else has deleted."""
    directory = entra.tenants[world.SOURCE_TENANT].directory
    group = the_one(directory.deleted_groups, lambda one: one.display_name == name, f"deleted group {name}")
    return restored(directory, group.id, f"the group {name}")


def unassign_by_hand(entra: Entra, name: str) -> Done:
    """Take a user or group of the source out of the scope at the portal."""
    principal, directory = configuration(entra), entra.tenants[world.SOURCE_TENANT].directory
    group = None if "@" in name else group_of(entra, name)
    object_id = group.id if group else directory.user(name).id
    taken = [one for one in principal.assignments.values() if one.principal_id == object_id]
    if not taken:
        raise NotThereError(f"{name} is not assigned")
    unassign(entra, object_id)

    def undo() -> str:
        if object_id not in directory.users and object_id not in directory.groups:
            return f"{name} is deleted meanwhile, and not assigned again"
        if all(one.principal_id != object_id for one in principal.assignments.values()):
            principal.assignments.update({one.id: one for one in taken})
        return f"{name} is assigned again"

    return Done(f"{name} is unassigned in Contoso", undo, group)


def delete_accounts(entra: Entra, _name: str) -> Done:
    """Delete the accounts that the job has made."""
    directory = entra.tenants[world.TARGET_TENANT].directory
    taken = [user.id for user in directory.users.values() if user.origin]
    if not taken:
        raise NotThereError(f"nobody of Contoso has an account in Fabrikam: {FIRST}")
    names = ", ".join(directory.users[one].mail or one for one in taken)
    for one in taken:
        directory.delete_user(one)
    return Done(f"deleted in Fabrikam: {names}", lambda: restored_accounts(entra, taken))


def find_deleted_accounts(entra: Entra, _name: str) -> str:
    """Restore the accounts of the source's people that a cycle has deleted."""
    deleted = entra.tenants[world.TARGET_TENANT].directory.deleted_users
    return restored_accounts(entra, [user.id for user in deleted.values() if user.origin])


def restored_accounts(entra: Entra, taken: list[str]) -> str:
    """Restore deleted accounts, but of people who have one again."""
    directory = entra.tenants[world.TARGET_TENANT].directory
    gone = [directory.deleted_users[one] for one in taken if one in directory.deleted_users]
    back = [one for one in gone if one.origin and directory.synchronized_user(one.origin) is None]
    for user in back:
        directory.restore(user.id)
    return f"restored in Fabrikam: {', '.join(user.mail or user.id for user in back) or 'nobody'}"


# --- the configuration application and its job ---------------------------------------------------------------------


def delete_application(entra: Entra, _name: str) -> Done:
    """Delete the configuration application."""
    applications = entra.tenants[world.SOURCE_TENANT].applications
    principal = configuration(entra)
    application = the_one(applications.applications, lambda one: one.app_id == principal.app_id, "its registration")
    applications.delete_application(application.id)
    said = f"the application {application.display_name}"
    return Done(f"{said} is deleted in Contoso", lambda: restored_application(entra, application.id))


def find_deleted_application(entra: Entra, _name: str) -> str:
    """Restore the configuration application that something else has deleted."""
    deleted = entra.tenants[world.SOURCE_TENANT].applications.deleted_applications
    return restored_application(entra, the_one(deleted, lambda one: bool(one.template_id), "deleted application").id)


def restored_application(entra: Entra, object_id: str) -> str:
    """Restore a deleted application; what hung off it is gone."""
    applications = entra.tenants[world.SOURCE_TENANT].applications
    if object_id not in applications.applications and object_id not in applications.deleted_applications:
        return "the application was deleted for good meanwhile: there is nothing to restore"
    if object_id in applications.deleted_applications:
        applications.restore(object_id)
    said = f"the application {applications.applications[object_id].display_name} is restored in Contoso"
    return f"{said}, without its job and whoever was assigned: `up --refresh` brings them back"


def another_configuration(entra: Entra, _name: str) -> Done:
    """Make a configuration of the pair, with a job, as somebody does who does not know of this program."""
    source = entra.tenants[world.SOURCE_TENANT]
    if any(one.template_id for one in source.applications.principals.values()):
        raise NotThereError(
            "the pair has a configuration: break this before the first `up`, which is what looks for one"
        )
    application, principal = source.applications.instantiate(SYNC_TEMPLATE, "Made by hand", "")
    state = principal.synchronization
    state.secrets = {"AuthenticationType": "SyncPolicy", "CompanyId": world.TARGET_TENANT}
    source.synchronization.start(source.synchronization.create_job(state, template_schema()))

    def undo() -> str:
        if application.id in source.applications.applications:
            source.applications.delete_application(application.id)
        # For good, so that nothing restores what was not there before.
        source.applications.deleted_applications.pop(application.id, None)
        source.applications.deleted_principals.pop(principal.id, None)
        return "the configuration Made by hand is deleted for good"

    return Done("Contoso has a configuration of the pair: Made by hand", undo)


def pause_job(entra: Entra, _name: str) -> Done:
    """Pause the job."""
    synchronization, job = entra.tenants[world.SOURCE_TENANT].synchronization, job_of(entra)
    if job.schedule_state != "Active":
        raise NotThereError("the job is paused already")
    synchronization.pause(job)

    def undo() -> str:
        if job.schedule_state != "Active":
            synchronization.start(job)
        return "the job is started again"

    return Done("the job is paused", undo)


def delete_job(entra: Entra, _name: str) -> Done:
    """Delete the job."""
    source, principal, job = entra.tenants[world.SOURCE_TENANT], configuration(entra), job_of(entra)
    source.synchronization.delete_job(principal.synchronization, job.id)

    def undo() -> str:
        if principal.synchronization.jobs:
            raise NotThereError("the configuration has a job again: it would have two")
        principal.synchronization.jobs[job.id] = job
        return "the job is there again, as it was; nothing at the portal could have done that"

    return Done("the job is deleted", undo)


def empty_group(entra: Entra, name: str) -> Done:
    """Have everybody leave a group where one deletion is too many, and let a cycle pass."""
    principal, job, group = configuration(entra), job_of(entra), group_of(entra, name)
    taken = list(group.members)
    if not taken:
        raise NotThereError(f"nobody is in {name} any more")
    before = principal.synchronization.secrets.get(NOTIFICATION)
    set_threshold(principal, ONE)
    group.members.clear()

    def undo() -> str:
        group.members[:] = [*taken, *(one for one in group.members if one not in taken)]
        give_threshold_back(principal, before)
        return f"everybody is in {group.display_name} again, and the threshold is as it was"

    let_a_cycle_pass(entra, job)
    if job.quarantine is None or job.quarantine.reason != "TooManyDeletes":
        undo()
        raise NotThereError(f"the job holds nobody of {name} back: {why_not(job, name)}")
    return Done(f"everybody has left {name}; the job holds their deletion back", undo, group)


def raise_threshold(entra: Entra, _name: str) -> Done:
    """Raise the deletion threshold at the portal, so that no deletion is too many."""
    principal = configuration(entra)
    before, threshold = (
        principal.synchronization.secrets.get(NOTIFICATION),
        principal.synchronization.delete_threshold(),
    )
    if threshold is None or threshold >= NO_THRESHOLD:
        raise NotThereError("no deletion is too many for the job already")
    set_threshold(principal, NO_THRESHOLD)

    def undo() -> str:
        give_threshold_back(principal, before)
        return "the threshold is as it was, unless somebody else has set another"

    return Done(f"the job holds deletions back from {NO_THRESHOLD:,} on", undo)


def set_threshold(principal: ServicePrincipal, threshold: int) -> None:
    """Have the job hold deletions back from so many on."""
    secrets = principal.synchronization.secrets
    settings = json.loads(secrets.get(NOTIFICATION) or "{}")
    secrets[NOTIFICATION] = json.dumps(settings | {"DeleteThresholdEnabled": True, "DeleteThresholdValue": threshold})


def give_threshold_back(principal: ServicePrincipal, before: str | None) -> None:
    """Give back the settings of before a break, where the threshold is one that a break has set."""
    secrets = principal.synchronization.secrets
    if principal.synchronization.delete_threshold() in (ONE, NO_THRESHOLD):
        secrets.pop(NOTIFICATION, None)
        secrets.update({NOTIFICATION: before} if before is not None else {})


def why_not(job: Job, name: str) -> str:
    """Why a cycle has held nobody back."""
    if job.schedule_state != "Active":
        return "it is paused"
    if job.quarantine is not None:
        return f"its cycle has failed ({job.quarantine.message})"
    return f"nobody of {name} was in Fabrikam yet, or another assignment keeps them. Let a first cycle pass before"


def let_a_cycle_pass(entra: Entra, job: Job) -> None:
    """Let a cycle's time pass; a job in quarantine would wait for hours, and runs then as well."""
    entra.pass_time(minutes=CYCLE_MINUTES)
    if job.schedule_state == "Active" and job.quarantine is not None:
        job.next_cycle = entra.clock.now()
        entra.run_due_cycles()


# --- policies and tenants ------------------------------------------------------------------------------------------


def turn_redemption_off(entra: Entra, _name: str) -> Done:
    """Turn automatic redemption off in the target."""
    configuration(entra)
    policies = entra.tenants[world.TARGET_TENANT].policies
    partner = policies.partners.get(world.SOURCE_TENANT)
    if partner is None or not partner.redeems("inboundAllowed"):
        raise NotThereError("automatic redemption is off in Fabrikam already")
    policies.update(world.SOURCE_TENANT, {CONSENT: {"inboundAllowed": False}})

    def undo() -> str:
        policies.update(world.SOURCE_TENANT, {CONSENT: {"inboundAllowed": True}})
        return "automatic redemption is on in Fabrikam again"

    return Done("automatic redemption is off in Fabrikam", undo)


def withdraw_consent(entra: Entra, _name: str) -> Done:
    """Let nobody be synchronized into the target any more, and let a cycle fail."""
    job = job_of(entra)
    policies = entra.tenants[world.TARGET_TENANT].policies
    partner = policies.partners.get(world.SOURCE_TENANT)
    if partner is None or partner.identity_sync is None or not partner.identity_sync.allows(SYNC):
        raise NotThereError("Fabrikam lets nobody be synchronized into it already")
    policies.update_identity_sync(world.SOURCE_TENANT, {SYNC: {"isSyncAllowed": False}})
    let_a_cycle_pass(entra, job)

    def undo() -> str:
        policies.update_identity_sync(world.SOURCE_TENANT, {SYNC: {"isSyncAllowed": True}})
        return "Fabrikam lets people be synchronized again; `xtsync resume`, or the next cycle, ends the quarantine"

    failed = "the job's cycle has failed" if job.quarantine else "the job does not run"
    return Done(f"Fabrikam lets nobody be synchronized into it any more; {failed}", undo)


def lose_target(entra: Entra, _name: str) -> Done:
    """The target tenant is gone."""
    target = entra.tenants[world.TARGET_TENANT]
    if target.deleted:
        raise NotThereError("Fabrikam is gone already")
    target.deleted = True

    def undo() -> str:
        target.deleted = False
        return "Fabrikam is back"

    return Done("Fabrikam is gone: sign-ins to it are refused", undo)


def block_sign_ins(entra: Entra, _name: str) -> Done:
    """A conditional access policy blocks every sign-in."""
    refused = Fault(
        method="POST", path="/oauth2/", status=400, code="invalid_grant", message=BLOCKED, times=AT_EVERY_SIGN_IN
    )
    if refused in entra.faults.pending:
        raise NotThereError("every sign-in is blocked already")
    entra.faults.add(refused)

    def undo() -> str:
        entra.faults.remove(refused)
        return "sign-ins are not blocked any more"

    return Done("a conditional access policy blocks every sign-in, in both tenants", undo)


# --- looking -------------------------------------------------------------------------------------------------------


def the_one(found: Mapping[str, T], wanted: Callable[[T], bool], name: str) -> T:
    """The first that is wanted.

    Raises:
        NotThereError: there is none.
    """
    for one in found.values():
        if wanted(one):
            return one
    raise NotThereError(f"Contoso has no {name}")


def group_of(entra: Entra, name: str) -> Group:
    """A group of the source."""
    groups = entra.tenants[world.SOURCE_TENANT].directory.groups
    return the_one(groups, lambda group: group.display_name == name, f"group {name}")


def configuration(entra: Entra) -> ServicePrincipal:
    """The service principal of the pair's configuration."""
    principals = entra.tenants[world.SOURCE_TENANT].applications.principals
    return the_one(principals, lambda one: one.template_id is not None, "configuration of the pair: run `up` first")


def job_of(entra: Entra) -> Job:
    """The job of the configuration."""
    return the_one(configuration(entra).synchronization.jobs, lambda _: True, "job: run `up` first")


def unassign(entra: Entra, object_id: str) -> None:
    """Take a user or group out of every scope."""
    for principal in entra.tenants[world.SOURCE_TENANT].applications.principals.values():
        for one in [one for one in principal.assignments.values() if one.principal_id == object_id]:
            del principal.assignments[one.id]
