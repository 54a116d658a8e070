"""Partner policies and identity synchronization: names, conflicts, merges, deletion."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from lab.entra import Settings
from lab.world import FOREIGN_TENANT, SOURCE_TENANT, TARGET_TENANT
from tests.patience import PATIENCE_SECONDS

PARTNERS = "/policies/crossTenantAccessPolicy/partners"
PARTNER = f"{PARTNERS}/{SOURCE_TENANT}"
SYNC = f"{PARTNER}/identitySynchronization"
ALLOWED = {"userSyncInbound": {"isSyncAllowed": True}}
INBOUND = {"automaticUserConsentSettings": {"inboundAllowed": True}}
OUTBOUND = {"automaticUserConsentSettings": {"outboundAllowed": True}}


def error(answer: Any) -> tuple[int, str]:
    assert set(answer.json()["error"]["innerError"]) == {"date", "request-id", "client-request-id"}
    return answer.status_code, answer.json()["error"]["code"]


def create(world: Any, **members: Any) -> Any:
    return world.target("POST", PARTNERS, {"tenantId": SOURCE_TENANT, **members})


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"b2BDirectConnectInbound": None}, "b2BDirectConnectInbound"),
        ({"AutomaticUserConsentSettings": None}, "AutomaticUserConsentSettings"),
        ({"automaticUserConsent": {"outboundAllowed": True}}, "automaticUserConsent"),
        ({"automaticUserConsentSettings": {"InboundAllowed": True}}, "InboundAllowed"),
        ({"inboundTrust": {"isMFAAccepted": True}}, "isMFAAccepted"),
        ({"crossCloudMeetingConfiguration": {"inboundAllowed": True}}, "crossCloudMeetingConfiguration"),
        ({"tenantId": SOURCE_TENANT}, "tenantId"),
    ],
)
def test_names_are_exact(world: Any, body: dict[str, Any], name: str) -> None:
    create(world)
    answer = world.target("PATCH", PARTNER, body)
    assert error(answer) == (400, "Request_BadRequest")
    assert answer.json()["error"]["message"] == f"Invalid property '{name}'."


@pytest.mark.parametrize(
    "body",
    [
        {"automaticUserConsentSettings": {"inboundAllowed": "yes"}},
        {"automaticUserConsentSettings": True},
        {"tenantRestrictions": {"@odata.type": "#microsoft.graph.crossTenantAccessPolicyTenantRestrictions"}},
        {"b2bCollaborationInbound": {"usersAndGroups": {"accessType": "Allowed"}}},
        {"b2bCollaborationInbound": {"usersAndGroups": {"targets": {}}}},
    ],
)
def test_values_are_of_the_right_kind(world: Any, body: dict[str, Any]) -> None:
    create(world)
    assert error(world.target("PATCH", PARTNER, body)) == (400, "Request_BadRequest")


def test_a_second_post_conflicts(world: Any) -> None:
    assert create(world).status_code == 201
    answer = create(world)
    assert error(answer) == (409, "Request_MultipleObjectsWithSameKeyValue")
    message = "Another object with the same value for property tenantId already exists."
    assert answer.json()["error"]["message"] == message


@pytest.mark.parametrize("tenant_id", ["", "not-a-guid", None])
def test_post_wants_a_tenant_id(world: Any, tenant_id: str | None) -> None:
    assert error(world.target("POST", PARTNERS, {"tenantId": tenant_id})) == (400, "Request_BadRequest")


def test_what_is_missing_cannot_be_read_or_changed(world: Any) -> None:
    missing = (404, "Directory_ObjectNotFound")
    assert error(world.target("PATCH", PARTNER, INBOUND)) == missing
    assert error(world.target("PUT", SYNC, ALLOWED)) == missing
    assert error(world.target("PATCH", SYNC, ALLOWED)) == missing
    for method, path in (("GET", PARTNER), ("DELETE", PARTNER), ("GET", SYNC), ("DELETE", SYNC)):
        assert error(world.target(method, path)) == (404, "Request_ResourceNotFound")
    create(world)
    assert error(world.target("PATCH", SYNC, ALLOWED)) == missing
    message = world.target("PATCH", SYNC, ALLOWED).json()["error"]["message"]
    assert message == "Unable to read the company information from the directory."


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("merge", {"inboundAllowed": True, "outboundAllowed": True}),
        ("replace", {"inboundAllowed": None, "outboundAllowed": True}),
    ],
)
def test_patch_of_a_complex_value(world: Any, mode: Any, expected: dict[str, Any]) -> None:
    world.entra.settings = Settings(complex_patch=mode)
    create(world, **INBOUND)
    assert world.target("PATCH", PARTNER, OUTBOUND).status_code == 204
    assert world.target("GET", PARTNER).json()["automaticUserConsentSettings"] == expected


def test_null_resets_trust_and_leaves_the_rest(world: Any) -> None:
    create(world, inboundTrust={"isMfaAccepted": True}, **INBOUND)
    world.target("PATCH", PARTNER, {"inboundTrust": None})
    seen = world.target("GET", PARTNER).json()
    assert seen["inboundTrust"] is None
    assert seen["automaticUserConsentSettings"]["inboundAllowed"] is True


@pytest.mark.parametrize(
    ("mode", "status", "allowed"), [("honour", 201, True), ("ignore", 201, None), ("refuse", 400, None)]
)
def test_consent_in_the_create_body(world: Any, mode: Any, status: int, allowed: bool | None) -> None:
    world.target_tenant.settings = Settings(partner_post_consent=mode)
    answer = create(world, **INBOUND)
    assert answer.status_code == status
    if status == 201:
        assert answer.json()["automaticUserConsentSettings"]["inboundAllowed"] is allowed


def test_put_of_an_existing_sync_policy(world: Any) -> None:
    create(world)
    body = {**ALLOWED, "groupSyncInbound": {"isSyncAllowed": True}}
    assert world.target("PUT", SYNC, body, "beta").status_code == 204
    refused = world.target("PUT", SYNC, ALLOWED)
    assert error(refused) == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert refused.json()["error"]["details"][0]["code"] == "ConflictingObjects"
    world.entra.settings = Settings(identity_sync_put="replace")
    assert world.target("PUT", SYNC, ALLOWED).status_code == 204
    assert world.target("GET", SYNC, version="beta").json()["groupSyncInbound"] is None


def test_group_sync_is_beta_only(world: Any) -> None:
    create(world)
    body = {**ALLOWED, "groupSyncInbound": {"isSyncAllowed": True}}
    assert world.target("PUT", SYNC, body).json()["error"]["message"] == "Invalid property 'groupSyncInbound'."
    world.target("PUT", SYNC, body, "beta")
    assert "groupSyncInbound" not in world.target("GET", SYNC).json()
    stranger = {"roleEnabledGroupSyncInbound": {"isSyncAllowed": True}}
    assert world.target("PATCH", SYNC, stranger, "beta").status_code == 400


def test_expand_and_select(world: Any) -> None:
    create(world)
    path = f"{PARTNER}?$expand=identitySynchronization&$select=tenantId"
    assert world.target("GET", path).json()["identitySynchronization"] is None
    world.target("PUT", SYNC, {"displayName": "Contoso", **ALLOWED})
    seen = world.target("GET", path).json()
    assert seen["identitySynchronization"] == {"tenantId": SOURCE_TENANT, "displayName": "Contoso", **ALLOWED}
    assert set(seen) == {"@odata.context", "tenantId", "identitySynchronization"}
    assert world.target("GET", f"{PARTNER}?$select=nothing").status_code == 400


def test_a_partner_with_a_sync_policy_stays(world: Any) -> None:
    create(world)
    world.target("PUT", SYNC, ALLOWED)
    assert error(world.target("DELETE", PARTNER)) == (400, "Request_BadRequest")
    assert world.target("DELETE", SYNC).status_code == 204
    assert world.target("DELETE", PARTNER).status_code == 204
    assert world.target("GET", PARTNER).status_code == 404


def test_deleted_policies_wait_thirty_days_in_beta(world: Any) -> None:
    create(world, **INBOUND)
    world.target("PUT", SYNC, ALLOWED)
    world.target("DELETE", SYNC)
    world.target("DELETE", PARTNER)
    deleted = "/policies/deletedItems/crossTenantPartners"
    assert world.target("GET", deleted).status_code == 400
    assert [one["tenantId"] for one in world.target("GET", deleted, version="beta").json()["value"]] == [SOURCE_TENANT]
    assert world.target("POST", f"{deleted}/{SOURCE_TENANT}/restore", version="beta").status_code == 200
    sync_deleted = f"/policies/deletedItems/crossTenantSyncPolicyPartners/{SOURCE_TENANT}"
    assert world.target("POST", f"{sync_deleted}/restore", version="beta").status_code == 200
    assert world.target("GET", PARTNER).json()["automaticUserConsentSettings"]["inboundAllowed"] is True
    assert world.target("GET", SYNC).json()["userSyncInbound"] == {"isSyncAllowed": True}
    world.target("DELETE", SYNC)
    world.target("DELETE", PARTNER)
    assert world.target("DELETE", f"{deleted}/{SOURCE_TENANT}", version="beta").status_code == 204
    assert world.target("GET", sync_deleted, version="beta").status_code == 200
    world.pass_time(31 * 24 * 60)
    assert world.target("GET", sync_deleted, version="beta").status_code == 404


def test_recreation_conflicts_for_a_while_if_told_so(world: Any) -> None:
    world.entra.settings = Settings(partner_recreate_conflict_seconds=60)
    create(world)
    world.target("DELETE", PARTNER)
    assert world.target("GET", PARTNER).status_code == 404
    assert create(world).status_code == 409
    world.entra.clock.advance(seconds=60)
    assert create(world).status_code == 201


def test_reads_lag_behind_writes(world: Any) -> None:
    world.target_tenant.settings = Settings(lag_reads=2)
    create(world)
    assert [world.target("GET", PARTNER).status_code for _ in range(3)] == [404, 404, 200]
    world.target("PATCH", PARTNER, INBOUND)
    seen = [world.target("GET", PARTNER).json()["automaticUserConsentSettings"]["inboundAllowed"] for _ in range(3)]
    assert seen == [None, None, True]
    world.target("DELETE", PARTNER)
    assert [world.target("GET", PARTNER).status_code for _ in range(3)] == [200, 200, 404]


def test_reads_lag_by_the_clock(world: Any) -> None:
    world.target_tenant.settings = Settings(lag_seconds=10)
    create(world)
    assert world.target("GET", PARTNER).status_code == 404
    world.entra.clock.advance(seconds=10)
    assert world.target("GET", PARTNER).status_code == 200


def test_the_list_shows_the_foreign_partner_too(world: Any) -> None:
    create(world)
    listed = world.target("GET", PARTNERS).json()["value"]
    assert [one["tenantId"] for one in listed] == [FOREIGN_TENANT, SOURCE_TENANT]


def test_policy_and_default(world: Any) -> None:
    assert world.target("GET", "/policies/crossTenantAccessPolicy").json()["allowedCloudEndpoints"] == []
    default = world.target("GET", "/policies/crossTenantAccessPolicy/default").json()
    assert default["isServiceDefault"] is True
    assert default["automaticUserConsentSettings"] == {"inboundAllowed": False, "outboundAllowed": False}


def test_who_may_invite_guests(world: Any) -> None:
    assert world.target("GET", "/policies/authorizationPolicy").json()["allowInvitesFrom"] == "everyone"
    world.target_tenant.guest_invitations_allowed = False
    assert world.target("GET", "/policies/authorizationPolicy").json()["allowInvitesFrom"] == "none"


def test_bodies_must_be_json_and_say_so(world: Any) -> None:
    url = f"{world.server.url}/v1.0{PARTNERS}"
    send = functools.partial(world.target.session.post, url, timeout=PATIENCE_SECONDS)
    assert send(data=b"{}").status_code == 400
    assert send(data=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert send(data=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert send(json=[]).status_code == 400


def test_what_microsoft_365_keeps_is_listed_and_not_shown_by_the_partner(world: Any) -> None:
    create(world)
    entry = {"id": "1", "capability": "freeBusy"}
    world.entra.tenants[TARGET_TENANT].policies.partners[SOURCE_TENANT].capabilities.append(entry)
    assert world.target("GET", f"{PARTNER}/m365Capabilities").json()["value"] == [entry]
    assert "m365Capabilities" not in world.target("GET", PARTNER).json()
    assert world.target("GET", f"{PARTNERS}/{TARGET_TENANT}/m365Capabilities").status_code == 404
    world.entra.settings = Settings(m365_capabilities="unknown")
    answer = world.target("GET", f"{PARTNER}/m365Capabilities")
    assert error(answer) == (400, "BadRequest")
    assert "segment 'm365Capabilities'" in answer.json()["error"]["message"]
