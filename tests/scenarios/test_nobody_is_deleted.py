"""Promise 6 where a pair that runs is adopted, disturbed or resumed: nobody is deleted by accident."""

from __future__ import annotations

from typing import Any

import pytest

from lab.entra import Fault
from tests.scenarios.stacks import Command, Lab, Stack, changed, short, told, writes
from tests.scenarios.steps import forget, made_by_hand
from tests.scenarios.tenants import refuse_assignments


def replace_application(stack: Stack) -> None:
    """Let the state say that the application was made from another template, so that it is replaced."""

    def change(resources: list[dict[str, Any]]) -> None:
        (application,) = (r for r in resources if short(r["urn"]) == "application")
        for properties in (application["inputs"], application["outputs"]):
            properties["templateId"] = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"

    stack.rewrite(change)


def test_promise_6_a_failed_adoption_of_everybody_in_scope_deletes_nobody(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    principal = next(p for p in lab.source.applications.principals.values() if p.synchronization.jobs)
    principal.synchronization.secrets["SyncAll"] = "true"
    principal.assignments.clear()
    lab.pass_time()
    people = lab.arrived()
    before = len(lab.entra.traffic)
    refuse_assignments(lab)
    lab.stack.run("up", fails=True)
    lab.pass_time()
    assert lab.arrived() == people
    lab.entra.faults.clear()
    result = lab.stack.run("up")
    lab.pass_time()
    assert lab.arrived() == people
    assert "restart" not in {call.path.rsplit("/", 1)[-1] for call in lab.calls_since(before)}
    assert lab.jobs()[0].schedule_state == "Active"
    assert result.outputs["jobState"] == "Active"


def test_promise_6_destroy_after_a_failed_adoption_deletes_nobody(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    people = lab.arrived()
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    lab.entra.faults.add(Fault(method="POST", path="appRoleAssignedTo$", status=403, code="Denied", skip=3, times=1000))
    result = lab.stack.run("up", fails=True)
    assert "paused until everybody is assigned" in told(result, "job")
    lab.entra.faults.clear()
    before = len(lab.entra.traffic)
    lab.stack.run("destroy")
    done = [call.path for call in writes(lab.calls_since(before)) if "appRoleAssignedTo" in call.path]
    assert all(job.schedule_state != "Active" for job in lab.jobs())
    lab.pass_time()
    assert lab.arrived() == people, done


def test_promise_6_an_assignment_that_could_not_be_made_anew_leaves_the_job_at_rest(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    people = lab.arrived()
    forget(lab.stack, "user-")
    lab.entra.faults.add(Fault(method="POST", path="appRoleAssignedTo$", status=403, code="Denied", skip=1, times=1000))
    result = lab.stack.run("up", fails=True)
    assert "do not resume it by hand" in "\n".join(d.message for d in result.diagnostics)
    said = xtsync("resume", "-s", "dev", "--yes")
    assert said.exit_code == 2
    assert "1 of 2 configured users and groups are not assigned (alice@contoso.com)" in said.errors
    lab.pass_time()
    assert lab.arrived() == people
    lab.entra.faults.clear()
    lab.stack.run("refresh")
    assert lab.stack.run("up").outputs["jobState"] == "Active"
    lab.pass_time()
    assert lab.arrived() == people


@pytest.mark.parametrize("on_destroy", ["release", "drain"])
def test_promise_6_another_application_deletes_nobody(lab: Lab, on_destroy: str) -> None:
    lab.stack.config["xtsync:onDestroy"] = on_destroy
    lab.stack.run("up")
    lab.pass_time()
    people, first = lab.arrived(), set(lab.source.applications.applications)
    replace_application(lab.stack)
    lab.entra.faults.add(Fault(method="DELETE", path="appRoleAssignedTo/", status=403, code="Denied", skip=1, times=9))
    lab.stack.run("up", fails=True)
    lab.pass_time()
    assert lab.arrived() == people, "half of them is unassigned, and no job runs that would mind"
    assert "Active" not in {job.schedule_state for job in lab.jobs()}
    lab.entra.faults.clear()
    lab.stack.run("up")
    lab.pass_time()
    assert lab.arrived() == people
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    assert not first & set(lab.source.applications.applications)
    assert changed(lab.stack.run("up")) == {}
    lab.stack.config["xtsync:onDestroy"] = "release"
    lab.stack.run("up")
    lab.stack.run("destroy")


def test_promise_6_another_application_leaves_one_that_was_made_by_hand_at_rest(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    lab.stack.run("up")
    people, (theirs,) = lab.arrived(), lab.jobs()
    replace_application(lab.stack)
    result = lab.stack.run("up")
    assert "was there before this stack and stays" in told(result, "service-principal")
    lab.pass_time()
    assert lab.arrived() == people
    assert sorted(job.schedule_state for job in lab.jobs()) == ["Active", "Paused"]
    assert theirs.schedule_state == "Paused"
    assert changed(lab.stack.run("up")) == {}


def test_names_with_underscores_and_capitals_stay_what_they_are(lab: Lab) -> None:
    names = ["anna_smith@contoso.com", "BobJones@contoso.com"]
    for name in names:
        lab.source.add_user(name)
    lab.stack.config |= {"xtsync:users": names, "xtsync:provisionOnDemand": names}
    result = lab.stack.run("up")
    assert set(result.outputs["provisionedOnDemand"]) == set(names)
    assert "anna_smith@contoso.com: Success" in told(result, "provision-on-demand")


def test_mistakes_at_the_command_line_are_told_in_words(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    assert xtsync("logs", "-s", "dev", "--since", "999999d").exit_code == 0
    for name in ("", ".", ".."):
        assert xtsync("provision", name, "-s", "dev").exit_code == 2
    assert xtsync("status", "-s", "organization/xtsync/dev").exit_code == 0


def test_promise_3_who_comes_into_scope_and_who_leaves_it_is_said_before(lab: Lab) -> None:
    lab.stack.run("up")
    assert told(lab.stack.run("preview"), "scope") == ""
    for users, coming, leaving in ((["bob@contoso.com"], "bob", "alice"), (["alice@contoso.com"], "alice", "bob")):
        lab.stack.config["xtsync:users"] = users
        preview = lab.stack.run("preview")
        said = told(preview, "scope")
        assert f"comes into scope: user {coming}@contoso.com" in said
        assert f"leaves the scope: user {leaving}@contoso.com" in said
        assert f"1 person leaves the target with this change: {leaving}@contoso.com" in said
        (scope,) = (step for step in preview.steps if short(step.name) == "scope")
        assert set(scope.detailed_diff) == {f'principals["user {name}@contoso.com"]' for name in (coming, leaving)}
        assert changed(lab.stack.run("up")) == changed(preview)
        assert changed(lab.stack.run("refresh")) == {}
        assert told(lab.stack.run("preview"), "scope") == ""
