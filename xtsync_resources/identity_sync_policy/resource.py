"""IdentitySyncPolicy: the `crossTenantIdentitySyncPolicyPartner` that lets people in, in the target.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pulumi

from .. import records
from ..assignments.operations import listed
from ..directory.accounts import accounts_with
from ..graph.consistency import PARTNER_APPEARS
from ..graph.errors import ConflictError, NotFoundError, XtsyncError
from ..graph.permissions import READ_USERS
from ..partner_policy.adoption import to_be_adopted
from ..partner_policy.base_provider import PolicyProvider
from ..partner_policy.model import Baseline, Json
from ..partner_policy.open_doors import doors_of_sync, report_changes, report_open_doors
from ..partner_policy.restore import restore_identity_sync
from ..pulumi_runtime.engine import report
from ..pulumi_runtime.half_made import kept_if_written
from ..pulumi_runtime.provider import (
    HOME,
    CheckResult,
    CreateResult,
    Properties,
    ReadResult,
    UpdateResult,
    inputs_of,
    is_preview,
)
from ..pulumi_runtime.tenant_resource import Home, TenantResource
from . import calls
from .model import (
    MANAGED,
    closed_by_us,
    differing,
    group_values_before,
    live_values,
    made_by_us,
    managed_values,
    permissions_of,
    sync_values,
)

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..partner_policy.baseline import PartnerBaseline

# Of a preview only: `check` says what it finds by it.
NEWCOMERS = "newcomers"
MATCH_SECONDS = 30.0
INPUTS = (HOME, "tenantId", *MANAGED, "baseline", "groupBaseline")


# --- provider ----------------------------------------------------------------------------------------------


def write_or_create(
    operation: Operation,
    partner: str,
    wanted: Mapping[str, Any],
    live: Json | None,
    written: Mapping[str, Any] | None = None,
) -> None:
    """Create the policy, or change the one that is there.

    Graph's PUT and PATCH each refuse the other's case, and reads may be late: each refusal leads to the other call.

    Calls: PUT or PATCH partners/{id}/identitySynchronization (Policy.ReadWrite.CrossTenantAccess).
    """
    create = calls.create_identity_sync(partner, wanted)
    body = wanted if live is None else differing(live, wanted, written)
    there = live is not None
    if not body:
        return

    def attempt() -> bool | None:
        nonlocal there, body
        try:
            if there:
                operation.send(calls.update_identity_sync(partner, body))
            else:
                operation.send(create, PARTNER_APPEARS)
        except ConflictError:
            there, body = True, wanted
        except NotFoundError:
            there = False
        else:
            return True
        return None

    why = "waiting until Graph either creates it or changes it"
    operation.poll(attempt, create, why, calls.IDENTITY_SYNC_IN_THE_WAY)


class IdentitySyncPolicyProvider(PolicyProvider):
    """Owns the identity sync policy, or its configured members where it was there before."""

    for_this_run = (NEWCOMERS,)

    def describe_remains(self, properties: Mapping[str, Any]) -> str:
        """The policy, and who came by it."""
        partner = properties["tenantId"]
        return f"the identity sync policy that lets {partner} synchronize people in, and the people who came by it"

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Accept; before a create, say what is adopted. Reads only in a preview."""
        if not olds:
            self.announce(news)
        else:
            report_changes(self.settings.tenant, olds, permissions_of(news))
        if NEWCOMERS in news:
            self.report_matches(news[NEWCOMERS])
        return CheckResult(news, [])

    def report_matches(self, newcomers: Mapping[str, Any]) -> None:
        """Say which accounts exist already that people who come may be matched with; what fails here fails no preview.

        Call: POST $batch of GET users (User.Read.All), where somebody comes.
        """
        tenant, mails, unread = self.settings.tenant, newcomers["mails"], [*newcomers["unread"]]
        found: list[str] | None = []
        try:
            found = accounts_with(self.client().operation(MATCH_SECONDS), mails) if mails else []
        except XtsyncError as error:
            unread.append(error.why)
        if found is None:
            unread.append(f"that takes {READ_USERS} in {tenant.name}")
        if unread:
            partly = " for all of them" if found is not None and mails else ""
            report(
                f"whether {tenant.name} has accounts already of people who come was not looked at{partly}: "
                f"{'; '.join(unread)}"
            )
        if found:
            count = "1 account" if len(found) == 1 else f"{len(found)} accounts"
            some = f" (of the first {len(mails)} people who were looked at)" if newcomers["leftOut"] else ""
            report(
                f"{tenant.name} has {count} already with mail addresses of people who come{some}, whom the job may "
                f"match: {listed(found)}"
            )

    def announce(self, props: Properties) -> None:
        """Say what a create adopts, with old -> new."""
        policy = to_be_adopted(
            self,
            props,
            calls.get_identity_sync(props["tenantId"], groups=calls.GROUP_SYNC in props),
            lambda baseline: baseline.identity_sync,
            f"an identity sync policy for {props['tenantId']}",
        )
        wanted = managed_values(props)
        if is_preview(props):  # once is enough
            report_changes(self.settings.tenant, policy or {}, permissions_of(wanted))
        if policy is not None:
            live = live_values(policy, groups=calls.GROUP_SYNC in wanted)
            lines = [
                f"{name}: {json.dumps(live[name])} -> {json.dumps(value)}"
                for name, value in differing(policy, wanted).items()
            ]
            report(f"adopts the existing identity sync policy: {'; '.join(lines) or 'it is as configured'}")

    def create(self, props: Properties) -> CreateResult:
        """Make it so. Calls: GET, then PUT, or PATCH where it is there."""
        baseline = Baseline.parse(props["baseline"])
        operation, partner, wanted = self.operation(), props["tenantId"], managed_values(props)
        look = calls.get_identity_sync(partner, groups=calls.GROUP_SYNC in wanted)
        was = baseline.identity_sync
        if was is not None:
            # The baseline may be old: what it saw can have been changed or deleted since.
            live = operation.read_settled(look)
        else:
            live = operation.read(look)
            if live is not None and not made_by_us(live, wanted) and not closed_by_us(live, wanted):
                report("adopts an identity sync policy that was made after this stack first looked")
                was = live
        former = records.text(None if was is None else live_values(was, groups=False))
        outputs = {**props, "former": former}
        with nullcontext() if was is None else kept_if_written(operation, partner, lambda: outputs):
            write_or_create(operation, partner, wanted, live)
        return CreateResult(partner, outputs)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See the managed members. Call: GET identitySynchronization (Policy.Read.All)."""
        groups = calls.GROUP_SYNC in props
        live = self.operation().read_settled(calls.get_identity_sync(id_, groups=groups))
        if live is None:
            return ReadResult("", {})
        outputs = {**props, **live_values(live, groups=groups)}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Change it. Calls: GET, PATCH (or PUT where it has vanished)."""
        operation = self.operation()
        # A stale 404 would lead to PUT, which may replace what others have set.
        wanted = {**group_values_before(olds), **managed_values(news)}
        live = operation.read_settled(calls.get_identity_sync(id_, groups=calls.GROUP_SYNC in wanted))
        with kept_if_written(operation, id_, lambda: {**news, **olds}):
            write_or_create(operation, id_, wanted, live, managed_values(olds))
        return UpdateResult({**news, "former": olds["former"]})

    def delete(self, id_: str, props: Properties) -> None:
        """Delete it, or put former values back. Calls: see `restore_identity_sync`; or GET and PATCH."""
        if self.leaves("the identity sync policy"):
            return
        operation = self.operation()
        former = records.parse(props["former"])
        if former is None:
            restore_identity_sync(operation, id_, managed_values(props))
            return
        former |= group_values_before(props)
        live = operation.read_settled(calls.get_identity_sync(id_, groups=calls.GROUP_SYNC in former))
        body = {} if live is None else differing(live, former, managed_values(props))
        report_open_doors(operation.tenant, id_, [] if live is None else doors_of_sync(former))
        if body:
            operation.send(calls.update_identity_sync(id_, body))


IDENTITY_SYNC_POLICY = IdentitySyncPolicyProvider()


# --- resource ----------------------------------------------------------------------------------------------


class IdentitySyncPolicy(TenantResource):
    """Lets the source synchronize people into the target.

    Args:
        name: the resource's name.
        home: the target.
        tenant_id: the source's tenant id.
        display_name: shown in the target's list of organisations that synchronize.
        baseline: of the target.
        groups: whether group objects may be synchronized too; False leaves that as it is.
        depends_on: the target's partner policy.
        newcomers: for a preview, `mails` of people who come into scope, why some are `unread`, whether some are
            `leftOut`; None where nobody comes.
    """

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        tenant_id: str,
        display_name: str,
        baseline: PartnerBaseline,
        groups: bool,
        depends_on: Sequence[pulumi.Resource],
        newcomers: Mapping[str, Any] | None = None,
    ) -> None:
        inputs = {
            "tenantId": tenant_id,
            **sync_values(display_name, groups),
            "baseline": baseline.baseline,
            **({"groupBaseline": baseline.group_baseline} if groups else {}),
        }
        if pulumi.runtime.is_dry_run() and newcomers:
            inputs[NEWCOMERS] = newcomers
        # A record is right only where nothing of ours is there: who relies on one is replaced with it.
        options = pulumi.ResourceOptions(replace_with=[baseline])
        super().__init__(name, home, inputs, computed=["former"], depends_on=depends_on, options=options)
