"""SyncSecrets: the settings of the synchronization, which Graph calls secrets.

None of them is secret here: cross-tenant synchronization has no credential, trust is by policy. They are
compared key by key; what Graph masks or adds, and keys of others, are left alone.

Source: https://learn.microsoft.com/graph/api/synchronization-serviceprincipal-put-synchronization
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from .. import records
from ..graph.consistency import SERVICE_PRINCIPAL_SETTLES
from ..graph.errors import RefusedError
from ..pulumi_runtime.engine import WARNING, report
from ..pulumi_runtime.half_made import kept_if_written
from ..pulumi_runtime.provider import (
    HOME,
    CheckResult,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    is_preview,
    is_unknown,
)
from ..pulumi_runtime.tenant_resource import Home, TenantResource
from . import calls
from .model import (
    MASK,
    NOTIFICATION,
    adopting,
    deletion_threshold,
    from_graph,
    parse_object,
    protection_weakens,
    raises_threshold,
    restored,
    sync_all,
    to_graph,
    with_others,
    with_threshold_of,
)
from .operations import job_that_holds, live_settings, refuse_to_release

if TYPE_CHECKING:
    from ..graph.operation import Operation

# For one run only: how many deletions that are held back may be made, and whose settings the last run has left.
MAY_DELETE, BEFORE = "mayDelete", "before"
INPUTS = (HOME, "servicePrincipalId", "settings", "found")
KEPT_EVERYBODY = (
    "the scope was everybody (SyncAll) and is to be the assigned users and groups. The job keeps everybody until it is "
    "restarted: check the scope with `xtsync doctor`, then `xtsync restart`, which removes everybody else from the "
    "target"
)

THRESHOLD_STAYS = (
    "the deletion threshold stays as it is, and does not become what it was before this stack: the job holds deletions "
    "back, and a higher one would let them go. Set it in the portal once that is decided"
)


# --- provider ----------------------------------------------------------------------------------------------


def refuse_unseen_everybody(operation: Operation, known: Mapping[str, Any], live: Mapping[str, str]) -> None:
    """Do not narrow a scope that somebody has made everybody, where no preview has shown it.

    Raises:
        RefusedError: the state does not know yet that it is everybody.
    """
    if sync_all(live) and not sync_all(known):
        raise RefusedError(
            f"Will not change the synchronization settings in {operation.tenant}",
            "somebody has made everybody the scope (SyncAll) since; with the assigned users and groups as the scope "
            "again, everybody else leaves the target, which no preview has shown",
            "run `pulumi refresh --diff`, look at the preview, then `pulumi up`",
        )


class SyncSecretsProvider(TenantResourceProvider):
    """Owns the configured settings."""

    replace_keys = ("servicePrincipalId",)
    for_this_run = (MAY_DELETE, BEFORE)

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Accept; what was found first stays: a job that is taken over again is found with our own settings.

        Before a create, says what is adopted. Calls: those of `refuse_to_release`; GET secrets of what is made anew.

        Raises:
            RefusedError: the settings would let deletions go that the job holds back.
        """
        if not olds:
            self.announce(news)
        service_principal = news["servicePrincipalId"]
        same = olds.get("servicePrincipalId") == service_principal
        # Of a resource that is made anew the engine shows nothing of before: the program does.
        if service_principal == (olds.get("servicePrincipalId") if olds else news.get(BEFORE)):
            known = to_graph(olds["settings"]) if olds else (live_settings(self.operation(), service_principal) or {})
            most = news.get(MAY_DELETE) or 0
            if let_go := refuse_to_release(self.operation, service_principal, known, news["settings"], most):
                report(let_go, severity=WARNING)
        return CheckResult({**news, **({"found": olds["found"]} if same else {})}, [])

    def announce(self, props: Properties) -> None:
        """Say in a preview what a create adopts. Call: GET secrets, where the service principal is there already.

        Where the job is there already, it has noted what it found.
        """
        service_principal, found = props["servicePrincipalId"], props["found"]
        if is_unknown(service_principal) or not is_preview(props):
            return
        former = live_settings(self.operation(), service_principal) if is_unknown(found) else records.parse(found)
        announce_adoption(former or {}, props["settings"])

    def create(self, props: Properties) -> CreateResult:
        """Save them. Calls: PUT secrets; where a job was there before, GET secrets.

        Raises:
            Partial: they may be saved all the same, so whoever drops them puts back what was there.
        """
        operation, service_principal = self.operation(), props["servicePrincipalId"]
        outputs = {**props, "former": props["found"]}
        former = former_settings(outputs)
        live = (live_settings(operation, service_principal) or {}) if former else {}
        announce_adoption(former, props["settings"])
        body = with_others(props["settings"], live)
        id_ = f"{service_principal}/secrets"
        if sync_all(former) or sync_all(live):
            report(KEPT_EVERYBODY, severity=WARNING)
        with kept_if_written(operation, id_, lambda: outputs):
            operation.send(calls.put_secrets(service_principal, body), *SERVICE_PRINCIPAL_SETTLES)
        return CreateResult(id_, outputs)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See our settings. Call: GET secrets."""
        live = live_settings(self.operation(), props["servicePrincipalId"])
        if live is None:
            return ReadResult("", {})
        outputs = {**props, "settings": from_graph(props["settings"], live)}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Save them again, whole; a member that is dropped gets its former value. Calls: GET, PUT secrets.

        What was there at first stays remembered: what is found with another job are our own.

        Raises:
            Partial: they may be saved all the same; the next `pulumi up` saves them again, or what was before.
        """
        operation, service_principal = self.operation(), news["servicePrincipalId"]
        live = live_settings(operation, service_principal) or {}
        refuse_unseen_everybody(operation, olds["settings"], live)
        # `check` has looked at what the state knows; no preview has shown what somebody has changed since.
        if deletion_threshold(live) != deletion_threshold(to_graph(olds["settings"])):
            refuse_to_release(lambda: operation, service_principal, live, news["settings"], allowed=None)
        former = parse_object(former_settings(olds).get(NOTIFICATION, ""))
        gone = set(olds["settings"].get(NOTIFICATION) or ()) - set(news["settings"][NOTIFICATION])
        dropped = {member: former.get(member) for member in gone}
        outputs = {**news, "former": olds["former"]}
        both = {**news["settings"], **olds["settings"]}
        both[NOTIFICATION] = {**news["settings"][NOTIFICATION], **(olds["settings"].get(NOTIFICATION) or {})}
        with kept_if_written(operation, id_, lambda: {**outputs, "settings": both}):
            operation.send(calls.put_secrets(service_principal, with_others(news["settings"], live, dropped)))
        return UpdateResult(outputs)

    def delete(self, _id: str, props: Properties) -> None:
        """Put former settings back; without any they go with the service principal.

        Calls: GET, PUT secrets; GET jobs where the former threshold is higher, which waits for what is held back.
        """
        former = former_settings(props)
        operation, service_principal = self.operation(), props["servicePrincipalId"]
        if not any(value != MASK for value in former.values()):
            return
        live = live_settings(operation, service_principal)
        if live is None:
            return
        body = restored(props["settings"], former, live)
        if raises_threshold(live, body) and job_that_holds(operation, service_principal) is not None:
            body = with_threshold_of(live, body)
            report(THRESHOLD_STAYS, severity=WARNING)
        operation.send(calls.put_secrets(service_principal, body))


def former_settings(properties: Mapping[str, Any]) -> dict[str, str]:
    """The settings that were there before, by key."""
    found: dict[str, str] = records.parse(properties["former"])
    return found


def announce_adoption(former: Mapping[str, str], wanted: Mapping[str, Any]) -> None:
    """Say what becomes of settings that were there before, in a preview as when it is done; nothing without any."""
    if not former:
        return
    lines = adopting(former, wanted) or ["they are as configured"]
    report(f"adopts the existing synchronization settings: {'; '.join(lines)}")
    if protection_weakens(former, wanted):
        report(
            "a cycle may delete more people than before: set xtsync:deletionThreshold to "
            f"{deletion_threshold(former)} to keep the protection as it was",
            severity=WARNING,
        )


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
        may_delete: how many deletions that are held back this run may let go.
        before: its outputs as the last run left them; empty where there are none.
        depends_on: the job.
    """

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        service_principal_id: pulumi.Input[str],
        settings: Mapping[str, Any],
        found: pulumi.Input[str],
        may_delete: int,
        before: Mapping[str, Any],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {
            "servicePrincipalId": service_principal_id,
            "settings": settings,
            "found": found,
            MAY_DELETE: may_delete,
            BEFORE: before.get("servicePrincipalId"),
        }
        super().__init__(name, home, inputs, computed=["former"], depends_on=depends_on)
