"""Who leaves the scope where the job that knows them is gone: nobody is said to be deleted who is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.stacks import Command, Lab, changed, messages, told, writes
from tests.scenarios.steps import flat, knows_the_state, made_by_hand
from tests.scenarios.tenants import assign, cycle_after, delete_user, synchronization
from tests.scenarios.test_nobody_is_deleted import replace_application

ALICE, BOB = "alice@contoso.com", "bob@contoso.com"


def delete_job(lab: Lab) -> None:
    synchronization(lab).jobs.clear()


def delete_application(lab: Lab) -> None:
    (application,) = lab.source.applications.applications
    lab.source.applications.delete_application(application)


@pytest.fixture
def running(lab: Lab) -> Lab:
    """A pair whose job has put everybody in the target."""
    lab.stack.config["xtsync:users"] = [ALICE, BOB]
    lab.stack.run("up")
    lab.pass_time()
    assert BOB in lab.arrived()
    return lab


WAYS: dict[str, dict[str, Any]] = {
    "the job is deleted": {},
    "the job is deleted, and seen to be": {"refresh": True},
    "the job is replaced": {"replace": ("job",)},
    "the application is deleted": {},
    "the application is deleted, and seen to be": {"refresh": True},
    "the application is replaced": {"replace": ("application",)},
}


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=pytest.mark.real) if "is replaced" in way else way for way in WAYS]
)
def test_promise_6_nobody_leaves_whom_the_job_does_not_know(running: Lab, way: str) -> None:
    if "deleted" in way:
        delete_job(running) if "job" in way else delete_application(running)
    running.stack.config["xtsync:users"] = [ALICE]
    before = len(running.entra.traffic)
    for operation in ("preview", "up"):
        text = "\n".join(messages(running.stack.run(operation, fails=True, **WAYS[way])))
        assert "Will not let 1 person leave the scope in the source tenant Contoso" in text
        assert "no job would remove them from the target" in text
        assert f"1 person leaves the scope with this change: {BOB}" in text
        assert "They stay in the target" in text
        assert "deletes them in the target" not in text
        assert operation == "up" or not writes(running.calls_since(before))
    running.pass_time()
    assert BOB in running.arrived()
    # What the message says to do.
    running.stack.config["xtsync:users"] = [ALICE, BOB]
    running.stack.run("up", **(WAYS[way] if "replaced" in way else {"refresh": True}))
    running.pass_time()
    running.stack.config["xtsync:users"] = [ALICE]
    assert "deletes them in the target" in told(running.stack.run("up"), "scope")
    running.pass_time()
    assert BOB not in running.arrived()
    assert ALICE in running.arrived()
    assert changed(running.stack.run("up")) == {}


def test_promise_3_who_cannot_stay_is_said_to_stay_in_the_target(running: Lab) -> None:
    delete_job(running)
    delete_user(running, BOB)
    running.stack.config["xtsync:users"] = [ALICE]
    text = "\n".join(messages(running.stack.run("up", refresh=True)))
    assert (
        "1 person is deleted in the source already, so that no assignment keeps them. They stay in the target" in text
    )
    assert "Delete them there by hand" in text
    running.pass_time()
    assert BOB in running.arrived()


def test_promise_3_a_job_that_has_not_run_yet_is_said_to_know_nobody(running: Lab) -> None:
    running.stack.run("up", replace=("job",))
    running.stack.config["xtsync:users"] = [ALICE]
    assert "no cycle of the job has gone well yet" in told(running.stack.run("preview"), "scope")
    running.pass_time()
    assert "no cycle of the job" not in told(running.stack.run("preview"), "scope")


def test_promise_3_nobody_is_said_to_be_deleted_where_the_job_deletes_nobody(running: Lab) -> None:
    running.stack.config["xtsync:flowTypes"] = ["add", "update"]
    running.stack.run("up")
    running.stack.config["xtsync:users"] = [ALICE]
    text = told(running.stack.run("up", replace=("job",)), "scope")
    assert "1 person leaves the scope with this change, not the target" in text


@pytest.mark.parametrize("gone", ["job", "application"])
def test_plan_foresees_that_nobody_leaves(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    knows_the_state(lab, monkeypatch)
    lab.stack.config["xtsync:users"] = [ALICE, BOB]
    xtsync.up()
    lab.pass_time()
    delete_job(lab) if gone == "job" else delete_application(lab)
    lab.stack.config["xtsync:users"] = [ALICE]
    said = xtsync("plan", "-s", "dev", "--json")
    assert said.exit_code == 1
    assert said.document["lostJob"] == "is gone"
    assert "no job would remove them from the target" in said.document["refused"]
    text = flat(xtsync("plan", "-s", "dev").out)
    assert f"1 person: {BOB}. They stay in the target: the job that has synchronized them is gone" in text
    lab.stack.config["xtsync:users"] = [ALICE, BOB]
    assert xtsync("plan", "-s", "dev", "--json").document["refused"] == ""


# --- what was found belongs to the application it was found with --------------------------------------------


@pytest.fixture
def adopted(lab: Lab) -> Lab:
    """A pair that was made by hand and taken over, with Bob assigned by hand before."""
    lab.stack.config["xtsync:users"] = [ALICE]
    lab.stack.run("up")
    assign(lab, BOB)
    lab.pass_time()
    made_by_hand(lab.stack)
    lab.stack.config["xtsync:users"] = [ALICE, BOB]
    lab.stack.run("up")
    return lab


@pytest.mark.parametrize("way", ["deleted", "from another template"])
def test_promise_4_whoever_is_assigned_to_another_application_is_this_stacks(adopted: Lab, way: str) -> None:
    if way == "deleted":
        delete_application(adopted)
    else:
        replace_application(adopted.stack)
    adopted.stack.run("up", refresh=way == "deleted")
    adopted.pass_time()
    adopted.stack.config["xtsync:users"] = [ALICE]
    said = told(adopted.stack.run("up"), "scope")
    assert f"1 person leaves the target with this change: {BOB}" in said
    adopted.pass_time()
    assert BOB not in adopted.arrived()


def test_promise_6_who_was_there_before_is_forgotten_by_another_application_too(adopted: Lab) -> None:
    delete_application(adopted)
    adopted.stack.run("refresh")
    adopted.stack.config["xtsync:users"] = [ALICE]
    text = "\n".join(messages(adopted.stack.run("preview", fails=True)))
    assert "Will not let 1 person leave the scope" in text
    assert "so they stay in scope" not in text


def test_promise_3_who_was_there_before_and_never_configured_is_named_as_left_behind(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [ALICE]
    lab.stack.run("up")
    assign(lab, BOB)
    made_by_hand(lab.stack)
    lab.stack.run("up")
    delete_application(lab)
    said = told(lab.stack.run("up", refresh=True), "scope")
    assert f"nobody is assigned but who is configured: {BOB}" in said


@pytest.mark.parametrize("mark", [True, False])
def test_promise_6_a_drain_of_another_application_deletes_everybody(adopted: Lab, *, mark: bool) -> None:
    delete_application(adopted)
    adopted.stack.config |= {"xtsync:onDestroy": "drain", "xtsync:deadlineMinutes": 0.5}
    adopted.stack.run("up", refresh=True)
    if mark:
        leave_marks_of_the_former_application(adopted)
    adopted.pass_time()
    assert adopted.arrived() == {ALICE, BOB, "carol@contoso.com", "dave@contoso.com"}
    with cycle_after(adopted, looks=8):
        said = told(adopted.stack.run("destroy"), "scope-record")
    assert "is left in the target" in said
    assert adopted.arrived() == set()


def leave_marks_of_the_former_application(lab: Lab) -> None:
    """Let the state say who was in scope as it was said before 0.2.0."""
    bob = lab.source.directory.user(BOB).id

    def change(resources: list[dict[str, Any]]) -> None:
        for resource in resources:
            kind = resource["type"].rpartition(":")[2]
            if name := {"SyncScope": "assignedBefore", "ScopeRecord": "before"}.get(kind):
                resource["outputs"][name] = [bob]

    lab.stack.rewrite(change)
