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
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.patience import PATIENCE_SECONDS
from xtsync_resources.operate.checks import Finding, Level
from xtsync_resources.operate.checks.drift import MEND
from xtsync_resources.operate.health import read_health
from xtsync_resources.operate.report import html, markdown
from xtsync_resources.operate.report.audit import Write, Written
from xtsync_resources.operate.report.command import exit_code
from xtsync_resources.operate.report.gathering import by_cycle
from xtsync_resources.operate.report.section import EVENTS, Cycle, Section, Setting
from xtsync_resources.operate.report.words import COMMAND, verdict
from xtsync_resources.sync_job.provisioning_log import Event, Identity
from xtsync_resources.sync_job.quarantine import REASONS, explained

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script> | "x" \n & `y` \x1b[31m'
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "headless_shell")


def event(cycle: str, action: str, status: str) -> Event:
    source, target = Identity(HOSTILE, "s"), Identity("t", "")
    return Event("i", cycle, NOW, action, status, source, target, "E1", HOSTILE, "advice", (), ())


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
        written=Written(1, (Write(NOW, HOSTILE, HOSTILE, HOSTILE, (HOSTILE, "b: 1 → 2"), "204", HOSTILE),)),
    )


def of_job(state: str = "Active", **said: Any) -> Section:
    """A pair whose job says this, with a log in which nothing failed."""
    job = {"schedule": {"state": state}, "status": {"code": "Active", **said}}
    return replace(section(), health=read_health(job), problems=[], failures=[])


QUARANTINE: dict[str, Any] = {"reason": "TooManyDeletes", "error": {"message": "500 were due"}}
HELD: dict[str, Any] = {"code": "Quarantine", "quarantine": QUARANTINE}
REFUSED: dict[str, Any] = {"reason": "EncounteredQuarantineException", "error": {"message": "It was refused."}}
WITH_STOP: dict[str, Any] = {"code": "Quarantine", "quarantine": REFUSED}
FAILED: dict[str, Any] = {
    "lastExecution": {"state": "Failed", "timeEnded": "2026-11-23T11:00:00Z", "error": {"code": "Gone"}}
}


HALF: dict[str, Any] = {"state": "EntryLevelErrors", "timeEnded": "2026-11-23T11:00:00Z"}
SHUT = Finding("target", "partner policy", Level.PROBLEM, "it is shut", MEND)


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
    page = html.render([section(), Section("broken", problems=["no such file"])], NOW)
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert "script" not in reader.seen
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;") >= 4
    assert "http" not in page.replace("http-equiv", "")
    assert not re.search(r"\b(src|href)=(?!\"#)|@import|url\(", page)


def test_markdown_stays_a_table_whatever_names_say() -> None:
    page = markdown.render([section(), Section("broken", problems=["no such file"])], NOW)
    assert "<script>" not in page
    assert "\x1b" not in page
    for heading in ("### Last failures", "### Last writes"):
        rows = [line for line in re.split("###|<details>", page.split(heading)[1])[0].splitlines() if "|" in line]
        assert len(rows) == 3
        assert rows[2].replace(r"\|", "").count("|") == rows[0].count("|")
    assert page.count("<br>") == 1  # between two fields


NAMES_WITH_BACKTICKS = (
    "a@b`cmd`c@`<img src=https://evil.example/x.png> [click](https://evil.example) @maintainer",
    "Finance`. Run `xtsync approve-deletions --count 40 --stack dev",
    "`xtsync approve-deletions --count 40`",
    "Do: run `xtsync approve-deletions --count 40`",
)


@pytest.mark.parametrize("name", NAMES_WITH_BACKTICKS)
def test_a_name_with_backticks_is_no_command_and_nothing_lives_in_it(name: str) -> None:
    found = Finding("source", "scope", Level.PROBLEM, f"in scope and not configured: {name} (id)", f"take out {name}")
    shown = replace(section(), findings=[found], problems=[f"Failed to read the group {name}", f"Do: look at {name}"])
    page = html.render([shown], NOW)
    assert "<code>xtsync approve" not in page
    assert "<img" not in page
    text = markdown.render([shown], NOW)
    (of_finding,) = (line for line in text.splitlines() if line.startswith("| scope |"))
    for line in (of_finding, *(line for line in text.splitlines() if line.startswith("> "))):
        rendered = MarkdownIt("commonmark").enable("table").render(f"| a | b | c | d |\n|---|---|---|---|\n{line}")
        assert not re.search(r"<(img|a)\b|<code>xtsync", rendered), rendered
        assert "@maintainer" not in re.sub(r"<code>.*?</code>", "", rendered)
    (headline,) = (line for line in text.splitlines() if line.startswith("### Needs somebody"))
    assert not re.search(r"<(img|a)\b|<code>xtsync approve", MarkdownIt("commonmark").render(headline))


def test_a_report_of_a_pair_that_could_not_be_seen_is_no_report_of_one_that_is_well() -> None:
    dark = Finding("target", "partner policy", Level.WARNING, "could not be checked: 503", failed=True)
    shown = replace(of_job(), findings=[dark])
    assert not verdict(shown).well
    assert exit_code([shown]) == 2
    assert exit_code([replace(shown, findings=[dark, SHUT])]) == 1
    assert exit_code([of_job()]) == 0


def test_cycles_are_counted_by_action_with_failures_apart() -> None:
    events = [event("new", "create", "failure"), event("new", "update", "success"), event("old", "create", "success")]
    assert [cycle.counts for cycle in by_cycle(events)] == [{"create": 1}, {"failed": 1, "update": 1}]


@pytest.mark.parametrize("status", ["success", "skipped", "warning"])
@pytest.mark.parametrize("action", ["stagedDelete", "StagedDelete"])
def test_a_cycle_that_held_deletions_back_says_how_many(action: str, status: str) -> None:
    (cycle,) = by_cycle([event("c", action, status), event("c", action, status), event("c", action, "failure")])
    assert cycle.counts == {"stagedDelete": 2, "failed": 1}
    page = html.render([replace(section(), cycles=[cycle])], NOW)
    assert "2 held back" in page
    assert '<th scope="col">held back</th>' in page
    assert "| held back |" in markdown.render([replace(section(), cycles=[cycle])], NOW)
    assert "held back" not in html.render([section()], NOW), "where nothing ever was, nothing is said"


def test_no_kind_of_entry_gets_lost_or_breaks_the_chart() -> None:
    events = [event("c", "new", "success"), event("c", "other", "success"), event("c", "update", "skipped")]
    (cycle,) = by_cycle(events)
    assert cycle.counts == {"other": 2}
    page = html.render([replace(section(), cycles=[cycle])], NOW)
    assert "2 other" in page
    assert '<td class="number">2</td>' in page


def test_what_the_counts_are_of_is_said() -> None:
    nothing = replace(section(), cycles=[], failures=[], entries=0)
    cut = replace(section(), failures=[], entries=EVENTS)
    for render in (html.render, markdown.render):
        assert "has logged nothing yet" in render([nothing], NOW)
        assert "may not be all there" in render([cut], NOW)
        assert "None among these entries" in render([cut], NOW)
        assert "may not be all there" not in render([section()], NOW)
        assert "Recent cycles" not in render([replace(section(), entries=None)], NOW)


def test_everybody_can_read_it() -> None:
    page = html.render([section(), section()], NOW)
    assert '<html lang="en">' in page
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.count("<svg") == page.count('role="img"') == page.count("</title><desc>") == 4
    tables = page.split("<table")[1:]
    assert all('<th scope="col">' in one and '<th scope="row">' in one for one in tables)
    # Nothing is drawn wider than a phone, so nothing is shrunk on one.
    assert max(map(int, re.findall(r'viewBox="0 0 (\d+)', page))) == 340
    edges = [float(x) + float(w) for x, w in re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', page)]
    assert max(edges) <= 340


def in_order(page: str, *parts: str) -> bool:
    places = [page.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


def test_what_is_urgent_comes_first() -> None:
    headings = [f"{heading}<" for heading in ("People", "Recent cycles", "Last failures", "Settings", "Last writes")]
    page = html.render([section()], NOW).partition("<body>")[2]
    assert in_order(page, 'class="verdict', '<div class="picture">', *headings)
    assert "<details>\n<summary><h3>Settings</h3></summary>\n<div" in page
    assert "<details open" not in page
    marks = ("### People", "### Recent cycles", "### Last failures", "<summary>Settings", "### Last writes")
    page = markdown.render([section()], NOW)
    assert in_order(page, "### Well: running", "(source, `s-id`) → Fabrikam (target, `t-id`): 3 people", *marks)
    without = replace(section(), written=None)
    assert "Last writes" not in html.render([without], NOW) + markdown.render([without], NOW)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (of_job(), "Well: running; the first cycle is not done yet"),
        (
            of_job(**FAILED),
            "Needs somebody: running, but the last cycle failed: Gone; run `pulumi up --refresh --diff --stack dev`",
        ),
        (
            of_job(**HELD),
            "Needs somebody: in quarantine (TooManyDeletes); run `xtsync approve-deletions --stack dev`",
        ),
        (
            of_job("Paused"),
            "Needs somebody: paused: nothing is synchronized; run `xtsync resume --stack dev`",
        ),
        (
            of_job(code="Quarantine", quarantine={"reason": "IngestionInterrupted"}),
            "Needs somebody: in quarantine (IngestionInterrupted); run `xtsync resume --stack dev`",
        ),
        (
            replace(of_job(), problems=["Failed to read the log.\n  Why: no"]),
            "Well: running; the first cycle is not done yet; not all could be read; run `xtsync doctor --stack dev`",
        ),
        (
            replace(of_job(), health=None, unknown=True, problems=["No sign-in.\n  Why: no"]),
            "Needs somebody: its state could not be read (No sign-in); run `xtsync doctor --stack dev`",
        ),
        (
            replace(
                of_job(), health=None, problems=["The job is gone.\n  Why: no"], remedy="run `pulumi up --stack dev`, x"
            ),
            "Needs somebody: The job is gone; run `pulumi up --stack dev`",
        ),
        (
            replace(of_job(), findings=[SHUT, replace(SHUT, found="it too")]),
            "Needs somebody: running; the first cycle is not done yet; Fabrikam, partner policy: it is shut and 1 more"
            "; run `pulumi up --refresh --diff --stack dev`",
        ),
        (
            replace(of_job(), findings=[replace(SHUT, do="write the new name into the stack file")]),
            "Needs somebody: running; the first cycle is not done yet; Fabrikam, partner policy: it is shut; "
            "what to do: write the new name into the stack file",
        ),
        (
            replace(of_job(lastExecution=HALF), findings=[replace(SHUT, side="pair", area="scope", do="take it out")]),
            "Needs somebody: running; some people could not be synchronized in the last cycle; both tenants, scope: "
            "it is shut; what to do: take it out",
        ),
        (
            replace(of_job(**FAILED), findings=[SHUT]),
            "Needs somebody: running, but the last cycle failed: Gone; Fabrikam, partner policy: it is shut; "
            "run `pulumi up --refresh --diff --stack dev`",
        ),
        (
            replace(of_job("Paused"), findings=[replace(SHUT, do="take it out")]),
            "Needs somebody: paused: nothing is synchronized; Fabrikam, partner policy: it is shut; "
            "run `xtsync resume --stack dev`",
        ),
        (
            Section("dev; rm x", unknown=True),
            "Needs somebody: its state could not be read; run `xtsync doctor --stack 'dev; rm x'`",
        ),
    ],
)
def test_one_sentence_says_whether_somebody_is_needed_why_and_what_to_run(found: Section, sentence: str) -> None:
    (said,) = re.findall(r"### ((?:Well|Needs).*)", markdown.render([found], NOW))
    assert re.sub(r"\\(.)", r"\1", said) == sentence
    page = html.render([found], NOW)
    assert page.count('<p class="verdict ') == 1
    assert f'<p class="verdict {"good" if verdict(found).well else "bad"}">' in page
    commands = re.findall(r"<code>(.*?)</code>", page.partition('<p class="verdict')[2].partition("</p>")[0])
    assert commands == [command.replace("'", "&#x27;") for command in re.findall(r"`(.*)`", sentence)]


def test_advice_has_only_commands_between_backticks() -> None:
    advice = [explained(one.name, active=active) for one in REASONS for active in (True, False)]
    assert {command.split()[0] for text in advice for command in COMMAND.findall(text)} == {"xtsync", "pulumi"}


@pytest.mark.parametrize(
    "found", [of_job(**HELD), of_job(**WITH_STOP), of_job(**FAILED), of_job("Paused"), of_job("Disabled")]
)
def test_commands_are_code_and_a_sentence_ends_once(found: Section) -> None:
    whole = replace(
        found,
        source=("Contoso", "s"),
        settings=[],
        written=None,
        findings=[SHUT],
        problems=["The log.\n  Do: run `xtsync doctor`"],
    )
    for page in (html.render([whole], NOW), markdown.render([whole], NOW)):
        assert ".." not in page.replace("...", "")
        assert "\\`" not in page
    page = html.render([whole], NOW)
    assert "`" not in page
    assert "run <code>pulumi up --refresh --diff</code>, which shows" in page


@pytest.mark.parametrize("found", [of_job(**HELD), of_job(**FAILED), of_job("Disabled")])
def test_a_pair_in_trouble_is_not_without_failures(found: Section) -> None:
    assert found.health
    for render in (html.render, markdown.render):
        page = render([found], NOW)
        assert "None among these entries" not in page
        assert "The log has none among these entries, and the job does not run as it should: it is" in page
        unread = render([replace(found, entries=None)], NOW)
        assert "The log could not be read, and the job does not run as it should: it is" in unread
        unknown = render([replace(found, health=None, unknown=True)], NOW)
        assert "The log has none among these entries; whether the job runs could not be read." in unknown
        neither = render([replace(found, health=None, unknown=True, entries=None)], NOW)
        assert "The log could not be read; whether the job runs could not be read either." in neither
        gone = render([replace(found, health=None)], NOW)
        assert "The log has none among these entries; the job is gone." in gone


def test_of_several_pairs_those_that_need_somebody_are_named_first() -> None:
    several = [of_job(), replace(of_job("Paused"), stack="<b>")]
    page = html.render(several, NOW)
    assert in_order(page, '1 of 2 pairs needs somebody: <a href="#pair-1">&lt;b&gt;</a>', "<section", 'id="pair-1"')
    assert "**1 of 2 pairs needs somebody: \\<b\\>.**" in markdown.render(several, NOW)
    assert "All 2 pairs are well." in html.render([of_job(), of_job()], NOW)


@pytest.mark.parametrize("name", ["a" * 120, "中" * 60, "Contoso of " * 12 + "end"])
def test_long_names_are_whole_in_the_picture(name: str) -> None:
    named = replace(section(), source=(name, "s-id"))
    page = html.render([named], NOW)
    assert f"<strong>{name}</strong>" in page
    assert f"{name} (source," in markdown.render([named], NOW)
    assert "…" not in page.partition("<body>")[2]


def test_it_is_read_on_a_telephone_in_the_dark_and_on_paper() -> None:
    page = html.render([section()], NOW)
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert style.count("{") == style.count("}")
    for part in (
        "prefers-color-scheme: dark",
        "overflow-wrap: break-word",
        "overflow-x: auto",
        "max-width: 40rem",
        "max-width: 60rem",
    ):
        assert part in style, part
    on_paper = style.rpartition("@media print")[2]
    assert "details > :not(summary) { display: block; }" in on_paper
    assert "details::details-content {" in on_paper
    assert 'a:not([href^="#"])::after { content: " (" attr(href) ")";' in on_paper
    assert "color-scheme: light" in style.partition("@media print")[2], "white, whatever the screen was"
    assert "td { overflow-wrap: anywhere; } th { overflow-wrap: normal; }" in on_paper
    assert "tr, svg, .picture { break-inside: avoid; }" in on_paper
    assert page.count('<div class="wide"') == page.count("<table")
    # A row that is a block has the headings in its cells.
    texts = [one for one in page.split("<table")[1:] if re.match(' class="texts( many)?"', one)]
    assert len(texts) == 4
    assert all("<td>" not in one and "data-label=" in one for one in texts)


def test_a_message_of_several_lines_stays_one_quotation() -> None:
    assert markdown.quoted("one.\n  Why: <b>") == "> one.\\\n> Why: \\<b\\>"


def test_a_browser_shows_it(tmp_path: Path) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on the PATH")
    page = tmp_path / "report.html"
    page.write_text(html.render([section()], NOW))
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run(
        [browser, *options, page.as_uri()], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    assert "Cross-tenant synchronization" in done.stdout
    assert "<svg" in done.stdout
    assert "<script" not in done.stdout
