"""Where Microsoft's text is silent a tenant may answer in several ways: a pair goes up and comes down with each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lab.entra import Fault
from tests.scenarios.stacks import Command, Lab, changed, messages, told
from tests.scenarios.steps import finance, flat, made_by_hand
from tests.scenarios.tenants import principal_of, synchronization
from xtsync_resources.sync_scope.before_draining import AGREED
from xtsync_resources.sync_scope.draining import NOBODY_LEFT

ANSWERS: list[Mapping[str, Any]] = [
    {"identity_sync_absent": "204"},
    {"identity_sync_absent": "nulls"},
    {"empty_first_page": True},
    {"page_size": 1},
    {"started_shows": "none yet"},
    {"counts_entries": False},
]


def answer(lab: Lab, **settings: Any) -> None:
    for tenant in (lab.source, lab.target):
        tenant.settings = replace(tenant.settings, **settings)


def drained(lab: Lab, **settings: Any) -> None:
    """A pair that is drained at its end, whose job has no cycle while anybody waits."""
    answer(lab, first_cycle_seconds=2000, **settings)
    lab.stack.config |= {"xtsync:onDestroy": "drain", "xtsync:deadlineMinutes": 0.5}
    lab.stack.run("up")
    lab.pass_time()
    assert len(lab.arrived()) == 3


@pytest.mark.parametrize("settings", ANSWERS, ids=str)
def test_a_pair_goes_up_changes_and_comes_down_as_found(lab: Lab, settings: Mapping[str, Any]) -> None:
    answer(lab, **settings)
    before = lab.settings()
    lab.stack.run("up")
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    lab.stack.config |= {"xtsync:deletionThreshold": 30, "xtsync:users": ["alice@contoso.com", "bob@contoso.com"]}
    assert changed(lab.stack.run("up"))["secrets"] == "update"
    lab.pass_time()
    assert lab.arrived()
    lab.stack.run("destroy")
    assert lab.settings() == before


# --- a list that goes on -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"empty_first_page": True}, {"page_size": 1}], ids=str)
def test_promise_4_a_job_on_a_later_page_is_adopted(lab: Lab, settings: Mapping[str, Any]) -> None:
    lab.stack.run("up")
    (job,) = lab.jobs()
    made_by_hand(lab.stack)
    answer(lab, **settings)
    assert f"adopts the existing job {job.id} (Active)" in told(lab.stack.run("up"), "job")
    assert lab.jobs() == [job]


def test_promise_1_a_configuration_whose_job_is_on_a_later_page_is_one(lab: Lab) -> None:
    lab.stack.run("up")
    answer(lab, empty_first_page=True)
    text = "\n".join(messages(lab.new_stack("second").run("up", fails=True)))
    assert "Will not make a second configuration" in text
    assert len(lab.jobs()) == 1


def test_promise_3_a_configuration_without_a_name_is_one_as_well(lab: Lab) -> None:
    lab.stack.run("up")
    principal_of(lab).display_name = None  # type: ignore[assignment]  # Microsoft's metadata allows it
    text = "\n".join(messages(lab.new_stack("second").run("up", fails=True)))
    assert "Will not make a second configuration" in text
    assert len(lab.jobs()) == 1


# --- a job that does not count ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shows", ["last", "none yet"])
def test_promise_6_without_a_count_nobody_is_gone_before_a_cycle_has_ended(lab: Lab, shows: str) -> None:
    drained(lab, counts_entries=False, started_shows=shows)
    for _ in range(2):
        assert NOBODY_LEFT not in told(lab.stack.run("destroy", fails=True), "scope-record")
    assert len(lab.arrived()) == 3
    assert lab.jobs()
    lab.pass_time()
    assert lab.arrived() == set()
    assert NOBODY_LEFT in told(lab.stack.run("destroy"), "scope-record")


@pytest.mark.real
def test_promise_6_a_destroy_goes_on_where_a_job_counts_nobody_any_more(lab: Lab) -> None:
    drained(lab)
    lab.stack.run("destroy", fails=True)
    lab.pass_time()
    lab.pass_time()
    assert NOBODY_LEFT in told(lab.stack.run("destroy"), "scope-record")


def test_promise_6_without_a_count_no_more_are_drained_than_was_said(lab: Lab) -> None:
    drained(lab, counts_entries=False)
    group = lab.source.directory.groups[finance(lab)]
    group.members += [lab.source.add_user(f"late{number}@contoso.com").id for number in range(3)]
    lab.pass_time()
    said = flat(told(lab.stack.run("destroy", fails=True), "scope"))
    assert "6 people would be deleted in the target, but the last count was 3" in said
    assert len(lab.arrived()) == 6
    lab.stack.environment[AGREED] = "6"
    lab.stack.run("destroy", fails=True)  # nobody is gone before a cycle has ended
    lab.pass_time()
    assert lab.arrived() == set()
    lab.stack.run("destroy")


def test_status_says_that_nobody_counts(lab: Lab, xtsync: Command) -> None:
    drained(lab, counts_entries=False)
    xtsync.up()
    said = xtsync("status", "-s", "dev")
    assert "everybody whom the job keeps would be deleted in the target" in flat(said.out)
    assert xtsync("status", "-s", "dev", "--json").document["people"] is None


# --- refusals in other words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 410])
def test_a_partner_policy_of_which_nobody_can_see_everything_is_left(lab: Lab, status: int) -> None:
    lab.stack.run("up")
    lab.entra.faults.add(
        Fault(path="/m365Capabilities$", status=status, code="Request_BadRequest", message="Invalid.", times=1000)
    )
    assert "the partner policy stays, emptied of ours" in told(lab.stack.run("destroy"), "target-partner")
    assert not lab.jobs()


@pytest.mark.parametrize("path", ["/synchronization/jobs$", "/synchronization/secrets$", "validateCredentials$"])
def test_what_the_synchronization_service_does_not_know_yet_is_waited_for(lab: Lab, path: str) -> None:
    lab.entra.faults.add(
        Fault(path=path, status=400, code="Request_BadRequest", message="Not a valid reference update", times=2)
    )
    lab.stack.run("up")


def test_promise_6_a_state_that_nobody_knows_is_not_at_rest(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause does nothing here, as where a cycle is finished first: nobody may leave the scope meanwhile."""
    lab.stack.run("up")
    lab.pass_time()
    people, state = lab.arrived(), synchronization(lab)
    backend = lab.source.synchronization
    monkeypatch.setattr(type(backend), "pause", lambda self, job: setattr(job, "schedule_state", "unknownFutureValue"))
    lab.stack.environment["XTSYNC_DEADLINE_MINUTES"] = "0.5"
    lab.stack.run("destroy", fails=True)
    assert principal_of(lab).assignments
    assert state.jobs
    assert lab.arrived() == people
