"""People whose deletion is held back and who are put back in scope: what follows, told the same everywhere."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest

from tests.scenarios.stacks import Command, Lab, messages, told, writes
from tests.scenarios.steps import ASSIGN_THEM, LOOKS, finance, held_back, knows_the_state, says
from tests.scenarios.tenants import assign, set_in_portal, unassign
from xtsync_resources.directory import find
from xtsync_resources.graph.clock import SystemClock
from xtsync_resources.graph.operation import Operation
from xtsync_resources.operate import recorded
from xtsync_resources.operate.checks.drift import MEND
from xtsync_resources.operate.checks.synchronization import JOB_FIRST
from xtsync_resources.sync_schema.document import object_mapping
from xtsync_resources.sync_scope import deletions
from xtsync_resources.sync_scope.beforehand import COUNTS
from xtsync_resources.sync_scope.prediction import SINCE

CAROL, DAVE = "carol@contoso.com", "dave@contoso.com"
FEWER = "fewer of those held back stay out of scope than the deletion threshold, which is 2"


@pytest.fixture
def held(lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Carol and Dave were taken out of scope, and the threshold of 2 holds their deletion back."""
    monkeypatch.setattr(recorded, "exported", lambda _: lab.stack.engine.export())
    held_back(lab, xtsync)
    return xtsync


def a_quarter_of_an_hour_later(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    later = lab.entra.clock.now() + timedelta(minutes=16)
    monkeypatch.setattr(SystemClock, "now", lambda _: later)


@pytest.mark.real
def test_promise_6_of_two_one_is_put_back_and_the_other_is_said_to_be_deleted(lab: Lab, held: Command) -> None:
    """One is fewer than the threshold, so that nothing holds him back any more."""
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", CAROL]
    beforehand = "fewer of those held back stay out of scope than the deletion threshold, which is 2: the next cycle "
    for operation in ("preview", "up"):
        said = told(lab.stack.run(operation), "start")
        if operation == "preview":
            planned = says(held, "plan")
            assert f"With the next `pulumi up` {beforehand}DELETES 1 person in Fabrikam: {DAVE}" in planned
            assert f"In scope with the next `pulumi up`: {CAROL}; they stay" in planned
            assert f"With this change {beforehand}DELETES" in " ".join(said.split())
        assert f"{beforehand}DELETES 1 person in the target: {DAVE}".partition("ewer")[2] in " ".join(said.split())
    fewer = "ewer of those held back stay out of scope than the deletion threshold, which is 2"
    deletes = f"{fewer}: the next cycle DELETES 1 person in Fabrikam: {DAVE}"
    for name in LOOKS:
        said = says(held, name)
        assert deletes.lower() in said.lower(), name
        assert f"Assigned by now: {CAROL}; they stay" in said, name
        assert "nothing asks again" in said, name
        assert "approve-deletions" not in said, name
    shown = says(held, "approve-deletions", "--count", "2")
    assert "1 person would be deleted in Fabrikam" in shown
    assert f"Not among them, as they are assigned by now: {CAROL}" in shown
    assert "they are fewer by now, so the next cycle deletes them in any case" in shown
    assert "--count is 2, and they are 1" in shown
    assert "approved: the next cycle deletes 1 person" in says(held, "approve-deletions", "--count", "1")
    lab.pass_time(7 * 60)
    assert lab.arrived() == {"alice@contoso.com", CAROL}


def test_promise_6_whom_the_next_cycle_deletes_already_is_told_and_whom_up_would_save(
    lab: Lab, held: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Carol is back, so that Dave is deleted; the stack file has him, and no `up` has run yet."""
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", CAROL]
    lab.stack.run("up")
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", CAROL, DAVE]
    knows_the_state(lab, monkeypatch)
    for look in (*LOOKS, "pause --yes", "preview"):
        said = " ".join(told(lab.stack.run(look), "start").split()) if look == "preview" else says(held, *look.split())
        change, target = ("this change", "the target") if look == "preview" else ("the next `pulumi up`", "Fabrikam")
        saves = f"With {change}, if that comes before the next cycle, it deletes none of them"
        assert f"DELETES 1 person in {target}: {DAVE}. Assigned by now: {CAROL}; they stay" in said, look
        assert saves in said, look
        assert "Put back in scope before that cycle whoever is to stay" in said, look
    lab.stack.run("up")
    lab.pass_time(7 * 60)
    assert lab.arrived() == {"alice@contoso.com", CAROL, DAVE}


def test_promise_6_of_whom_up_puts_back_and_whom_only_refresh_does_nobody_is_told_to_stay_by_both(
    lab: Lab, held: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dave is configured again, was put back, and then unassigned by hand; Carol is in the stack file again."""
    knows_the_state(lab, monkeypatch)
    scope = lab.stack.engine.export()
    for one in scope["deployment"]["resources"]:
        if one["urn"].endswith("pair-scope"):
            one["outputs"]["principals"][f"user {DAVE}"] = lab.source.directory.user(DAVE).id
    monkeypatch.setattr(recorded, "exported", lambda _: scope)
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", CAROL, DAVE]
    for look in ("status", "doctor"):
        said = says(held, look)
        assert f"With the next `pulumi up` {FEWER}: the next cycle DELETES 1 person in Fabrikam: {DAVE}" in said, look


@pytest.mark.real
def test_promise_6_who_comes_back_by_refresh_condemns_others_and_the_preview_names_them(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dave was taken out, and somebody has unassigned Carol by hand, whom `--refresh` brings back."""
    monkeypatch.setattr(recorded, "exported", lambda _: lab.stack.engine.export())
    lab.stack.config |= {"xtsync:users": ["alice@contoso.com", CAROL, DAVE], "xtsync:groups": []}
    lab.stack.config |= {"xtsync:deletionThreshold": 2, "xtsync:allowDeletions": 1}
    xtsync.up()
    lab.pass_time()
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", CAROL]
    lab.stack.run("up")
    unassign(lab, lab.source.directory.user(CAROL).id)
    lab.pass_time()
    assert lab.jobs()[0].quarantine is not None
    fewer = "fewer of those held back stay out of scope than the deletion threshold, which is 2: the next cycle DELETES"
    assert f"With the next `pulumi up --refresh` {fewer} 1 person in Fabrikam: {DAVE}" in says(xtsync, "plan")
    said = " ".join(told(lab.stack.run("up", refresh=True), "start").split())
    assert f"DELETES 1 person in the target: {DAVE}" in said
    assert "Put back in scope before that cycle whoever is to stay" in said
    lab.pass_time(7 * 60)
    assert lab.arrived() == {"alice@contoso.com", CAROL}


def test_a_preview_does_not_count_whom_its_run_does_not_assign(lab: Lab, xtsync: Command) -> None:
    """Carol comes back; Bob is in the stack file all along, and unassigned by hand, which only a refresh sees."""
    lab.stack.config |= {"xtsync:users": ["alice@contoso.com", "bob@contoso.com", CAROL, DAVE], "xtsync:groups": []}
    lab.stack.config |= {"xtsync:deletionThreshold": 3, "xtsync:allowDeletions": 2}
    xtsync.up()
    lab.pass_time()
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    lab.stack.run("up")
    unassign(lab, lab.source.directory.user("bob@contoso.com").id)
    lab.pass_time()
    assert lab.jobs()[0].quarantine is not None
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com", CAROL]
    said = " ".join(told(lab.stack.run("preview"), "start").split())
    assert "DELETES 2 people in the target: bob@contoso.com, dave@contoso.com" in said
    assert f"In scope with this change: {CAROL}; they stay" in said


@pytest.mark.real
def test_nobody_is_swapped_while_deletions_are_held_back_and_the_preview_refuses(lab: Lab, held: Command) -> None:
    lab.stack.config["xtsync:users"] = [CAROL]
    before, everybody = len(lab.entra.traffic), lab.arrived()
    for operation in ("preview", "up"):
        said = " ".join("\n".join(messages(lab.stack.run(operation, fails=True))).split())
        assert "Will not pause the job" in said
        assert "put all of those people back in scope" in said
    assert not writes(lab.calls_since(before))
    planned = held("plan", "-s", "dev")
    assert planned.exit_code == 1
    assert "is not paused to take some out of scope for others" in " ".join(planned.out.split())
    lab.pass_time(7 * 60)
    assert lab.arrived() == everybody


def test_whose_account_is_deleted_is_not_said_to_be_back_though_the_assignment_is_listed(
    lab: Lab, held: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", CAROL, DAVE]
    lab.stack.run("up")
    there = find.by_id
    gone = lab.source.directory.user(CAROL).id

    def without(operation: Operation, kind: str, ids: Collection[str]) -> dict[str, Any]:
        return {id_: one for id_, one in there(operation, kind, ids).items() if id_ != gone}

    monkeypatch.setattr(deletions, "by_id", without)
    for name in ("status", "doctor"):
        said = says(held, name)
        assert f"Assigned by now: {DAVE}; they stay" in said, name
        assert f"DELETES 1 person in Fabrikam: {CAROL}" in said, name


@pytest.mark.real
def test_promise_6_where_all_are_put_back_there_is_nothing_to_approve(lab: Lab, held: Command) -> None:
    lab.stack.config["xtsync:groups"] = ["Finance"]
    lab.stack.run("up")
    before = len(lab.entra.traffic)
    said = held("approve-deletions", "--count", "2", "-s", "dev")
    assert said.exit_code == 2
    assert f"whoever it holds back is assigned by now ({CAROL}, {DAVE})" in " ".join(said.errors.split())
    for action in ("pause", "resume", "restart"):
        refused = says(held, action, "--yes")
        assert f"2 people would be deleted in Fabrikam, as of the last cycle: {CAROL}, {DAVE}" in refused
        assert "Wait for the next cycle, which ends the quarantine then" in refused
    assert not writes(lab.calls_since(before))
    lab.pass_time(7 * 60)
    assert lab.arrived() == {"alice@contoso.com", CAROL, DAVE}


@pytest.mark.parametrize("raised", [False, True])
def test_promise_6_whom_a_filter_of_the_portal_keeps_out_is_not_said_to_be_put_back(
    lab: Lab, held: Command, monkeypatch: pytest.MonkeyPatch, raised: bool
) -> None:
    lab.stack.config["xtsync:groups"] = ["Finance"]
    lab.stack.run("up")
    clause = {"operatorName": "EQUALS", "sourceOperandName": "department", "targetOperand": None}
    object_mapping(lab.jobs()[0].schema, "User")["scope"] = {"groups": [{"name": "", "clauses": [clause]}]}
    if raised:
        lab.stack.config |= {"xtsync:deletionThreshold": 500, "xtsync:allowDeletions": 2}
        lab.stack.run("up")
    a_quarter_of_an_hour_later(lab, monkeypatch)
    for name in LOOKS:
        said = says(held, name)
        assert "Assigned by now" not in said, name
        assert "ho of them is back in scope by now cannot be seen here" in said, name
        assert "ait for the next cycle" not in said, name
        assert ("the next cycle DELETES whoever is still out of scope of 2 people" in said) is raised, name
    shown = says(held, "approve-deletions", "--count", "7")
    assert "2 people would be deleted in Fabrikam" in shown
    assert "Who of them is back in scope by now cannot be seen here." in shown


@pytest.mark.parametrize("state", ["Paused", "Disabled"])
def test_of_a_job_that_does_not_run_no_cycle_is_waited_for(lab: Lab, held: Command, state: str) -> None:
    lab.stack.config["xtsync:groups"] = ["Finance"]
    lab.stack.run("up")
    lab.jobs()[0].schedule_state = state
    for name in LOOKS:
        said = says(held, name)
        assert "ait for the next cycle" not in said, name
        assert "start provisioning in the portal" in said, name


def test_whoever_is_configured_and_unassigned_comes_first_where_deletions_are_held_back(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commonest cause of held-back deletions: somebody has unassigned a group by hand."""
    monkeypatch.setattr(recorded, "exported", lambda _: lab.stack.engine.export())
    lab.stack.config["xtsync:deletionThreshold"] = 2
    xtsync.up()
    lab.pass_time()
    unassign(lab, finance(lab))
    lab.pass_time()
    assert lab.jobs()[0].quarantine is not None
    for name in LOOKS:
        said = says(xtsync, name)
        assert ASSIGN_THEM in said, name
        assert "before the next cycle, which ends the quarantine then" in said, name
        assert "approve-deletions" not in said, name
    assert "not in scope: group Finance" in says(xtsync, "plan").replace("scope: Finance", "scope: group Finance")
    assert "are not assigned" in says(xtsync, "approve-deletions", "--count", "2")
    everybody = lab.arrived()
    lab.stack.run("up", refresh=True)
    lab.pass_time(7 * 60)
    assert lab.arrived() == everybody
    assert lab.jobs()[0].quarantine is None


def test_with_deletions_still_allowed_a_raised_threshold_is_not_put_back_unawares(lab: Lab, held: Command) -> None:
    """Somebody has lowered it in the portal: `up` raises it, and lets go whom allowDeletions lets go."""
    assert lab.stack.config["xtsync:allowDeletions"] == 2
    set_in_portal(lab, 1)
    assert "take xtsync:allowDeletions out of the stack file, with which `pulumi up` raises it at once" in says(
        held, "doctor"
    )
    lab.stack.config["xtsync:allowDeletions"] = 0
    said = says(held, "doctor")
    assert "put those people back or let them go first, as `pulumi up` does not raise it before that" in said


def test_where_nobody_can_be_named_the_words_of_the_service_are_there(lab: Lab, held: Command) -> None:
    lab.source.audit.provisioning.clear()
    quarantine = lab.jobs()[0].quarantine
    assert quarantine is not None
    assert quarantine.message
    for name in LOOKS:
        assert f"Graph says: {quarantine.message.rstrip('. ')}" in says(held, name), name
    page = says(held, "report", "--format", "markdown", "--output", "-").replace("\\", "")
    assert quarantine.message.rstrip(". ") in page


def test_whom_up_condemns_is_named_before_it_wherever_somebody_looks(
    lab: Lab, held: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Carol alone is put back in the stack file; the job still holds both back."""
    knows_the_state(lab, monkeypatch)
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", CAROL]
    for typed in (*((name,) for name in LOOKS), ("pause", "--yes"), ("restart", "--yes")):
        said = says(held, *typed)
        assert "ith the next `pulumi up` fewer of those held back stay out of scope than the deletion" in said, typed
        assert f"DELETES 1 person in Fabrikam: {DAVE}" in said, typed
        assert "ut in the stack file whoever else is to stay, before any `pulumi up`" in said, typed
    lab.stack.run("up")
    refreshed = " ".join("\n".join(messages(lab.stack.run("refresh"))).split())
    assert f"DELETES 1 person in the target: {DAVE}" in refreshed
    assert "Put back in scope before that cycle whoever is to stay" in refreshed
    assert "approve-deletions" not in refreshed


def test_promise_6_where_an_up_takes_out_only_one_of_two_who_may_leave_he_is_said_to_be_deleted(
    lab: Lab, held: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are back in scope, Dave by the stack file and Carol by hand: a plain `up` takes out Dave alone."""
    knows_the_state(lab, monkeypatch)
    lab.stack.config |= {"xtsync:users": ["alice@contoso.com", DAVE], "xtsync:foreignAssignments": "remove"}
    lab.stack.run("up")
    assign(lab, CAROL)
    lab.stack.config["xtsync:users"] = ["alice@contoso.com"]
    for name in ("status", "doctor"):
        said = says(held, name)
        assert "ith the next `pulumi up`, where that takes somebody out of scope who is not in the stack file" in said
        assert f"the next cycle DELETES whoever is out of scope then of 2 people in Fabrikam: {CAROL}, {DAVE}" in said
        assert "ut in the stack file whoever else is to stay, before any `pulumi up`" in said, name
    assert f"DELETES 1 person in Fabrikam: {DAVE}. In scope with the next `pulumi up`: {CAROL}" in says(held, "plan")
    preview = " ".join(told(lab.stack.run("preview"), "start").split())
    assert f"DELETES 1 person in the target: {DAVE}" in preview
    lab.stack.run("up")
    lab.pass_time(7 * 60)
    assert lab.arrived() == {"alice@contoso.com", CAROL}


def test_promise_6_who_has_left_a_group_since_the_last_cycle_is_spoken_of_though_not_seen(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both held back are put back, as advised, and somebody leaves a group meanwhile, whom the cycle deletes alone."""
    knows_the_state(lab, monkeypatch)
    alone = lab.source.directory.add_group("Alone", [lab.source.directory.user("alice@contoso.com")])
    both = {"xtsync:users": [CAROL, DAVE], "xtsync:groups": ["Alone"]}
    lab.stack.config |= {**both, "xtsync:deletionThreshold": 2, "xtsync:allowDeletions": 2}
    xtsync.up()
    lab.pass_time()
    lab.stack.config["xtsync:users"] = []
    lab.stack.run("up")
    lab.pass_time()
    assert lab.jobs()[0].quarantine is not None
    lab.stack.config |= both
    alone.members.clear()
    for operation in ("preview", "up"):
        assert SINCE.format(cycle="the next cycle") in " ".join(told(lab.stack.run(operation), "start").split())
        for name in LOOKS:
            assert SINCE.format(cycle="the next cycle") in says(xtsync, name), name
    lab.pass_time(7 * 60)
    assert lab.arrived() == {CAROL, DAVE}


@pytest.mark.real
def test_promise_6_a_plain_up_that_puts_others_back_names_whom_somebody_has_unassigned(
    lab: Lab, held: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both held back are in the stack file again, and Alice, who is in it all along, is unassigned by hand."""
    knows_the_state(lab, monkeypatch)
    unassign(lab, lab.source.directory.user("alice@contoso.com").id)
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", CAROL, DAVE]
    advised = says(held, "doctor")
    assert JOB_FIRST in advised
    assert MEND not in advised.partition("configured and not in scope")[2].partition("not in scope yet")[0]
    for operation in ("preview", "up"):
        said = " ".join(told(lab.stack.run(operation), "start").split())
        assert "Not assigned now, though configured: alice@contoso.com (" in said
        assert COUNTS.format(cycle="the next cycle") in said
    lab.pass_time(7 * 60)
    assert lab.arrived() == {CAROL, DAVE}


def test_promise_6_the_report_sends_to_no_up_beside_a_job_that_holds_deletions_back(lab: Lab, held: Command) -> None:
    unassign(lab, lab.source.directory.user("alice@contoso.com").id)
    said = says(held, "report", "--format", "markdown", "--output", "-").replace("\\", "")
    told_of = said.partition("configured and not in scope: alice@contoso.com")[2]
    assert JOB_FIRST in told_of
    assert MEND not in told_of


def test_promise_6_nobody_is_told_to_stay_whom_a_filter_of_the_same_run_may_keep_out(lab: Lab, held: Command) -> None:
    clause = {"attribute": "userPrincipalName", "operator": "notEquals", "value": CAROL}
    lab.stack.config |= {
        "xtsync:users": ["alice@contoso.com", CAROL, DAVE],
        "xtsync:scopingFilters": [{"name": "not her", "clauses": [clause]}],
    }
    for operation in ("preview", "up"):
        said = " ".join(told(lab.stack.run(operation), "start").split())
        assert "the job holds deletions back" in said
        assert "they stay" not in said
    lab.pass_time(7 * 60)
    assert CAROL not in lab.arrived()
