"""Pulumi cannot say what a stack has made: no command takes that for a stack that has made nothing."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys

import pytest

from lab.pulumi.installation import Installation
from tests.scenarios.stacks import ROOT, Command, Lab
from tests.scenarios.steps import flat, held_back
from tests.scenarios.tenants import unassign
from tests.terminal import only_real

BROKEN = "error: failed to load checkpoint: EOF"
NOT_MADE = "error: no stack named 'dev' found"
MENDING = "see docs/runbooks.md, `failed to load checkpoint`"
# Says what it is asked for, and answers for outputs alone where it has some.
PULUMI = """
import pathlib, sys
print(*sys.argv[1:], file=pathlib.Path({asked!r}).open("a"))
outputs = {outputs!r}
if "--show-name" in sys.argv and "EOF" not in {text!r}:
    print("contoso/xtsync/dev" if "--fully-qualify-stack-names" in sys.argv else "dev")
    sys.exit()
if "output" in sys.argv and outputs:
    print(outputs)
    sys.exit()
sys.exit({text!r})
"""


@pytest.fixture
def asking(xtsync: Command) -> Command:
    """`xtsync`, which asks Pulumi for everything."""
    xtsync.asks_pulumi = True
    return xtsync


def pulumi_says(lab: Lab, text: str, *, but_outputs: bool = False) -> None:
    """From now on every command of Pulumi fails with these words; `stack output` does not, if so wished."""
    outputs = json.dumps(lab.stack.engine.outputs()) if but_outputs else ""
    program = lab.folder / "pulumi.py"
    program.write_text(PULUMI.format(asked=str(lab.folder / "asked"), outputs=outputs, text=text))
    lab.stack.environment["XTSYNC_PULUMI"] = shlex.join([sys.executable, str(program)])


def test_a_pair_whose_state_cannot_be_read_is_not_taken_for_a_strange_one(lab: Lab, asking: Command) -> None:
    lab.stack.config["xtsync:onExisting"] = "fail"
    lab.stack.run("up")
    pulumi_says(lab, BROKEN)
    said = asking("doctor", "-s", "dev")
    assert said.exit_code == 2
    text = flat(said.out)
    assert "what this stack has made cannot be told" in text
    assert BROKEN in text
    assert MENDING in text
    assert "there is a configuration of this pair, and nobody knows whether it is this stack's" in text
    assert "leave it alone until the stack's state can be read" in text
    assert "under management" not in text
    assert "will refuse" not in text


def test_without_a_name_it_is_said_that_one_helps(lab: Lab, asking: Command) -> None:
    pulumi_says(lab, BROKEN)
    said = asking("doctor")
    assert said.exit_code == 2
    assert "name the stack with --stack, or see docs/runbooks.md" in flat(said.errors)


def test_a_secret_that_pulumi_cannot_open_either_is_no_problem_of_the_sign_in(lab: Lab, asking: Command) -> None:
    lab.stack.run("up")
    del lab.stack.environment["XTSYNC_SOURCE_CLIENT_SECRET"]
    asking.monkeypatch.delenv("XTSYNC_SOURCE_CLIENT_SECRET", raising=False)
    lab.stack.config["xtsync:sourceClientSecret"] = {"secure": "v1:AAAA"}
    pulumi_says(lab, BROKEN)
    said = asking("doctor", "-s", "dev")
    assert said.exit_code == 2, said
    assert "problem" not in said.out
    assert "Cannot run `pulumi config get" in flat(said.out)


def test_a_policy_that_may_be_gone_is_not_said_to_be_awaited(lab: Lab, asking: Command) -> None:
    lab.stack.run("up")
    lab.target.policies.partners.clear()
    pulumi_says(lab, BROKEN)
    text = flat(asking("doctor", "-s", "dev").out)
    assert "there is none for Contoso, and nobody knows whether this stack has made one" in text


def test_what_the_outputs_tell_is_known_without_the_rest_of_the_state(lab: Lab, asking: Command) -> None:
    """The resources make what is said more exact, and nothing that is known without them is left out."""
    lab.stack.run("up")
    lab.pass_time()
    unassign(lab, lab.source.directory.user("alice@contoso.com").id)
    pulumi_says(lab, BROKEN, but_outputs=True)
    for name in ("status", "doctor"):
        said = asking(name, "-s", "dev")
        assert said.exit_code == 1, said
        assert "alice@contoso.com" in said.out
        assert "nobody knows whether it is this stack's" not in flat(said.out)
    assert asking("report", "-s", "dev", "--output", "-").exit_code == 1


def test_what_an_up_would_do_is_not_guessed(lab: Lab, asking: Command) -> None:
    """As of a new stack the plan would say that nobody leaves, whatever the stack file says now."""
    lab.stack.run("up")
    lab.stack.config["xtsync:users"] = []
    for but_outputs in (False, True):
        pulumi_says(lab, BROKEN, but_outputs=but_outputs)
        said = asking("plan", "-s", "dev")
        assert (said.exit_code, said.out) == (2, "")
        assert BROKEN in flat(said.errors)
        assert MENDING in flat(said.errors)


def test_a_record_for_a_report_is_not_made_short(lab: Lab, asking: Command) -> None:
    lab.stack.run("up")
    pulumi_says(lab, BROKEN)
    said = asking("verify", "-s", "dev")
    assert (said.exit_code, said.out) == (2, "")
    assert BROKEN in flat(said.errors)


def test_deletions_are_not_approved_by_what_the_portal_says_alone(lab: Lab, xtsync: Command) -> None:
    """Somebody may have lowered the number there since; the state knows from which on they were held back."""
    held_back(lab, xtsync)
    xtsync.asks_pulumi = True
    pulumi_says(lab, BROKEN, but_outputs=True)
    said = xtsync("approve-deletions", "--count", "2", "-s", "dev")
    assert said.exit_code == 2
    assert BROKEN in flat(said.errors)
    assert lab.jobs()[0].quarantine is not None


@pytest.mark.parametrize("name", ["doctor", "plan"])
def test_a_stack_that_was_not_made_yet_is_known_to_have_nothing(lab: Lab, asking: Command, name: str) -> None:
    pulumi_says(lab, NOT_MADE)
    said = asking(name, "-s", "dev")
    assert said.exit_code == 0, said
    assert "cannot be told" not in said.out
    assert "nobody knows" not in said.out


@pytest.mark.parametrize("named", [("-s", "contoso/xtsync/dev"), ()], ids=["given", "selected"])
def test_a_stack_of_another_organization_is_asked_for_by_its_whole_name(
    lab: Lab, asking: Command, named: tuple[str, ...]
) -> None:
    pulumi_says(lab, NOT_MADE)
    assert asking("plan", *named).exit_code == 0
    asked = [line for line in (lab.folder / "asked").read_text().splitlines() if "--show-name" not in line]
    assert [line for line in asked if "--stack contoso/xtsync/dev" in line] == asked
    assert {"export", "output"} <= {line.split()[1] for line in asked}
    pulumi_says(lab, NOT_MADE, but_outputs=True)
    assert "run `pulumi up --stack contoso/xtsync/dev`" in asking("status", *named).errors


@pytest.mark.real
def test_the_cli_says_so_of_a_stack_that_was_not_made_yet(
    lab: Lab, asking: Command, installation: Installation | None
) -> None:
    found = only_real(installation)
    lab.stack.environment |= found.environment(lab.folder / "state", lab.stack.environment)
    lab.stack.environment["XTSYNC_PULUMI"] = str(found.command)
    shutil.copy(ROOT / "Pulumi.yaml", lab.folder)
    said = asking("plan", "-s", "dev")
    assert said.exit_code == 0, said
    assert "Comes into scope" in said.out
    lab.stack.engine.export()
    subprocess.run([found.command, "stack", "select", "dev"], cwd=lab.folder, env=lab.stack.environment, check=True)
    assert "(stack dev)" in asking("doctor").out, "its whole name is organization/xtsync/dev"
    lab.stack.environment["PULUMI_BACKEND_URL"] = "file:///nowhere/at/all"
    said = asking("plan", "-s", "dev")
    assert said.exit_code == 2
    assert "/nowhere/at/all" in said.errors
