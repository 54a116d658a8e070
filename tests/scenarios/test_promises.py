"""The promises of the README, each as a scenario; the last of them in test_promises_8_to_10.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import world
from tests.bench.counts import is_look, is_look_up
from tests.scenarios.stacks import Lab, changed, messages, ours, short, told, writes

pytestmark = pytest.mark.real


# --- 1. The end state ------------------------------------------------------------------------------------


def test_promise_1_a_person_of_the_source_appears_in_the_target(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    assert lab.arrived() == {"alice@contoso.com", "carol@contoso.com", "dave@contoso.com"}


# --- 2. A second `up` does nothing -----------------------------------------------------------------------


def test_promise_2_a_second_up_writes_nothing_and_no_resource_of_ours_calls(lab: Lab) -> None:
    lab.stack.run("up")
    for operation in ("preview", "up"):
        before = len(lab.entra.traffic)
        result = lab.stack.run(operation, expect_no_changes=True)
        assert result.exit_code == 0
        calls = lab.calls_since(before)
        assert not writes(calls)
        asked = [call for call in ours(calls) if not is_look_up(call)]
        assert [call.path for call in asked] == ["/$batch"], "one request for everybody whom the stack file names"
        documents = [call for call in ours(lab.entra.traffic[before:]) if call.path == "/metadata/endpoints"]
        assert len(documents) == 1, "where a private cloud is, asked once by the program"


# What signs in sends with it, and its import is half of what a process of ours costs.
WITHOUT_HTTP = """import sys
if "pulumi.dynamic" in sys.orig_argv:
    sys.modules["requests"] = None
"""


@pytest.mark.processes
def test_promise_2_without_a_change_no_process_of_ours_loads_what_signs_in(lab: Lab, tmp_path: Path) -> None:
    lab.stack.config |= {"xtsync:flowTypes": ["add", "update"], "xtsync:provisionOnDemand": ["alice@contoso.com"]}
    lab.stack.run("up")
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_HTTP)
    lab.stack.environment["PYTHONPATH"] = str(tmp_path)
    for operation in ("preview", "up"):
        lab.stack.run(operation, expect_no_changes=True)
    assert "requests" in " ".join(messages(lab.stack.run("refresh", fails=True))), "what calls cannot do without"


def test_a_resource_in_the_state_says_where_it_is_declared_and_no_more(lab: Lab) -> None:
    if lab.installation is None:
        pytest.skip("the small engine keeps no stack of a resource")
    lab.stack.run("up")
    stacks = [[frame.get("sourcePosition", "") for frame in one.get("stackTrace", ())] for one in lab.stack.resources()]
    ours_ = [stack for stack in stacks if any("xtsync_resources/" in place for place in stack)]
    assert len(ours_) > len(stacks) / 2
    assert all(len(stack) <= 2 for stack in ours_)


def test_promise_2_a_refresh_finds_nothing_with_at_most_one_read_a_resource(lab: Lab) -> None:
    lab.stack.run("up")
    before = len(lab.entra.traffic)
    result = lab.stack.run("refresh", expect_no_changes=True)
    assert result.exit_code == 0
    assert not writes(lab.calls_since(before))
    made = [call for call in ours(lab.calls_since(before)) if not is_look(call) and not call.path.endswith("/$batch")]
    assert len(made) <= sum("xtsync:" in step.type for step in result.steps), "the look for other configurations apart"
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0


# --- 3. Previews tell the truth ----------------------------------------------------------------------------


def test_promise_3_a_preview_lists_what_up_does_and_writes_nothing(lab: Lab) -> None:
    previewed = changed(lab.stack.run("preview"))
    assert not writes(lab.calls_since(0))
    assert changed(lab.stack.run("up")) == previewed
    assert changed(lab.stack.run("preview")) == {}


def test_promise_3_a_change_previews_as_exactly_what_it_does(lab: Lab) -> None:
    lab.stack.run("up")
    lab.stack.config["xtsync:deletionThreshold"] = 20
    lab.stack.config["xtsync:running"] = False
    previewed = lab.stack.run("preview")
    details = {path for step in previewed.steps for path in step.detailed_diff}
    assert details == {"settings.SyncNotificationSettings.DeleteThresholdValue", "running"}
    assert changed(lab.stack.run("up")) == changed(previewed) == {"secrets": "update", "start": "update"}
    assert lab.jobs()[0].schedule_state == "Paused"


def test_promise_3_adoption_is_announced_with_old_and_new_values(lab: Lab) -> None:
    trust = {"isMfaAccepted": True, "isCompliantDeviceAccepted": None, "isHybridAzureADJoinedDeviceAccepted": None}
    lab.target.policies.create(world.SOURCE_TENANT, {"inboundTrust": trust})
    lab.target.policies.put_identity_sync(
        world.SOURCE_TENANT, {"displayName": "by hand", "userSyncInbound": {"isSyncAllowed": False}}
    )
    preview = lab.stack.run("preview")
    assert "adopts" in told(preview, "target-partner")
    assert "automaticUserConsentSettings.inboundAllowed: null -> true" in told(preview, "target-partner")
    assert 'displayName: "by hand" -> "Contoso to Fabrikam"' in told(preview, "target-identity-sync")
    assert "adopts" not in told(preview, "source-partner")
    assert "adopts" in told(lab.stack.run("up"), "target-partner")


# --- 4. Nothing foreign is harmed --------------------------------------------------------------------------


def test_promise_4_trust_and_other_flags_of_a_shared_partner_policy_survive(lab: Lab) -> None:
    trust = {"isMfaAccepted": True, "isCompliantDeviceAccepted": False, "isHybridAzureADJoinedDeviceAccepted": None}
    consent = {"inboundAllowed": None, "outboundAllowed": True}
    lab.target.policies.create(world.SOURCE_TENANT, {"inboundTrust": trust, "automaticUserConsentSettings": consent})
    before = lab.settings()
    lab.stack.run("up")
    assert lab.target_partner is not None
    assert lab.target_partner["inboundTrust"] == trust
    assert lab.target_partner["automaticUserConsentSettings"] == {"inboundAllowed": True, "outboundAllowed": True}
    lab.stack.run("destroy")
    assert lab.settings() == before


@pytest.mark.parametrize("ends", ["dev first", "back first"])
def test_promise_4_both_directions_live_together_and_end_in_either_order(lab: Lab, ends: str) -> None:
    before = lab.settings()
    back = lab.reverse_stack()
    lab.stack.run("up")
    back.run("up")
    both = {"inboundAllowed": True, "outboundAllowed": True}
    assert lab.source_partner is not None
    assert lab.target_partner is not None
    assert lab.source_partner["automaticUserConsentSettings"] == both
    assert lab.target_partner["automaticUserConsentSettings"] == both
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    first, second = (lab.stack, back) if ends == "dev first" else (back, lab.stack)
    first.run("destroy")
    assert second.run("refresh", expect_no_changes=True).exit_code == 0
    second.run("destroy")
    assert lab.settings() == before


# --- 5. Destroy restores -----------------------------------------------------------------------------------


def test_promise_5_destroy_leaves_both_tenants_as_they_were(lab: Lab) -> None:
    before = lab.settings()
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_promise_5_what_others_added_since_stays_and_is_named(lab: Lab) -> None:
    lab.stack.run("up")
    trust = {"isMfaAccepted": True, "isCompliantDeviceAccepted": None, "isHybridAzureADJoinedDeviceAccepted": None}
    lab.target.policies.update(world.SOURCE_TENANT, {"inboundTrust": trust})
    result = lab.stack.run("destroy")
    assert "inboundTrust" in told(result, "target-partner")
    assert lab.target_partner is not None
    assert lab.target_partner["inboundTrust"] == trust
    assert lab.target_partner["automaticUserConsentSettings"] == {"inboundAllowed": None, "outboundAllowed": None}
    assert lab.source_partner is None


def test_promise_5_a_field_dropped_from_the_configuration_gets_its_former_value_back(lab: Lab) -> None:
    trust = {"isMfaAccepted": None, "isCompliantDeviceAccepted": True, "isHybridAzureADJoinedDeviceAccepted": None}
    lab.target.policies.create(world.SOURCE_TENANT, {"inboundTrust": trust})
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True, "compliantDevice": False}
    lab.stack.run("up")
    assert lab.target_partner is not None
    assert lab.target_partner["inboundTrust"]["isMfaAccepted"] is True
    assert lab.target_partner["inboundTrust"]["isCompliantDeviceAccepted"] is False
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True}
    assert changed(lab.stack.run("up")) == {"target-partner": "update"}
    assert lab.target_partner["inboundTrust"] == {**trust, "isMfaAccepted": True}
    del lab.stack.config["xtsync:inboundTrust"]
    lab.stack.run("up")
    assert lab.target_partner["inboundTrust"] == trust


@pytest.mark.parametrize("found", [True, False], ids=["adopted", "made"])
def test_promise_5_a_value_set_by_hand_that_is_the_configured_one_stays(lab: Lab, found: bool) -> None:
    if found:
        lab.target.policies.create(world.SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": False}})
    lab.stack.run("up")
    trust = {"isMfaAccepted": True, "isCompliantDeviceAccepted": None, "isHybridAzureADJoinedDeviceAccepted": None}
    lab.target.policies.update(world.SOURCE_TENANT, {"inboundTrust": trust})
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True}
    lab.stack.run("up")
    del lab.stack.config["xtsync:inboundTrust"]
    lab.stack.run("up")
    assert lab.target_partner is not None
    assert lab.target_partner["inboundTrust"] == trust
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True}
    lab.stack.run("up")
    result = lab.stack.run("destroy")
    assert lab.target_partner is not None
    assert lab.target_partner["inboundTrust"] == trust
    assert found or "others have added inboundTrust" in told(result, "target-partner")


def test_on_existing_fail_refuses_with_what_was_found_before_any_write(lab: Lab) -> None:
    lab.target.policies.create(world.SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": False}})
    lab.stack.config["xtsync:onExisting"] = "fail"
    for operation in ("preview", "up"):
        text = "\n".join(messages(lab.stack.run(operation, fails=True)))
        assert "onExisting is fail" in text
        assert '"inboundAllowed": false' in text
    assert not [call for call in writes(lab.calls_since(0)) if call.tenant_id == world.TARGET_TENANT]


def test_on_existing_fail_lets_the_opposite_direction_be_made(lab: Lab) -> None:
    lab.stack.config["xtsync:onExisting"] = "fail"
    lab.stack.run("up")
    back = lab.reverse_stack()
    back.config["xtsync:onExisting"] = "fail"
    trust = {"isMfaAccepted": True, "isCompliantDeviceAccepted": None, "isHybridAzureADJoinedDeviceAccepted": None}
    lab.source.policies.update(world.TARGET_TENANT, {"inboundTrust": trust})
    assert "onExisting is fail" in "\n".join(messages(back.run("preview", fails=True)))
    assert "onExisting is fail" in "\n".join(messages(back.run("up", fails=True)))
    lab.source.policies.update(world.TARGET_TENANT, {"inboundTrust": None})
    back.run("preview")
    back.run("up")
    for policy in (lab.source_partner, lab.target_partner):
        assert policy is not None
        assert policy["automaticUserConsentSettings"] == {"inboundAllowed": True, "outboundAllowed": True}


# --- 6. Nobody is deleted by accident ----------------------------------------------------------------------


def test_promise_5_a_former_value_outlives_drift_to_inherit(lab: Lab) -> None:
    lab.target.policies.create(world.SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": False}})
    before = lab.settings()
    lab.stack.run("up")
    for value in (None, False):
        lab.target.policies.update(world.SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": value}})
        lab.stack.run("refresh")
        assert changed(lab.stack.run("preview")) == {"target-partner": "update"}
        lab.stack.run("refresh")
        assert changed(lab.stack.run("up")) == {"target-partner": "update"}
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_promise_6_release_pauses_the_job_before_the_first_assignment_goes(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    before = len(lab.entra.traffic)
    previewed = lab.stack.run("destroy", preview_only=True)
    assert previewed.outputs["onDestroy"].startswith("release: 1 user (alice@contoso.com) and 1 group (Finance)")
    assert not writes(lab.calls_since(before))
    said = told(lab.stack.run("destroy"), "scope")
    assert "their people stay in the target as they are" in said
    assert "group Finance, user alice@contoso.com" in said
    calls = writes(lab.calls_since(before))
    pause = next(call.number for call in calls if call.path.endswith("/pause"))
    assert all(pause < call.number for call in calls if "appRoleAssignedTo" in call.path)
    lab.pass_time()
    assert len(lab.arrived()) == 3


def test_promise_6_drain_waits_until_the_people_are_gone(lab: Lab) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.config["xtsync:deadlineMinutes"] = 0.5
    lab.stack.run("up")
    lab.pass_time()
    assert len(lab.arrived()) == 3
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "3 people are still in the target" in text
    assert len(lab.jobs()) == 1
    lab.pass_time()
    assert lab.arrived() == set()
    lab.stack.run("destroy")
    assert lab.jobs() == []
    assert lab.target_partner is None


def test_promise_6_drain_refuses_beyond_the_deletion_threshold(lab: Lab) -> None:
    lab.stack.config.update({"xtsync:onDestroy": "drain", "xtsync:deletionThreshold": 3})
    lab.stack.run("up")
    lab.pass_time()
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "3 people would be deleted in the target, and xtsync:deletionThreshold (3) holds back 3 and more" in text
    lab.stack.config["xtsync:onDestroy"] = "release"
    lab.stack.run("up")
    lab.stack.run("destroy")
    lab.pass_time()
    assert len(lab.arrived()) == 3


def test_promise_6_the_deletion_threshold_is_on_by_default(lab: Lab) -> None:
    lab.stack.run("up")
    (principal,) = (p for p in lab.source.applications.principals.values() if p.template_id)
    assert principal.synchronization.delete_threshold() == 500


# --- drift ---------------------------------------------------------------------------------------------------


def test_drift_of_every_managed_object_is_shown_and_repaired(lab: Lab) -> None:
    lab.stack.run("up")
    lab.target.policies.update(world.SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": None}})
    lab.target.policies.update_identity_sync(world.SOURCE_TENANT, {"userSyncInbound": {"isSyncAllowed": False}})
    lab.source.policies.delete(world.TARGET_TENANT)
    (principal,) = (p for p in lab.source.applications.principals.values() if p.template_id)
    principal.synchronization.secrets["SyncAll"] = "true"
    lab.source.synchronization.pause(lab.jobs()[0])
    found = lab.stack.run("refresh", expect_no_changes=True)
    assert found.exit_code == 7
    drift = {short(step.name): (step.result, set(step.detailed_diff)) for step in found.steps if step.result != "same"}
    assert drift == {
        "target-partner": ("update", {"automaticUserConsentSettings.inboundAllowed"}),
        "target-identity-sync": ("update", {"userSyncInbound.isSyncAllowed"}),
        "source-partner": ("delete", set()),
        "secrets": ("update", {"settings.SyncAll"}),
        "start": ("update", {"running", "everybody"}),
    }
    before = len(lab.entra.traffic)
    lab.stack.run("up")
    assert len([c for c in writes(lab.calls_since(before)) if c.path.endswith("/start")]) == 1
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    assert lab.target_partner is not None
    assert lab.target_partner["automaticUserConsentSettings"]["inboundAllowed"] is True
    assert lab.jobs()[0].schedule_state == "Active"
