"""IdentitySyncPolicy: the `crossTenantIdentitySyncPolicyPartner` that lets people in, in the target.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from .graph import calls
from .graph.errors import ConflictError, NotFoundError
from .lifecycle import (
    HOME,
    CheckResult,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    tell,
)
from .partner_baseline import remove_identity_sync, to_be_adopted
from .partner_object import Baseline, Json
from .tenant_resource import Home, TenantResource

if TYPE_CHECKING:
    from .graph.client import Operation

MANAGED = ("displayName", "userSyncInbound")
INPUTS = (HOME, "tenantId", *MANAGED, "baseline")


# --- wire form ---------------------------------------------------------------------------------------------


def managed_values(properties: Mapping[str, Any]) -> dict[str, Any]:
    """To Graph: the policy's body."""
    return {name: properties[name] for name in MANAGED if name in properties}


def live_values(policy: Json) -> dict[str, Any]:
    """From Graph: the members we manage; `groupSyncInbound` and others stay whoever's they are."""
    allowed = (policy.get("userSyncInbound") or {}).get("isSyncAllowed")
    return {"displayName": policy.get("displayName"), "userSyncInbound": {"isSyncAllowed": allowed}}


def differing(policy: Json, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted members that a policy does not have yet."""
    live = live_values(policy)
    return {name: value for name, value in wanted.items() if live[name] != value}


# --- lifecycle ---------------------------------------------------------------------------------------------


def put_in_place(operation: Operation, partner: str, wanted: Mapping[str, Any], live: Json | None) -> None:
    """Create the policy, or change the one that is there; Graph's PUT and PATCH each refuse the other's case.

    Calls: PUT or PATCH partners/{id}/identitySynchronization (Policy.ReadWrite.CrossTenantAccess).
    """
    if live is not None:
        body = differing(live, wanted)
        if not body:
            return
        try:
            operation.send(calls.update_identity_sync(partner, body))
        except NotFoundError:
            pass
        else:
            return
    try:
        operation.send(calls.create_identity_sync(partner, wanted), calls.PARTNER_APPEARS)
    except ConflictError:
        operation.send(calls.update_identity_sync(partner, wanted), calls.PARTNER_APPEARS)


class IdentitySyncPolicyProvider(TenantResourceProvider):
    """Owns the identity sync policy, or its configured members where it was there before."""

    replace_keys = ("tenantId",)

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Accept; before a create, say what is adopted. Reads only in a preview."""
        if not olds:
            self.announce(news)
        return CheckResult(news, [])

    def announce(self, props: Properties) -> None:
        """Say what a create adopts, with old -> new."""
        policy = to_be_adopted(
            self,
            props,
            calls.get_identity_sync(props["tenantId"]),
            lambda baseline: baseline.identity_sync,
            f"an identity sync policy for {props['tenantId']}",
        )
        if policy is not None:
            live = live_values(policy)
            lines = [
                f"{name}: {json.dumps(live[name])} -> {json.dumps(value)}"
                for name, value in differing(policy, managed_values(props)).items()
            ]
            tell(f"adopts the existing identity sync policy: {'; '.join(lines) or 'it is as configured'}")

    def create(self, props: Properties) -> CreateResult:
        """Make it so. Calls: PUT, or PATCH where it was there before."""
        was = Baseline.parse(props["baseline"]).identity_sync
        operation, partner = self.operation(), props["tenantId"]
        # The baseline may be old: what it saw can have been changed or deleted since.
        live = None if was is None else operation.read_surely(calls.get_identity_sync(partner))
        put_in_place(operation, partner, managed_values(props), live)
        former = json.dumps(None if was is None else live_values(was))
        return CreateResult(props["tenantId"], {**props, "former": former})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See the managed members. Call: GET identitySynchronization (Policy.Read.All)."""
        live = self.operation().read_surely(calls.get_identity_sync(id_))
        if live is None:
            return ReadResult("", {})
        outputs = {**props, **live_values(live)}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Change it. Calls: GET, PATCH (or PUT where it has vanished)."""
        operation = self.operation()
        # A stale 404 would lead to PUT, which may replace what others have set.
        live = operation.read_surely(calls.get_identity_sync(id_))
        put_in_place(operation, id_, managed_values(news), live)
        return UpdateResult({**news, "former": olds["former"]})

    def delete(self, id_: str, props: Properties) -> None:
        """Delete it, or put former values back. Calls: DELETE and GET, or GET and PATCH."""
        operation = self.operation()
        former = json.loads(props["former"])
        if former is None:
            remove_identity_sync(operation, id_)
            return
        live = operation.read_surely(calls.get_identity_sync(id_))
        body = {} if live is None else differing(live, former)
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
        baseline: `PartnerBaseline.baseline` of the target.
        depends_on: the target's partner policy.
    """

    provider_reference = ("identity_sync_policy", "IDENTITY_SYNC_POLICY")

    def __init__(
        self,
        name: str,
        home: Home,
        tenant_id: str,
        display_name: str,
        baseline: pulumi.Output[str],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {
            "tenantId": tenant_id,
            "displayName": display_name,
            "userSyncInbound": {"isSyncAllowed": True},
            "baseline": baseline,
        }
        super().__init__(name, home, inputs, computed=["former"], depends_on=depends_on)
