"""Commands that ask: without somebody who could answer they end at once, and a declined question is a document too."""

from __future__ import annotations

import pytest

from tests.scenarios.stacks import Command, Lab, writes
from tests.scenarios.steps import held_back

ASKING = {
    "pause": "--yes",
    "resume": "--yes",
    "restart": "--yes",
    "restart --full": "--yes",
    "approve-deletions": "--count",
    "forget --side source": "--yes",
}


@pytest.mark.parametrize("command", ASKING)
def test_without_a_terminal_a_command_that_asks_ends_before_any_call(lab: Lab, xtsync: Command, command: str) -> None:
    xtsync.up()
    before = len(lab.entra.traffic)
    said = xtsync(*command.split(), "-s", "dev", "--json")
    assert said.exit_code == 2
    assert said.document["error"]["why"] == "there is no terminal to ask at"
    assert ASKING[command] in said.document["error"]["do"]
    assert said.errors.startswith("error: Nothing was done.\n"), "no question comes first"
    assert lab.entra.traffic[before:] == []


@pytest.mark.parametrize("command", ["pause", "resume", "restart"])
def test_a_declined_question_is_a_document(lab: Lab, xtsync: Command, command: str) -> None:
    xtsync.up()
    before = len(lab.entra.traffic)
    said = xtsync(command, "-s", "dev", "--json", answer="n\n")
    assert said.exit_code == 1
    assert said.document["error"]["kind"] == "Declined"
    assert "Nothing was done." in said.errors
    assert not writes(lab.calls_since(before))


def test_another_number_is_a_document(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    said = xtsync("approve-deletions", "-s", "dev", "--json", answer="3\n")
    assert said.exit_code == 1
    assert said.document["error"]["why"] == "3 was typed, and they are 2"
