"""The command line itself: what it needs to start, and what it says of itself."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from xtsync_resources import VERSION
from xtsync_resources.operate.cli import app

HEAVY = ("pulumi", "requests", "azure.identity", "cryptography", "yaml")


@pytest.mark.parametrize("name", HEAVY)
def test_help_waits_for_nothing_heavy(name: str) -> None:
    code = f"import sys, xtsync_resources.operate.cli; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert result.exit_code == 0
    assert result.output == f"xtsync {VERSION}\n"
