"""Assignments that exist already, as after a crash just behind azuread's call: azuread takes none over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab import world
from lab.entra import Exchange
from tests.scenarios.stacks import Lab, changed, told, writes
from tests.scenarios.steps import forget
from tests.scenarios.tenants import assign

pytestmark = pytest.mark.real


def steps(calls: list[Exchange]) -> list[str]:
    """Writes to assignments and job, in order."""
    names = {"pause": "pause", "start": "start"}
    return [names.get(call.path.rsplit("/", 1)[-1], call.method) for call in writes(calls)]


def test_promise_7_an_assignment_a_crash_left_behind_is_taken_over_while_the_job_pauses(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    lab.source.settings = replace(lab.source.settings, page_size=1)
    people, before = lab.arrived(), len(lab.entra.traffic)
    forgotten = forget(lab.stack, "user-")
    result = lab.stack.run("up")
    assert changed(result) == {**dict.fromkeys(forgotten, "create"), "start": "update"}
    said = [(d.severity, d.message) for d in result.diagnostics if d.urn.endswith(forgotten[0])]
    assert [severity for severity, _ in said] == ["error", "warning"], "azuread's error is shown though a hook retried"
    assert "already exists" in said[0][1]
    assert "retrying create due to on-error hook request (1/100)" in said[1][1]
    done = steps(lab.calls_since(before))
    assert [step for step in done if step != "POST"] == ["pause", "DELETE", "start"]
    assert done.index("DELETE") < done.index("POST", done.index("DELETE")) < done.index("start")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.pass_time()
    assert lab.arrived() == people
    assert not changed(lab.stack.run("up"))
    lab.stack.run("destroy")


def test_promise_7_a_job_the_state_lost_is_adopted_and_runs_again(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    forget(lab.stack, "job")
    before = lab.settings()
    result = lab.stack.run("up")
    assert changed(result) == {"job": "create", "start": "update"}, "what was found first stays"
    assert result.outputs["jobState"] == "Active"
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    assert changed(lab.stack.run("up")) == {}
    assert changed(lab.stack.run("refresh")) == {}
    assert changed(lab.stack.run("up")) == {}
    assert lab.settings()[world.TARGET_TENANT] == before[world.TARGET_TENANT]
    lab.stack.run("destroy")
    assert lab.source.applications.applications == {}, "the application is ours, so its job goes with it"


def test_several_assignments_are_taken_over_at_once(lab: Lab) -> None:
    lab.stack.run("up")
    before = len(lab.entra.traffic)
    forgotten = forget(lab.stack, "user-", "group-")
    assert changed(lab.stack.run("up")) == {**dict.fromkeys(forgotten, "create"), "start": "update"}
    done = steps(lab.calls_since(before))
    assert (done.count("pause"), done.count("start"), done.count("DELETE")) == (1, 1, len(forgotten))
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]


def test_a_paused_job_stays_paused(lab: Lab) -> None:
    lab.stack.config["xtsync:running"] = False
    lab.stack.run("up")
    forget(lab.stack, "user-")
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] != ["Active"]


def test_on_existing_fail_refuses_whom_somebody_else_assigned_but_not_what_a_crash_left_behind(lab: Lab) -> None:
    lab.stack.config["xtsync:onExisting"] = "fail"
    lab.stack.run("up")
    forget(lab.stack, "user-")
    lab.stack.run("up")
    assign(lab, "bob@contoso.com")
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    before = len(lab.entra.traffic)
    text = told(lab.stack.run("up", fails=True), "scope")
    assert "Will not take over assignments in the source tenant Contoso" in text
    assert "of user bob@contoso.com" in text
    assert "onExisting is fail" in text
    assert not steps(lab.calls_since(before))
