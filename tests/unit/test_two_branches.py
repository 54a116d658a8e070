"""Create or change: each of Graph's calls refuses the other's case, reads are late, and deleted twins block keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.graph_fakes import SOURCE_ID, TARGET, FakeGraph, operation_for, refusal
from xtsync_resources.graph.errors import DeadlineError
from xtsync_resources.identity_sync_policy import resource as identity_sync_policy
from xtsync_resources.identity_sync_policy.model import sync_values
from xtsync_resources.partner_policy import write as partner_write
from xtsync_resources.partner_policy.model import CONSENT

SYNC = sync_values("xtsync", groups=False)
INBOUND = {CONSENT: {"inboundAllowed": True}}
CONFLICT = refusal(409, "Request_MultipleObjectsWithSameKeyValue")
MISSING = refusal(404, "Directory_ObjectNotFound")


def always(graph: FakeGraph, method: str, ending: str, reply: Any) -> None:
    graph.interventions.append(lambda verb, path, _: reply if verb == method and path.endswith(ending) else None)


def test_a_conflict_that_is_over_at_once_leads_back_to_the_creating_call() -> None:
    graph = FakeGraph()
    graph.make_partner(SOURCE_ID)
    graph.once("PUT", "identitySynchronization", CONFLICT)
    identity_sync_policy.write_or_create(operation_for(graph, TARGET)[0], SOURCE_ID, SYNC, None)
    assert graph.writes == [f"{method} identitySynchronization" for method in ("PUT", "PATCH", "PUT")]
    assert graph.syncs[SOURCE_ID] == {"tenantId": SOURCE_ID, **SYNC}


def test_one_that_vanishes_while_it_is_changed_is_made_again() -> None:
    graph = FakeGraph()
    graph.make_partner(SOURCE_ID)
    other = {"displayName": "by hand", "userSyncInbound": {"isSyncAllowed": False}}
    identity_sync_policy.write_or_create(operation_for(graph, TARGET)[0], SOURCE_ID, SYNC, other)
    assert graph.writes == ["PATCH identitySynchronization", "PUT identitySynchronization"]
    assert graph.syncs[SOURCE_ID] == {"tenantId": SOURCE_ID, **SYNC}


def test_a_deleted_identity_sync_policy_in_the_way_is_told_of() -> None:
    graph = FakeGraph()
    graph.make_partner(SOURCE_ID)
    always(graph, "PUT", "identitySynchronization", CONFLICT)
    with pytest.raises(DeadlineError) as caught:
        identity_sync_policy.write_or_create(operation_for(graph, TARGET, 60)[0], SOURCE_ID, SYNC, None)
    assert f"create the identity sync policy for {SOURCE_ID}" in caught.value.what
    assert "kept for 30 days" in caught.value.do
    assert "deletedItems/crossTenantSyncPolicyPartners" in caught.value.do


def test_a_deleted_partner_policy_in_the_way_is_told_of() -> None:
    graph = FakeGraph()
    always(graph, "POST", "partners", CONFLICT)
    with pytest.raises(DeadlineError) as caught:
        partner_write.write_or_create(operation_for(graph, TARGET, 60)[0], SOURCE_ID, INBOUND, None)
    assert f"create the partner policy for {SOURCE_ID}" in caught.value.what
    assert "deletedItems/crossTenantPartners" in caught.value.do


def test_a_ghost_of_a_partner_policy_leads_back_to_the_creating_call() -> None:
    graph = FakeGraph()
    graph.once("POST", "partners", CONFLICT)
    ghost = {"tenantId": SOURCE_ID, CONSENT: {"inboundAllowed": None, "outboundAllowed": None}}
    made = partner_write.write_or_create(operation_for(graph, TARGET)[0], SOURCE_ID, INBOUND, ghost)
    assert made is not None
    assert made.certain
    assert graph.writes == [f"PATCH {SOURCE_ID}", "POST partners", "POST partners"]
    assert graph.partners[SOURCE_ID][CONSENT]["inboundAllowed"] is True
