"""The policy pack, run as a process and asked what an engine asks."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.policy.analyzer import PACK, UNKNOWN_OBJECT, UNKNOWN_TEXT, Analyzer, Resource, running, violations
from xtsync_resources.guardrails.rules import JOB, PARTNER, PROVIDER, RULES, SCHEMA, SECRETS, STOP, SYNC
from xtsync_resources.guardrails.stack_facts import PREFIX

STATE = Path(__file__).parents[1] / "fixtures" / "state-1.json"
SOURCE, TARGET = "a5c2f7d0-3b6e-4c1a-9d52-6f1e0b7c4a11", "d81e4b3c-92f5-4a07-8b6d-2c94e7f0a522"
FEDERATED = "azuread:index/applicationFederatedIdentityCredential:ApplicationFederatedIdentityCredential"
AS_GUESTS = {"target": "userType", "constant": "Guest"}
BOTH = {"allowedTenants": [SOURCE, TARGET.upper()]}


@pytest.fixture(scope="module")
def process() -> Iterator[Analyzer]:
    with running() as started:
        yield started


@pytest.fixture
def pack(process: Analyzer) -> Analyzer:
    process.configure()
    return process


@pytest.fixture
def stack() -> list[Resource]:
    """A pair as it is in the state: type and inputs of every resource. The engine sends secrets decrypted."""
    text = STATE.read_text().replace('"plaintext"', '"value"').replace("<host>", "localhost:8443")
    resources = json.loads(text)["deployment"]["resources"]
    schema: Resource = (f"{PREFIX}{SCHEMA}", {"homeTenantId": SOURCE, "attributeMappings": [AS_GUESTS]})
    return [*((one["type"], one.get("inputs") or {}) for one in resources), schema]


def changed(stack: list[Resource], kind: str, changes: Mapping[str, Any], **where: str) -> list[Resource]:
    """The stack with some inputs of a kind of resource changed."""
    found = copy.deepcopy(stack)
    hits = [inputs for type_, inputs in found if type_ == PREFIX + kind and where.items() <= inputs.items()]
    assert hits
    for inputs in hits:
        assert isinstance(inputs, dict)
        inputs.update(changes)
    return found


def settings(**changes: Any) -> dict[str, Any]:
    notification = {"Enabled": True, "Recipients": "it@contoso.com", "DeleteThresholdEnabled": True}
    return {"settings": {"CompanyId": TARGET, "SyncAll": "false", "SyncNotificationSettings": notification, **changes}}


def names(pack: Analyzer, *arguments: Any) -> list[tuple[str, bool]]:
    return sorted({(one.policy, one.mandatory) for one in pack.run(*arguments)})


def test_every_rule_that_resources_can_break_is_a_policy(pack: Analyzer) -> None:
    found = {policy.name: policy for policy in pack.info().policies}
    rules = {rule.id: rule for rule in RULES if rule.types or rule.together}
    assert set(found) == {*rules, "federation-allowed"}
    for name, rule in rules.items():
        assert found[name].enforcementLevel == (1 if rule.level == STOP else 0)
        assert rule.reason in found[name].description
        assert rule.remedy in found[name].remediation_steps
        assert list(found[name].configSchema.properties) == ([rule.says] if rule.says else [])


def test_the_pack_runs_in_the_environment_of_the_program() -> None:
    document = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())
    assert document["runtime"] == {"name": "python", "options": {"virtualenv": "../.venv"}}


def test_a_sensible_pair_is_let_through(pack: Analyzer, stack: list[Resource]) -> None:
    pack.configure(tenants_allowed=BOTH, inbound_allowed=BOTH)
    assert names(pack, changed(stack, SECRETS, settings())) == []


def test_the_recorded_pair_gets_its_advice(pack: Analyzer, stack: list[Resource]) -> None:
    (one,) = pack.run(stack)
    assert (one.policy, one.mandatory) == ("notify-address", False)
    assert "nobody is told" in one.message
    assert "xtsync:notifyEmail" in one.message


def test_a_tenant_that_is_not_on_the_list_stops_before_its_policy_is_made(
    pack: Analyzer, stack: list[Resource]
) -> None:
    only = {"allowedTenants": [TARGET]}
    pack.configure(tenants_allowed=only, inbound_allowed=only)
    inputs = next(one for type_, one in stack if type_ == PREFIX + PARTNER and one["homeTenantId"] == TARGET)
    provider = next(one for one in stack if one[0] == PROVIDER and one[1]["xtsync:side"] == "source")
    found = violations(pack.resource(0, PREFIX + PARTNER, inputs, provider))
    assert {(one.policy, one.mandatory) for one in found} == {("tenants-allowed", True), ("inbound-allowed", True)}
    assert all(f"the source Contoso ({SOURCE})" in one.message for one in found)


def test_without_a_list_the_policy_says_that_it_does_not_apply(pack: Analyzer, stack: list[Resource]) -> None:
    index, (type_, inputs) = next(one for one in enumerate(stack) if one[1][0] == PREFIX + PARTNER)
    answer = pack.resource(index, type_, inputs)
    assert {(one.policy_name, one.reason) for one in answer.not_applicable} == {
        (name, "allowedTenants is not configured for this policy")
        for name in ("tenants-allowed", "inbound-allowed", "outbound-allowed")
        for name in ("tenants-allowed", "inbound-allowed", "outbound-allowed")
    }


def test_a_pair_may_be_allowed_in_one_direction(pack: Analyzer, stack: list[Resource]) -> None:
    there, back = ({"allowedTenants": [f"{one} -> {other}"]} for one, other in ((SOURCE, TARGET), (TARGET, SOURCE)))
    pack.configure(tenants_allowed=there, inbound_allowed=there, outbound_allowed=there)
    assert not [one for one in pack.run(stack) if one.mandatory]
    pack.configure(tenants_allowed=back, inbound_allowed=back, outbound_allowed=back)
    found = {one.policy for one in pack.run(stack) if one.mandatory}
    assert found == {"tenants-allowed", "inbound-allowed", "outbound-allowed"}


def test_what_a_pair_opens_is_seen_on_both_ends(pack: Analyzer, stack: list[Resource]) -> None:
    everyone = {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]}
    opened = {"b2bCollaborationInbound": {"usersAndGroups": everyone}, "inboundTrust": {"isMfaAccepted": True}}
    open_in = changed(stack, PARTNER, opened, homeTenantId=TARGET)
    wide = changed(open_in, PARTNER, {"b2bDirectConnectOutbound": {"usersAndGroups": everyone}}, homeTenantId=SOURCE)
    drained: list[Resource] = [
        (type_, {**inputs, "xtsync:onDestroy": "drain"} if "xtsync:onDestroy" in inputs else inputs)
        for type_, inputs in wide
    ]
    found = {one.policy: one.message for one in pack.run(drained)}
    assert f"b2bCollaborationInbound of the target {TARGET}" in found["b2b-not-everyone"]
    assert f"b2bDirectConnectOutbound of the source {SOURCE}" in found["direct-connect-closed"]
    assert "trusts isMfaAccepted" in found["inbound-trust-meant"]
    assert f"removes people of the source Contoso ({SOURCE}) from the target" in found["destroy-releases"]


def test_azuread_is_held_against_the_hosts_as_well(pack: Analyzer) -> None:
    led_away: list[Resource] = [("pulumi:providers:azuread", {"metadataHost": "evil.example", "tenantId": SOURCE})]
    assert names(pack, led_away) == [("host-allowed", True)]


def test_a_host_that_is_not_listed_stops_before_its_provider_is_made(pack: Analyzer, stack: list[Resource]) -> None:
    led_away: list[Resource] = [
        (type_, {**inputs, "xtsync:metadataHost": "evil.example"} if type_ == PROVIDER else inputs)
        for type_, inputs in stack
    ]
    found = [one for one in pack.run(led_away) if one.mandatory]
    assert [one.policy for one in found] == ["host-allowed", "host-allowed"]
    assert all("credentials would go where evil.example says" in one.message for one in found)
    pack.configure(host_allowed={"allowedHosts": ["evil.example"]})
    assert not [one for one in pack.run(led_away) if one.mandatory]


def test_a_pipeline_that_is_not_listed_stops_before_it_is_let_in(pack: Analyzer) -> None:
    inputs = {"issuer": "https://token.actions.githubusercontent.com", "subject": "repo:stranger/x:ref:refs/heads/main"}
    answer = pack.resource(0, FEDERATED, inputs)
    assert [one.policy_name for one in answer.not_applicable if "Federations" in one.reason] == ["federation-allowed"]
    assert violations(answer) == []
    for listed in ([], ["github:example/tenants:ref:refs/heads/main", "no form", "github:stranger/x:environment:main"]):
        pack.configure(federation_allowed={"allowedFederations": listed})
        (one,) = violations(pack.resource(0, FEDERATED, inputs))
        assert (one.policy, one.mandatory) == ("federation-allowed", True)
        assert "repo:stranger/x:ref:refs/heads/main could sign in as the application" in one.message
    pack.configure(federation_allowed={"allowedFederations": ["github:stranger/x:ref:refs/heads/main"]})
    assert violations(pack.resource(0, FEDERATED, inputs)) == []


def test_levels_come_from_the_configuration(pack: Analyzer, stack: list[Resource]) -> None:
    pack.configure(
        tenants_allowed={"allowedTenants": [TARGET], "enforcementLevel": "advisory"},
        inbound_allowed={"allowedTenants": [TARGET], "enforcementLevel": "disabled"},
        notify_address={"enforcementLevel": "mandatory"},
    )
    assert names(pack, stack) == [("notify-address", True), ("tenants-allowed", False)]


@pytest.mark.parametrize(
    ("kind", "changes", "where", "words"),
    [
        (SYNC, {"userSyncInbound": {"isSyncAllowed": False}}, {}, "is on without identity sync"),
        (PARTNER, {"automaticUserConsentSettings": {"outboundAllowed": False}}, {"homeTenantId": SOURCE}, "outbound"),
        (PARTNER, {"automaticUserConsentSettings": {"inboundAllowed": False}}, {"homeTenantId": TARGET}, "inbound"),
        (PARTNER, {"automaticUserConsentSettings": {}}, {"homeTenantId": TARGET}, "inbound in the target Fabrikam"),
    ],
)
def test_redemption_and_sync_belong_together(
    pack: Analyzer, stack: list[Resource], kind: str, changes: dict[str, Any], where: dict[str, str], words: str
) -> None:
    (one,) = (one for one in pack.run(changed(stack, kind, changes, **where)) if one.mandatory)
    assert one.policy == "redemption-with-sync"
    assert words in one.message


def test_it_is_advised_to_state_the_user_type(pack: Analyzer, stack: list[Resource]) -> None:
    unstated = [one for one in stack if one[0] != PREFIX + SCHEMA]
    assert names(pack, unstated) == [("notify-address", False), ("user-type-stated", False)]


def test_redemption_without_any_identity_sync_policy_stops(pack: Analyzer, stack: list[Resource]) -> None:
    rest = [one for one in stack if one[0] != PREFIX + SYNC]
    assert ("redemption-with-sync", True) in names(pack, rest)


def test_everyone_must_be_said_twice(pack: Analyzer, stack: list[Resource]) -> None:
    wide = changed(stack, SECRETS, settings(SyncAll="true"))
    assert names(pack, wide) == [("scope-not-everyone", True)]
    pack.configure(scope_not_everyone={"everyone": True})
    assert names(pack, wide) == []


def test_the_deletion_threshold(pack: Analyzer, stack: list[Resource]) -> None:
    told = {"Enabled": True, "Recipients": "it@contoso.com"}
    off = json.dumps({**told, "DeleteThresholdEnabled": False})
    high = {**told, "DeleteThresholdEnabled": True, "DeleteThresholdValue": 5001}
    for notification in (off, high):
        wide = changed(stack, SECRETS, settings(SyncNotificationSettings=notification))
        assert names(pack, wide) == [("deletion-threshold", False)]


def test_in_a_preview_outputs_are_not_known_but_what_was_registered_is(pack: Analyzer, stack: list[Resource]) -> None:
    half = changed(stack, SYNC, {"userSyncInbound": {"isSyncAllowed": False}})
    empty: list[Resource] = [(type_, {}) for type_, _ in half]
    unknown: list[Resource] = [(type_, dict.fromkeys(inputs, UNKNOWN_TEXT)) for type_, inputs in half]
    for outputs in (empty, unknown):
        assert ("redemption-with-sync", True) in names(pack, half, outputs)


@pytest.mark.parametrize("unknown", [UNKNOWN_TEXT, UNKNOWN_OBJECT])
def test_nothing_is_concluded_from_what_is_not_known_yet(pack: Analyzer, stack: list[Resource], unknown: str) -> None:
    pack.configure(tenants_allowed=BOTH, inbound_allowed=BOTH)
    for type_, inputs in stack:
        for key in inputs:
            foggy: list[Resource] = [(one, {**given, key: unknown} if one == type_ else given) for one, given in stack]
            assert {name for name, _ in names(pack, foggy)} <= {"notify-address"}, (type_, key)
    nested = changed(stack, SECRETS, settings(SyncNotificationSettings={"Enabled": unknown}, SyncAll=unknown))
    nested = changed(nested, PARTNER, {"automaticUserConsentSettings": {"inboundAllowed": unknown}})
    nested = changed(nested, SYNC, {"userSyncInbound": {"isSyncAllowed": unknown}})
    assert not [one for one in names(pack, nested) if one[1]]


def test_resources_of_others_are_passed_over(pack: Analyzer) -> None:
    pack.configure(tenants_allowed=BOTH, inbound_allowed=BOTH)
    others: list[Resource] = [
        ("aws:s3/bucket:Bucket", {"tenantId": "x", "settings": {"SyncAll": "true"}, "list": [1, UNKNOWN_TEXT]}),
        ("pulumi-python:dynamic:Resource", {"homeTenantId": "x"}),
        (PREFIX + "SomethingNew", {"settings": None}),
        (PREFIX + PARTNER, {}),
        (PREFIX + JOB, {"targetTenantId": 7}),
        ("pulumi:providers:pulumi-python", {"xtsync:tenantId": 7}),
        ("pulumi:pulumi:Stack", {}),
    ]
    assert names(pack, others) == []
