"""Decisions that must not go wrong, each with the fault that could make it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lab import world
from lab.entra import Fault
from lab.entra.synchronization.models import Quarantine
from tests.scenarios.stacks import Lab, messages, told, writes

# --- what a review found -------------------------------------------------------------------------------------------


def test_release_pauses_the_job_even_where_the_start_is_not_in_the_state(lab: Lab) -> None:
    """POST start had effect, but its failure kept it out of the state."""
    lab.entra.faults.add(Fault(method="POST", path="/start$", when="after", status=403, code="Denied"))
    lab.stack.run("up", fails=True)
    assert lab.jobs()[0].schedule_state == "Active"
    lab.pass_time()
    assert len(lab.arrived()) == 3
    before = len(lab.entra.traffic)
    lab.stack.run("destroy")
    calls = writes(lab.calls_since(before))
    pause = next(call.number for call in calls if call.path.endswith("/pause"))
    assert all(pause < call.number for call in calls if "appRoleAssignedTo" in call.path)
    lab.pass_time()
    assert len(lab.arrived()) == 3


def test_one_missing_answer_is_not_a_drained_pair(lab: Lab) -> None:
    lab.stack.config.update({"xtsync:onDestroy": "drain", "xtsync:deadlineMinutes": 0.5})
    lab.stack.run("up")
    lab.pass_time()
    # The scope's reads come first; the third of those after them is the drain's, of the job that it has started.
    lab.entra.faults.add(Fault(method="GET", path=r"/jobs/[^/]+$", status=404, code="NotFound", skip=4))
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "3 people are still in the target" in text
    assert len(lab.arrived()) == 3


def test_a_pair_is_not_drained_before_the_first_cycle(lab: Lab) -> None:
    lab.stack.config.update({"xtsync:onDestroy": "drain", "xtsync:deadlineMinutes": 0.5})
    lab.stack.run("up")
    lab.stack.run("destroy", fails=True)
    assert len(lab.jobs()) == 1


@pytest.mark.parametrize("path", ["appRoleAssignedTo$", "/start$"])
def test_a_job_that_never_ran_has_nobody_to_drain(lab: Lab, path: str) -> None:
    before = lab.settings()
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.entra.faults.add(Fault(method="POST", path=path, status=403, code="Denied", times=1000))
    lab.stack.run("up", fails=True)
    assert [job.schedule_state for job in lab.jobs()] == ["Disabled"]
    before_destroy = len(lab.entra.traffic)
    lab.entra.faults.clear()
    said = told(lab.stack.run("destroy"), "scope-record")
    assert not any(call.path.endswith("/start") for call in lab.calls_since(before_destroy))
    assert "the job never ran" in said
    assert lab.settings() == before


def test_a_policy_made_by_others_after_the_first_look_is_not_deleted(lab: Lab) -> None:
    """`up` fails before its first write in the target; an administrator makes the partner policy; `up`, `destroy`."""
    lab.entra.faults.add(Fault(method="POST", path="partners$", tenant=world.TARGET_TENANT, status=403, code="Denied"))
    lab.stack.run("up", fails=True)
    trust = {"isMfaAccepted": True, "isCompliantDeviceAccepted": None, "isHybridAzureADJoinedDeviceAccepted": None}
    refused = {"inboundAllowed": False, "outboundAllowed": None}
    made = {"inboundTrust": trust, "automaticUserConsentSettings": refused}
    lab.target.policies.create(world.SOURCE_TENANT, made)
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": False}
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert lab.target_partner is not None
    assert lab.target_partner["inboundTrust"] == trust
    assert lab.target_partner["automaticUserConsentSettings"] == refused


def test_a_missed_read_of_an_existing_policy_does_not_make_it_ours(lab: Lab) -> None:
    lab.target.policies.create(world.SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": False}})
    before = lab.settings()
    path = rf"partners/{world.SOURCE_TENANT}$"
    lab.entra.faults.add(Fault(method="GET", path=path, status=404, code="NotFound", skip=1))
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_deletions_stay_held_back_in_a_job_that_graph_disabled(lab: Lab) -> None:
    lab.stack.run("up")
    job = lab.jobs()[0]
    now = lab.entra.clock.now()
    job.quarantine = Quarantine("TooManyDeletes", "Error", "held", now, now + timedelta(hours=6))
    job.status_code, job.schedule_state = "Quarantine", "Disabled"
    lab.stack.run("refresh")
    before = len(lab.entra.traffic)
    lab.stack.run("up")
    assert not writes(lab.calls_since(before))
    assert job.quarantine is not None


def test_an_adopted_policy_and_job_that_were_deleted_are_made_again(lab: Lab) -> None:
    lab.target.policies.create(world.SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": True}})
    same = {"displayName": "Contoso to Fabrikam", "userSyncInbound": {"isSyncAllowed": True}}
    lab.target.policies.put_identity_sync(world.SOURCE_TENANT, same)
    lab.stack.run("up")
    lab.target.policies.delete_identity_sync(world.SOURCE_TENANT)
    lab.stack.run("refresh")
    lab.stack.run("up")
    partner = lab.target.policies.partners[world.SOURCE_TENANT]
    assert partner.identity_sync is not None
    assert partner.identity_sync.allows("userSyncInbound")


def test_no_second_job_after_a_crash_with_a_lagging_list(lab: Lab) -> None:
    lab.entra.faults.add(Fault(method="POST", path="/jobs$", when="after", status=403, code="Denied", times=1000))
    lab.stack.config["xtsync:deadlineMinutes"] = 0.5
    lab.stack.run("up", fails=True)
    assert len(lab.jobs()) > 1
    lab.entra.faults.clear()
    lab.stack.config["xtsync:deadlineMinutes"] = 1
    assert "which a run that was cut off has left behind" in told(lab.stack.run("up"), "start")
    (job,) = lab.jobs()
    assert (job.schedule_state, job.starts_while_running) == ("Active", 0)


def test_a_fresh_service_principal_may_be_refused_at_first(lab: Lab) -> None:
    lab.entra.faults.add(Fault(method="GET", path=r"/servicePrincipals/[^/]+$", status=403, code="Denied", times=3))
    lab.stack.run("up")


def test_a_conflict_that_is_over_at_once_leads_back_to_making_it(lab: Lab) -> None:
    """PUT says that there is one, PATCH that there is none."""
    conflict: dict[str, Any] = {"status": 409, "code": "Request_MultipleObjectsWithSameKeyValue"}
    lab.entra.faults.add(
        Fault(method="PUT", path="identitySynchronization$", **conflict),
        Fault(method="POST", path="partners$", tenant=world.SOURCE_TENANT, **conflict),
    )
    lab.stack.run("up")
    assert not lab.entra.faults.pending
    policy = lab.target.policies.partners[world.SOURCE_TENANT].identity_sync
    assert policy is not None
    assert policy.allows("userSyncInbound")
    assert lab.source_partner is not None
    assert lab.source_partner["automaticUserConsentSettings"]["outboundAllowed"] is True
