"""The facts that guardrails look at, read from a state: those that the settings of the same pair give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.stack_files import parsed
from tests.unit.graph_fakes import SOURCE_ID, TARGET_ID
from tests.unit.guardrail_samples import BACK, COLLABORATION_IN, DIRECT_OUT, STRANGER
from xtsync_resources.guardrails.pair_facts import Opening, PairFacts, Sayings, facts_of_settings
from xtsync_resources.guardrails.rules import (
    PROVIDER,
    findings,
)
from xtsync_resources.guardrails.stack_facts import PREFIX, facts_of_resources

ROOT = Path(__file__).resolve().parents[2]


def recorded(part: str) -> list[tuple[str, dict[str, Any]]]:
    document = json.loads((ROOT / "tests" / "fixtures" / "state-1.json").read_text())
    return [(one["type"], one.get(part) or {}) for one in document["deployment"]["resources"]]


@pytest.mark.parametrize("part", ["inputs", "outputs"])
@pytest.mark.parametrize("allowed", [None, [], ["source"], ["source", "target"], ["source -> target"]])
def test_settings_and_state_of_the_same_pair_agree(part: str, allowed: list[str] | None) -> None:
    ids = {"source": "a5c2f7d0-3b6e-4c1a-9d52-6f1e0b7c4a11", "target": "d81e4b3c-92f5-4a07-8b6d-2c94e7f0a522"}
    names = {"source": "Contoso", "target": "Fabrikam"}
    sides = {side: {"tenantId": ids[side], "name": names[side]} for side in ids}
    rails = (
        {}
        if allowed is None
        else {
            "allowedTenants": [one.replace("source", ids["source"]).replace("target", ids["target"]) for one in allowed]
        }
    )
    asked = facts_of_settings(parsed(**sides, guardrails=rails))
    (found,) = facts_of_resources(recorded(part), asked.said, whole=True)
    assert found == asked
    assert findings(found) == findings(asked)


def test_a_user_type_that_is_mapped_is_stated() -> None:
    mapped = parsed(attributeMappings=[{"target": "UserType", "source": "extensionAttribute1"}])
    assert facts_of_settings(mapped).user_type == "as mapped"
    removed = parsed(attributeMappings=[{"target": "userType", "remove": True}])
    assert facts_of_settings(removed).user_type == ""


@pytest.mark.parametrize(
    ("mappings", "stated"),
    [
        ([{"target": "userType", "constant": "Guest"}], "Guest"),
        ([{"target": "userType", "source": "extensionAttribute1"}], "as mapped"),
        ([{"target": "userType", "remove": True}], ""),
        ([{"target": "department", "remove": True}], ""),
        ([], ""),
        (None, None),
        ([None], None),
        ([{"constant": "Guest"}], None),
    ],
)
def test_the_user_type_is_what_the_schema_says(mappings: Any, stated: str | None) -> None:
    job = (f"{PREFIX}SyncJob", {"homeTenantId": SOURCE_ID, "targetTenantId": TARGET_ID})
    schema = (f"{PREFIX}SyncSchema", {"homeTenantId": SOURCE_ID, "attributeMappings": mappings})
    (facts,) = facts_of_resources([job, schema], Sayings(), whole=True)
    assert facts.user_type == stated


def test_pairs_of_one_stack_are_told_apart() -> None:
    there, back = (SOURCE_ID, TARGET_ID), (TARGET_ID, SOURCE_ID)
    resources = [
        (f"{PREFIX}PartnerPolicy", {"homeTenantId": SOURCE_ID, "tenantId": TARGET_ID,
         "automaticUserConsentSettings": {"inboundAllowed": True, "outboundAllowed": True}}),
        (f"{PREFIX}IdentitySyncPolicy", {"homeTenantId": SOURCE_ID, "tenantId": TARGET_ID,
         "userSyncInbound": {"isSyncAllowed": True}}),
    ]  # fmt: skip
    facts = {(one.source, one.target): one for one in facts_of_resources(resources, Sayings(), whole=True)}
    # Nothing is known of what the other tenant has: it is no part of this stack.
    assert facts[there] == PairFacts(*there, names={}, outbound_redemption=True)
    assert facts[back] == PairFacts(*back, names={}, inbound_redemption=True, inbound_sync=True)


def test_a_partner_that_is_only_trusted_is_a_pair_too_and_odd_ids_are_on_no_list() -> None:
    properties = {"homeTenantId": TARGET_ID, "tenantId": "odd\nid", "inboundTrust": {"isMfaAccepted": True}}
    said = Sayings.of([SOURCE_ID, TARGET_ID], False)
    (facts,) = facts_of_resources([(f"{PREFIX}PartnerPolicy", properties)], said, whole=False)
    found, *_ = findings(facts)
    assert found.found == r"not in allowedTenants: the source 'odd\nid'"


def test_a_resource_alone_says_nothing_of_what_is_absent() -> None:
    properties = {"homeTenantId": TARGET_ID, "tenantId": SOURCE_ID, "userSyncInbound": {"isSyncAllowed": True}}
    resources = [(f"{PREFIX}IdentitySyncPolicy", properties)]
    (alone,) = facts_of_resources(resources, Sayings(), whole=False)
    (whole,) = facts_of_resources(resources, Sayings(), whole=True)
    assert alone.inbound_redemption is None
    assert whole.inbound_redemption is False


@pytest.mark.parametrize(
    ("notification", "threshold", "notified"),
    [
        ({}, 500, False),
        ({"Enabled": True, "Recipients": "a@b.c", "DeleteThresholdEnabled": True}, 500, True),
        (
            {"Enabled": False, "Recipients": "a@b.c", "DeleteThresholdEnabled": True, "DeleteThresholdValue": 7.0},
            7,
            False,
        ),
        ({"Enabled": True, "DeleteThresholdEnabled": False, "DeleteThresholdValue": 7}, 0, False),
        ('{"Enabled":true,"Recipients":"a@b.c","DeleteThresholdEnabled":false}', 0, True),
        ({"Enabled": "True", "Recipients": ["a@b.c"], "DeleteThresholdEnabled": "True"}, 500, True),
        ({"Enabled": "False", "Recipients": "a@b.c", "DeleteThresholdValue": "7"}, 7, False),
        ({"DeleteThresholdEnabled": "False", "DeleteThresholdValue": "7"}, 0, False),
        ({"Enabled": None, "DeleteThresholdEnabled": None}, None, None),
        (
            {"Enabled": True, "Recipients": None, "DeleteThresholdEnabled": True, "DeleteThresholdValue": None},
            None,
            None,
        ),
        ("*", None, None),
        (None, None, None),
        (7, None, None),
    ],
)
def test_what_the_settings_say(notification: Any, threshold: int | None, notified: bool | None) -> None:
    properties = {
        "homeTenantId": SOURCE_ID,
        "settings": {"CompanyId": TARGET_ID, "SyncAll": "True", "SyncNotificationSettings": notification},
    }
    (facts,) = facts_of_resources([(f"{PREFIX}SyncSecrets", properties)], Sayings(), whole=True)
    assert (facts.deletion_threshold, facts.notified, facts.sync_all) == (threshold, notified, True)


ALL_IN = {
    "usersAndGroups": {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]},
    "applications": {"accessType": "allowed", "targets": [{"target": "AllApplications", "targetType": "application"}]},
}
SOME = {"accessType": "allowed", "targets": [{"target": STRANGER, "targetType": "group"}]}
NOBODY = {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]}
ALL_BUT = {**SOME, "accessType": "blocked"}


@pytest.mark.parametrize(
    ("setting", "wide"),
    [
        (ALL_IN, ("everyone", "every application")),
        ({"usersAndGroups": SOME}, ()),
        ({"usersAndGroups": ALL_BUT}, ("everyone",)),
        ({"usersAndGroups": SOME, "applications": ALL_IN["applications"]}, ("every application",)),
        ({"usersAndGroups": NOBODY}, None),
        ({**ALL_IN, "usersAndGroups": NOBODY}, None),
        ({"usersAndGroups": None, "applications": {"accessType": None, "targets": None}}, None),
        ({}, None),
        (None, None),
        ("*", None),
    ],
)
def test_a_partner_policy_with_b2b_members_only_is_a_pair_in_the_direction_it_opens(
    setting: Any, wide: tuple[str, ...] | None
) -> None:
    for name, side, pair in (
        ("b2bCollaborationInbound", "target", (TARGET_ID, SOURCE_ID)),
        ("b2bDirectConnectInbound", "target", (TARGET_ID, SOURCE_ID)),
        ("b2bCollaborationOutbound", "source", (SOURCE_ID, TARGET_ID)),
        ("b2bDirectConnectOutbound", "source", (SOURCE_ID, TARGET_ID)),
    ):
        policy = (f"{PREFIX}PartnerPolicy", {"homeTenantId": SOURCE_ID, "tenantId": TARGET_ID, name: setting})
        (facts,) = facts_of_resources([policy], Sayings.of([], False), whole=False)
        assert (facts.source, facts.target) == pair
        assert facts.openings == (() if wide is None else (Opening(side, name, wide),))
        broken = {one.rule.id for one in findings(facts)}
        opened = {"target": "inbound-allowed", "source": "outbound-allowed"}[side]
        assert (opened in broken) == (wide is not None)
        assert "tenants-allowed" in broken


def test_the_settings_of_a_pair_open_what_its_resources_open() -> None:
    wire = {"accessType": "allowed", "users": ["AllUsers"]}
    everything = {"accessType": "allowed", "targets": ["AllApplications"]}
    asked = facts_of_settings(
        parsed(
            b2bCollaboration={
                "inbound": {"usersAndGroups": wire, "applications": everything},
                "outbound": {"usersAndGroups": {"accessType": "blocked", "users": ["AllUsers"]}},
            },
            b2bDirectConnect={"outbound": {"usersAndGroups": {"accessType": "allowed", "groups": [STRANGER]}}},
            inboundTrust={"mfa": True, "compliantDevice": False},
            onDestroy="drain",
        )
    )
    assert asked.openings == (DIRECT_OUT, COLLABORATION_IN)
    assert asked.trusted == ("isMfaAccepted",)
    rules = ["b2b-not-everyone", "direct-connect-closed", "inbound-trust-meant", "destroy-releases"]
    assert [one.rule.id for one in findings(asked) if one.rule.id in rules] == rules


def test_groups_that_may_be_synchronized_into_an_unlisted_target_are_a_door() -> None:
    properties = {"homeTenantId": TARGET_ID, "tenantId": SOURCE_ID, "userSyncInbound": {"isSyncAllowed": False}}
    groups = {**properties, "groupSyncInbound": {"isSyncAllowed": True}}
    (facts,) = facts_of_resources([(f"{PREFIX}IdentitySyncPolicy", groups)], Sayings.of([BACK], False), whole=False)
    _, opened = findings(facts)
    assert (opened.rule.id, "(synchronization of groups)" in opened.found) == ("inbound-allowed", True)


@pytest.mark.parametrize(
    ("type_", "properties", "broken"),
    [
        ("pulumi:providers:azuread", {"metadataHost": "evil.example"}, ["host-allowed"]),
        ("pulumi:providers:azuread", {"metadataHost": ""}, []),
        ("pulumi:providers:azuread", {}, []),
        (PROVIDER, {"xtsync:tenantId": SOURCE_ID, "xtsync:onDestroy": "drain"}, ["destroy-releases"]),
        (PROVIDER, {"xtsync:tenantId": SOURCE_ID, "xtsync:onDestroy": "release"}, []),
        (PROVIDER, {"xtsync:tenantId": SOURCE_ID, "xtsync:onDestroy": None}, []),
    ],
)
def test_what_a_provider_says_by_itself(type_: str, properties: dict[str, Any], broken: list[str]) -> None:
    found = facts_of_resources([(type_, properties)], Sayings(), whole=False)
    assert [one.rule.id for facts in found for one in findings(facts)] == broken
