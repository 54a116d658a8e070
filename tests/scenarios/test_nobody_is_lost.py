"""Promises 6 and 7 where runs fail half-way, are taken back, or meet a pair that was made by hand."""

from __future__ import annotations

import pytest

from lab.entra import Fault
from tests.scenarios.stacks import Lab, changed, messages, told
from tests.scenarios.steps import made_by_hand
from tests.scenarios.tenants import unassign

pytestmark = pytest.mark.real
A, B = "alice@contoso.com", "bob@contoso.com"
EVERYTHING = {"xtsync:flowTypes": ["add", "delete"], "xtsync:onDestroy": "drain"}


@pytest.mark.parametrize("on_destroy", ["release", "drain"])
def test_promise_6_an_adoption_that_failed_and_its_end_delete_nobody(lab: Lab, on_destroy: str) -> None:
    lab.stack.config["xtsync:onDestroy"] = on_destroy
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    made_by_hand(lab.stack)
    denied = Fault(method="POST", path="appRoleAssignedTo$", status=403, code="Denied", skip=2, times=1000)
    lab.entra.faults.add(denied)
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    lab.stack.run("destroy")
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_6_an_adopted_job_stays_paused_where_somebody_found_is_missing(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    made_by_hand(lab.stack)
    lab.stack.config["xtsync:running"] = False
    lab.stack.run("up")
    unassign(lab, lab.source.directory.user(A).id)
    assert "alice@contoso.com" in told(lab.stack.run("destroy"), "scope")
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_7_who_was_taken_out_by_a_run_that_failed_is_put_in_again(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    lab.stack.config["xtsync:users"] = []
    lab.entra.faults.add(Fault(method="DELETE", path="appRoleAssignedTo/", status=403, code="Denied", skip=1, times=9))
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.pass_time()
    assert lab.arrived() == people
    assert changed(lab.stack.run("up")) == {}


def test_promise_7_who_was_taken_out_before_a_later_step_failed_is_put_in_again(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    lab.stack.config["xtsync:users"] = [B]
    lab.entra.faults.add(Fault(method="GET", path="/jobs$", status=403, code="Denied", times=9))
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_7_a_swap_that_failed_and_was_taken_back_leaves_the_job_running(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    lab.stack.config["xtsync:users"] = [B]
    lab.entra.faults.add(Fault(method="POST", path=r"/\$batch$", status=403, code="Denied", times=9))
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    lab.stack.config["xtsync:users"] = [A]
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.pass_time()
    assert lab.arrived() == people


@pytest.mark.parametrize("names", [("schema-baseline", "scope-record"), ("schema", "scope-record")])
def test_promise_6_an_up_never_drains(lab: Lab, names: tuple[str, ...]) -> None:
    lab.stack.config |= EVERYTHING
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    lab.stack.run("up", replace=names)
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_6_from_drain_to_release_with_everybody_swapped_drains_nobody(lab: Lab) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    lab.stack.config |= {
        "xtsync:onDestroy": "release",
        "xtsync:users": [B],
        "xtsync:groups": [],
        "xtsync:running": False,
    }
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Paused"]
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_6_who_was_provisioned_on_demand_stays_at_the_end_of_an_adopted_pair(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    lab.stack.config |= {
        "xtsync:users": [A, B],
        "xtsync:running": False,
        "xtsync:provisionOnDemand": [B],
    }
    lab.stack.run("up")
    assert B in lab.arrived()
    lab.stack.run("destroy")
    lab.pass_time()
    assert B in lab.arrived()


def test_promise_6_a_pair_without_its_application_is_not_stuck_in_drain(lab: Lab) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    before = lab.settings()
    lab.stack.run("up")
    lab.pass_time()
    (application,) = lab.source.applications.applications
    lab.source.applications.delete_application(application)
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "Cannot drain" in text
    lab.stack.config["xtsync:onDestroy"] = "release"
    lab.stack.run("refresh")
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_promise_7_a_live_application_outlives_a_replacement_of_its_service_principal(lab: Lab) -> None:
    lab.stack.config["xtsync:groups"] = []
    lab.stack.run("up")
    lab.pass_time()
    unassign(lab, lab.source.directory.user(A).id)
    lab.stack.run("up", replace=("service-principal",))
    assert len(lab.jobs()) == 1
    assert len(lab.source.applications.applications) == 1


def test_promise_6_who_was_assigned_to_an_imported_application_without_a_job_stays(lab: Lab) -> None:
    lab.stack.run("up")
    made_by_hand(lab.stack)
    (principal,) = (one for one in lab.source.applications.principals.values() if one.synchronization.jobs)
    principal.synchronization.jobs.clear()
    found = {one.principal_id for one in principal.assignments.values()}
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert {one.principal_id for one in principal.assignments.values()} == found
