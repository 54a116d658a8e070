"""What the look-up of users and groups tells, before anything is changed in either tenant."""

from __future__ import annotations

import pytest

from tests.scenarios.stacks import Command, Lab, messages, writes
from tests.scenarios.steps import knows_the_state
from xtsync_resources.sync_scope.principals import NOT_ASSIGNABLE

pytestmark = pytest.mark.real


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
