"""Pairs and openings that guardrails judge."""

from __future__ import annotations

from tests.unit.graph_fakes import SOURCE_ID, TARGET_ID
from xtsync_resources.guardrails.pair_facts import Opening, PairFacts, Sayings

STRANGER = "3f9c1b7a-6d24-4e58-a0c3-71b8e5d2f944"
SENSIBLE = PairFacts(
    SOURCE_ID,
    TARGET_ID,
    {SOURCE_ID: "Contoso", TARGET_ID: "Fabrikam"},
    outbound_redemption=True,
    inbound_redemption=True,
    inbound_sync=True,
    sync_all=False,
    deletion_threshold=500,
    notified=True,
    user_type="member",
    said=Sayings.of([SOURCE_ID, TARGET_ID], False),
)
COLLABORATION_IN = Opening("target", "b2bCollaborationInbound", ("everyone", "every application"))
NAMED_IN = Opening("target", "b2bCollaborationInbound")
DIRECT_OUT = Opening("source", "b2bDirectConnectOutbound")
THERE = f"{SOURCE_ID} -> {TARGET_ID.upper()}"
BACK = f"{TARGET_ID}->{SOURCE_ID}"
OFF_BOTH = {"outbound_redemption": False, "inbound_redemption": False}
