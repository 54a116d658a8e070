"""Promises 3 and 6 where the state has lost whom the job knows: they are named, or at least numbered, before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.entra import Fault
from lab.entra.applications.models import RoleAssignment
from tests.scenarios.stacks import Command, Lab, changed, messages, told
from tests.scenarios.steps import forget, knows_the_state, made_by_hand
from tests.scenarios.tenants import assign, principal_of, synchronization

ALICE, BOB = "alice@contoso.com", "bob@contoso.com"


@pytest.fixture
def both(lab: Lab) -> Lab:
    """A pair whose job has put Alice and Bob in the target."""
    lab.stack.config |= {"xtsync:users": [ALICE, BOB], "xtsync:groups": []}
    lab.stack.run("up")
    lab.pass_time()
    return lab


def assignments(lab: Lab) -> list[RoleAssignment]:
    principals = lab.source.applications.principals.values()
    return [one for principal in principals for one in principal.assignments.values()]


def assigned(lab: Lab) -> set[str | None]:
    return {one.principal_name for one in assignments(lab)}


@contextmanager
def refused(lab: Lab, method: str, path: str, skip: int = 0) -> Iterator[None]:
    """An outage of one kind of call."""
    fault = Fault(method=method, path=path, status=503, code="ServiceUnavailable", skip=skip, times=1000)
    lab.entra.faults.add(fault)
    lab.stack.environment["XTSYNC_DEADLINE_MINUTES"] = "0.05"
    yield
    del lab.stack.environment["XTSYNC_DEADLINE_MINUTES"]
    lab.entra.faults.clear()


# --- a destroy that was cut off ------------------------------------------------------------------------------


@pytest.mark.real
def test_promise_3_whom_a_job_that_was_to_go_knows_is_told_by_number(both: Lab) -> None:
    with refused(both, "DELETE", "/jobs/[^/]+$"):
        both.stack.run("destroy", fails=True)
    both.stack.config["xtsync:users"] = [BOB]
    for operation in ("preview", "up"):
        said = told(both.stack.run(operation, refresh=True), "scope")
        assert "the job has synchronized 2 people (by its own count)" in said
        assert "To keep them all, run `pulumi destroy`" in said
    both.pass_time()
    assert both.arrived() == {BOB}


def test_promise_6_whoever_is_to_stay_does_by_what_the_message_says(both: Lab) -> None:
    with refused(both, "DELETE", "/jobs/[^/]+$"):
        both.stack.run("destroy", fails=True)
    both.stack.config["xtsync:users"] = [BOB]
    both.stack.run("destroy")
    said = told(both.stack.run("up"), "scope")
    assert "the job has synchronized" not in said
    both.pass_time()
    assert both.arrived() == {ALICE, BOB}


def keep_the_record_alone(lab: Lab) -> None:
    """Let the state lose what is after the record of the scope."""
    record = next(one for one in lab.stack.resources() if one["urn"].endswith("-scope-record"))
    forget(lab.stack, "start", "scope", "user-")
    lab.stack.rewrite(lambda resources: resources.append(record))


@pytest.mark.parametrize("protected", [False, True])
def test_promise_3_whom_only_the_record_knows_is_named(
    both: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch, *, protected: bool
) -> None:
    if protected:
        both.stack.config["xtsync:neverRemove"] = [ALICE]
        both.stack.run("up")
    knows_the_state(both, monkeypatch)
    principal_of(both).assignments.clear()
    keep_the_record_alone(both)
    both.stack.config |= {"xtsync:users": [BOB], "xtsync:neverRemove": []}
    plan = xtsync("plan", "-s", "dev", "--json").document
    assert (plan["comes"], plan["leaves"]) == ([f"user {BOB}"], [f"user {ALICE}"])
    assert bool(plan["refused"]) is protected
    result = both.stack.run("up", fails=protected)
    text = "\n".join(messages(result))
    if protected:
        assert "xtsync:neverRemove names them" in text
        return
    assert f"leaves the scope: user {ALICE}" in text
    assert f"1 person leaves the target with this change: {ALICE}" in text
    assert f"comes into scope: user {BOB}" in told(result, "scope")
    both.pass_time()
    assert both.arrived() == {BOB}
    assert changed(both.stack.run("up")) == {}


@pytest.mark.parametrize("stops", ["secrets", "scope"])
def test_a_take_over_that_did_not_end_is_no_pair_that_was_taken_apart(both: Lab, stops: str) -> None:
    made_by_hand(both.stack)
    both.stack.config |= {"xtsync:users": [ALICE, BOB, "carol@contoso.com"], "xtsync:notifyEmail": "it@contoso.com"}
    if stops == "secrets":
        with refused(both, "PUT", "/secrets$"):
            both.stack.run("up", fails=True)
    else:
        both.stack.run("up")
        keep_the_record_alone(both)
    assert both.arrived() == {ALICE, BOB}
    both.stack.config["xtsync:users"] = [ALICE, BOB]
    text = "\n".join(messages(both.stack.run("up")))
    assert "the job has synchronized" not in text
    assert "leaves" not in text
    both.pass_time()
    assert both.arrived() >= {ALICE, BOB}


# --- taken over, and taken back ------------------------------------------------------------------------------


@pytest.mark.parametrize("refresh", [False, True])
def test_promise_3_whoever_was_there_before_and_is_not_assigned_now_is_not_said_to_stay(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch, *, refresh: bool
) -> None:
    knows_the_state(lab, monkeypatch)
    lab.stack.config |= {"xtsync:users": [ALICE], "xtsync:groups": []}
    lab.stack.run("up")
    assign(lab, BOB)
    lab.pass_time()
    made_by_hand(lab.stack)
    lab.stack.run("up")
    lab.stack.config["xtsync:users"] = [ALICE, BOB]
    with refused(lab, "POST", "appRoleAssignedTo$", skip=1):
        # The assignment that was there is removed, and azuread cannot make it anew.
        lab.stack.run("up", fails=True)
    lab.pass_time()
    assert (assigned(lab), lab.arrived()) == ({"Alice"}, {ALICE, BOB})
    lab.stack.config["xtsync:users"] = [ALICE]
    plan = xtsync("plan", "-s", "dev", "--json").document
    assert (plan["stays"], plan["peopleWhoLeave"]) == ([], [BOB])
    said = told(lab.stack.run("preview", refresh=refresh), "scope")
    assert f"not assigned any more, though they had been before this stack took the pair over: user {BOB}" in said
    assert f"1 person leaves the target with this change: {BOB}" in said
    # What the message says to do.
    lab.stack.config["xtsync:users"] = [ALICE, BOB]
    lab.stack.run("up", refresh=refresh)
    lab.stack.config["xtsync:users"] = [ALICE]
    assert "so they stay in scope" in told(lab.stack.run("up", refresh=refresh), "scope")
    lab.pass_time()
    assert (assigned(lab), lab.arrived()) == ({"Alice", "Bob"}, {ALICE, BOB})


# --- a job that is gone, and what it was found with ------------------------------------------------------------


@pytest.mark.parametrize("way", ["replace", "refresh"])
def test_promise_5_whom_this_stack_has_put_in_scope_is_not_taken_for_found(lab: Lab, way: str) -> None:
    lab.stack.config |= {"xtsync:users": [ALICE], "xtsync:groups": []}
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    lab.stack.config |= {"xtsync:users": [ALICE, BOB], "xtsync:userType": "member"}
    lab.stack.run("up")
    synchronization(lab).jobs.clear()
    lab.stack.run("up", **({"refresh": True} if way == "refresh" else {"replace": ("job",)}))
    lab.pass_time()
    lab.stack.config["xtsync:users"] = [ALICE]
    assert "leaves the target with this change" in told(lab.stack.run("preview"), "scope")
    lab.stack.run("destroy")
    assert assigned(lab) == {"Alice"}


@pytest.mark.parametrize("lost", [False, True])
def test_promise_6_a_drain_deletes_no_more_than_was_said_after_a_job_was_lost(lab: Lab, *, lost: bool) -> None:
    lab.stack.config |= {"xtsync:users": [ALICE], "xtsync:groups": []}
    lab.stack.run("up")
    principal_of(lab).assignments.clear()
    synchronization(lab).jobs.clear()
    made_by_hand(lab.stack)
    lab.stack.config |= {"xtsync:users": [], "xtsync:groups": ["Finance"], "xtsync:onDestroy": "drain"}
    lab.stack.config |= {"xtsync:userType": "member", "xtsync:deadlineMinutes": 0.5}
    lab.stack.run("up")
    if lost:
        synchronization(lab).jobs.clear()
        lab.stack.run("up", refresh=True)
    (group,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
    group.members.append(lab.source.add_user("late@contoso.com").id)
    lab.pass_time()
    people = lab.arrived()
    assert len(people) == 3
    assert "3 people would be deleted in the target" in "".join(messages(lab.stack.run("destroy", fails=True)))
    lab.pass_time()
    assert lab.arrived() == people


# --- a pair that is taken over ---------------------------------------------------------------------------------


ONLY_BOB = {"name": "Only Bob", "clauses": [{"attribute": "userPrincipalName", "operator": "equals", "value": BOB}]}


@pytest.mark.real
def test_promise_3_a_filter_on_a_job_that_is_taken_over_is_announced(both: Lab) -> None:
    made_by_hand(both.stack)
    both.stack.config["xtsync:scopingFilters"] = [ONLY_BOB]
    for operation in ("preview", "up"):
        assert "whoever is outside of them is removed" in told(both.stack.run(operation), "schema")
    both.pass_time()
    assert both.arrived() == {BOB}


def test_plan_sees_a_pair_that_is_to_be_taken_over(both: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    knows_the_state(both, monkeypatch)
    made_by_hand(both.stack)
    both.stack.config |= {"xtsync:scopingFilters": [ONLY_BOB], "xtsync:groups": ["Finance"]}
    plan = xtsync("plan", "-s", "dev", "--json").document
    assert (plan["comes"], plan["adopts"]) == (["group Finance"], [f"user {ALICE}", f"user {BOB}"])
    assert plan["schema"] == ["scopingFilters"]
