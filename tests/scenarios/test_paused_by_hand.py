"""A job that somebody paused, perhaps for what its next cycle would do: no run starts it without a word before."""

from __future__ import annotations

import pytest

from tests.scenarios.stacks import Command, Lab, told, writes
from tests.scenarios.tenants import synchronization, unassign
from xtsync_resources.partner_policy.model import COLLABORATION

A, B = "alice@contoso.com", "bob@contoso.com"
SAID = "the job is paused now, and this run starts it at its end"


@pytest.fixture
def paused(lab: Lab, xtsync: Command) -> Lab:
    lab.stack.config["xtsync:users"] = [A, "carol@contoso.com"]
    xtsync.up()
    lab.pass_time()
    assert xtsync("pause", "-s", "dev", "--yes").exit_code == 0
    return lab


def state(lab: Lab) -> str:
    (job,) = synchronization(lab).jobs.values()
    return job.schedule_state


@pytest.mark.real
@pytest.mark.parametrize("users", [[A, "carol@contoso.com", B], [A], [A, B]], ids=["comes", "leaves", "both"])
def test_a_change_of_scope_says_in_the_preview_that_it_starts_the_job(paused: Lab, users: list[str]) -> None:
    paused.stack.config["xtsync:users"] = users
    assert SAID in told(paused.stack.run("preview"), "start")
    assert state(paused) == "Paused"
    paused.stack.run("up")
    assert state(paused) == "Active"


@pytest.mark.real
def test_so_does_one_of_flow_types_for_which_a_run_brings_the_job_to_rest_itself(lab: Lab, xtsync: Command) -> None:
    lab.stack.config |= {"xtsync:users": [A], "xtsync:flowTypes": ["add", "update"]}
    xtsync.up()
    lab.pass_time()
    lab.stack.config["xtsync:flowTypes"] = ["add", "update", "delete"]
    assert SAID not in told(lab.stack.run("preview"), "start")
    assert xtsync("pause", "-s", "dev", "--yes").exit_code == 0
    assert SAID in told(lab.stack.run("preview"), "start")
    lab.stack.run("up")
    assert state(lab) == "Active"


@pytest.mark.real
def test_who_is_unassigned_by_hand_meanwhile_is_named_before_a_run_that_would_stop_there(paused: Lab) -> None:
    unassign(paused, paused.source.directory.user("carol@contoso.com").id)
    paused.stack.config["xtsync:users"] = [A, B, "carol@contoso.com"]
    said = " ".join(told(paused.stack.run("preview"), "start").split())
    assert SAID in said
    assert "Not assigned now, though configured: " in said
    assert "Where a run does not assign them, it refuses to start the job, with the rest done; with `--refresh`" in said
    paused.stack.run("up", fails=True)
    assert state(paused) == "Paused"
    paused.stack.run("up", refresh=True)
    assert state(paused) == "Active"
    paused.pass_time()
    assert paused.arrived() >= {A, B, "carol@contoso.com"}


def test_without_a_change_it_is_neither_looked_at_nor_started(paused: Lab) -> None:
    before = len(paused.entra.traffic)
    assert SAID not in told(paused.stack.run("preview"), "start")
    paused.stack.run("up")
    assert state(paused) == "Paused"
    assert not [call for call in paused.calls_since(before) if "/jobs/" in call.path]


def test_with_running_false_it_stays_paused_and_nothing_is_said(paused: Lab) -> None:
    paused.stack.config |= {"xtsync:running": False, "xtsync:users": [A, "carol@contoso.com", B]}
    for operation in ("preview", "up"):
        assert SAID not in told(paused.stack.run(operation), "start")
    assert state(paused) == "Paused"


@pytest.mark.parametrize("users", [[A, "carol@contoso.com", B], [A], [A, B]], ids=["comes", "leaves", "both"])
def test_of_a_job_that_runs_nothing_is_said(lab: Lab, xtsync: Command, users: list[str]) -> None:
    lab.stack.config["xtsync:users"] = [A, "carol@contoso.com"]
    xtsync.up()
    lab.pass_time()
    lab.stack.config["xtsync:users"] = users
    for operation in ("preview", "up"):
        assert "starts it at its end" not in told(lab.stack.run(operation), "start")
    assert state(lab) == "Active"


def test_what_ends_a_pause_is_said_where_it_is_paused(paused: Lab, xtsync: Command) -> None:
    for typed in (("pause", "-s", "dev", "--yes"), ("status", "-s", "dev")):
        said = xtsync(*typed)
        text = " ".join((said.out + said.errors).split())
        assert "changes who is in scope" in text, typed
    before = len(paused.entra.traffic)
    xtsync("status", "-s", "dev")
    assert not writes(paused.calls_since(before))


def test_a_door_that_was_closed_by_hand_is_not_to_be_opened_in_the_stack_file(lab: Lab, xtsync: Command) -> None:
    """The stack file is right: what differs is the tenant."""
    lab.stack.config["xtsync:b2bCollaboration"] = {
        "inbound": {"usersAndGroups": {"accessType": "allowed", "users": [lab.source.directory.user(A).id]}}
    }
    xtsync.up()
    assert lab.target_partner is not None
    part = lab.target_partner[COLLABORATION["target"]]["usersAndGroups"]
    part |= {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]}
    said = " ".join(xtsync("doctor", "-s", "dev").out.split())
    assert "let nobody through" in said
    assert "bring the partner policy in line with the stack file" in said
    assert "open xtsync:b2bCollaboration" not in said
