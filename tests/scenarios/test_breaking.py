"""`python -m lab break`: what goes wrong in the served tenants is what the runbooks are about."""

from __future__ import annotations

import re

import pytest
import yaml

from lab.breaking import BREAKS, Breaker, NotThereError
from tests.scenarios.stacks import ROOT, Command, Lab, changed, messages


@pytest.fixture
def breaker(lab: Lab) -> Breaker:
    return Breaker(lab.entra)


def test_each_rehearses_something_that_is_written_and_each_row_says_how_it_is_rehearsed() -> None:
    runbooks = (ROOT / "docs" / "runbooks.md").read_text()
    rows = [row.strip("| ").split(" | ") for row in runbooks.splitlines() if row.startswith("| ")][1:]
    headings = re.findall(r"^## (.*)$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert {one.rehearses for one in BREAKS.values()} <= {row[0] for row in rows} | {*headings}
    for what, one in BREAKS.items():
        row = next((row for row in rows if row[0] == one.rehearses), None)
        assert row is None or f"`{what}`" in row[4], what
    named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row[4])}
    assert named <= {*BREAKS}
    page = (ROOT / "docs" / "lab.md").read_text()
    assert set(re.findall(r"python -m lab break ([a-z][\w-]+)", page + runbooks)) <= {*BREAKS}


def test_before_a_pair_is_made_there_is_nothing_of_it_to_break(lab: Lab, breaker: Breaker) -> None:
    without = ("user", "rename-group", "group", "target", "sign-in", "second-configuration")
    for what in BREAKS.keys() - {*without}:
        with pytest.raises(NotThereError, match="run `up` first"):
            breaker.perform(what, "", undo=False)
    for what, one in BREAKS.items():
        if one.find is None:
            with pytest.raises(NotThereError, match="there is nothing to give back"):
                breaker.perform(what, "", undo=True)


def test_who_may_sign_in_and_where(lab: Lab, breaker: Breaker) -> None:
    for what, words in (("sign-in", "conditional access"), ("target", "Fabrikam")):
        breaker.perform(what, "", undo=False)
        assert words in "\n".join(messages(lab.stack.run("preview", fails=True)))
        breaker.perform(what, "", undo=True)
    lab.stack.run("preview")


def test_people_and_groups(lab: Lab, breaker: Breaker) -> None:
    lab.stack.run("up")
    lab.pass_time()
    before = lab.arrived()
    breaker.perform("rename-group", "", undo=False)
    assert "is now called Finance of old" in "\n".join(messages(lab.stack.run("preview", fails=True)))
    lab.stack.config["xtsync:groups"] = ["Finance of old"]
    lab.stack.run("up")
    for what, name in (("group", "Finance of old"), ("user", "")):
        breaker.perform(what, name, undo=False)
        assert "was deleted in Contoso" in "\n".join(messages(lab.stack.run("preview", fails=True)))
        breaker.perform(what, name, undo=True)
    lab.stack.run("up", refresh=True)
    breaker.perform("accounts", "", undo=False)
    assert lab.arrived() == set()
    breaker.perform("accounts", "", undo=True)
    assert lab.arrived() == before


@pytest.mark.parametrize("name", ["", "alice@contoso.com"])
def test_somebody_unassigns_a_group_and_a_plain_up_does_not_look(
    lab: Lab, xtsync: Command, breaker: Breaker, name: str
) -> None:
    xtsync.up()
    lab.pass_time()
    people = lab.arrived()
    for undo in (True, False):
        breaker.perform("unassign", name, undo=False)
        for look in ("status", "doctor"):
            said = xtsync(look, "-s", "dev")
            assert said.exit_code == 1
            assert (name or "Finance") in said.out
            assert "`pulumi up --refresh --diff" in " ".join(said.out.split())
        if undo:
            breaker.perform("unassign", name, undo=True)
            assert xtsync("status", "-s", "dev").exit_code == 0
    assert changed(lab.stack.run("up")) == {}
    assert xtsync("status", "-s", "dev").exit_code == 1
    lab.stack.run("up", refresh=True)
    assert xtsync("status", "-s", "dev").exit_code == 0
    lab.pass_time()
    assert lab.arrived() == people


def test_the_job_and_what_it_needs(lab: Lab, xtsync: Command, breaker: Breaker) -> None:
    xtsync.up()
    lab.pass_time()
    people = lab.arrived()
    breaker.perform("pause", "", undo=False)
    assert "paused" in xtsync("status", "-s", "dev").out
    assert xtsync("resume", "-s", "dev", "--yes").exit_code == 0
    breaker.perform("redemption", "", undo=False)
    assert changed(lab.stack.run("up", refresh=True)) == {"target-partner": "update"}
    breaker.perform("consent", "", undo=False)
    assert "EncounteredQuarantineException" in xtsync("status", "-s", "dev").out
    lab.stack.run("up", refresh=True)
    for undo in (True, False):
        breaker.perform("held-back", "", undo=False)
        assert "2 people would be deleted" in " ".join(xtsync("status", "-s", "dev").out.split())
        if undo:
            breaker.perform("held-back", "", undo=True)
            lab.pass_time(minutes=7 * 60)
            assert lab.arrived() == people
    assert xtsync("approve-deletions", "--count", "2", "-s", "dev").exit_code == 0
    lab.pass_time()
    assert lab.arrived() == {"alice@contoso.com"}


def test_deletions_are_held_back_of_people_who_have_arrived(lab: Lab, breaker: Breaker) -> None:
    lab.stack.run("up")
    with pytest.raises(NotThereError, match="Let a first cycle pass"):
        breaker.perform("held-back", "", undo=False)


def test_the_application_and_its_job(lab: Lab, breaker: Breaker) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    breaker.perform("job", "", undo=False)
    assert lab.jobs() == []
    lab.stack.run("up", refresh=True)
    assert len(lab.jobs()) == 1
    breaker.perform("application", "", undo=False)
    breaker.perform("application", "", undo=True)
    lab.stack.run("up", refresh=True)
    lab.pass_time()
    assert lab.arrived() == people
    with pytest.raises(NotThereError, match="before the first `up`"):
        breaker.perform("second-configuration", "", undo=False)


def test_a_configuration_made_by_hand_stops_the_first_up(lab: Lab, breaker: Breaker) -> None:
    breaker.perform("second-configuration", "", undo=False)
    assert "Made by hand" in "\n".join(messages(lab.stack.run("preview", fails=True)))


def test_the_lab_s_stack_file_names_what_is_broken_unless_it_is_said() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    named = {one.name for one in BREAKS.values() if one.name}
    assert named == {*config["xtsync:users"], *config["xtsync:groups"]}
