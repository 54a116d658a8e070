"""Promises 3 and 6 for people whom somebody has put in scope by hand, by `foreignAssignments`."""

from __future__ import annotations

import pytest

from tests.scenarios.stacks import Command, Lab, changed, told
from tests.scenarios.steps import made_by_hand
from tests.scenarios.tenants import assign, cycle_after, delete_user

ALICE, BOB = "alice@contoso.com", "bob@contoso.com"


@pytest.fixture
def by_hand(lab: Lab) -> Lab:
    """A pair with Alice, and Bob whom somebody has assigned in the portal."""
    lab.stack.config |= {"xtsync:users": [ALICE], "xtsync:groups": []}
    lab.stack.run("up")
    assign(lab, BOB)
    lab.pass_time()
    assert lab.arrived() == {ALICE, BOB}
    return lab


def wanted(lab: Lab, what: str) -> None:
    lab.stack.config["xtsync:foreignAssignments"] = what


def assigned(lab: Lab) -> set[str]:
    ids = {
        one.principal_id
        for principal in lab.source.applications.principals.values()
        if principal.synchronization.jobs
        for one in principal.assignments.values()
    }
    return {name for name in (ALICE, BOB) if lab.source.directory.user(name).id in ids}


def test_reported_they_stay_now_and_at_the_end(by_hand: Lab) -> None:
    assert "1 user or group is in scope and not configured: Bob" in told(by_hand.stack.run("refresh"), "scope")
    assert changed(by_hand.stack.run("up")) == {}
    assert assigned(by_hand) == {ALICE, BOB}


@pytest.mark.real
def test_promise_3_who_is_to_be_removed_is_named_before(by_hand: Lab) -> None:
    wanted(by_hand, "remove")
    preview = by_hand.stack.run("preview")
    assert "takes out of the scope whom somebody has assigned by hand: bob@contoso.com" in told(preview, "scope")
    assert "1 person leaves the target with this change" in told(preview, "scope")
    by_hand.stack.run("up")
    by_hand.pass_time()
    assert by_hand.arrived() == {ALICE}
    assert changed(by_hand.stack.run("preview")) == {}


def test_who_is_assigned_by_hand_later_is_drift(by_hand: Lab) -> None:
    wanted(by_hand, "remove")
    by_hand.stack.run("up")
    assert assigned(by_hand) == {ALICE}
    assign(by_hand, BOB)
    assert changed(by_hand.stack.run("up")) == {}
    assert assigned(by_hand) == {ALICE, BOB}
    assert "run `pulumi up --refresh --diff` to take them out" in told(by_hand.stack.run("refresh"), "scope")
    assert changed(by_hand.stack.run("preview")) == {"scope": "update"}
    by_hand.stack.run("up")
    assert assigned(by_hand) == {ALICE}
    assert changed(by_hand.stack.run("preview")) == {}


def test_promise_3_as_many_as_the_threshold_are_not_removed(by_hand: Lab) -> None:
    wanted(by_hand, "remove")
    by_hand.stack.config["xtsync:deletionThreshold"] = 1
    by_hand.stack.run("preview", fails=True)
    by_hand.stack.config["xtsync:allowDeletions"] = 1
    by_hand.stack.run("preview")


@pytest.mark.real
def test_who_is_adopted_leaves_with_the_stack(by_hand: Lab) -> None:
    wanted(by_hand, "adopt")
    assert "takes over whom somebody has assigned by hand" in told(by_hand.stack.run("preview"), "scope")
    by_hand.stack.run("up")
    assert changed(by_hand.stack.run("preview")) == {}
    assert "not configured" not in told(by_hand.stack.run("refresh"), "scope")
    wanted(by_hand, "report")
    by_hand.stack.run("up")
    assert assigned(by_hand) == {ALICE, BOB}
    by_hand.stack.config["xtsync:onDestroy"] = "drain"
    assert by_hand.stack.run("up").outputs["scope"]["people"] == 2
    by_hand.stack.config["xtsync:onDestroy"] = "release"
    by_hand.stack.run("up")
    made = [one for one in by_hand.source.applications.principals.values() if one.synchronization.jobs]
    by_hand.stack.run("destroy")
    assert by_hand.arrived() == {ALICE, BOB}
    assert not any(one.assignments for one in made)


def test_who_was_adopted_and_is_configured_leaves_like_anybody(by_hand: Lab) -> None:
    wanted(by_hand, "adopt")
    by_hand.stack.run("up")
    by_hand.stack.config["xtsync:users"] = [ALICE, BOB]
    by_hand.stack.run("up")
    by_hand.stack.config["xtsync:users"] = [ALICE]
    by_hand.stack.run("up")
    assert assigned(by_hand) == {ALICE}


def test_promise_2_who_is_adopted_and_then_configured_is_written_down_in_one_run(by_hand: Lab) -> None:
    wanted(by_hand, "adopt")
    by_hand.stack.run("up")
    by_hand.stack.config["xtsync:users"] = [ALICE, BOB]
    del by_hand.stack.config["xtsync:foreignAssignments"]
    assert "adopted" not in by_hand.stack.run("up").outputs["scope"]
    assert by_hand.stack.run("up", expect_no_changes=True).exit_code == 0


@pytest.mark.parametrize("name", ["scope", "schema", "job", "secrets", "start", "scope-record"])
def test_promise_6_who_is_adopted_stays_whatever_is_replaced(by_hand: Lab, name: str) -> None:
    wanted(by_hand, "adopt")
    by_hand.stack.config["xtsync:flowTypes"] = ["add", "update", "delete"]
    by_hand.stack.run("up")
    by_hand.stack.run("up", replace=(name,))
    assert assigned(by_hand) == {ALICE, BOB}
    by_hand.pass_time()
    assert by_hand.arrived() == {ALICE, BOB}
    by_hand.stack.run("up", expect_no_changes=True)


def test_promise_6_who_is_adopted_is_drained_with_a_pair_that_was_taken_over(by_hand: Lab) -> None:
    made_by_hand(by_hand.stack)
    by_hand.stack.config["xtsync:users"] = [ALICE]
    by_hand.stack.run("up")
    dave = assign(by_hand, "dave@contoso.com")
    by_hand.pass_time()
    by_hand.stack.config |= {"xtsync:foreignAssignments": "adopt", "xtsync:onDestroy": "drain"}
    result = by_hand.stack.run("up")
    assert "`destroy` deletes those who were adopted, too: dave@contoso.com" in told(result, "scope")
    assert f"1 adopted assignment (user {dave})" in result.outputs["onDestroy"]
    by_hand.stack.config["xtsync:deadlineMinutes"] = 0.5
    by_hand.stack.run("up")
    with cycle_after(by_hand, 8):
        by_hand.stack.run("destroy")
    assert by_hand.arrived() == {ALICE, BOB}
    assert [job.schedule_state for job in by_hand.jobs()] == ["Active"]


@pytest.mark.real
def test_promise_3_who_is_left_behind_by_another_application_is_named(by_hand: Lab) -> None:
    said = told(by_hand.stack.run("up", replace=("application",)), "scope")
    assert "nobody is assigned but who is configured: Bob" in said


def test_promise_3_who_stays_in_the_target_is_not_said_to_leave_it(by_hand: Lab) -> None:
    wanted(by_hand, "remove")
    by_hand.stack.config["xtsync:flowTypes"] = ["add", "update"]
    assert "1 person leaves the scope with this change, not the target" in told(by_hand.stack.run("preview"), "scope")


def test_one_assignment_made_by_hand_is_told_once_by_each_command(lab: Lab, xtsync: Command) -> None:
    lab.stack.config |= {"xtsync:users": [ALICE], "xtsync:groups": []}
    xtsync.up()
    assign(lab, BOB)
    for operation, options in (("preview", {"refresh": True}), ("refresh", {}), ("up", {"refresh": True})):
        said = [one.message for one in lab.stack.run(operation, **options).diagnostics]
        assert sum("Bob" in message for message in said) == 1, (operation, said)
    assert xtsync("doctor", "-s", "dev").out.count("Bob") == 1
    assert xtsync("status", "-s", "dev").out.count("Bob") == 0


def test_promise_3_who_was_adopted_is_said_to_stay_where_others_are_taken_out(by_hand: Lab) -> None:
    wanted(by_hand, "adopt")
    by_hand.stack.run("up")
    by_hand.stack.config["xtsync:foreignAssignments"] = "remove"
    said = told(by_hand.stack.run("up"), "scope")
    assert "stay in scope, as this stack has adopted them: bob@contoso.com" in said
    by_hand.pass_time()
    assert BOB in by_hand.arrived()
    assert "as this stack has adopted them" not in told(by_hand.stack.run("preview"), "scope")
    # What the message says to do.
    by_hand.stack.config["xtsync:users"] = [ALICE, BOB]
    by_hand.stack.run("up")
    by_hand.stack.config["xtsync:users"] = [ALICE]
    by_hand.stack.run("up")
    by_hand.pass_time()
    assert BOB not in by_hand.arrived()


def test_promise_3_who_was_adopted_and_is_deleted_needs_no_change_of_the_stack_file(by_hand: Lab) -> None:
    wanted(by_hand, "adopt")
    by_hand.stack.run("up")
    delete_user(by_hand, BOB)
    said = told(by_hand.stack.run("refresh"), "scope")
    assert "deleted in the source: nothing is to be done" in said
    assert "take them out of the stack file" not in said
