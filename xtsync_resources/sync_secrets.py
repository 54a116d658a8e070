"""SyncSecrets: the settings of the synchronization, which Graph calls secrets.

None of them is secret here: cross-tenant synchronization has no credential, trust is by policy. They are
compared key by key; what Graph masks or adds, and keys of others, are left alone.

Source: https://learn.microsoft.com/graph/api/synchronization-serviceprincipal-put-synchronization
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from .graph import answers, calls
from .job_state import ACTIVE, quarantine_reason, schedule_state
from .lifecycle import (
    HOME,
    WARNING,
    CheckResult,
    CreateResult,
    DiffResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    is_unknown,
    stored_inputs,
    tell,
)
from .service_principal import SynchronizationBaseline, job_of_template, settings_by_key
from .tenant_resource import Home, TenantResource

if TYPE_CHECKING:
    from .graph.operation import Operation

COMPARED = (HOME, "servicePrincipalId", "settings", "baseline")
INPUTS = (*COMPARED, "assigned")
NOTIFICATION = "SyncNotificationSettings"
MASK = "*"
# What the service uses where the threshold is on without a value.
DEFAULT_THRESHOLD = 500
ASSIGNED_READS = 3


# --- arguments ---------------------------------------------------------------------------------------------


def settings_for(target: str, notify_email: str, deletion_threshold: int) -> dict[str, Any]:
    """The four settings of the how-to; SyncAll false is "assigned users and groups only"."""
    notification: dict[str, Any] = {
        "Enabled": bool(notify_email),
        "DeleteThresholdEnabled": deletion_threshold > 0,
        "HumanResourcesLookaheadQueryEnabled": False,
    }
    if notify_email:
        notification["Recipients"] = notify_email
    if deletion_threshold > 0:
        notification["DeleteThresholdValue"] = deletion_threshold
    return {
        "CompanyId": target,
        "AuthenticationType": "SyncPolicy",
        NOTIFICATION: notification,
        "SyncAll": "false",
    }


# --- wire form ---------------------------------------------------------------------------------------------


def to_graph(settings: Mapping[str, Any]) -> dict[str, str]:
    """To Graph: every value is a text; the notification settings are JSON in a text."""
    return {
        key: json.dumps(value, separators=(",", ":"), sort_keys=True) if isinstance(value, Mapping) else str(value)
        for key, value in settings.items()
    }


def from_graph(wanted: Mapping[str, Any], live: Mapping[str, str]) -> dict[str, Any]:
    """From Graph: our settings as they are now; a masked value is taken to be ours."""
    found: dict[str, Any] = {}
    for key, value in wanted.items():
        if live.get(key) == MASK:
            found[key] = value
        elif isinstance(value, Mapping):
            members = parse_object(live.get(key, ""))
            found[key] = {name: members[name] for name in value if name in members}
            if not ours_to_enable(value) and "Enabled" in value:
                found[key]["Enabled"] = value["Enabled"]
        elif key in live:
            found[key] = live[key]
    return found


def ours_to_enable(notification: Mapping[str, Any]) -> bool:
    """Whether notifications are ours: without an address of ours they are whoever's they were."""
    return "Recipients" in notification


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object in a text; empty where it is not one."""
    try:
        found: dict[str, Any] = answers.read(text)
    except ValueError:
        return {}
    return found


def deletion_threshold(settings: Mapping[str, str]) -> int | None:
    """From Graph: how many deletions a cycle may make; None is any number."""
    notification = parse_object(settings.get(NOTIFICATION, ""))
    if not notification.get("DeleteThresholdEnabled"):
        return None
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        return int(notification.get("DeleteThresholdValue") or DEFAULT_THRESHOLD)
    return DEFAULT_THRESHOLD


def with_others(
    wanted: Mapping[str, Any], live: Mapping[str, str], dropped: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What to send: ours, and what others have set as far as it can be read.

    Args:
        wanted: our settings.
        live: all settings there are.
        dropped: members of the notification settings that are ours no longer, with their former values; None
            is "was not there".

    Graph does not say whether keys that are left out survive a PUT, so they are sent along; masked ones
    cannot be. Members that others added to the notification settings are kept as well.
    """
    merged: dict[str, Any] = {key: value for key, value in live.items() if value != MASK}
    for key, value in wanted.items():
        theirs = parse_object(live.get(key, ""))
        merged[key] = {**theirs, **value} if isinstance(value, Mapping) else value
        if key == NOTIFICATION and not ours_to_enable(value) and theirs.get("Recipients"):
            merged[key]["Enabled"] = theirs.get("Enabled", value.get("Enabled"))
    for member, former in (dropped or {}).items():
        merged[NOTIFICATION].pop(member, None)
        if former is not None:
            merged[NOTIFICATION][member] = former
        if member == "Recipients":
            merged[NOTIFICATION]["Enabled"] = former is not None
    return to_graph(merged)


# --- lifecycle ---------------------------------------------------------------------------------------------


def live_settings(operation: Operation, service_principal: str) -> dict[str, str] | None:
    """What is set now, None without a service principal. Call: GET secrets."""
    answer = operation.read_surely(calls.get_secrets(service_principal))
    return None if answer is None else settings_by_key(answer)


def scope_shrinks(operation: Operation, props: Properties, before: Sequence[Mapping[str, Any]]) -> None:
    """Restart the job where the scope was everybody and is the assigned people now: else that has no effect.

    Only with everybody assigned who is configured: whoever is not would be deleted in the target.

    Calls: none as a rule; else GET jobs, GET appRoleAssignedTo, POST jobs/{id}/restart.

    Args:
        operation: in the source.
        props: the settings as they are now, and who is to be assigned.
        before: the settings as the state and as the tenant had them; after a crash only one of them knows.
    """
    service_principal, wanted = props["servicePrincipalId"], props["settings"]
    if wanted["SyncAll"] != "false" or not any(settings.get("SyncAll") == "true" for settings in before):
        return
    job = job_of_template(operation.send(calls.list_jobs(service_principal)))
    if job is None:
        return
    ready = schedule_state(job) == ACTIVE and not quarantine_reason(job)
    if not ready or not all_assigned(operation, service_principal, props.get("assigned")):
        why = "not everybody who is configured is assigned yet" if ready else "it does not run now"
        tell(
            "the scope was everybody (SyncAll) and is the assigned users and groups again. That has no effect before "
            f"the job is restarted; {why}. `xtsync restart` does it, which removes everybody else from the target",
            severity=WARNING,
        )
        return
    operation.send(calls.restart_job(service_principal, str(job["id"]), calls.RESTART))
    tell(
        "the scope was everybody (SyncAll) and is the assigned users and groups again. The job is restarted for that "
        "to have effect: everybody else leaves the target, within xtsync:deletionThreshold",
        severity=WARNING,
    )


def all_assigned(operation: Operation, service_principal: str, wanted: Any) -> bool:
    """Whether all of them are assigned, by several looks: one replica may still know an assignment that is gone."""
    if not wanted:
        return False
    call = calls.list_assignments(service_principal)
    looks = ({str(one.get("principalId")) for one in operation.pages(call)} for _ in range(ASSIGNED_READS))
    return all(set(wanted) <= found for found in looks)


def adopting(before: Mapping[str, str], wanted: Mapping[str, Any]) -> list[str]:
    """Old -> new, for what adopting settings changes of those that are there."""
    lines = []
    sent = with_others(wanted, before)
    for key, value in sent.items():
        old, new = parse_object(before.get(key, "")), parse_object(value)
        if key == NOTIFICATION and old:
            lines += [
                f"{name}: {json.dumps(old.get(name))} -> {json.dumps(new[name])}"
                for name in sorted(new)
                if old.get(name) != new[name]
            ]
        elif before.get(key) not in (None, value, MASK):
            lines.append(f"{key}: {json.dumps(before[key])} -> {json.dumps(value)}")
    return lines


def protection_weakens(before: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    """Whether adopting settings lets a cycle delete more people than before."""
    old, new = deletion_threshold(before), deletion_threshold(with_others(wanted, before))
    return old is not None and (new is None or new > old)


def was_everybody(service_principal: str) -> str:
    """The name under which this process remembers that it found the scope to be everybody."""
    return f"scope of {service_principal} was everybody"


class SyncSecretsProvider(TenantResourceProvider):
    """Owns the configured settings."""

    replace_keys = ("servicePrincipalId",)

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Accept; say who leaves the scope, and what becomes of them."""
        leaving = sorted(set(olds.get("assigned") or ()) - set(news["assigned"]))
        if leaving:
            tell(
                f"{len(leaving)} of the users and groups in scope {'leave' if len(leaving) > 1 else 'leaves'} it: "
                f"{', '.join(leaving)}. Their people are removed from the target with the next cycle of a job that "
                "runs (restorable there for 30 days), within xtsync:deletionThreshold; flowTypes without delete keeps "
                "them",
                severity=WARNING,
            )
        return CheckResult(news, [])

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        """As usual; who is to be assigned is known to this resource but is no part of it."""
        if all(not is_unknown(news.get(key)) and olds.get(key) == news.get(key) for key in COMPARED):
            return DiffResult(changes=False)
        return super().diff(id_, olds, news)

    def create(self, props: Properties) -> CreateResult:
        """Save them. Call: PUT secrets.

        What is there is known where this very process has just looked, else it is read: GET secrets.
        """
        operation, id_ = self.operation(), props["servicePrincipalId"]
        before = SynchronizationBaseline.parse(props["baseline"]).settings or {}
        if before:
            lines = adopting(before, props["settings"]) or ["they are as configured"]
            tell(f"adopts the existing synchronization settings: {'; '.join(lines)}")
            if protection_weakens(before, props["settings"]):
                tell(
                    "a cycle may delete more people than before: set xtsync:deletionThreshold to "
                    f"{deletion_threshold(before)} to keep the protection as it was",
                    severity=WARNING,
                )
        live = before if operation.client.made_here(id_) else live_settings(operation, id_) or {}
        operation.send(calls.put_secrets(id_, with_others(props["settings"], live)), *calls.SERVICE_PRINCIPAL_SETTLES)
        if "true" in (before.get("SyncAll"), live.get("SyncAll")):
            operation.client.remember_made(was_everybody(id_))
            tell(
                "the scope was everybody (SyncAll) and is to be the assigned users and groups. The job keeps everybody "
                "until it is restarted: check the scope with `xtsync doctor`, then `xtsync restart`, which removes "
                "everybody else from the target",
                severity=WARNING,
            )
        return CreateResult(f"{id_}/secrets", props)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See our settings. Call: GET secrets."""
        live = live_settings(self.operation(), props["servicePrincipalId"])
        if live is None:
            return ReadResult("", {})
        outputs = {**props, "settings": from_graph(props["settings"], live)}
        known = {"assigned": stored_inputs().get("assigned", props.get("assigned"))}
        return ReadResult(id_, outputs, {**inputs_of(outputs, INPUTS), **known})

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Save them again, whole; a member that is dropped gets its former value. Calls: GET, PUT secrets."""
        operation, service_principal = self.operation(), news["servicePrincipalId"]
        live = live_settings(operation, service_principal) or {}
        before = SynchronizationBaseline.parse(news["baseline"]).settings or {}
        former = parse_object(before.get(NOTIFICATION, ""))
        gone = set(olds["settings"].get(NOTIFICATION) or ()) - set(news["settings"][NOTIFICATION])
        dropped = {member: former.get(member) for member in gone}
        operation.send(calls.put_secrets(service_principal, with_others(news["settings"], live, dropped)))
        scope_shrinks(operation, news, (olds["settings"], live))
        return UpdateResult(news)

    def delete(self, _id: str, props: Properties) -> None:
        """Put former settings back (GET, PUT secrets); without any they go with the service principal."""
        before = SynchronizationBaseline.parse(props["baseline"]).settings or {}
        operation, service_principal = self.operation(), props["servicePrincipalId"]
        if not any(value != MASK for value in before.values()):
            return
        live = live_settings(operation, service_principal)
        if live is not None:
            operation.send(calls.put_secrets(service_principal, restored(props["settings"], before, live)))


def restored(ours: Mapping[str, Any], before: Mapping[str, str], live: Mapping[str, str]) -> dict[str, str]:
    """What to send at the end: former values of ours, nothing for those that were not there, others' as they are."""
    former = {key: before.get(key, "") for key in ours}
    return {key: value for key, value in {**live, **former}.items() if value != MASK}


SYNC_SECRETS = SyncSecretsProvider()


# --- resource ----------------------------------------------------------------------------------------------


class SyncSecrets(TenantResource):
    """The settings of the synchronization.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        settings: by key, see `settings_for`; a nested object becomes JSON text.
        baseline: `ServicePrincipal.baseline`.
        assigned: object ids of the users and groups that are to be in scope.
        depends_on: the job.
    """

    provider_reference = ("sync_secrets", "SYNC_SECRETS")

    def __init__(
        self,
        name: str,
        home: Home,
        service_principal_id: pulumi.Input[str],
        settings: Mapping[str, Any],
        baseline: pulumi.Output[str],
        assigned: Sequence[str],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {
            "servicePrincipalId": service_principal_id,
            "settings": settings,
            "baseline": baseline,
            "assigned": list(assigned),
        }
        super().__init__(name, home, inputs, depends_on=depends_on)
