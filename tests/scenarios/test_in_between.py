"""Promises 4 and 6 where a run is cut off in between, a record is made anew, or somebody has changed what goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab import world
from lab.entra import Fault
from tests.scenarios.stacks import Lab, changed, messages, told
from tests.scenarios.steps import made_by_hand
from tests.scenarios.tenants import assign
from xtsync_resources.identity_sync_policy.calls import GROUP_SYNC
from xtsync_resources.sync_schema.document import object_mapping

A, B = "alice@contoso.com", "bob@contoso.com"


def only(attribute: str, value: str) -> list[dict[str, object]]:
    """A filter that lets people with this value through."""
    return [{"clauses": [{"attribute": attribute, "operator": "equals", "value": value}]}]


def narrowed_by_a_filter(lab: Lab) -> None:
    """A pair with two people in scope, of whom the filter lets one through."""
    lab.stack.config |= {"xtsync:users": [A, B], "xtsync:groups": []}
    lab.stack.config["xtsync:scopingFilters"] = only("userPrincipalName", A)
    lab.stack.run("up")
    lab.pass_time()
    assert lab.arrived() == {A}


def widened_and_narrowed(lab: Lab) -> None:
    """In the stack file the filter lets everybody through, and whom it kept out is out of scope."""
    lab.stack.config["xtsync:users"] = [A]
    lab.stack.config["xtsync:scopingFilters"] = only("accountEnabled", "True")


@pytest.mark.real
@pytest.mark.parametrize(
    "refused", [Fault(method="PUT", path="/schema$", when="after"), Fault(method="DELETE", path="appRoleAssignedTo/")]
)
def test_promise_6_a_run_cut_off_between_filter_and_scope_lets_nobody_in(lab: Lab, refused: Fault) -> None:
    narrowed_by_a_filter(lab)
    widened_and_narrowed(lab)
    lab.entra.faults.add(replace(refused, status=403, code="Denied", times=99))
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    lab.pass_time()
    assert lab.arrived() == {A}
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.pass_time()
    assert lab.arrived() == {A}


def test_a_filter_that_could_not_be_written_and_is_taken_back_leaves_the_job_running(lab: Lab) -> None:
    narrowed_by_a_filter(lab)
    before = dict(lab.stack.config)
    lab.stack.config["xtsync:scopingFilters"] = only("accountEnabled", "True")
    lab.entra.faults.add(Fault(method="PUT", path="/schema$", status=403, code="Denied", times=99))
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    assert "Active" not in [job.schedule_state for job in lab.jobs()]
    lab.stack.config |= before
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    assert not changed(lab.stack.run("preview"))
    lab.pass_time()
    assert lab.arrived() == {A}


@pytest.mark.real
def test_promise_6_a_first_filter_whose_answer_was_lost_is_taken_back_whole(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:users": [A, B], "xtsync:groups": []}
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.environment["XTSYNC_DEADLINE_MINUTES"] = "0.3"
    lab.stack.config["xtsync:scopingFilters"] = only("userPrincipalName", A)
    lab.entra.faults.add(Fault(kind="reset", method="PUT", path="/schema$", when="after", times=99))
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    del lab.stack.config["xtsync:scopingFilters"]
    lab.stack.run("up")
    lab.pass_time()
    assert lab.arrived() == {A, B}
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.stack.run("destroy")
    lab.pass_time()
    assert lab.arrived() == {A, B}


@pytest.mark.real
def test_a_start_that_failed_is_made_up_for_when_the_filter_is_dropped(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:users": [A, B], "xtsync:groups": []}
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.config["xtsync:scopingFilters"] = only("accountEnabled", "True")
    lab.entra.faults.add(Fault(method="POST", path="/start$", status=403, code="Denied", times=99))
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    del lab.stack.config["xtsync:scopingFilters"]
    assert changed(lab.stack.run("up"))["start"] == "update"
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    assert not changed(lab.stack.run("preview"))


def test_a_take_over_that_failed_and_is_taken_back_leaves_the_job_running(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:users": [A], "xtsync:groups": []}
    lab.stack.run("up")
    assign(lab, B)
    lab.pass_time()
    lab.stack.config["xtsync:users"] = [A, B]
    lab.entra.faults.add(Fault(method="POST", path="appRoleAssignedTo$", status=403, code="Denied", times=99, skip=1))
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    lab.stack.config["xtsync:users"] = [A]
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]


def test_promise_6_a_wrong_filter_that_is_held_back_can_be_taken_back(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:users": [A, B], "xtsync:deletionThreshold": 2, "xtsync:userType": "member"}
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    lab.stack.config["xtsync:scopingFilters"] = only("userPrincipalName", A)
    lab.stack.run("up")
    lab.pass_time()
    del lab.stack.config["xtsync:scopingFilters"]
    lab.stack.run("up")
    lab.pass_time(24 * 60)
    assert lab.arrived() == people
    assert lab.jobs()[0].quarantine is None


def test_promise_3_a_filter_changed_by_hand_that_is_overwritten_is_announced(lab: Lab) -> None:
    narrowed_by_a_filter(lab)
    (job,) = lab.jobs()
    clause = {"operatorName": "EQUALS", "sourceOperandName": "accountEnabled", "targetOperand": {"values": ["True"]}}
    object_mapping(job.schema, "User")["scope"]["groups"][0]["clauses"][0] = clause
    lab.pass_time()
    assert lab.arrived() == {A, B}
    lab.stack.config["xtsync:attributeMappings"] = [{"target": "jobTitle", "constant": "x"}]
    assert "outside of them is removed" in told(lab.stack.run("preview"), "schema")


def test_another_filter_alone_leaves_the_job_running(lab: Lab) -> None:
    narrowed_by_a_filter(lab)
    lab.stack.config["xtsync:scopingFilters"] = only("userPrincipalName", B)
    previewed = changed(lab.stack.run("preview"))
    assert previewed == changed(lab.stack.run("up")) == {"schema": "update", "start": "update"}
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    assert not changed(lab.stack.run("preview"))
    del lab.stack.config["xtsync:scopingFilters"]
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]


def test_a_job_that_rests_is_not_started_by_another_filter(lab: Lab) -> None:
    lab.stack.config["xtsync:running"] = False
    narrowed_by_a_filter_at_rest = {"xtsync:users": [A], "xtsync:scopingFilters": only("userPrincipalName", A)}
    lab.stack.config |= narrowed_by_a_filter_at_rest
    lab.stack.run("up")
    lab.stack.config["xtsync:scopingFilters"] = only("userPrincipalName", B)
    lab.stack.run("up")
    assert "Active" not in [job.schedule_state for job in lab.jobs()]


@pytest.mark.real
def test_promise_4_what_was_found_first_comes_back_after_job_scope_and_settings_are_made_anew(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:users": [A], "xtsync:groups": [], "xtsync:notifyEmail": "first@contoso.com"}
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    (principal,) = (one for one in lab.source.applications.principals.values() if one.synchronization.jobs)
    found = dict(principal.synchronization.secrets)
    lab.stack.config |= {"xtsync:users": [A, B], "xtsync:notifyEmail": "second@contoso.com"}
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.run("up", replace=("job", "secrets", "scope"))
    assert not changed(lab.stack.run("preview"))
    lab.stack.run("destroy")
    assert principal.synchronization.secrets == found
    assigned = {one.principal_id for one in principal.assignments.values()}
    assert assigned == {lab.source.directory.user(A).id}


@pytest.mark.real
def test_promise_4_groups_that_others_let_in_stay(lab: Lab) -> None:
    lab.stack.run("up")
    lab.target.policies.update_identity_sync(world.SOURCE_TENANT, {GROUP_SYNC: {"isSyncAllowed": True}})
    said = told(lab.stack.run("destroy"), "target-identity-sync")
    assert f"others have let groups in by it ({GROUP_SYNC})" in said
    policy = lab.target.policies.partners[world.SOURCE_TENANT].identity_sync
    assert policy is not None
    assert policy.allows(GROUP_SYNC)
    assert not policy.allows("userSyncInbound")
    assert lab.target_partner is not None


def test_promise_6_a_job_that_deletes_nobody_is_not_waited_for(lab: Lab) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.run("up")
    lab.pass_time()
    (job,) = lab.jobs()
    object_mapping(job.schema, "User")["flowTypes"] = "Add, Update"
    said = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "the job deletes nobody" in said
    assert lab.source_partner is not None
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]


def test_promise_6_a_drain_whose_job_deletes_nobody_any_more_ends_at_once(lab: Lab) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.environment["XTSYNC_DEADLINE_MINUTES"] = "0.3"
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.run("destroy", fails=True)
    (job,) = lab.jobs()
    object_mapping(job.schema, "User")["flowTypes"] = "Add, Update"
    said = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "the job deletes nobody" in said


def test_promise_4_a_policy_that_was_left_for_groups_goes_when_they_go(lab: Lab) -> None:
    before = lab.settings()
    lab.stack.run("up")
    lab.target.policies.update_identity_sync(world.SOURCE_TENANT, {GROUP_SYNC: {"isSyncAllowed": True}})
    lab.stack.run("up", replace=("target-identity-sync",))
    lab.target.policies.update_identity_sync(world.SOURCE_TENANT, {GROUP_SYNC: {"isSyncAllowed": False}})
    lab.stack.run("destroy")
    assert lab.settings() == before
