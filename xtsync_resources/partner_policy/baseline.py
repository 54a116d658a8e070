"""PartnerBaseline: what a tenant had for the partner before this stack touched anything.

A record, made before the first write and kept in state. It is what makes adoption, restoring and crashes
safe: whoever finds a partner policy later can tell from it whether the stack made it (and lost its answer,
or was killed before the state was saved) or whether it was there. One read for each tenant is its price.

Deleting the record is the last act in a tenant: it verifies that the tenant is as it was found, and cleans up
what a killed run left behind without an entry in the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from .. import records
from ..application.orphans import configurations, remove_orphans
from ..graph.errors import ForbiddenError
from ..identity_sync_policy.calls import GROUP_SYNC, get_identity_sync
from ..pulumi_runtime.engine import WARNING, report
from ..pulumi_runtime.provider import (
    HOME,
    CheckResult,
    CreateResult,
    Properties,
    ReadResult,
    UpdateResult,
    another_pair,
    inputs_of,
)
from ..pulumi_runtime.tenant_resource import Home, TenantResource
from . import calls
from .adoption import refuse_to_adopt
from .base_provider import PolicyProvider
from .capabilities import Capabilities, capabilities
from .model import (
    COMPLEX_VALUES,
    CONSENT,
    OPPOSITE,
    REDEMPTION,
    USER_SYNC,
    Baseline,
    Json,
    Values,
    comparable,
    leaf,
    live_values,
    settings_of,
    with_values,
    without_annotations,
)
from .restore import delete_partner_policy, restore_identity_sync, restore_partner

if TYPE_CHECKING:
    from ..graph.operation import Operation

INPUTS = (HOME, "tenantId", "groups", "planned")
IDENTITY_SYNC = "identitySynchronization"
APPLICATION = "application"


# --- provider ----------------------------------------------------------------------------------------------


def look(operation: Operation, partner: str, groups: bool) -> tuple[Baseline, Json | None]:
    """See what is there. Calls: GET partners/{id}, and GET identitySynchronization if there is a partner.

    Least permission: Policy.Read.All.

    Returns:
        What was found, and (with `groups`) what it says about the synchronization of groups.
    """
    found = operation.read(calls.get_partner(partner))
    sync = operation.read(get_identity_sync(partner, groups=groups)) if found is not None else None
    baseline = Baseline(
        None if found is None else without_annotations(found),
        None if sync is None else without_annotations(sync),
    )
    return baseline, (sync or {}).get(GROUP_SYNC)


def clean_up(operation: Operation, partner: str, baseline: Baseline, planned: Json) -> None:
    """Make sure the tenant's policies are as they were found. After an orderly destroy this only reads.

    Only a run killed between a write and the saving of the state leaves something here. What is there is taken for
    its work if it is exactly what this stack was to write, and nothing besides; anything else somebody made by hand
    after this stack first looked, and it is left alone.

    Args:
        operation: where.
        partner: the partner's tenant id.
        baseline: what was there at first.
        planned: what this stack was to write, by property.
    """
    live = operation.read_settled(calls.get_partner(partner))
    if live is None:
        return
    side, first = operation.tenant.side, baseline.partner or {}
    ours: Values = {name: planned[name] for name in COMPLEX_VALUES if name in planned}
    if side == "target" and baseline.identity_sync is None:
        sync = operation.read_settled(get_identity_sync(partner))
        if sync is not None:
            if as_planned(sync, planned):
                restore_identity_sync(operation, partner, planned[IDENTITY_SYNC])
            elif leaf(sync, USER_SYNC, "isSyncAllowed") is True:
                left_alone(operation, "an identity sync policy")
                return
    former = live_values(first, ours)
    as_written = comparable(settings_of(live)) == comparable(settings_of(with_values(first, ours)))
    flag = REDEMPTION[side]
    if as_written and comparable(live_values(live, ours)) != comparable(former):
        restore_partner(operation, partner, ours, former, {} if baseline.partner is None else None, baseline)
    elif leaf(live, CONSENT, flag) is True and leaf(first, CONSENT, flag) is not True:
        left_alone(operation, "a partner policy")
    elif baseline.partner is None and not settings_of(live):
        # Emptied by a run of the other direction at the same time; or left for what others keep in it, as was said.
        alone = operation.read(get_identity_sync(partner)) is None
        if alone and capabilities(operation, partner) is Capabilities.NONE:
            delete_partner_policy(operation, partner)


def as_planned(sync: Json, planned: Json) -> bool:
    """Whether an identity sync policy is what this stack was to make."""
    ignored = ("deletedDateTime", GROUP_SYNC)  # not everything is in every version
    said, wanted = (
        {name: value for name, value in settings_of(one).items() if name not in ignored}
        for one in (sync, planned.get(IDENTITY_SYNC) or {})
    )
    return bool(comparable(said) == comparable(wanted))


def left_alone(operation: Operation, what: str) -> None:
    """Say that something stays."""
    report(
        f"{what} of this pair stays in {operation.tenant}: it was made after this stack first looked, and is not what "
        "this stack was to make. Look at it in the portal, and remove it there if nobody needs it",
        severity=WARNING,
    )


class PartnerBaselineProvider(PolicyProvider):
    """Keeps the record."""

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Refuse another partner: the objects of this stack in the old one would stay as they are.

        Everything else of the stack comes after the baselines, so this stops a run before its first write.
        """
        if olds and olds["tenantId"] != news["tenantId"]:
            raise another_pair(olds["tenantId"], OPPOSITE[self.settings.tenant.side], news["tenantId"])
        return CheckResult(news, [])

    def create(self, props: Properties) -> CreateResult:
        """Look, and remember; in the source also which configurations there are. Refuses under `onExisting: fail`."""
        partner = props["tenantId"]
        operation = self.operation()
        baseline, groups = look(operation, partner, bool(props.get("groups")))
        joined = baseline.may_be_joined(operation.tenant.side)
        if baseline.partner is not None and self.settings.on_existing == "fail" and not joined:
            raise refuse_to_adopt(f"a partner policy for {partner}", operation.tenant, settings_of(baseline.partner))
        outputs: Properties = {"baseline": baseline.text(), "groupBaseline": records.text(groups)}
        # Without the permission the run goes on. Any other failure ends it while nothing is made yet: what was there
        # before could not be told later.
        others = configurations(operation, ForbiddenError) if operation.tenant.side == "source" else None
        if others is not None:
            outputs["configurations"] = sorted(str(one.get("appId")) for one in others)
        return CreateResult(partner, {**props, **outputs})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """A memory does not drift; no call."""
        return ReadResult(id_, props, inputs_of(props, INPUTS))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """What was found at first stays remembered; groups are looked at before they are managed for the first time.

        Call: none, or GET identitySynchronization.
        """
        remembered = inputs_of(olds, ("baseline", "groupBaseline", "configurations"))
        if news.get("groups") and not olds.get("groups"):
            sync = self.operation().read_settled(get_identity_sync(news["tenantId"], groups=True))
            remembered["groupBaseline"] = records.text((sync or {}).get(GROUP_SYNC))
        return UpdateResult({**news, **remembered})

    def delete(self, _id: str, props: Properties) -> None:
        """Verify that the tenant is as it was found."""
        planned = records.parse(props["planned"])
        if not self.settings.allow_second:
            clean_up(self.operation(), props["tenantId"], Baseline.parse(props["baseline"]), planned)
        if APPLICATION in planned:
            remove_orphans(self.operation(), planned[APPLICATION], props.get("configurations"))


BASELINE = PartnerBaselineProvider()


# --- resource ----------------------------------------------------------------------------------------------


class PartnerBaseline(TenantResource):
    """What a tenant had for the partner before.

    Args:
        name: the resource's name.
        home: the tenant.
        tenant_id: the partner's tenant id.
        planned: what this stack is to write at first, by property, and what it is to call its application.
        groups: whether the synchronization of groups is to be managed.

    Attributes:
        baseline: the partner policy and identity sync policy found, as JSON text.
        group_baseline: what the latter said of groups, as JSON text.
        configurations: application (client) ids of the configuration applications found, in the source; None where
            they could not be read.
    """

    baseline: pulumi.Output[str]
    group_baseline: pulumi.Output[str]
    configurations: pulumi.Output[list[str]]

    def __init__(self, name: str, home: Home, *, tenant_id: str, planned: Json, groups: bool = False) -> None:
        inputs = {
            "tenantId": tenant_id,
            "planned": records.text(planned),
            **({"groups": True} if groups else {}),
        }
        # What is written later is in the state of its own; only the first writes of a run that is killed are not.
        options = pulumi.ResourceOptions(ignore_changes=["planned"])
        computed = ["baseline", "group_baseline", "configurations"]
        super().__init__(name, home, inputs, computed=computed, options=options)
