"""Promise 6, `drain`: whoever is deleted was announced by number, and whoever is said to be gone is gone."""

from __future__ import annotations

import pytest

from tests.scenarios.stacks import Command, Lab, changed, messages, short, told
from tests.scenarios.steps import flat, made_by_hand
from tests.scenarios.tenants import assign, cycle_after

ALICE, BOB = "alice@contoso.com", "bob@contoso.com"


@pytest.fixture
def drained(lab: Lab) -> Lab:
    """A pair that is to be drained, with three people in the target."""
    lab.stack.config |= {"xtsync:onDestroy": "drain", "xtsync:deadlineMinutes": 0.5}
    lab.stack.run("up")
    lab.pass_time()
    assert len(lab.arrived()) == 3
    return lab


def destroyed(lab: Lab) -> str:
    """Destroy in two goes, with a cycle of the job between; what the record said at the end."""
    lab.stack.run("destroy", fails=True)
    lab.pass_time()
    return told(lab.stack.run("destroy"), "scope-record")


def test_promise_6_the_outputs_say_who_is_deleted_and_how_many(drained: Lab) -> None:
    outputs = drained.stack.run("destroy", preview_only=True).outputs
    assert outputs["scope"] == {"users": 1, "groups": 1, "people": 3}
    assert f"1 user ({ALICE}) and 1 group (Finance) leave the scope, and the people are DELETED" in outputs["onDestroy"]


def test_promise_6_more_people_than_were_said_are_not_deleted(drained: Lab) -> None:
    (group,) = (one for one in drained.source.directory.groups.values() if one.display_name == "Finance")
    group.members.append(drained.source.add_user("late@contoso.com").id)
    drained.pass_time()
    people = drained.arrived()
    assert len(people) == 4
    text = "\n".join(messages(drained.stack.run("destroy", fails=True)))
    assert "4 people would be deleted in the target, but the last count was 3" in text
    assert "`XTSYNC_DRAIN=4 pulumi destroy`" in text
    drained.pass_time()
    assert drained.arrived() == people
    drained.stack.environment["XTSYNC_DRAIN"] = "4"
    assert "nobody of this pair is left in the target" in destroyed(drained)
    assert drained.arrived() == set()


def test_promise_6_a_refresh_counts_again(drained: Lab) -> None:
    (group,) = (one for one in drained.source.directory.groups.values() if one.display_name == "Finance")
    group.members.append(drained.source.add_user("late@contoso.com").id)
    drained.pass_time()
    drained.stack.run("refresh")
    destroyed(drained)
    assert drained.arrived() == set()


def test_promise_6_from_release_to_drain_people_are_counted(lab: Lab) -> None:
    result = lab.stack.run("up")
    assert result.outputs["scope"] == {"users": 1, "groups": 1}
    lab.stack.config["xtsync:onDestroy"] = "drain"
    preview = lab.stack.run("preview")
    assert changed(preview) == dict.fromkeys(("source", "scope", "scope-record"), "update")
    assert lab.stack.run("up").outputs["scope"]["people"] == 3
    assert changed(lab.stack.run("preview")) == {}


def test_promise_6_who_is_disabled_is_named_and_keeps_nobody_waiting(drained: Lab) -> None:
    drained.source.directory.user(ALICE).account_enabled = False
    drained.pass_time()
    said = destroyed(drained)
    assert "nobody of this pair is left in the target" in said
    assert f"{ALICE} (AccountDisabled): the job did not delete them" in said
    assert len(drained.arrived()) == 1


def test_promise_6_who_was_put_in_scope_by_hand_stays_and_is_named(drained: Lab) -> None:
    drained.source.add_user("hand@contoso.com")
    assign(drained, "hand@contoso.com")
    drained.pass_time()
    assert len(drained.arrived()) == 4
    drained.stack.run("destroy", fails=True)
    # With others in scope a cycle has to end while a destroy waits; this one may wait for longer.
    drained.stack.environment["XTSYNC_DEADLINE_MINUTES"] = "60"
    with cycle_after(drained, looks=4):
        said = told(drained.stack.run("destroy"), "scope-record")
    assert "but those whom others have put in scope" in said
    assert "in the target stay the people of Hand" in said
    assert drained.arrived() == {"hand@contoso.com"}


@pytest.mark.parametrize(("key", "entry"), [("users", BOB), ("groups", "Finance")])
def test_promise_6_who_is_never_to_be_removed_never_leaves(lab: Lab, key: str, entry: str) -> None:
    lab.stack.config |= {"xtsync:users": [ALICE, BOB], "xtsync:neverRemove": [entry]}
    lab.stack.run("up")
    everybody = dict(lab.stack.config)
    without = [name for name in everybody.get(f"xtsync:{key}", []) if name != entry]
    lab.stack.config[f"xtsync:{key}"] = without
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "it is neither in users nor in groups" in text
    lab.stack.config["xtsync:neverRemove"] = []
    for operation in ("preview", "up"):
        text = "\n".join(messages(lab.stack.run(operation, fails=True)))
        assert f"Will not take {key[:-1]} {entry} out of the scope" in text, text
    lab.stack.config = {**everybody, "xtsync:neverRemove": []}
    lab.stack.run("up")
    lab.stack.config[f"xtsync:{key}"] = without
    result = lab.stack.run("up")
    assert [short(step.name) for step in result.steps if step.op in ("delete", "discard")]


def test_promise_6_drain_refuses_whoever_is_never_to_be_removed(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:onDestroy": "drain", "xtsync:neverRemove": ["Finance"]}
    lab.stack.run("up")
    lab.pass_time()
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "Finance would be deleted in the target, and xtsync:neverRemove names them" in text
    lab.pass_time()
    assert len(lab.arrived()) == 3


def test_promise_6_doctor_and_status_say_what_destroy_would_do_now(drained: Lab, xtsync: Command) -> None:
    xtsync.up()
    assert "`pulumi destroy` would delete 3 people in the target now" in flat(xtsync("doctor", "-s", "dev").out)
    (group,) = (one for one in drained.source.directory.groups.values() if one.display_name == "Finance")
    group.members.append(drained.source.add_user("late@contoso.com").id)
    drained.pass_time()
    assert "4 people would be deleted in the target, but the last count was 3" in flat(
        xtsync("doctor", "-s", "dev").out
    )
    drained.stack.config["xtsync:onDestroy"] = "release"
    said = flat(xtsync("status", "-s", "dev").out)
    assert "drain: 4 people would be deleted in the target" in said
    assert "the stack file says release, but the state says drain, which counts" in said


def test_promise_3_who_was_in_scope_before_and_is_not_configured_is_named(lab: Lab) -> None:
    lab.stack.run("up")
    assign(lab, BOB)
    made_by_hand(lab.stack)
    said = told(lab.stack.run("up"), "scope")
    bob = lab.source.directory.user(BOB).id
    assert f"{BOB} ({bob}) had been in scope before this stack and are not configured" in said
