"""Create or change: each of Graph's calls refuses the other's case, reads are late, and deleted twins block keys."""

from __future__ import annotations

from typing import Any

import pytest

from lab.entra.policies.models import PolicyBackend
from tests.in_memory_graph import InMemory
from tests.unit.graph_fakes import SOURCE_ID, TARGET, TARGET_ID, refusal
from xtsync_resources.graph.errors import DeadlineError
from xtsync_resources.identity_sync_policy import resource as identity_sync_policy
from xtsync_resources.identity_sync_policy.model import sync_values
from xtsync_resources.partner_policy import write as partner_write
from xtsync_resources.partner_policy.model import CONSENT

SYNC = sync_values("xtsync", groups=False)
INBOUND = {CONSENT: {"inboundAllowed": True}}
CONFLICT = refusal(409, "Request_MultipleObjectsWithSameKeyValue")


def always(graph: InMemory, method: str, ending: str, reply: Any) -> None:
    graph.interventions.append(lambda verb, url: reply if verb == method and url.endswith(ending) else None)


def policies(graph: InMemory) -> PolicyBackend:
    return graph.entra.tenants[TARGET_ID].policies


def sync_policy(graph: InMemory) -> Any:
    policy = policies(graph).partners[SOURCE_ID].identity_sync
    return policy and policy.members


def test_a_conflict_that_is_over_at_once_leads_back_to_the_creating_call() -> None:
    graph = InMemory()
    policies(graph).create(SOURCE_ID, {})
    graph.once("PUT", "identitySynchronization", CONFLICT)
    identity_sync_policy.write_or_create(graph.client(TARGET).operation(900), SOURCE_ID, SYNC, None)
    assert graph.writes == [f"{method} identitySynchronization" for method in ("PUT", "PATCH", "PUT")]
    assert sync_policy(graph) == SYNC


def test_one_that_vanishes_while_it_is_changed_is_made_again() -> None:
    graph = InMemory()
    policies(graph).create(SOURCE_ID, {})
    other = {"displayName": "by hand", "userSyncInbound": {"isSyncAllowed": False}}
    identity_sync_policy.write_or_create(graph.client(TARGET).operation(900), SOURCE_ID, SYNC, other)
    assert graph.writes == ["PATCH identitySynchronization", "PUT identitySynchronization"]
    assert sync_policy(graph) == SYNC


def test_a_deleted_identity_sync_policy_in_the_way_is_told_of() -> None:
    graph = InMemory()
    policies(graph).create(SOURCE_ID, {})
    always(graph, "PUT", "identitySynchronization", CONFLICT)
    with pytest.raises(DeadlineError) as caught:
        identity_sync_policy.write_or_create(graph.client(TARGET).operation(60), SOURCE_ID, SYNC, None)
    assert f"create the identity sync policy for {SOURCE_ID}" in caught.value.what
    assert "kept for 30 days" in caught.value.do
    assert "deletedItems/crossTenantSyncPolicyPartners" in caught.value.do


def test_a_deleted_partner_policy_in_the_way_is_told_of() -> None:
    graph = InMemory()
    always(graph, "POST", "partners", CONFLICT)
    with pytest.raises(DeadlineError) as caught:
        partner_write.write_or_create(graph.client(TARGET).operation(60), SOURCE_ID, INBOUND, None)
    assert f"create the partner policy for {SOURCE_ID}" in caught.value.what
    assert "deletedItems/crossTenantPartners" in caught.value.do


def test_a_ghost_of_a_partner_policy_leads_back_to_the_creating_call() -> None:
    graph = InMemory()
    graph.once("POST", "partners", CONFLICT)
    ghost = {"tenantId": SOURCE_ID, CONSENT: {"inboundAllowed": None, "outboundAllowed": None}}
    made = partner_write.write_or_create(graph.client(TARGET).operation(900), SOURCE_ID, INBOUND, ghost)
    assert made is not None
    assert made.certain
    assert graph.writes == [f"PATCH {SOURCE_ID}", "POST partners", "POST partners"]
    assert policies(graph).partners[SOURCE_ID].members[CONSENT]["inboundAllowed"] is True
