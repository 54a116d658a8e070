"""A job in quarantine: every reason is told in the same words wherever it is told, and what is advised can be done."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from lab.entra.synchronization.models import Quarantine
from tests.scenarios.stacks import ROOT, Command, Lab, told
from tests.scenarios.steps import held_back
from xtsync_resources.operate.checks.finding import as_advice
from xtsync_resources.operate.report.words import COMMAND
from xtsync_resources.sync_job.quarantine import HELD_DELETIONS, REASONS, Reason, explained, reason_of, said_by_doctor

OTHERS = (*(one for one in REASONS if one.name != HELD_DELETIONS), Reason("SomethingNew", "", "", "", starts=False))
ANSWERS = {"restart": "--yes", "resume": "--yes"}


def hold(lab: Lab, reason: str) -> None:
    (job,) = lab.jobs()
    now = lab.entra.clock.now()
    job.quarantine = Quarantine(reason, "Error", "as Graph says it", now, now + timedelta(hours=6))
    job.status_code = "Quarantine"


def advised(words: str) -> list[list[str]]:
    """The commands of `xtsync` that words advise."""
    return [command.split()[1:] for command in COMMAND.findall(words) if command.startswith("xtsync ")]


def one_line(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("reason", OTHERS, ids=[one.name for one in OTHERS])
def test_every_reason_is_told_in_the_same_words_and_what_is_advised_works(
    lab: Lab, xtsync: Command, reason: Reason
) -> None:
    xtsync.up()
    lab.pass_time()
    words = explained(reason.name, active=True)
    hold(lab, reason.name)
    assert xtsync("status", "-s", "dev", "--json").document["remedy"] == words
    (job_found,) = (
        one
        for one in xtsync("doctor", "-s", "dev", "--json").document
        if one["area"] == "synchronization" and one["level"] == "problem"
    )
    meaning = reason_of(reason.name).meaning
    assert meaning in job_found["found"], "what it means is no advice"
    assert job_found["do"] == as_advice(said_by_doctor(words.removeprefix(f"{meaning}. ")))
    assert one_line(words) in one_line(told(lab.stack.run("refresh"), "start"))
    for command in advised(words):
        hold(lab, reason.name)
        said = xtsync(*command, *([ANSWERS[command[0]]] if command[0] in ANSWERS else []), "-s", "dev")
        assert said.exit_code == (1 if command == ["doctor"] else 0), said
    assert lab.jobs()[0].quarantine is None or not reason.then
    for action in ("resume", "restart", "restart --full"):
        hold(lab, reason.name)
        said = xtsync(*action.split(), "--yes", "-s", "dev")
        assert said.exit_code == (0 if reason.starts else 2), said
        assert reason.starts or words in said.errors
    hold(lab, reason.name)
    lab.stack.run("refresh")
    after = one_line(told(lab.stack.run("up"), "start"))
    assert one_line(explained(reason.name, active=True, ended=reason.starts)) in after
    assert not reason.starts or "ends the quarantine" not in after, "it is over"
    assert (lab.jobs()[0].quarantine is None) is reason.starts


def test_held_back_deletions_are_told_in_the_same_words_and_what_is_advised_works(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    words = explained(HELD_DELETIONS, active=True)
    said = xtsync("status", "-s", "dev")
    assert one_line(words) in one_line(said.out)
    assert "failed completely" not in said.out
    assert "Succeeded but for the deletions that it holds back" in said.out
    meaning = reason_of(HELD_DELETIONS).meaning
    by_doctor = one_line(xtsync("doctor", "-s", "dev").out)
    assert meaning in by_doctor
    assert one_line(as_advice(words.removeprefix(f"{meaning}. "))) in by_doctor
    for operation in ("refresh", "up"):
        assert one_line(words) in one_line(told(lab.stack.run(operation), "start"))
    for action in ("pause", "resume", "restart", "restart --full"):
        assert words in xtsync(*action.split(), "--yes", "-s", "dev").errors
    assert advised(words) == [["approve-deletions"]]
    assert xtsync("approve-deletions", "--count", "2", "-s", "dev").exit_code == 0


@pytest.mark.parametrize("one", REASONS, ids=[one.name for one in REASONS])
def test_the_operations_page_says_the_same(one: Reason) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    (row,) = re.findall(rf"^\|[^|]*`{one.name}`[^|]*\|.*$", page, re.MULTILINE)
    _, _, meaning, do, _ = (cell.strip() for cell in row.split("|"))
    assert meaning == one.meaning.replace("xtsync:deletionThreshold", "`deletionThreshold`")
    commands = {command.partition(" --")[0] for command in COMMAND.findall(one.first)}
    assert commands <= {command.partition(" --")[0] for command in COMMAND.findall(do)}
    assert one.then in do
    assert ("`pulumi up --refresh --diff`" in do) is one.starts
