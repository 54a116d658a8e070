"""What can be broken in the served tenants, as somebody would at the portal, and which runbook that rehearses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from lab import world
from lab.entra import Entra, Fault, Group
from lab.entra.applications.models import SYNC_TEMPLATE, ServicePrincipal
from lab.entra.exceptions import GraphError
from lab.entra.synchronization.models import Job
from lab.entra.synchronization.schema import template_schema

T = TypeVar("T")
BLOCKED = "AADSTS53003: Access has been blocked by Conditional Access policies."
AT_EVERY_SIGN_IN = 1_000_000
CYCLE_MINUTES = 41


class NotThereError(Exception):
    """What is to be broken is not there; the text says so."""


@dataclass(frozen=True)
class Break:
    """Something that goes wrong.

    Attributes:
        words: what somebody does, or what happens.
        rehearses: the row of docs/runbooks.md, or the heading of docs/operations.md.
        do: does it, to what is named, and says what it did.
        undo: what somebody does at the portal about it; None where Pulumi and `xtsync` have all that it takes.
        name: whom or what, unless it is said; empty where there is one only.
    """

    words: str
    rehearses: str
    do: Callable[[Entra, str], str]
    undo: Callable[[Entra, str], str] | None = None
    name: str = ""


# --- people and groups ---------------------------------------------------------------------------------------------


def delete_user(entra: Entra, name: str) -> str:
    """Delete a user of the source; the assignment goes along."""
    directory = entra.tenants[world.SOURCE_TENANT].directory
    user = directory.user(name)
    directory.delete_user(user.id)
    unassign(entra, user.id)
    return f"{name} is deleted in Contoso"


def restore_user(entra: Entra, name: str) -> str:
    """Restore a deleted user of the source."""
    directory = entra.tenants[world.SOURCE_TENANT].directory
    directory.restore(the_one(directory.deleted_users, lambda user: user.user_principal_name == name, name).id)
    return f"{name} is restored in Contoso"


def rename_group(entra: Entra, name: str) -> str:
    """Rename a group of the source."""
    group = group_of(entra, name)
    group.display_name = f"{name} of old"
    return f"the group {name} is now called {group.display_name}"


def delete_group(entra: Entra, name: str) -> str:
    """Delete a group of the source; the assignment goes along."""
    group = group_of(entra, name)
    entra.tenants[world.SOURCE_TENANT].directory.delete_group(group.id)
    unassign(entra, group.id)
    return f"the group {name} is deleted in Contoso"


def restore_group(entra: Entra, name: str) -> str:
    """Restore a deleted group of the source."""
    directory = entra.tenants[world.SOURCE_TENANT].directory
    directory.restore(the_one(directory.deleted_groups, lambda group: group.display_name == name, name).id)
    return f"the group {name} is restored in Contoso"


def delete_accounts(entra: Entra, _name: str) -> str:
    """Delete the accounts that the job has made."""
    directory = entra.tenants[world.TARGET_TENANT].directory
    names = [user.mail or user.id for user in directory.users.values() if user.origin]
    for user in [user for user in directory.users.values() if user.origin]:
        directory.delete_user(user.id)
    return f"deleted in Fabrikam: {', '.join(names) or 'nobody'}"


def restore_accounts(entra: Entra, _name: str) -> str:
    """Restore the deleted accounts of the source's people."""
    directory = entra.tenants[world.TARGET_TENANT].directory
    gone = [user for user in directory.deleted_users.values() if user.origin]
    for user in gone:
        directory.restore(user.id)
    return f"restored in Fabrikam: {', '.join(user.mail or user.id for user in gone) or 'nobody'}"


# --- the configuration application and its job ---------------------------------------------------------------------


def delete_application(entra: Entra, _name: str) -> str:
    """Delete the configuration application."""
    applications = entra.tenants[world.SOURCE_TENANT].applications
    principal = configuration(entra)
    application = the_one(applications.applications, lambda one: one.app_id == principal.app_id, "its registration")
    applications.delete_application(application.id)
    return f"the application {application.display_name} is deleted in Contoso"


def restore_application(entra: Entra, _name: str) -> str:
    """Restore the deleted configuration application; what hung off it is gone."""
    applications = entra.tenants[world.SOURCE_TENANT].applications
    application = the_one(applications.deleted_applications, lambda _: True, "deleted application")
    applications.restore(application.id)
    return f"the application {application.display_name} is restored in Contoso, without its job"


def another_configuration(entra: Entra, _name: str) -> str:
    """Make a configuration of the pair, with a job, as somebody does who does not know of this program."""
    source = entra.tenants[world.SOURCE_TENANT]
    if any(one.template_id for one in source.applications.principals.values()):
        raise NotThereError(
            "the pair has a configuration: break this before the first `up`, which is what looks for one"
        )
    _, principal = source.applications.instantiate(SYNC_TEMPLATE, "Made by hand", "")
    state = principal.synchronization
    state.secrets = {"AuthenticationType": "SyncPolicy", "CompanyId": world.TARGET_TENANT}
    source.synchronization.start(source.synchronization.create_job(state, template_schema()))
    return "Contoso has a configuration of the pair: Made by hand"


def pause_job(entra: Entra, _name: str) -> str:
    """Pause the job."""
    entra.tenants[world.SOURCE_TENANT].synchronization.pause(job_of(entra))
    return "the job is paused"


def delete_job(entra: Entra, _name: str) -> str:
    """Delete the job."""
    principal, job = configuration(entra), job_of(entra)
    entra.tenants[world.SOURCE_TENANT].synchronization.delete_job(principal.synchronization, job.id)
    return "the job is deleted"


def empty_group(entra: Entra, name: str) -> str:
    """Have everybody leave a group where one deletion is too many, and let a cycle pass."""
    principal, group = configuration(entra), group_of(entra, name)
    settings = json.loads(principal.synchronization.secrets.get("SyncNotificationSettings") or "{}")
    settings |= {"DeleteThresholdEnabled": True, "DeleteThresholdValue": 1}
    principal.synchronization.secrets["SyncNotificationSettings"] = json.dumps(settings)
    group.members.clear()
    entra.pass_time(minutes=CYCLE_MINUTES)
    if job_of(entra).quarantine is None:
        raise NotThereError(f"nobody of {name} was in Fabrikam yet: let a first cycle pass before")
    return f"everybody has left {name}; the job holds their deletion back"


def fill_group(entra: Entra, name: str) -> str:
    """Put back into a group who is still in the target and not in scope."""
    assigned = {one.principal_id for one in configuration(entra).assignments.values()}
    group_of(entra, name).members += [user for user in job_of(entra).exported if user not in assigned]
    return f"everybody is in {name} again"


# --- policies and tenants ------------------------------------------------------------------------------------------


def turn_redemption_off(entra: Entra, _name: str) -> str:
    """Turn automatic redemption off in the target."""
    configuration(entra)
    policies = entra.tenants[world.TARGET_TENANT].policies
    policies.update(world.SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": False}})
    return "automatic redemption is off in Fabrikam"


def withdraw_consent(entra: Entra, _name: str) -> str:
    """Let nobody be synchronized into the target any more, and let a cycle fail."""
    configuration(entra)
    policies = entra.tenants[world.TARGET_TENANT].policies
    policies.update_identity_sync(world.SOURCE_TENANT, {"userSyncInbound": {"isSyncAllowed": False}})
    entra.pass_time(minutes=CYCLE_MINUTES)
    return "Fabrikam lets nobody be synchronized into it any more; the job's cycle has failed"


def lose_target(entra: Entra, _name: str) -> str:
    """The target tenant is gone."""
    entra.tenants[world.TARGET_TENANT].deleted = True
    return "Fabrikam is gone: sign-ins to it are refused"


def find_target(entra: Entra, _name: str) -> str:
    """The target tenant is back."""
    entra.tenants[world.TARGET_TENANT].deleted = False
    return "Fabrikam is back"


def block_sign_ins(entra: Entra, _name: str) -> str:
    """A conditional access policy blocks every sign-in."""
    refused = Fault(
        method="POST", path="/oauth2/", status=400, code="invalid_grant", message=BLOCKED, times=AT_EVERY_SIGN_IN
    )
    entra.faults.add(refused)
    return "a conditional access policy blocks every sign-in, in both tenants"


def let_sign_in(entra: Entra, _name: str) -> str:
    """The policy is gone again."""
    entra.faults.clear()
    return "sign-ins are not blocked any more"


DRIFT = "What is drift, and what repairs it"
BREAKS: Mapping[str, Break] = {
    "user": Break("a user is deleted", "somebody has left the company", delete_user, restore_user, "alice@contoso.com"),
    "rename-group": Break("a group gets another name", "a group was renamed", rename_group, None, "Finance"),
    "group": Break("a group is deleted", "a group was renamed", delete_group, restore_group, "Finance"),
    "accounts": Break(
        "the job's accounts are deleted in the target",
        "a wrong change has taken people out",
        delete_accounts,
        restore_accounts,
    ),
    "application": Break(
        "the configuration application is deleted",
        "the application was deleted",
        delete_application,
        restore_application,
    ),
    "second-configuration": Break(
        "somebody makes one by hand, before the first `up`", "there is a second configuration", another_configuration
    ),
    "pause": Break("somebody pauses the job", "somebody has paused the job", pause_job),
    "job": Break("somebody deletes the job", "the job was deleted", delete_job),
    "held-back": Break(
        "everybody leaves a group, and the threshold is one",
        "deletions are held back",
        empty_group,
        fill_group,
        "Finance",
    ),
    "consent": Break("the target lets nobody in any more: quarantine", "Quarantine", withdraw_consent),
    "redemption": Break("the target turns automatic redemption off", DRIFT, turn_redemption_off),
    "target": Break("the target tenant is gone", "one tenant is gone", lose_target, find_target),
    "sign-in": Break("every sign-in is blocked", "conditional access is in the way", block_sign_ins, let_sign_in),
}


def perform(entra: Entra, what: str, name: str, *, undo: bool) -> str:
    """Break something, or have it mended as at the portal; what was done.

    Raises:
        NotThereError: it is not there.
    """
    one = BREAKS[what]
    act = one.undo if undo else one.do
    if act is None:
        raise NotThereError(f"nothing at the portal mends `{what}`: the runbook says what does")
    with entra.lock:
        try:
            return act(entra, name or one.name)
        except GraphError as error:
            raise NotThereError(error.message) from None


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
