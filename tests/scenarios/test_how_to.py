"""One `up`, then each step of Microsoft's how-to: what was sent, exactly once, and what holds after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import world
from lab.entra import Exchange, serve
from lab.pulumi.installation import Installation
from tests.scenarios.stacks import Lab, ours

pytestmark = pytest.mark.real
PARTNERS = "/policies/crossTenantAccessPolicy/partners"


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory, installation: Installation | None) -> Iterator[Lab]:
    entra = world.dev_world()
    folder: Path = tmp_path_factory.mktemp("how-to")
    with serve(entra) as server:
        lab = Lab(server, entra, folder, installation)
        lab.stack.run("up")
        lab.calls_of_up = lab.calls_since(0)
        yield lab


def sent(lab: Lab, method: str, ending: str, tenant: str) -> list[Exchange]:
    return [
        call
        for call in lab.calls_since(0)
        if call.method == method and call.path.endswith(ending) and call.tenant_id == tenant
    ]


def body(calls: list[Exchange]) -> Any:
    assert len(calls) == 1
    assert calls[0].version == "v1.0"
    return calls[0].request_body


def test_step_2_user_synchronization_is_enabled_in_the_target(connected: Lab) -> None:
    created = body(sent(connected, "POST", PARTNERS, world.TARGET_TENANT))
    assert created["tenantId"] == world.SOURCE_TENANT
    put = body(sent(connected, "PUT", "/identitySynchronization", world.TARGET_TENANT))
    assert put == {"displayName": "Contoso to Fabrikam", "userSyncInbound": {"isSyncAllowed": True}}
    partner = connected.target.policies.partners[world.SOURCE_TENANT]
    assert partner.identity_sync is not None
    assert partner.identity_sync.allows("userSyncInbound")


def test_step_3_invitations_are_redeemed_in_the_target_without_a_second_call(connected: Lab) -> None:
    created = body(sent(connected, "POST", PARTNERS, world.TARGET_TENANT))
    assert created["automaticUserConsentSettings"] == {"inboundAllowed": True}
    assert "inboundTrust" not in created
    assert not sent(connected, "PATCH", world.SOURCE_TENANT, world.TARGET_TENANT)
    assert connected.target.policies.partners[world.SOURCE_TENANT].redeems("inboundAllowed")


def test_step_4_invitations_are_redeemed_in_the_source(connected: Lab) -> None:
    created = body(sent(connected, "POST", PARTNERS, world.SOURCE_TENANT))
    assert created == {
        "tenantId": world.TARGET_TENANT,
        "automaticUserConsentSettings": {"outboundAllowed": True},
    }
    assert connected.source.policies.partners[world.TARGET_TENANT].redeems("outboundAllowed")


def test_step_5_a_configuration_application_exists(connected: Lab) -> None:
    created = body(sent(connected, "POST", "/instantiate", world.SOURCE_TENANT))
    assert created == {"displayName": "Contoso to Fabrikam"}
    assert len(connected.source.applications.applications) == 1


def test_step_6_the_connection_is_tested_before_the_job_exists(connected: Lab) -> None:
    tests = sent(connected, "POST", "/jobs/validateCredentials", world.SOURCE_TENANT)
    assert body(tests) == {
        "useSavedCredentials": False,
        "templateId": "Azure2Azure",
        "credentials": [
            {"key": "CompanyId", "value": world.TARGET_TENANT},
            {"key": "AuthenticationType", "value": "SyncPolicy"},
        ],
    }
    assert tests[0].number < sent(connected, "POST", "/synchronization/jobs", world.SOURCE_TENANT)[0].number


def test_step_7_a_job_is_made(connected: Lab) -> None:
    assert body(sent(connected, "POST", "/synchronization/jobs", world.SOURCE_TENANT)) == {"templateId": "Azure2Azure"}
    assert len(connected.jobs()) == 1


def test_step_8_the_settings_are_saved(connected: Lab) -> None:
    put = body(sent(connected, "PUT", "/synchronization/secrets", world.SOURCE_TENANT))
    values = {item["key"]: item["value"] for item in put["value"]}
    assert json.loads(values.pop("SyncNotificationSettings")) == {
        "Enabled": False,
        "DeleteThresholdEnabled": True,
        "DeleteThresholdValue": 500,
        "HumanResourcesLookaheadQueryEnabled": False,
    }
    assert values == {
        "CompanyId": world.TARGET_TENANT,
        "AuthenticationType": "SyncPolicy",
        "SyncAll": "false",
    }


def test_step_9_users_and_groups_are_assigned_with_the_role_of_the_instance(connected: Lab) -> None:
    assigned = sent(connected, "POST", "/appRoleAssignedTo", world.SOURCE_TENANT)
    (application,) = connected.source.applications.applications.values()
    role = next(role["id"] for role in application.roles if role["displayName"] == "msiam_access")
    assert {call.request_body["appRoleId"] for call in assigned} == {role}
    alice = connected.source.directory.user("alice@contoso.com").id
    finance = next(g.id for g in connected.source.directory.groups.values() if g.display_name == "Finance")
    assert {call.request_body["principalId"] for call in assigned} == {alice, finance}


def test_step_11_the_job_is_started_once(connected: Lab) -> None:
    assert len(sent(connected, "POST", "/start", world.SOURCE_TENANT)) == 1
    (job,) = connected.jobs()
    assert job.schedule_state == "Active"
    assert job.starts_while_running == 0


def test_step_12_the_job_can_be_watched(connected: Lab) -> None:
    outputs = connected.stack.run("refresh").outputs
    assert (outputs["jobState"], outputs["jobStatus"]) == ("Active", "NotRun")
    assert outputs["jobId"] == connected.jobs()[0].id


LOOKS = ("/servicePrincipals", "/$batch")


def test_no_call_is_made_beyond_the_least_possible_and_the_ten_that_are_explained(connected: Lab) -> None:
    # The look for other configurations of the pair, before anything is made, is counted apart.
    calls = [one for one in ours(connected.calls_of_up) if not one.in_batch and one.path not in LOOKS]
    assert sum(call.method != "GET" for call in calls) == 7
    (principal,) = (p.id for p in connected.source.applications.principals.values() if p.template_id)
    reads = [call.path.removeprefix("/servicePrincipals").rsplit("/", 1)[-1] for call in calls if call.method == "GET"]
    assert sorted(reads) == sorted(
        [
            principal,  # the role
            world.SOURCE_TENANT,  # the baseline of the target
            world.TARGET_TENANT,  # the baseline of the source
            world.SOURCE_TENANT,  # until what was written is seen
            world.TARGET_TENANT,  # the same in the source
            "identitySynchronization",  # made by somebody since the baseline
            "applications",  # configurations that are there before
            "applications",  # what a run that was killed has left behind
            "jobs",  # adoption
            "jobs",  # the only one, before it is started
            connected.jobs()[0].id,  # the state in the outputs
        ]
    )
