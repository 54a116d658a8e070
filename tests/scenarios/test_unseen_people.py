"""Who is in scope and not seen by the usual look: by another role of the application, or in a group that hides them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab import world
from lab.entra.directory.models import Group
from tests.scenarios.stacks import Command, Lab, changed, messages, told
from tests.scenarios.steps import findings, knows_the_state
from tests.scenarios.tenants import cycle_after, grant, principal_of
from xtsync_resources.graph.permissions import HIDDEN_MEMBERS

ALICE, BOB = "alice@contoso.com", "bob@contoso.com"
COUNTED = "its members are hidden: it takes the permission Member.Read.Hidden to see them"


@pytest.fixture
def hiding(lab: Lab) -> Group:
    """A group that hides its members, Carol and Dave."""
    (group,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
    group.members_hidden = True
    return group


@pytest.mark.usefixtures("hiding")
def test_promise_3_hidden_members_who_come_are_not_said_to_be_nobody(lab: Lab) -> None:
    said = told(lab.stack.run("preview"), "scope")
    assert f"group Finance: its members could not be counted ({COUNTED})" in said
    assert "brings 0 people" not in said
    assert HIDDEN_MEMBERS in told(lab.stack.run("preview"), "target-identity-sync")
    grant(lab.source, world.SOURCE_CLIENT, more={HIDDEN_MEMBERS})
    assert "group Finance brings 2 people into scope" in told(lab.stack.run("preview"), "scope")


@pytest.mark.usefixtures("hiding")
def test_promise_3_hidden_members_who_leave_are_not_said_to_be_nobody(lab: Lab) -> None:
    lab.stack.config["xtsync:deletionThreshold"] = 2
    lab.stack.run("up")
    lab.stack.config["xtsync:groups"] = []
    said = told(lab.stack.run("preview"), "scope")
    assert "how many members of group Finance leave the target with this change, was not counted" in said
    assert HIDDEN_MEMBERS in said
    assert "nobody leaves" not in said
    grant(lab.source, world.SOURCE_CLIENT, more={HIDDEN_MEMBERS})
    assert "Will not let 2 people leave" in "\n".join(messages(lab.stack.run("preview", fails=True)))


@pytest.mark.usefixtures("hiding")
def test_promise_3_hidden_members_may_stay(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [ALICE, "carol@contoso.com"]
    lab.stack.run("up")
    lab.stack.config["xtsync:users"] = [ALICE]
    said = told(lab.stack.run("preview"), "scope")
    assert "up to 1 person leaves the target" in said
    assert "who of them stays by another group could not be read" in said


@pytest.mark.usefixtures("hiding")
@pytest.mark.parametrize("counts", [True, False])
def test_promise_6_hidden_members_are_drained_only_if_somebody_says_their_number(lab: Lab, *, counts: bool) -> None:
    lab.source.settings = replace(lab.source.settings, counts_entries=counts)
    lab.stack.config |= {"xtsync:onDestroy": "drain", "xtsync:deadlineMinutes": 0.5}
    assert lab.stack.run("up").outputs["scope"].get("people") is None
    lab.pass_time()
    people = lab.arrived()
    assert len(people) == 3
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert ("`XTSYNC_DRAIN=3 pulumi destroy`" if counts else HIDDEN_MEMBERS) in text
    lab.pass_time()
    assert lab.arrived() == people
    lab.stack.environment["XTSYNC_DRAIN"] = "3"
    with cycle_after(lab, looks=8):
        lab.stack.run("destroy")
    assert lab.arrived() == set()


@pytest.mark.usefixtures("hiding")
def test_doctor_and_plan_say_that_members_are_hidden(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows_the_state(lab, monkeypatch)
    lab.stack.config["xtsync:users"] = []
    assert COUNTED in " ".join(xtsync("plan", "-s", "dev", "--json").document["groups"])
    xtsync.up()
    found = findings(xtsync, 0)["source", "users and groups"]
    assert any(level == "warning" and "the members are hidden of Finance" in text for level, text in found)
    assert not any("the groups are empty" in text for _, text in found)
    lab.stack.config |= {"xtsync:users": [ALICE], "xtsync:groups": []}
    assert "members of group Finance" in xtsync("plan", "-s", "dev", "--json").document["howManyLeave"]


def test_a_group_that_is_empty_is_one(lab: Lab, hiding: Group) -> None:
    hiding.members.clear()
    grant(lab.source, world.SOURCE_CLIENT, more={HIDDEN_MEMBERS})
    lab.stack.run("up")
    lab.stack.config["xtsync:groups"] = []
    assert "nobody leaves the target with this change" in told(lab.stack.run("preview"), "scope")


# --- by another role -----------------------------------------------------------------------------------------


@pytest.fixture
def roles(lab: Lab) -> Lab:
    """Tenants whose configuration applications have another role as well."""
    lab.source.settings = replace(lab.source.settings, user_role=True)
    lab.stack.config |= {"xtsync:users": [ALICE], "xtsync:groups": []}
    return lab


def assign_by_another_role(lab: Lab, name: str, role_of_stack: str) -> str:
    """Somebody assigns a user by the role that the stack does not assign; the user's object id."""
    principal, user = principal_of(lab), lab.source.directory.user(name).id
    (role,) = (one["id"] for one in principal.roles if one["id"] != role_of_stack)
    lab.source.applications.assign(principal, role, lab.source.directory.assignee(user))
    return user


def role_of(lab: Lab) -> str:
    (role,) = {one.role_id for one in principal_of(lab).assignments.values()}
    return role


def test_promise_3_who_has_another_role_stays(roles: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    knows_the_state(roles, monkeypatch)
    roles.stack.config["xtsync:users"] = [ALICE, BOB]
    xtsync.up()
    assign_by_another_role(roles, BOB, role_of(roles))
    roles.pass_time()
    roles.stack.config["xtsync:users"] = [ALICE]
    assert xtsync("plan", "-s", "dev", "--json").document["peopleWhoLeave"] == []
    said = told(roles.stack.run("up"), "scope")
    assert "nobody leaves the target with this change: everybody stays in scope" in said
    roles.pass_time()
    assert BOB in roles.arrived()


@pytest.mark.parametrize("wanted", ["report", "adopt", pytest.param("remove", marks=pytest.mark.real)])
def test_promise_7_whoever_has_another_role_only_is_named_and_left_alone(
    roles: Lab, xtsync: Command, wanted: str
) -> None:
    roles.stack.config["xtsync:foreignAssignments"] = wanted
    xtsync.up()
    bob = assign_by_another_role(roles, BOB, role_of(roles))
    text = f"1 user or group is in scope by another role of the application and not configured: Bob ({bob})"
    assert text in told(roles.stack.run("refresh"), "scope")
    assert changed(roles.stack.run("up", refresh=True)) == {}
    roles.pass_time()
    assert BOB in roles.arrived()
    found = findings(xtsync, 0)["source", "synchronization"]
    assert ("warning", f"in scope by another role of the application, and not configured: Bob ({bob})") in found
    assert "by another role of the application" in xtsync("report", "-s", "dev", "--json").out


def test_promise_6_a_drain_leaves_whoever_has_another_role(roles: Lab) -> None:
    roles.stack.config |= {"xtsync:users": [ALICE, BOB], "xtsync:onDestroy": "drain", "xtsync:deadlineMinutes": 0.5}
    roles.stack.run("up")
    assign_by_another_role(roles, BOB, role_of(roles))
    roles.pass_time()
    with cycle_after(roles, looks=8):
        said = told(roles.stack.run("destroy"), "scope-record")
    assert "but those whom others have put in scope" in said
    assert "in the target stay the people of Bob" in said
    assert roles.arrived() == {BOB}
