"""Who is to be in scope and is not: what is told of the job, and what keeps it from being started before that."""

from __future__ import annotations

import pytest

from lab.entra import Fault
from tests.scenarios.stacks import Command, Lab
from tests.scenarios.steps import ASSIGN_THEM, LOOKS, finance, knows_the_state, says
from tests.scenarios.tenants import unassign
from xtsync_resources.operate import recorded
from xtsync_resources.operate.health import ASSIGN_NEW


@pytest.mark.parametrize("gone", ["deleted", "deleted, known by the state", "deleted, by id", "unassigned"])
def test_a_job_that_rests_for_a_group_is_not_to_be_started_before_it_is_back(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    """What the runbook makes of a deleted group, whose assignment Graph may go on listing: `up` and `resume` refuse."""
    found = finance(lab)
    if gone == "deleted, by id":
        lab.stack.config["xtsync:groups"] = [found]
    xtsync.up()
    lab.pass_time()
    if gone == "deleted, known by the state":
        knows_the_state(lab, monkeypatch)
    if gone.startswith("deleted"):
        lab.source.directory.delete_group(found)
    else:
        unassign(lab, found)
    assert xtsync("pause", "-s", "dev", "--yes").exit_code == 0
    assert xtsync("resume", "-s", "dev", "--yes").exit_code == 2
    for name in ("status", "doctor"):
        said = says(xtsync, name)
        assert f"{ASSIGN_THEM} and starts the job then" in said, name
        assert "An entry that nobody has stops it: restore or correct that before" in said, name
        assert "run `xtsync resume`" not in said, name
    waited = says(xtsync, "status", "--wait", "steady")
    assert "is no use" in waited
    assert ASSIGN_THEM in waited
    page = says(xtsync, "report", "--format", "markdown", "--output", "-").replace("\\", "")
    assert "run `pulumi up --refresh --diff --stack dev`" in page
    assert "xtsync resume --stack dev" not in page


def test_a_group_that_is_deleted_while_the_job_runs_is_told_with_what_helps(lab: Lab, xtsync: Command) -> None:
    lab.stack.config["xtsync:groups"] = [finance(lab)]
    xtsync.up()
    lab.pass_time()
    lab.source.directory.delete_group(finance(lab))
    said = says(xtsync, "status")
    assert "By mistake? Run `xtsync pause` before the next run, restore them there" in said
    assert ASSIGN_THEM not in said


def test_who_comes_with_the_next_up_keeps_other_commands_from_starting_the_job(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows_the_state(lab, monkeypatch)
    xtsync.up()
    lab.pass_time()
    assert xtsync("pause", "-s", "dev", "--yes").exit_code == 0
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    refused = xtsync("resume", "-s", "dev", "--yes")
    assert refused.exit_code == 2
    assert "bob@contoso.com" in refused.errors
    assert "puts in scope whoever is new in the stack file" in " ".join(refused.errors.split())
    for name in LOOKS:
        said = says(xtsync, name)
        assert f"{ASSIGN_NEW} and starts the job then" in said, name
        assert "ask who has paused it and why; run `pulumi up`" in said, name
        assert "run `xtsync resume`" not in said, name
    assert "not yet bob@contoso.com: new in the stack file" in says(xtsync, "status")
    assert "not in scope yet, as new in the stack file: bob@contoso.com" in says(xtsync, "doctor")


def test_a_stack_file_that_is_ahead_of_the_pair_is_not_an_unwell_pair(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows_the_state(lab, monkeypatch)
    xtsync.up()
    lab.pass_time()
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    status, doctor_said = xtsync("status", "-s", "dev"), xtsync("doctor", "-s", "dev")
    assert status.exit_code == doctor_said.exit_code == 0
    assert "not yet bob@contoso.com: new in the stack file" in " ".join(status.out.split())
    assert "well as far as it was seen" in status.out
    assert "as new in the stack file: bob@contoso.com" in " ".join(doctor_said.out.split())


def test_where_no_state_can_be_read_whoever_is_unassigned_is_taken_for_lost(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    said = says(xtsync, "status")
    assert (
        "NOT bob@contoso.com, though configured (`xtsync doctor` says why); when it runs next, the job deletes" in said
    )
    assert "; new entries come with the next `pulumi up`" in says(xtsync, "doctor")


def test_who_is_renamed_or_only_provisioned_at_once_keeps_nobody_from_resuming(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`resume` looks at who is to be in scope, by whom the name meant."""
    knows_the_state(lab, monkeypatch)
    lab.stack.config["xtsync:provisionOnDemand"] = ["dave@contoso.com"]
    xtsync.up()
    lab.pass_time()
    assert xtsync("pause", "-s", "dev", "--yes").exit_code == 0
    lab.source.directory.delete_user(lab.source.directory.user("dave@contoso.com").id)
    (found,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
    found.display_name = "Treasury"
    for name in ("status", "doctor"):
        said = says(xtsync, name)
        assert "run `xtsync resume`" in said, name
        assert "refuses before that" not in said, name
    assert xtsync("resume", "-s", "dev", "--yes").exit_code == 0


@pytest.mark.parametrize(
    "command",
    [("report", "--format", "markdown", "--output", "-"), ("status", "--wait", "steady"), *((name,) for name in LOOKS)],
)
def test_what_is_known_of_the_job_is_said_where_the_scope_cannot_be_read(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(recorded, "exported", lambda _: lab.stack.engine.export())
    xtsync.up()
    lab.pass_time()
    assert xtsync("pause", "-s", "dev", "--yes").exit_code == 0
    fault = Fault(method="GET", path="appRoleAssignedTo", status=400, code="Request_BadRequest", times=99)
    lab.entra.faults.add(fault)
    said = says(xtsync, *command)
    assert "paused: nothing is synchronized" in said
    assert "run `xtsync resume" in said.replace("\\", "")
    if command in (("status",), ("doctor",)):
        assert "could not be checked" in said
    if command == ("plan",):
        assert "who is in scope could not be read" in said
