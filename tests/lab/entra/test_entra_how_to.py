"""The how-to's twelve steps, call by call, with its bodies and its answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lab.world import SOURCE_TENANT, TARGET_TENANT

VERSIONS = ["v1.0", "beta"]
PARTNERS = "/policies/crossTenantAccessPolicy/partners"
TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
NEVER = "0001-01-01T00:00:00Z"
CREDENTIALS = [
    {"key": "CompanyId", "value": TARGET_TENANT},
    {"key": "AuthenticationType", "value": "SyncPolicy"},
]
NOTIFICATIONS = '{"Enabled":false,"DeleteThresholdEnabled":false,"HumanResourcesLookaheadQueryEnabled":false}'


def created_partner(world: Any, version: str, tenant_id: str) -> dict[str, Any]:
    return {
        "@odata.context": f"{world.server.url}/{version}/$metadata#policies/crossTenantAccessPolicy/partners/$entity",
        "tenantId": tenant_id,
        "isServiceProvider": None,
        "inboundTrust": None,
        "b2bCollaborationOutbound": None,
        "b2bCollaborationInbound": None,
        "b2bDirectConnectOutbound": None,
        "b2bDirectConnectInbound": None,
        "tenantRestrictions": None,
        "crossCloudMeetingConfiguration": {"inboundAllowed": None, "outboundAllowed": None},
        "automaticUserConsentSettings": {"inboundAllowed": None, "outboundAllowed": None},
    }


def fresh_job(world: Any, version: str, principal: str, job_id: str) -> dict[str, Any]:
    return {
        "@odata.context": f"{world.server.url}/{version}/$metadata"
        f"#servicePrincipals('{principal}')/synchronization/jobs/$entity",
        "id": job_id,
        "templateId": "Azure2Azure",
        "schedule": {"expiration": None, "interval": "PT40M", "state": "Disabled"},
        "status": {
            "countSuccessiveCompleteFailures": 0,
            "escrowsPruned": False,
            "code": "Paused",
            "lastExecution": None,
            "lastSuccessfulExecution": None,
            "lastSuccessfulExecutionWithExports": None,
            "quarantine": None,
            "steadyStateFirstAchievedTime": NEVER,
            "steadyStateLastAchievedTime": NEVER,
            "troubleshootingUrl": None,
            "progress": [],
            "synchronizedEntryCountByType": [],
        },
        "synchronizationJobSettings": [
            {"name": "AzureIngestionAttributeOptimization", "value": "False"},
            {"name": "LookaheadQueryEnabled", "value": "False"},
        ],
    }


def step_2_create_target_partner(world: Any, version: str, made: dict[str, str]) -> None:
    answer = world.target("POST", PARTNERS, {"tenantId": SOURCE_TENANT}, version)
    assert answer.status_code == 201
    assert answer.json() == created_partner(world, version, SOURCE_TENANT)


def step_2_allow_user_synchronization(world: Any, version: str, made: dict[str, str]) -> None:
    path = f"{PARTNERS}/{SOURCE_TENANT}/identitySynchronization"
    body = {"displayName": "Fabrikam", "userSyncInbound": {"isSyncAllowed": True}}
    answer = world.target("PUT", path, body, version)
    assert (answer.status_code, answer.content) == (204, b"")
    seen = world.target("GET", path, version=version).json()
    assert seen["userSyncInbound"] == {"isSyncAllowed": True}


def step_3_redeem_inbound(world: Any, version: str, made: dict[str, str]) -> None:
    body = {"inboundTrust": None, "automaticUserConsentSettings": {"inboundAllowed": True}}
    answer = world.target("PATCH", f"{PARTNERS}/{SOURCE_TENANT}", body, version)
    assert (answer.status_code, answer.content) == (204, b"")
    seen = world.target("GET", f"{PARTNERS}/{SOURCE_TENANT}", version=version).json()
    assert seen["automaticUserConsentSettings"] == {"inboundAllowed": True, "outboundAllowed": None}


def step_4_redeem_outbound(world: Any, version: str, made: dict[str, str]) -> None:
    answer = world.source("POST", PARTNERS, {"tenantId": TARGET_TENANT}, version)
    assert answer.json() == created_partner(world, version, TARGET_TENANT)
    body = {"automaticUserConsentSettings": {"outboundAllowed": True}}
    answer = world.source("PATCH", f"{PARTNERS}/{TARGET_TENANT}", body, version)
    assert (answer.status_code, answer.content) == (204, b"")


def step_5_instantiate(world: Any, version: str, made: dict[str, str]) -> None:
    path = f"/applicationTemplates/{TEMPLATE}/instantiate"
    answer = world.source("POST", path, {"displayName": "Fabrikam"}, version)
    assert answer.status_code == 201
    application, principal = answer.json()["application"], answer.json()["servicePrincipal"]
    assert application["applicationTemplateId"] == principal["applicationTemplateId"] == TEMPLATE
    assert application["displayName"] == principal["displayName"] == "Fabrikam"
    assert principal["appRoleAssignmentRequired"] is True
    assert principal["servicePrincipalNames"] == [application["appId"]]
    assert [role["displayName"] for role in principal["appRoles"]] == ["msiam_access"]
    made["principal"], made["role"] = principal["id"], principal["appRoles"][0]["id"]
    made["base"] = f"/servicePrincipals/{principal['id']}/synchronization"


def step_6_test_the_connection(world: Any, version: str, made: dict[str, str]) -> None:
    body = {"useSavedCredentials": False, "templateId": "Azure2Azure", "credentials": CREDENTIALS}
    answer = world.source("POST", f"{made['base']}/jobs/validateCredentials", body, version)
    assert (answer.status_code, answer.content) == (204, b"")


def step_7_create_the_job(world: Any, version: str, made: dict[str, str]) -> None:
    answer = world.source("POST", f"{made['base']}/jobs", {"templateId": "Azure2Azure"}, version)
    assert answer.status_code == 201
    assert answer.json() == fresh_job(world, version, made["principal"], answer.json()["id"])
    assert answer.json()["id"].startswith(f"Azure2Azure.{SOURCE_TENANT.replace('-', '')}.")
    made["job"] = f"{made['base']}/jobs/{answer.json()['id']}"


def step_8_save_credentials(world: Any, version: str, made: dict[str, str]) -> None:
    more = [{"key": "SyncNotificationSettings", "value": NOTIFICATIONS}, {"key": "SyncAll", "value": "false"}]
    answer = world.source("PUT", f"{made['base']}/secrets", {"value": CREDENTIALS + more}, version)
    assert (answer.status_code, answer.content) == (204, b"")
    assert world.source("GET", f"{made['base']}/secrets", version=version).json()["value"] == CREDENTIALS + more


def step_9_assign_a_user(world: Any, version: str, made: dict[str, str]) -> None:
    alice = world.user_id("alice")
    path = f"/servicePrincipals/{made['principal']}/appRoleAssignedTo"
    body = {"appRoleId": made["role"], "resourceId": made["principal"], "principalId": alice}
    answer = world.source("POST", path, body, version)
    assert answer.status_code == 201
    seen = answer.json()
    assert seen.pop("id")
    assert seen == {
        "@odata.context": f"{world.server.url}/{version}/$metadata"
        f"#servicePrincipals('{made['principal']}')/appRoleAssignedTo/$entity",
        "deletedDateTime": None,
        "appRoleId": made["role"],
        "createdDateTime": "2026-11-23T09:00:00Z",
        "principalDisplayName": "Alice",
        "principalId": alice,
        "principalType": "User",
        "resourceDisplayName": "Fabrikam",
        "resourceId": made["principal"],
    }


def step_10_provision_on_demand(world: Any, version: str, made: dict[str, str]) -> None:
    rule = world.source("GET", f"{made['job']}/schema", version=version).json()["synchronizationRules"][0]
    assert rule["name"] == "USER_INBOUND_USER"
    subject = {"objectId": world.user_id("alice"), "objectTypeName": "User"}
    body = {"parameters": [{"ruleId": rule["id"], "subjects": [subject]}]}
    answer = world.source("POST", f"{made['job']}/provisionOnDemand", body, version)
    assert answer.status_code == 200
    steps = json.loads(answer.json()["value"])[0]["provisioningSteps"]
    assert [step["status"] for step in steps] == ["Success"] * 4
    assert world.target_tenant.directory.user("alice_contoso.com#EXT#@fabrikam.com").user_type == "Member"


def step_11_start(world: Any, version: str, made: dict[str, str]) -> None:
    answer = world.source("POST", f"{made['job']}/start", version=version)
    assert (answer.status_code, answer.content) == (204, b"")


def step_12_monitor(world: Any, version: str, made: dict[str, str]) -> None:
    job = world.source("GET", made["job"], version=version).json()
    assert (job["schedule"]["state"], job["status"]["code"]) == ("Active", "NotRun")
    execution = job["status"]["lastExecution"]
    assert (execution["state"], execution["timeBegan"], execution["error"]["code"]) == ("Failed", NEVER, "None")
    principal = made["principal"]
    text = (
        f"((contains(tolower(servicePrincipal/id), '{principal}') or "
        f"contains(tolower(servicePrincipal/displayName), '{principal}')) "
        "and activityDateTime gt 2026-11-22 and activityDateTime lt 2026-11-24)"
    )
    query = {"$filter": text, "$top": "500", "$orderby": "activityDateTime desc"}
    answer = world.source("GET", "/auditLogs/provisioning", version=version, params=query)
    assert answer.status_code == 200
    (entry,) = answer.json()["value"]
    assert (entry["provisioningAction"], entry["provisioningStatusInfo"]["status"]) == ("create", "success")
    assert entry["sourceIdentity"]["details"]["UserPrincipalName"] == "alice@contoso.com"


STEPS: list[Callable[[Any, str, dict[str, str]], None]] = [
    step_2_create_target_partner,
    step_2_allow_user_synchronization,
    step_3_redeem_inbound,
    step_4_redeem_outbound,
    step_5_instantiate,
    step_6_test_the_connection,
    step_7_create_the_job,
    step_8_save_credentials,
    step_9_assign_a_user,
    step_10_provision_on_demand,
    step_11_start,
    step_12_monitor,
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("count", range(1, len(STEPS) + 1), ids=[step.__name__ for step in STEPS])
def test_step(world: Any, version: str, count: int) -> None:
    """A step holds after all the steps before it."""
    made: dict[str, str] = {}
    for step in STEPS[:count]:
        step(world, version, made)
    assert all(exchange.known for exchange in world.entra.traffic)
