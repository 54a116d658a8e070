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

from . import records
from .graph import answers, calls
from .graph.errors import RefusedError
from .lifecycle import (
    HOME,
    WARNING,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    tell,
)
from .tenant_resource import Home, TenantResource

if TYPE_CHECKING:
    from .graph.operation import Operation

INPUTS = (HOME, "servicePrincipalId", "settings", "found")
NOTIFICATION = "SyncNotificationSettings"
MASK = "*"
# What the service uses where the threshold is on without a value.
DEFAULT_THRESHOLD = 500
KEPT_EVERYBODY = (
    "the scope was everybody (SyncAll) and is to be the assigned users and groups. The job keeps everybody until it is "
    "restarted: check the scope with `xtsync doctor`, then `xtsync restart`, which removes everybody else from the "
    "target"
)


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


def settings_by_key(answer: Mapping[str, Any]) -> dict[str, str]:
    """From Graph: the settings by key; sensitive ones are `*`."""
    return {item["key"]: item.get("value") or "" for item in answer.get("value") or ()}


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


def refuse_unseen_everybody(operation: Operation, known: Mapping[str, Any], live: Mapping[str, str]) -> None:
    """Do not narrow a scope that somebody has made everybody, where no preview has shown it.

    Raises:
        RefusedError: the state does not know yet that it is everybody.
    """
    if live.get("SyncAll") == "true" and known.get("SyncAll") != "true":
        raise RefusedError(
            f"Will not change the synchronization settings in {operation.tenant}",
            "somebody has made everybody the scope (SyncAll) since; with the assigned users and groups as the scope "
            "again, everybody else leaves the target, which no preview has shown",
            "run `pulumi refresh`, look at the preview, then `pulumi up`",
        )


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


class SyncSecretsProvider(TenantResourceProvider):
    """Owns the configured settings."""

    replace_keys = ("servicePrincipalId",)

    def create(self, props: Properties) -> CreateResult:
        """Save them. Calls: PUT secrets; where a job was there before, GET secrets."""
        operation, service_principal = self.operation(), props["servicePrincipalId"]
        outputs = {**props, "former": props["found"]}
        former = former_settings(outputs)
        live = (live_settings(operation, service_principal) or {}) if former else {}
        if former:
            announce_adoption(former, props["settings"])
        body = with_others(props["settings"], live)
        operation.send(calls.put_secrets(service_principal, body), *calls.SERVICE_PRINCIPAL_SETTLES)
        if "true" in (former.get("SyncAll"), live.get("SyncAll")):
            tell(KEPT_EVERYBODY, severity=WARNING)
        return CreateResult(f"{service_principal}/secrets", outputs)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See our settings. Call: GET secrets."""
        live = live_settings(self.operation(), props["servicePrincipalId"])
        if live is None:
            return ReadResult("", {})
        outputs = {**props, "settings": from_graph(props["settings"], live)}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Save them again, whole; a member that is dropped gets its former value. Calls: GET, PUT secrets.

        What was there at first stays remembered: what is found with another job are our own.
        """
        operation, service_principal = self.operation(), news["servicePrincipalId"]
        live = live_settings(operation, service_principal) or {}
        refuse_unseen_everybody(operation, olds["settings"], live)
        former = parse_object(former_settings(olds).get(NOTIFICATION, ""))
        gone = set(olds["settings"].get(NOTIFICATION) or ()) - set(news["settings"][NOTIFICATION])
        dropped = {member: former.get(member) for member in gone}
        operation.send(calls.put_secrets(service_principal, with_others(news["settings"], live, dropped)))
        return UpdateResult({**news, "former": olds["former"]})

    def delete(self, _id: str, props: Properties) -> None:
        """Put former settings back (GET, PUT secrets); without any they go with the service principal."""
        former = former_settings(props)
        operation, service_principal = self.operation(), props["servicePrincipalId"]
        if not any(value != MASK for value in former.values()):
            return
        live = live_settings(operation, service_principal)
        if live is not None:
            operation.send(calls.put_secrets(service_principal, restored(props["settings"], former, live)))


def former_settings(properties: Mapping[str, Any]) -> dict[str, str]:
    """The settings that were there before, by key."""
    found: dict[str, str] = records.parse(properties["former"])
    return found


def was_everybody(found: str) -> bool | None:
    """Whether the settings that were found had everybody in scope; None where they had not, or there were none."""
    return True if records.parse(found).get("SyncAll") == "true" else None


def announce_adoption(former: Mapping[str, str], wanted: Mapping[str, Any]) -> None:
    """Say what becomes of settings that were there before."""
    lines = adopting(former, wanted) or ["they are as configured"]
    tell(f"adopts the existing synchronization settings: {'; '.join(lines)}")
    if protection_weakens(former, wanted):
        tell(
            "a cycle may delete more people than before: set xtsync:deletionThreshold to "
            f"{deletion_threshold(former)} to keep the protection as it was",
            severity=WARNING,
        )


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
        found: `SyncJob.found_settings`.
        depends_on: the job.
    """

    def __init__(
        self,
        name: str,
        home: Home,
        service_principal_id: pulumi.Input[str],
        settings: Mapping[str, Any],
        found: pulumi.Input[str],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {
            "servicePrincipalId": service_principal_id,
            "settings": settings,
            "found": found,
        }
        super().__init__(name, home, inputs, computed=["former"], depends_on=depends_on)
