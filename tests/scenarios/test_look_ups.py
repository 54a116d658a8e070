"""What the look-up of users and groups tells, before anything is changed in either tenant."""

from __future__ import annotations

import pytest

from lab.entra.directory.models import User
from tests.scenarios.stacks import Command, Lab, messages, told, writes
from tests.scenarios.steps import knows_the_state
from xtsync_resources.sync_scope.principals import NOT_ASSIGNABLE


@pytest.mark.real
@pytest.mark.parametrize("by_id", [False, True])
@pytest.mark.parametrize("operation", ["preview", "up"])
def test_a_distribution_list_is_told_with_all_other_problems(lab: Lab, operation: str, *, by_id: bool) -> None:
    newsletter = lab.source.directory.add_group("Newsletter", security_enabled=False)
    before, name = lab.settings(), newsletter.id if by_id else "Newsletter"
    lab.stack.config |= {"xtsync:users": ["nobody@contoso.com"], "xtsync:groups": ["Finance", name]}
    said = "\n".join(messages(lab.stack.run(operation, fails=True)))
    assert "The configuration has 2 problems; nothing was changed." in said
    assert f'xtsync:groups[1] = "{name}": {NOT_ASSIGNABLE}' in said
    assert "Give a security group" in said
    assert 'xtsync:users[0] = "nobody@contoso.com"' in said
    assert not writes(lab.calls_since(0))
    assert lab.settings() == before


def test_of_groups_with_the_same_name_none_is_chosen_as_the_others_are_lists(lab: Lab) -> None:
    lab.source.directory.add_group("Finance", security_enabled=False)
    said = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "The configuration has 1 problem; nothing was changed." in said
    assert "Contoso has several groups of this name" in said


@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_commands_tell_of_a_distribution_list_as_well(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    knows_the_state(lab, monkeypatch)
    lab.source.directory.add_group("Newsletter", security_enabled=False)
    lab.stack.config["xtsync:groups"] = ["Newsletter"]
    said = xtsync(command, "-s", "dev")
    assert said.exit_code != 0
    assert "securityEnabled is false in Graph" in " ".join((said.out + said.errors).split())


def visitor(lab: Lab) -> User:
    return next(user for user in lab.source.directory.users.values() if user.user_type == "Guest")


@pytest.mark.parametrize("by_id", [False, True])
def test_a_guest_who_comes_is_said_to_be_skipped(lab: Lab, *, by_id: bool) -> None:
    guest = visitor(lab)
    name = guest.id if by_id else guest.user_principal_name
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", name]
    result = lab.stack.run("preview")
    words = f"the service skips user {name} (guest): only the tenant's own people are synchronized"
    assert words in told(result, "scope")
    assert any(one.severity == "warning" and words in one.message for one in result.diagnostics)
    assert words in told(lab.stack.run("up"), "scope")
    assert "the service skips" not in "\n".join(messages(lab.stack.run("up", expect_no_changes=True)))


def test_somebody_of_another_tenant_is_skipped_and_own_people_are_not(lab: Lab) -> None:
    somebody = visitor(lab)
    somebody.user_type, name = "Member", somebody.user_principal_name
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", name]
    said = told(lab.stack.run("preview"), "scope")
    assert f"the service skips user {name} (from another tenant): " in said
    lab.stack.config["xtsync:users"] = ["alice@contoso.com"]
    assert "the service skips" not in told(lab.stack.run("preview"), "scope")


def test_who_is_skipped_costs_no_call(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", visitor(lab).user_principal_name]
    lab.stack.run("up")
    before = len(lab.entra.traffic)
    lab.stack.run("preview", expect_no_changes=True)
    asked = [call.path for call in lab.calls_since(before) if not call.path.endswith("$batch")]
    assert sorted(path.rsplit("/", 1)[-1] for path in asked) == ["groups", "users"]


def test_a_plan_names_guests_who_are_skipped(lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    knows_the_state(lab, monkeypatch)
    name = visitor(lab).user_principal_name
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", name]
    assert xtsync("plan", "-s", "dev", "--json").document["skipped"] == [f"user {name} (guest)"]
    assert f"user {name} (guest)" in " ".join(xtsync("plan", "-s", "dev").out.split())
