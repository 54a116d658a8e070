"""Jobs, secrets, schema, the service's test of the connection, on-demand provisioning."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.entra import Settings
from lab.world import FOREIGN_TENANT, SOURCE_CLIENT, SOURCE_TENANT, TARGET_TENANT

POLICY_CHECK = "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure"
CREDENTIALS = {"CompanyId": TARGET_TENANT, "AuthenticationType": "SyncPolicy"}
PARTNERS = "/policies/crossTenantAccessPolicy/partners"


def validation(**secrets: str) -> dict[str, Any]:
    pairs = [{"key": key, "value": value} for key, value in {**CREDENTIALS, **secrets}.items()]
    return {"useSavedCredentials": False, "templateId": "Azure2Azure", "credentials": pairs}


def validate(world: Any, principal: str, body: dict[str, Any] | None = None) -> Any:
    path = f"/servicePrincipals/{principal}/synchronization/jobs/validateCredentials"
    return world.source("POST", path, body or validation())


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def close_source(world: Any) -> None:
    consent = {"automaticUserConsentSettings": {"outboundAllowed": None}}
    world.source_tenant.policies.update(TARGET_TENANT, consent)


def close_redemption(world: Any) -> None:
    consent = {"automaticUserConsentSettings": {"inboundAllowed": False}}
    world.target_tenant.policies.update(SOURCE_TENANT, consent)


def close_sync(world: Any) -> None:
    world.target_tenant.policies.update_identity_sync(SOURCE_TENANT, {"userSyncInbound": {"isSyncAllowed": False}})


def drop_sync(world: Any) -> None:
    world.target_tenant.policies.delete_identity_sync(SOURCE_TENANT)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (close_source, "source tenant has not enabled automatic user consent with the target tenant"),
        (close_redemption, "target tenant has not enabled inbound synchronization with this tenant"),
        (close_sync, "target tenant has not enabled inbound synchronization with this tenant"),
        (drop_sync, "target tenant has not enabled inbound synchronization with this tenant"),
    ],
)
def test_the_connection_needs_both_tenants(world: Any, change: Any, text: str) -> None:
    world.open_policies()
    principal = world.instantiate()[1]
    assert validate(world, principal).status_code == 204
    change(world)
    answer = validate(world, principal)
    assert refusal(answer) == (400, POLICY_CHECK)
    assert text in answer.json()["error"]["message"]


def test_other_refusals_of_the_connection(world: Any) -> None:
    world.open_policies()
    principal = world.instantiate()[1]
    absent = validate(world, principal, validation(CompanyId=FOREIGN_TENANT))
    assert refusal(absent) == (400, "ExternalTenantNotFound")
    assert refusal(validate(world, principal, validation(AuthenticationType="Basic"))) == (400, "InvalidCredentials")
    assert validate(world, principal, validation(Nonsense="x")).status_code == 400
    assert validate(world, principal, {**validation(), "templateId": "Other"}).status_code == 400
    saved = {"useSavedCredentials": True}
    assert refusal(validate(world, principal, saved)) == (400, "InvalidCredentials")


def test_saved_credentials_of_a_job(world: Any) -> None:
    pair = world.synchronization()
    path = f"{pair.job}/validateCredentials"
    assert world.source("POST", path, {"useSavedCredentials": True}).status_code == 204
    close_source(world)
    assert refusal(world.source("POST", path, {"useSavedCredentials": True})) == (400, POLICY_CHECK)


def test_policies_take_time_to_reach_the_service(world: Any) -> None:
    world.entra.settings = Settings(policy_propagation_seconds=30)
    world.open_policies()
    principal = world.instantiate()[1]
    assert refusal(validate(world, principal)) == (400, POLICY_CHECK)
    world.entra.clock.advance(seconds=30)
    assert validate(world, principal).status_code == 204


def test_the_state_machine_of_a_job(world: Any) -> None:
    pair = world.synchronization()

    def state() -> tuple[str, str]:
        job = pair.status()
        return job["schedule"]["state"], job["status"]["code"]

    assert state() == ("Disabled", "Paused")
    pair.start()
    assert state() == ("Active", "NotRun")
    pair.cycle(minutes=1)
    assert state() == ("Active", "Active")
    assert world.source("POST", f"{pair.job}/pause").status_code == 204
    assert state() == ("Paused", "Paused")
    pair.start()
    assert state() == ("Active", "Active")
    assert world.source("DELETE", pair.job).status_code == 204
    assert world.source("GET", pair.job).status_code == 404
    assert world.source("POST", f"{pair.job}/start").status_code == 404


def test_starting_a_running_job_is_counted(world: Any) -> None:
    pair = world.synchronization()
    pair.start()
    pair.start()
    (job,) = world.source_tenant.applications.principals[pair.principal].synchronization.jobs.values()
    assert job.starts_while_running == 1


def test_a_second_job_is_made_without_a_word(world: Any) -> None:
    pair = world.synchronization()
    base = f"/servicePrincipals/{pair.principal}/synchronization"
    assert world.source("POST", f"{base}/jobs", {"templateId": "Azure2Azure"}).status_code == 201
    assert len(world.source("GET", f"{base}/jobs").json()["value"]) == 2
    assert world.source("POST", f"{base}/jobs", {"templateId": "Nonsense"}).status_code == 400
    (template,) = world.source("GET", f"{base}/templates").json()["value"]
    assert world.source("GET", f"{base}/templates/{template['id']}").json()["id"] == "Azure2Azure"


def put(world: Any, pair: Any, **secrets: str) -> Any:
    body = {"value": [{"key": key, "value": value} for key, value in secrets.items()]}
    return world.source("PUT", f"/servicePrincipals/{pair.principal}/synchronization/secrets", body)


def secrets_of(world: Any, pair: Any) -> dict[str, str]:
    answer = world.source("GET", f"/servicePrincipals/{pair.principal}/synchronization/secrets")
    return {one["key"]: one["value"] for one in answer.json()["value"]}


def test_secrets_are_masked_when_they_are_secret(world: Any) -> None:
    pair = world.synchronization()
    assert put(world, pair, SecretToken="hush", BaseAddress="https://a").status_code == 204
    seen = secrets_of(world, pair)
    assert (seen["SecretToken"], seen["BaseAddress"], seen["CompanyId"]) == ("*", "https://a", TARGET_TENANT)
    assert "hush" not in str(world.entra.traffic)


def test_unknown_secret_keys_are_refused(world: Any) -> None:
    pair = world.synchronization()
    assert put(world, pair, Companyid="x").status_code == 400


@pytest.mark.parametrize(("mode", "kept"), [("merge", True), ("replace", False)])
def test_secrets_that_a_put_does_not_name(world: Any, mode: Any, kept: bool) -> None:
    pair = world.synchronization()
    world.entra.settings = Settings(secrets_put=mode)
    put(world, pair, SyncAll="true", AuthenticationType="")
    seen = secrets_of(world, pair)
    assert ("CompanyId" in seen) is kept
    assert "AuthenticationType" not in seen
    assert seen["SyncAll"] == "true"


def test_the_service_adds_and_reorders(world: Any) -> None:
    text = '{"Enabled":true,"Recipients":"a@b.c"}'
    pair = world.synchronization(SyncNotificationSettings=text)
    extra = (("SkipOutOfScopeDeletions", "False"),)
    world.entra.settings = Settings(secrets_extra=extra, notification_settings_reordered=True)
    seen = secrets_of(world, pair)
    assert seen["SkipOutOfScopeDeletions"] == "False"
    assert seen["SyncNotificationSettings"] != text
    assert json.loads(seen["SyncNotificationSettings"]) == json.loads(text)


def schema_of(world: Any, pair: Any) -> Any:
    """What may be sent back of the schema."""
    schema = world.source("GET", f"{pair.job}/schema").json()
    return {name: schema[name] for name in ("directories", "synchronizationRules")}


def test_the_schema_is_replaced_whole(world: Any) -> None:
    pair = world.synchronization()
    path = f"{pair.job}/schema"
    schema = schema_of(world, pair)
    schema["synchronizationRules"][0]["objectMappings"][1]["enabled"] = True
    assert world.source("PUT", path, schema).status_code == 204
    seen = world.source("GET", path).json()
    assert seen["synchronizationRules"] == schema["synchronizationRules"]
    assert world.source("DELETE", path).status_code == 204
    mappings = world.source("GET", path).json()["synchronizationRules"][0]["objectMappings"]
    assert [mapping["enabled"] for mapping in mappings] == [True, False]


def test_the_matching_attribute_stays(world: Any) -> None:
    pair = world.synchronization()
    schema = schema_of(world, pair)
    schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["source"]["expression"] = "[mail]"
    assert refusal(world.source("PUT", f"{pair.job}/schema", schema)) == (400, "schemaInvalid")
    assert refusal(world.source("PUT", f"{pair.job}/schema", {})) == (400, "schemaInvalid")
    answer = world.source("PATCH", f"{pair.job}/schema", schema)
    assert refusal(answer) == (404, "UnknownError")
    assert "No HTTP resource was found" in json.loads(answer.json()["error"]["message"])["Message"]


def test_what_is_the_service_s_own_in_a_schema_is_not_taken_back(world: Any) -> None:
    pair = world.synchronization()
    path = f"{pair.job}/schema"
    before = world.source("GET", path).json()
    world.entra.settings = Settings(schema_additions=True)
    assert "provisioningTaskIdentifier" in world.source("GET", path).json()
    assert refusal(world.source("PUT", path, schema_of(world, pair))) == (400, "Request_BadRequest")
    world.entra.settings = Settings()
    schema = schema_of(world, pair)
    for more in ({"id": "x"}, {"version": "2"}):
        assert refusal(world.source("PUT", path, {**schema, **more})) == (400, "Request_BadRequest")
    assert world.source("PUT", path, schema).status_code == 204
    after = world.source("GET", path).json()
    assert (after["id"], after["version"] != before["version"]) == (before["id"], True)


@pytest.mark.parametrize(("mode", "inline", "expanded"), [("inline", True, True), ("expanded", False, True)])
def test_the_directories_of_a_schema_may_have_to_be_asked_for(
    world: Any, mode: Any, inline: bool, expanded: bool
) -> None:
    pair = world.synchronization()
    world.entra.settings = Settings(schema_directories=mode)
    path = f"{pair.job}/schema"
    assert ("directories" in world.source("GET", path).json()) is inline
    assert ("directories" in world.source("GET", f"{path}?$expand=directories").json()) is expanded


@pytest.mark.parametrize("text", ["", "null", "[]", "not JSON"])
def test_notification_settings_are_an_object(world: Any, text: str) -> None:
    pair = world.synchronization()
    answer = put(world, pair, SyncNotificationSettings=text)
    assert refusal(answer) == (400, "UnknownError")
    assert json.loads(answer.json()["error"]["message"])["error"]["code"] == "InvalidNotificationSettings"
    assert put(world, pair, SyncNotificationSettings="{}").status_code == 204


def on_demand(world: Any, pair: Any, user_id: str, kind: str = "User") -> Any:
    rule = world.source("GET", f"{pair.job}/schema").json()["synchronizationRules"][0]["id"]
    body = {"parameters": [{"ruleId": rule, "subjects": [{"objectId": user_id, "objectTypeName": kind}]}]}
    return world.source("POST", f"{pair.job}/provisionOnDemand", body)


def verdict(answer: Any) -> tuple[str, str]:
    assert answer.status_code == 200
    info = json.loads(answer.json()["value"])[0]["provisioningSteps"][-1]["statusInfo"]
    return info["status"], info["errorCode"]


def test_on_demand_says_what_came_of_it(world: Any) -> None:
    pair = world.synchronization()
    alice = world.user_id("alice")
    assert verdict(on_demand(world, pair, alice)) == ("Skipped", "NotEffectivelyEntitled")
    pair.assign(alice)
    assert verdict(on_demand(world, pair, alice)) == ("Success", "")
    assert verdict(on_demand(world, pair, alice)) == ("Skipped", "RedundantExport")
    assert verdict(on_demand(world, pair, SOURCE_TENANT)) == ("Failure", "EntryNotFound")
    close_sync(world)
    assert verdict(on_demand(world, pair, alice)) == ("Failure", POLICY_CHECK)


def test_on_demand_refusals(world: Any) -> None:
    pair = world.synchronization()
    assert on_demand(world, pair, world.group_id("Finance"), "Group").status_code == 400
    bare = world.source("POST", f"{pair.job}/provisionOnDemand", [{"ruleId": "x"}])
    assert bare.status_code == 400
    unknown = {"parameters": [{"ruleId": "x", "subjects": [{"objectId": "y", "objectTypeName": "User"}]}]}
    assert world.source("POST", f"{pair.job}/provisionOnDemand", unknown).status_code == 400


def test_five_on_demand_calls_in_ten_seconds(world: Any) -> None:
    pair = world.synchronization()
    pair.assign(world.user_id("alice"))
    world.entra.settings = Settings(audit_throttled=True)
    answers = [on_demand(world, pair, world.user_id("alice")) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "10"
    world.entra.clock.advance(seconds=10)
    assert on_demand(world, pair, world.user_id("alice")).status_code == 200


def test_blank_unauthorized_instead_of_denied(world: Any) -> None:
    pair = world.synchronization()
    world.source_tenant.login.clients[SOURCE_CLIENT].permissions = frozenset({"Application.Read.All"})
    world.source.sign_in()
    assert world.source("GET", pair.job).status_code == 403
    world.entra.settings = Settings(blank_unauthorized=True)
    answer = world.source("GET", pair.job)
    assert refusal(answer) == (401, "UnknownError")
    assert answer.json()["error"]["message"] == ""
    assert world.source("GET", PARTNERS).status_code == 403
