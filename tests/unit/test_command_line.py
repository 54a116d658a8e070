"""The command line itself: what it needs to start, and what it says of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
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


def test_an_error_is_a_document_as_well(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--cwd", str(tmp_path), "status", "--stack", "dev", "--json"])
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert set(error) == {"kind", "what", "why", "do", "reference"}
    assert error["what"]
    assert error["what"] in result.stderr
