"""The command line itself: what it needs to start, and what it says of itself."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from rich.text import Text
from typer.main import get_command
from typer.testing import CliRunner

from xtsync_resources import VERSION
from xtsync_resources.operate.cli import app
from xtsync_resources.operate.screen import document_of

HEAVY = ("pulumi", "requests", "azure.identity", "cryptography", "yaml")


@pytest.mark.parametrize("name", HEAVY)
def test_help_waits_for_nothing_heavy(name: str) -> None:
    code = f"import sys, xtsync_resources.operate.cli; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.output == f"xtsync {VERSION}\n"


COMMANDS = [command.name or "" for command in app.registered_commands]
DEFAULTS = {
    "": {"--config-file": "Pulumi.STACK.yaml", "--outputs": "ask Pulumi"},
    "status": {"--stack": "the one selected"},
    "logs": {"--since": "24h"},
    "forget": {"--backup": "xtsync-forget-STACK.json"},
}


def help_of(command: str) -> str:
    result = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "80"})
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_examples_that_can_be_typed(command: str) -> None:
    text = help_of(command)
    assert [line for line in text.splitlines() if len(line) > 80 or "…" in line] == []
    found = re.findall(r"Example: xtsync (.*?)(?= Example: |$)", " ".join(text.rpartition("╯")[2].split()))
    assert found
    (declared,) = (one for one in get_command(app).commands.values() if one.name == command)  # type: ignore[attr-defined]
    for one in found:
        name, *arguments = shlex.split(one)
        assert name == command
        declared.make_context(name, arguments)


@pytest.mark.parametrize("command", DEFAULTS)
def test_help_tells_defaults_that_are_no_values(command: str) -> None:
    text = " ".join(re.sub("[│╭╮╰╯─]", " ", help_of(command)).split())
    for option, default in DEFAULTS[command].items():
        assert re.search(rf"{option} .*?\[default: \({re.escape(default)}\)\]", text), option


def test_no_help_text_has_a_part_that_rich_takes_for_markup() -> None:
    """In square brackets it is eaten, as `[default: ...]` was."""
    group = get_command(app)
    commands = [group, *group.commands.values()]  # type: ignore[attr-defined]
    helps = [one.help or "" for command in commands for one in [command, *command.params] if hasattr(one, "help")]
    assert len(helps) > len(COMMANDS)
    assert [text for text in helps if Text.from_markup(text).plain != text] == []


def test_a_shell_completes_the_stacks_of_the_folder(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.contoso-fabrikam.yaml", "Pulumi.dev.yaml", "notes.yaml"):
        (tmp_path / name).touch()
    typed = {"": ["contoso-fabrikam", "dev"], "d": ["dev"], "x": []}
    for incomplete, names in typed.items():
        line = f"xtsync --cwd {tmp_path} status --stack {incomplete}"
        asked = {"_XTSYNC_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "5"}
        result = CliRunner().invoke(app, [], env=asked, prog_name="xtsync")
        assert result.stdout.split() == names


@dataclass(frozen=True)
class Inner:
    next_run: datetime | None


@dataclass(frozen=True)
class Outer:
    failures_in_a_row: int
    all_of: tuple[Inner, ...]
    by_name: dict[str, int]


def test_documents_have_one_naming_style_and_times_of_rfc_3339() -> None:
    when = datetime(2026, 11, 26, 10, 30, tzinfo=timezone(timedelta(hours=2)))
    found = document_of(Outer(2, (Inner(when), Inner(None)), {"user_to_user": 3}))
    inner = [{"nextRun": "2026-11-26T08:30:00Z"}, {"nextRun": None}]
    assert found == {"failuresInARow": 2, "allOf": inner, "byName": {"user_to_user": 3}}


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["status", "--jsn", "--json"], "--jsn"),
        (["status", "--minutes", "soon", "--json"], "--minutes"),
        (["stat", "--json"], "stat"),
    ],
)
def test_what_cannot_be_understood_is_a_document_as_well(typed: list[str], complaint: str) -> None:
    code = "from xtsync_resources.operate.cli import main; main()"
    said = subprocess.run([sys.executable, "-c", code, *typed], check=False, capture_output=True, text=True)
    assert said.returncode == 2
    error = json.loads(said.stdout)["error"]
    assert set(error) == {"kind", "what", "why", "do", "reference"}
    assert complaint in error["why"]
    assert error["why"] in said.stderr


def test_an_error_is_a_document_as_well(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--cwd", str(tmp_path), "status", "--stack", "dev", "--json"])
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert set(error) == {"kind", "what", "why", "do", "reference"}
    assert error["what"]
    assert error["what"] in result.stderr
