"""The pictures of the README show what `make lab` and `xtsync report` print now.

Where that has changed, `make pictures` draws them anew, to be looked at in review; others stay as they are.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Self
from xml.etree import ElementTree

import pytest
from rich.text import Text

from lab.pulumi.installation import Installation
from tests import pictures
from tests.scenarios.stacks import ROOT, Command, Lab
from xtsync_resources.operate.report import command

LARGEST = 80_000


def test_make_lab_tells_the_story_the_readme_shows(
    installation: Installation | None, pytestconfig: pytest.Config
) -> None:
    engine = "lab" if installation is None else "pulumi"
    words = [sys.executable, "-m", "lab", "demo", "--engine", engine]
    environment = {**os.environ, **pictures.TERMINAL}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = [Text.from_ansi(line).plain for line in done.stdout.splitlines()]
    assert told[-1].startswith("All of it was so.")
    if installation is None:  # The CLI has a screen of its own.
        drawn(pictures.LAB, pictures.terminal(done.stdout), pictures.lines, pytestconfig)
    claims = [line for line in pictures.lines(pictures.LAB.read_text()) if line.startswith("✓")]
    assert len(claims) > 2
    assert {*claims} <= {line.strip() for line in told}


def test_the_report_is_the_one_the_readme_shows(
    lab: Lab, xtsync: Command, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LabTime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(lab.entra.clock.now().timestamp(), tz)

    monkeypatch.setattr(command, "datetime", LabTime)
    xtsync.up()
    lab.pass_time()
    lab.source.directory.user("carol@contoso.com").department = "Sales"
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    xtsync.up()
    lab.pass_time()
    said = xtsync("report", "-s", "dev", "--output", "-")
    assert said.exit_code == 0, said
    drawn(pictures.REPORT, pictures.page(said.out), pictures.texts, pytestconfig)


def drawn(path: Path, now: str, said: Callable[[str], list[str]], pytestconfig: pytest.Config) -> None:
    """See that a picture says what is printed now; with --record draw it anew where it does not."""
    current = path.exists() and said(path.read_text()) == said(now)
    if pytestconfig.getoption("--record") and not current:
        path.write_text(now)
    assert said(path.read_text()) == said(now), "make pictures"


@pytest.mark.parametrize("path", [pictures.LAB, pictures.REPORT], ids=lambda path: path.name)
def test_a_picture_is_small_and_asks_no_other_host(path: Path) -> None:
    text = path.read_text()
    assert len(text.encode()) < LARGEST
    assert not re.findall(r"url\((?!#)|@import|@font-face", text)
    for one in ElementTree.fromstring(text).iter():
        assert not one.tag.endswith(("script", "image", "use", "link"))
    assert f"docs/pictures/{path.name}" in (ROOT / "README.md").read_text()


def test_a_picture_of_something_else_is_seen() -> None:
    said = "\x1b[1;36m2. Connect them\x1b[0m\n +  pair-user-0123abcd created (2 s)\nOutputs:\n  id: 1\nDuration: 4s\n"
    before = pictures.lines(pictures.terminal(said))
    assert before == ["", "+  pair-user-(id) created", "...", "2. Connect them", "Duration: (duration)", "make lab"]
    assert pictures.lines(pictures.terminal(said.replace("0123abcd", "89abcdef").replace(" (2 s)", ""))) == before
    assert pictures.lines(pictures.terminal(said.replace("created", "deleted"))) != before
    html = "<html>\n<body>\n<p>As of 2026-01-01 10:00 UTC.<br>one</p>\n</body>\n</html>\n"
    assert pictures.texts(pictures.page(html)) == ["As of (time) UTC.", "one"]
