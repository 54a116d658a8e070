"""The report's pages: whatever people are called, it stays text; and a browser shows it."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from xtsync_resources.operate import report_html, report_markdown
from xtsync_resources.operate.report import EVENTS, Cycle, Section, Setting, by_cycle
from xtsync_resources.operate.status import read_health
from xtsync_resources.sync_job.provisioning_log import Event

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script> | "x" \n & `y` \x1b[31m'
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "headless_shell")


def event(cycle: str, action: str, status: str) -> Event:
    return Event("i", cycle, NOW, action, status, HOSTILE, "t", "E1", HOSTILE, "advice", (), ())


def section() -> Section:
    job = {
        "schedule": {"state": "Active"},
        "status": {"code": "Active", "synchronizedEntryCountByType": [{"key": "User to User", "value": 3}]},
    }
    return Section(
        "dev",
        (HOSTILE, "s-id"),
        ("Fabrikam", "t-id"),
        [Setting("displayName", HOSTILE, "stack file")],
        read_health(job),
        [Cycle(NOW, {"create": 3, "failed": 1}), Cycle(NOW, {})],
        [event("c", "create", "failure")],
        entries=4,
        problems=["could not read: " + HOSTILE],
    )


class Reader(HTMLParser):
    """Notes elements and checks that they are closed in order."""

    VOID = ("meta", "rect", "path", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_stays_whole_whatever_names_say() -> None:
    page = report_html.render([section(), Section("broken", problems=["no such file"])], NOW)
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert "script" not in reader.seen
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;") >= 4
    assert "http" not in page.replace("http-equiv", "")


def test_markdown_stays_a_table_whatever_names_say() -> None:
    page = report_markdown.render([section(), Section("broken", problems=["no such file"])], NOW)
    assert "<script>" not in page
    assert "\x1b" not in page
    failures = page.split("### Last failures")[1].split("###")[0].strip().splitlines()
    assert len(failures) == 3
    assert failures[2].replace(r"\|", "").count("|") == failures[0].count("|")


def test_cycles_are_counted_by_action_with_failures_apart() -> None:
    events = [event("new", "create", "failure"), event("new", "update", "success"), event("old", "create", "success")]
    assert [cycle.counts for cycle in by_cycle(events)] == [{"create": 1}, {"failed": 1, "update": 1}]


def test_no_kind_of_entry_gets_lost_or_breaks_the_chart() -> None:
    events = [event("c", "stagedDelete", "success"), event("c", "other", "success"), event("c", "update", "skipped")]
    (cycle,) = by_cycle(events)
    assert cycle.counts == {"other": 2}
    page = report_html.render([replace(section(), cycles=[cycle])], NOW)
    assert "2 other" in page
    assert '<td class="number">2</td>' in page


def test_what_the_counts_are_of_is_said() -> None:
    nothing = replace(section(), cycles=[], failures=[], entries=0)
    cut = replace(section(), failures=[], entries=EVENTS)
    for render in (report_html.render, report_markdown.render):
        assert "has logged nothing yet" in render([nothing], NOW)
        assert "may not be all there" in render([cut], NOW)
        assert "None among these entries" in render([cut], NOW)
        assert "may not be all there" not in render([section()], NOW)
        assert "Recent cycles" not in render([replace(section(), entries=None)], NOW)


def test_everybody_can_read_it() -> None:
    page = report_html.render([section(), section()], NOW)
    assert '<html lang="en">' in page
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.count("<svg") == page.count('role="img"') == page.count("</title><desc>") == 4
    tables = page.split("<table")[1:]
    assert all('<th scope="col">' in one and '<th scope="row">' in one for one in tables)
    # Nothing is drawn wider than a phone, so nothing is shrunk on one.
    assert set(re.findall(r'viewBox="0 0 (\d+)', page)) == {"340"}
    edges = [float(x) + float(w) for x, w in re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', page)]
    assert max(edges) <= 340


def test_long_names_are_shortened_in_the_picture_by_how_wide_they_are() -> None:
    assert report_html.shortened("a" * 40, 40) == "a" * 40
    assert report_html.shortened("a" * 41, 40) == "a" * 39 + "…"
    assert report_html.shortened("中" * 21, 40) == "中" * 19 + "…"


def test_a_message_of_several_lines_stays_one_quotation() -> None:
    assert report_markdown.quoted("one.\n  Why: <b>") == "> one.\\\n> Why: \\<b\\>"


def test_a_browser_shows_it(tmp_path: Path) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on the PATH")
    page = tmp_path / "report.html"
    page.write_text(report_html.render([section()], NOW))
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run(
        [browser, *options, page.as_uri()], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    assert "Cross-tenant synchronization" in done.stdout
    assert "<svg" in done.stdout
    assert "<script" not in done.stdout
