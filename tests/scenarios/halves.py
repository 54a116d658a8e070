"""The policy resources of one stack in one tenant, without an engine, with values as the engine hands them over."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

from lab import world
from lab.entra import Entra, Server
from tests.unit.graph_fakes import SettableClock
from xtsync_resources.graph.errors import TenantName
from xtsync_resources.graph.sign_in import SignIn
from xtsync_resources.identity_sync_policy.model import sync_values
from xtsync_resources.identity_sync_policy.resource import IdentitySyncPolicyProvider
from xtsync_resources.partner_policy.baseline import IDENTITY_SYNC, PartnerBaselineProvider
from xtsync_resources.partner_policy.model import CONSENT, OF_SIDE, REDEMPTION
from xtsync_resources.partner_policy.resource import PartnerPolicyProvider
from xtsync_resources.pulumi_runtime import provider as runtime

A, B = world.SOURCE_TENANT, world.TARGET_TENANT


SECRETS = {A: (world.SOURCE_CLIENT, world.SOURCE_SECRET), B: (world.TARGET_CLIENT, world.TARGET_SECRET)}


def as_the_engine_hands_over(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: as_the_engine_hands_over(v) for k, v in value.items() if v is not None}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Half:
    """One stack's policies in one tenant: baseline, partner policy, and in the target the identity sync policy."""

    def __init__(
        self,
        server: Server,
        clients: dict[Any, Any],
        tenant: str,
        partner: str,
        side: str,
        more: dict[str, Any],
        *,
        seconds: float = 20,
        on_existing: str = "adopt",
    ) -> None:
        self.partner, self.side, self.more = partner, side, more
        client_id, secret = SECRETS[tenant]
        name = TenantName(side, tenant[:4], tenant)
        sign_in = SignIn(name, "secret", client_id, metadata_host=server.host)
        given_ = runtime.ProviderSettings(sign_in, "", seconds, on_existing, "release")
        if (tenant, side) not in clients:
            clients[tenant, side] = runtime.make_client(given_, secret)
            clients[tenant, side].clock = SettableClock()  # what is gone is looked for some seconds more
        self.providers = {}
        for kind in (PartnerBaselineProvider, PartnerPolicyProvider, IdentitySyncPolicyProvider):
            provider = kind()
            provider.settings = given_
            provider.client = lambda: clients[tenant, side]  # type: ignore[method-assign]
            self.providers[kind] = provider
        self.made: list[tuple[Any, str, Any]] = []

    def create(self, kind: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        provider = self.providers[kind]
        inputs = as_the_engine_hands_over(inputs)
        provider.check({}, copy.deepcopy(inputs))
        made = provider.create(copy.deepcopy(inputs))
        outputs: dict[str, Any] = as_the_engine_hands_over(json.loads(json.dumps(made.outs)))
        self.made.append((provider, made.id, outputs))
        return outputs

    def up(self) -> None:
        values = {
            CONSENT: {REDEMPTION[self.side]: True},
            **{name: value for name, value in self.more.items() if name in OF_SIDE[self.side]},
        }
        planned = {**values, IDENTITY_SYNC: sync_values("xtsync", groups=False)} if self.side == "target" else values
        record = {"tenantId": self.partner, "planned": json.dumps(planned)}
        baseline = self.create(PartnerBaselineProvider, record)["baseline"]
        inputs = {"tenantId": self.partner, **values, "baseline": baseline}
        self.create(PartnerPolicyProvider, inputs)
        if self.side == "target":
            sync = {
                "tenantId": self.partner,
                "displayName": "xtsync",
                "userSyncInbound": {"isSyncAllowed": True},
                "baseline": baseline,
            }
            self.create(IdentitySyncPolicyProvider, sync)

    def unchanged(self) -> None:
        """A refresh finds everything as it was made."""
        for provider, id_, outputs in self.made:
            read = provider.read(id_, copy.deepcopy(outputs))
            assert read.id == id_
            assert as_the_engine_hands_over(read.outs) == outputs

    def destroy(self) -> None:
        for provider, id_, outputs in reversed(self.made):
            provider.delete(id_, copy.deepcopy(outputs))
        self.made.clear()

    def crash_after(self, resources: int) -> None:
        """Forget what was made after so many resources, as a run killed before the state was saved does."""
        del self.made[resources:]


ORDERS = [
    order
    for order in itertools.permutations(("there up", "there down", "back up", "back down"))
    if order.index("there up") < order.index("there down") and order.index("back up") < order.index("back down")
]


def put(entra: Entra, tenant: str, partner: str, members: dict[str, Any] | None, sync: dict[str, Any] | None) -> None:
    policies = entra.tenants[tenant].policies
    policies.partners.pop(partner, None)
    policies.deleted_partners.clear()
    if members is not None:
        policies.create(partner, members)
        if sync is not None:
            policies.put_identity_sync(partner, sync)
