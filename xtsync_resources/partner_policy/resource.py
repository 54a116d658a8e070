"""PartnerPolicy: the fields of a `crossTenantAccessPolicyConfigurationPartner` that the configuration names.

A tenant has ONE partner policy for each partner, shared by both directions and by everything else the
organisation does with that partner. So this resource owns fields, not the object: it reads, merges and
writes its own members only, never echoes an answer back, keeps null ("inherit the default") apart from false, and puts
former values back. `write.py` has how that is done while others write the same object.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pulumi

from .. import records
from ..application import multitenant_organization
from ..pulumi_runtime.engine import report
from ..pulumi_runtime.half_made import UNSEEN, kept_if_written
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
from .adoption import to_be_adopted
from .base_provider import PolicyProvider
from .model import (
    COMPLEX_VALUES,
    Baseline,
    Json,
    Values,
    changes,
    describe,
    inherited,
    live_values,
    plain,
    same,
    settings_of,
    with_values,
    without,
    without_annotations,
)
from .open_doors import doors_of_partner, report_changes, report_open_doors
from .restore import restore_partner
from .write import write_or_create

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from .baseline import PartnerBaseline

INPUTS = (HOME, "tenantId", *COMPLEX_VALUES, "baseline")


# --- wire form ---------------------------------------------------------------------------------------------


def managed_values(properties: Mapping[str, Any]) -> Values:
    """To Graph: the fields the configuration names, by complex value."""
    return {name: properties[name] for name in COMPLEX_VALUES if properties.get(name)}


def refreshed(properties: Mapping[str, Any], partner: Json) -> Properties:
    """From Graph: the resource's properties with the managed fields as they are now.

    Which fields are managed is remembered with their former values: a field that was found to be null is not
    among the properties any more, because Pulumi drops nulls.
    """
    live = live_values(partner, Ownership.of(properties).former)
    for name, members in live.items():
        for member, value in members.items():
            known = (properties.get(name) or {}).get(member)
            members[member] = known if same(known, value) else plain(value)
    return {**properties, **live}


@dataclass(frozen=True)
class Ownership:
    """What is remembered to put things back; kept in the resource's outputs as records.

    Attributes:
        former: the values the managed fields had before.
        as_created: the object as we created it, {} where that answer was lost, None where it was adopted.
        adopted: the object as it was found where the baseline did not know it, else None.
    """

    former: Values
    as_created: Json | None
    adopted: Json | None = None

    def outputs(self) -> Properties:
        """As kept in state."""
        parts = {"former": self.former, "asCreated": self.as_created, "adopted": self.adopted}
        return {name: records.text(part) for name, part in parts.items()}

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Ownership:
        """Read back what `outputs` wrote."""
        return cls(*(records.parse(properties[name]) for name in ("former", "asCreated", "adopted")))

    def baseline(self, recorded: Baseline) -> Baseline:
        """What was there before: as recorded, or as found where the record had missed it."""
        return recorded if self.adopted is None else Baseline(self.adopted, recorded.identity_sync)


# --- provider ----------------------------------------------------------------------------------------------


def create(operation: Operation, partner: str, wanted: Values, baseline: Baseline) -> Ownership:
    """Make the wanted fields so, in a new partner policy or in the one that is there.

    Calls: POST partners; where there is one already GET and PATCH (Policy.ReadWrite.CrossTenantAccess).
    """
    former = live_values(baseline.partner or {}, wanted)
    live = None if baseline.partner is None else operation.read_settled(calls.get_partner(partner))
    made = write_or_create(operation, partner, wanted, live)
    if made is None:
        return Ownership(former, None)
    if made.certain:
        return Ownership(inherited(former), without_annotations(made.partner))
    return ownership_of_found(made.partner, wanted, baseline)


def ownership_of_found(found: Json, wanted: Values, baseline: Baseline) -> Ownership:
    """Whose an object is that our creating call did not clearly make.

    It was there all along and the baseline says so; or a run of ours made it and could not say so, then it has our
    fields and nothing else; or somebody else made it after we looked.
    """
    first = live_values(baseline.partner or {}, wanted)
    if baseline.partner is not None:
        return Ownership(first, None)
    if changes(found, wanted):
        return Ownership(live_values(found, wanted), None, without_annotations(found))
    if not settings_of(without(found, wanted)):
        return Ownership(first, {})
    # All that is ours is there, with what others have set: a run of ours and others, rather than others alone.
    return Ownership(inherited(wanted), None, without_annotations(found))


def former_values(owned: Ownership, wanted: Values, live: Json) -> dict[str, dict[str, Any]]:
    """What the wanted fields had before.

    Of one that is new in the configuration that is what is there, also where it is the wanted value: somebody has set
    it by hand.
    """
    return {
        name: {member: owned.former.get(name, {}).get(member, value) for member, value in members.items()}
        for name, members in live_values(live, wanted).items()
    }


def nobody_knows(wanted: Values) -> Values:
    """What was written last where its end was not seen: nothing that is known, so that every field is sent."""
    return {name: dict.fromkeys(members, UNSEEN) for name, members in wanted.items()}


def update(
    operation: Operation, partner: str, wanted: Values, written: Values, owned: Ownership, live: Json | None
) -> Ownership:
    """Change, add and drop fields; a dropped one gets its former value back.

    Calls: GET and PATCH partners/{id}; POST partners where it has vanished.
    """
    former = former_values(owned, wanted, live or {})
    dropped = {
        name: {member: value for member, value in members.items() if member not in wanted.get(name, {})}
        for name, members in owned.former.items()
    }
    target = {
        name: {**dropped.get(name, {}), **wanted.get(name, {})}
        for name in COMPLEX_VALUES
        if dropped.get(name) or wanted.get(name)
    }
    made = write_or_create(operation, partner, target, live, written)
    report_open_doors(operation.tenant, partner, doors_of_partner(dropped, written))
    if made is None:
        return Ownership(former, owned.as_created, owned.adopted)
    if made.certain:
        return Ownership(inherited(former), without_annotations(made.partner))
    return Ownership(former, owned.as_created, owned.adopted or (None if owned.as_created is None else made.partner))


class PartnerPolicyProvider(PolicyProvider):
    """Owns the configured fields of a partner policy."""

    def describe_remains(self, properties: Mapping[str, Any]) -> str:
        """The values that this stack has set."""
        values = json.dumps(managed_values(properties), sort_keys=True)
        before = properties.get("former")
        return f"in the partner policy for {properties['tenantId']} {values} (before this stack: {before})"

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Accept; before a create, say what is adopted."""
        if not olds:
            self.announce(news)
        else:
            report_changes(self.settings.tenant, managed_values(olds), managed_values(news))
        return CheckResult(news, [])

    def announce(self, props: Properties) -> None:
        """Say what a create adopts, with old -> new."""
        partner = to_be_adopted(
            self,
            props,
            calls.get_partner(props["tenantId"]),
            lambda baseline: baseline.partner,
            f"a partner policy for {props['tenantId']}",
        )
        wanted = managed_values(props)
        if is_preview(props):  # once is enough
            report_changes(self.settings.tenant, partner or {}, wanted)
        if partner is not None:
            self.report_organization(partner)
            lines = describe(live_values(partner, wanted), wanted) or ["every field is as configured"]
            report(f"adopts the existing partner policy: {'; '.join(lines)}")

    def report_organization(self, partner: Json) -> None:
        """Say that others may rewrite the policy, where they may."""
        if partner.get(multitenant_organization.MEMBER):
            report(multitenant_organization.notice(partner, self.operation()))

    def create(self, props: Properties) -> CreateResult:
        """Make the fields so. Calls: POST, or GET and PATCH partners."""
        baseline = Baseline.parse(props["baseline"])
        operation, partner, wanted = self.operation(), props["tenantId"], managed_values(props)
        # Of one that was there it is known beforehand what it had; of any other the baseline tells at the end.
        kept: AbstractContextManager[None] = nullcontext()
        if baseline.partner is not None:
            found = Ownership(live_values(baseline.partner, wanted), None)
            kept = kept_if_written(operation, partner, lambda: {**props, **found.outputs()})
        with kept:
            owned = create(operation, partner, wanted, baseline)
        return CreateResult(partner, {**props, **owned.outputs()})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See the managed fields. Call: GET partners/{id} (Policy.Read.All)."""
        live = self.operation().read_settled(calls.get_partner(id_))
        if live is None:
            return ReadResult("", {})
        self.report_organization(live)
        outputs = refreshed(props, live)
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Change, add and drop fields. Calls: GET, PATCH partners/{id}."""
        operation, owned, wanted = self.operation(), Ownership.of(olds), managed_values(news)
        live = operation.read_settled(calls.get_partner(id_))
        written, found = managed_values(olds), former_values(owned, wanted, live or {})
        former = replace(owned, former=with_values(found, owned.former))
        with kept_if_written(operation, id_, lambda: {**news, **with_values(found, written), **former.outputs()}):
            made = update(operation, id_, wanted, nobody_knows(wanted) if UNSEEN in olds else written, owned, live)
        return UpdateResult({**news, **made.outputs()})

    def delete(self, id_: str, props: Properties) -> None:
        """Put former values back, or delete what is only ours. Calls: GET, PATCH or DELETE partners/{id}."""
        if self.leaves("the partner policy"):
            return
        owned = Ownership.of(props)
        baseline = owned.baseline(Baseline.parse(props["baseline"]))
        restore_partner(self.operation(), id_, managed_values(props), owned.former, owned.as_created, baseline)


PARTNER_POLICY = PartnerPolicyProvider()


# --- resource ----------------------------------------------------------------------------------------------


class PartnerPolicy(TenantResource):
    """The configured fields of a partner policy.

    Args:
        name: the resource's name.
        home: the tenant.
        tenant_id: the partner's tenant id.
        settings: fields by complex value, in Graph's names; fields left out are not touched.
        baseline: of the same tenant.
        depends_on: the baselines of both tenants, and azuread's provider, which has been let in then.
    """

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        tenant_id: str,
        settings: Values,
        baseline: PartnerBaseline,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {"tenantId": tenant_id, **settings, "baseline": baseline.baseline}
        # A record is right only where nothing of ours is there: who relies on one is replaced with it.
        options = pulumi.ResourceOptions(replace_with=[baseline])
        computed = ["former", "as_created", "adopted"]
        super().__init__(name, home, inputs, computed=computed, depends_on=depends_on, options=options)
