"""Promises 4 to 7 where things were done by hand, half done, or seen too late: people and other people's work stay."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lab import world
from lab.entra import Fault
from lab.entra.replica import _Stale
from lab.entra.synchronization import responses
from lab.entra.synchronization.models import Quarantine, SynchronizationBackend
from lab.entra.synchronization.schema import template_schema
from tests.scenarios.stacks import Lab, changed, messages, short, told, writes
from tests.scenarios.steps import forget, forget_ours
from tests.scenarios.tenants import refuse_assignments, synchronization


def verbs(lab: Lab, since: int) -> list[str]:
    return [call.path.rsplit("/", 1)[-1] for call in writes(lab.calls_since(since))]


def hold(lab: Lab, reason: str | None) -> None:
    (job,) = lab.jobs()
    now = lab.entra.clock.now()
    job.status_code = "Quarantine"
    job.quarantine = Quarantine(reason, "Error", "held", now, now + timedelta(hours=6))


@pytest.mark.parametrize("how", ["crash", "seconds"])
def test_promise_6_a_read_that_says_the_job_rests_is_not_believed(lab: Lab, how: str) -> None:
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.config["xtsync:running"] = False
    lab.stack.run("up")
    lab.stack.config["xtsync:running"] = True
    if how == "crash":
        lab.source.settings = replace(lab.source.settings, lag_reads=1)
        lab.entra.faults.add(Fault(method="POST", path="/start$", when="after", status=400, code="Denied"))
        lab.stack.run("up", fails=True)
    else:
        lab.stack.run("up")
        (job,) = lab.jobs()
        old = copy.deepcopy(job)
        old.schedule_state = old.status_code = "Paused"
        lab.source.synchronization._context.replica._stale["jobs", job.id] = _Stale(old, 1, lab.entra.clock.now())
    people = lab.arrived()
    lab.entra.faults.add(Fault(method="DELETE", path="/jobs/", status=403, code="Denied", times=100))
    lab.stack.run("destroy", fails=True)
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_6_a_narrowed_scope_waits_until_everybody_is_assigned(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    synchronization(lab).secrets["SyncAll"] = "true"
    lab.pass_time()
    people = lab.arrived()
    found = lab.stack.run("refresh")
    assert {short(step.name) for step in found.steps if step.result == "update"} == {"secrets", "start"}
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    refuse_assignments(lab)
    before = len(lab.entra.traffic)
    lab.stack.run("up", fails=True)
    assert "restart" not in verbs(lab, before)
    lab.pass_time()
    assert lab.arrived() == people
    lab.entra.faults.clear()
    result = lab.stack.run("up")
    assert verbs(lab, before)[-1] == "restart"
    assert "everybody else leaves the target" in told(result, "start")
    lab.pass_time()
    assert lab.arrived() == {f"{name}@contoso.com" for name in ("alice", "bob", "carol", "dave")}
    assert changed(lab.stack.run("up")) == {}


def test_promise_6_a_scope_that_was_made_everybody_is_not_narrowed_unseen(lab: Lab) -> None:
    lab.stack.run("up")
    synchronization(lab).secrets["SyncAll"] = "true"
    lab.stack.config["xtsync:deletionThreshold"] = 7
    before = len(lab.entra.traffic)
    assert "run `pulumi refresh --diff`" in told(lab.stack.run("up", fails=True), "secrets")
    assert not verbs(lab, before)
    lab.stack.run("refresh")
    preview = lab.stack.run("preview")
    assert changed(preview) == {"secrets": "update", "start": "update"}
    assert changed(lab.stack.run("up")) == changed(preview)
    assert verbs(lab, before) == ["secrets", "restart"]


def test_promise_6_a_job_made_by_hand_in_the_place_of_ours_rests_until_everybody_is_assigned(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    backend, state = lab.source.synchronization, synchronization(lab)
    state.jobs.clear()
    theirs = backend.create_job(state, template_schema())
    backend.start(theirs)
    lab.pass_time()
    people = lab.arrived()
    lab.stack.run("refresh")
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    refuse_assignments(lab)
    result = lab.stack.run("up", fails=True)
    assert f"adopts the existing job {theirs.id} (Active)" in told(result, "job")
    lab.entra.faults.clear()
    lab.entra.faults.add(Fault(method="DELETE", path="^/applications/", status=403, code="Denied", times=1000))
    lab.stack.run("destroy", fails=True)
    assert theirs.schedule_state == "Paused"
    assert lab.jobs() == [theirs], "it is not ours to delete"
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_6_draining_goes_on_where_the_job_was_replaced(lab: Lab) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    synchronization(lab).jobs.clear()
    lab.stack.run("refresh")
    lab.stack.run("up")
    assert lab.jobs()[0].schedule_state == "Active"
    assert lab.arrived() == people
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0


@pytest.mark.parametrize("reason", ["Unknown", "unknownFutureValue", None, "tooManyDeletes", "QuarantinedOnDemand"])
def test_promise_6_a_quarantine_nobody_knows_is_left_alone(lab: Lab, reason: str | None) -> None:
    lab.stack.run("up")
    hold(lab, reason)
    lab.stack.run("refresh")
    before = len(lab.entra.traffic)
    result = lab.stack.run("up")
    assert "start" not in verbs(lab, before)
    assert lab.jobs()[0].quarantine is not None
    assert "the job stays in quarantine" in told(result, "start")


def test_promise_6_held_deletions_are_not_lost_by_pausing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Microsoft does not say whether a paused job still shows that it held deletions back."""
    pause = SynchronizationBackend.pause

    def hidden(self: SynchronizationBackend, job: Any) -> None:
        pause(self, job)
        job.quarantine = None

    monkeypatch.setattr(SynchronizationBackend, "pause", hidden)
    lab.stack.run("up")
    hold(lab, "TooManyDeletes")
    lab.stack.config["xtsync:running"] = False
    before = len(lab.entra.traffic)
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert "it holds deletions back (TooManyDeletes)" in text
    del lab.stack.config["xtsync:running"]
    forget(lab.stack, "user-")
    lab.stack.run("up", fails=True)
    assert not {"pause", "start"} & set(verbs(lab, before))
    assert lab.jobs()[0].quarantine is not None


def test_promise_7_a_job_whose_progress_stands_still_can_be_ended(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    body = responses._job_body

    def stuck(*job: Any) -> dict[str, Any]:
        found = body(*job)
        page = {"units": "pages", "completedUnits": 3, "totalUnits": 10, "progressObservationDateTime": None}
        found["status"]["progress"] = [page]
        return found

    lab.stack.config["xtsync:deadlineMinutes"] = 0.5
    lab.stack.run("up")
    monkeypatch.setattr(responses, "_job_body", stuck)
    lab.stack.run("destroy")
    assert lab.jobs() == []


# --- policies made by hand after this stack first looked -----------------------------------------------------------

TRUST = {"isMfaAccepted": True, "isCompliantDeviceAccepted": None, "isHybridAzureADJoinedDeviceAccepted": None}


def first_run_fails(lab: Lab, **sync: Any) -> None:
    """The first run stops after its look; somebody then makes the target's policies by hand."""
    lab.entra.faults.add(Fault(method="POST", path="partners$", tenant=world.TARGET_TENANT, status=403, code="Denied"))
    lab.stack.run("up", fails=True)
    members = {"automaticUserConsentSettings": {"inboundAllowed": True}, "inboundTrust": TRUST}
    lab.target.policies.create(world.SOURCE_TENANT, members)
    policy = {"displayName": "by hand", "userSyncInbound": {"isSyncAllowed": True}, **sync}
    lab.target.policies.put_identity_sync(world.SOURCE_TENANT, policy)


def test_promise_5_what_somebody_made_meanwhile_is_not_taken_for_ours(lab: Lab) -> None:
    first_run_fails(lab)
    before = copy.deepcopy(lab.target_partner)
    result = lab.stack.run("destroy")
    assert "stays in the target tenant Fabrikam" in told(result, "target-baseline")
    assert lab.target_partner == before
    assert lab.target.policies.partners[world.SOURCE_TENANT].identity_sync is not None


def test_promise_4_an_identity_sync_policy_made_meanwhile_is_adopted_and_given_back(lab: Lab) -> None:
    lab.target.settings = replace(lab.target.settings, identity_sync_put="replace")
    groups = {"isSyncAllowed": True}
    first_run_fails(lab, groupSyncInbound=groups)
    result = lab.stack.run("up")
    assert "adopts an identity sync policy" in told(result, "target-identity-sync")
    policy = lab.target.policies.partners[world.SOURCE_TENANT].identity_sync
    assert policy is not None
    assert policy.members["groupSyncInbound"] == groups
    lab.stack.run("destroy")
    policy = lab.target.policies.partners[world.SOURCE_TENANT].identity_sync
    assert policy is not None
    assert (policy.members["displayName"], policy.members["groupSyncInbound"]) == ("by hand", groups)
    assert (lab.target_partner or {})["inboundTrust"] == TRUST


def test_promise_4_settings_nobody_named_survive_adoption(lab: Lab) -> None:
    lab.stack.run("up")
    forget_ours(lab)
    theirs = {"Enabled": True, "Recipients": "ops@contoso.com", "DeleteThresholdEnabled": True}
    state = synchronization(lab)
    state.secrets["SyncNotificationSettings"] = json.dumps(theirs | {"DeleteThresholdValue": 5})
    result = lab.stack.run("up")
    found = json.loads(state.secrets["SyncNotificationSettings"])
    assert (found["Enabled"], found["Recipients"]) == (True, "ops@contoso.com")
    assert "DeleteThresholdValue: 5 -> 500" in told(result, "secrets")
    assert "set xtsync:deletionThreshold to 5" in told(result, "secrets")
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0


@pytest.mark.parametrize("put", ["merge", "replace"])
def test_promise_5_settings_go_back_and_those_of_others_stay(lab: Lab, put: Any) -> None:
    lab.source.settings = replace(lab.source.settings, secrets_put=put)
    lab.stack.run("up")
    forget_ours(lab)
    state = synchronization(lab)
    state.secrets = {"CompanyId": world.TARGET_TENANT, "AuthenticationType": "SyncPolicy"}
    lab.stack.run("up")
    state.secrets["SkipOutOfScopeDeletions"] = "true"
    lab.stack.run("destroy")
    first = {"CompanyId": world.TARGET_TENANT, "AuthenticationType": "SyncPolicy"}
    # Graph takes no empty text for these; an object without members says as little.
    assert state.secrets == first | {"SkipOutOfScopeDeletions": "true", "SyncNotificationSettings": "{}"}
