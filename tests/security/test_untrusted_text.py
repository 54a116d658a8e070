"""The gate for untrusted text: what it lets through obeys nobody and deceives nobody, and no way out is without it."""

from __future__ import annotations

import inspect
import io
import json
import logging
import string
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.security.untrusted_samples import ATTACKS, HOSTILE, UNSEEN, obeyed_by, texts_in
from xtsync_resources import records
from xtsync_resources.config import ConfigurationProblems, Problem
from xtsync_resources.graph.errors import XtsyncError
from xtsync_resources.operate import cli
from xtsync_resources.operate import screen as screens
from xtsync_resources.operate.export import yaml_text
from xtsync_resources.operate.files import write_private
from xtsync_resources.operate.report.markdown import escaped
from xtsync_resources.pulumi_runtime import messages
from xtsync_resources.untrusted import Stream, is_plain, json_text, message, one_line, value

ROOT = Path(__file__).resolve().parents[2]
# Texts of the pieces that commands are made of, so that they come together often, and any others.
SHORT = [text for text in ATTACKS.values() if len(text) < 1000]
PIECES = st.sampled_from(
    [*"#:<{%[]}>\\\"'u \n\r", "::", "##", "vso", "<{%", "%}>", "\\u007b", "\\n", "\x1b[", "\u2028"]
)
TEXTS = st.lists(PIECES | st.characters(), max_size=12).map("".join) | st.sampled_from(SHORT)
JSON = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


# --- the gate ------------------------------------------------------------------------------------------------------


@given(TEXTS)
def test_one_line_obeys_nobody_and_stays_as_it_is(text: str) -> None:
    shown = one_line(text)
    assert obeyed_by(shown, engine=True) == []
    assert one_line(shown) == shown


def test_no_character_that_looks_like_nothing_passes() -> None:
    """A name with one behind it looks like another's."""
    assert {character for character in UNSEEN if is_plain(f"Finance{character}")} == set()
    assert {ascii(one_line(f"Finance{character}")) for character in UNSEEN} == {r"'Finance\ufffd'"}


def test_what_can_be_seen_passes_whatever_its_name() -> None:
    for text in ("\N{BLANK SYMBOL}", "\N{NEWA GAP FILLER}", "\N{OPEN BOX}", "Zoë Łukasz 山田 अनिल עברית"):
        assert one_line(text) == text


@given(TEXTS, TEXTS)
def test_what_is_put_together_from_lines_obeys_nobody(first: str, second: str) -> None:
    shown = message(f"{one_line(first)}{one_line(second)}\n{first}")
    assert obeyed_by(shown, engine=True, lines=True) == []
    assert message(shown) == shown


@given(st.text(string.ascii_letters + string.digits + " .,;()'\"/-_=@äöüßéñčłŞ漢字かなعربي€→…{}[]<>%#", max_size=30))
@example("NaN")
@example('["NaN", NaN, -Infinity]')
def test_plain_text_is_left_alone(text: str) -> None:
    if obeyed_by(text, engine=True) == [] and "##" not in text:
        assert one_line(text) == text
        assert is_plain(text)


@given(JSON)
@example({'["\\u003c{%boom%}>"]]': ['"\\n::x"']})
@example(ATTACKS["Pulumi, by JSON deeper than anybody reads"])
def test_a_value_obeys_nobody_however_deep_and_decoded_and_stays_as_it_is(untrusted: Any) -> None:
    shown = value(untrusted)
    assert value(shown) == shown
    for text in texts_in(shown):
        assert [found for found in obeyed_by(text, engine=True) if found != "GitHub"] == []  # it is shown in quotes
    assert value({"a": None, "b": True, "c": 5}) == {"a": None, "b": True, "c": 5}


@given(JSON)
@example({"displayName": HOSTILE, "settings": json.dumps({"a": HOSTILE})})
def test_a_record_is_put_back_exactly_and_may_be_shown(record: Any) -> None:
    kept = records.text({"found": record})
    assert records.parse(kept) == {"found": record}
    assert is_plain(kept)


def test_a_record_of_before_is_read_as_it_was_written() -> None:
    assert records.parse(json.dumps({"displayName": HOSTILE})) == {"displayName": HOSTILE}
    assert records.text({"displayName": "Zürich \\ Basel"}) == json.dumps({"displayName": "Zürich \\ Basel"})


@given(JSON)
def test_json_is_ascii_and_says_the_same(document: Any) -> None:
    text = json_text(document)
    assert json.loads(text) == document
    assert text.isascii()
    assert obeyed_by(text, engine=True, lines=True) == []


@given(st.lists(TEXTS, max_size=6))
@example(["  :", ":add-mask::x"])
@example(["##", "vso[task.complete]"])
@example(["#", "#", "v", "so", "[x]", "\n", "::x"])
def test_pieces_that_are_harmless_alone_do_nothing_together(pieces: list[str]) -> None:
    for styled in (False, True):
        file = io.StringIO()
        stream = Stream(file, styled=styled)
        for piece in pieces:
            stream.write(piece)
        shown = file.getvalue()
        steering = [found for found in obeyed_by(shown, lines=True) if "terminal" in found or "reader" in found]
        assert [found for found in obeyed_by(shown, lines=True) if found not in steering] == []
        assert styled or steering == []


# --- what is made with it --------------------------------------------------------------------------------------------


@given(TEXTS, TEXTS)
def test_an_error_is_as_many_lines_as_it_has_parts(what: str, why: str) -> None:
    for text in (str(XtsyncError(what, why, what, why)), str(messages.Stopped(what, why))):
        assert obeyed_by(text, engine=True, lines=True) == []
    assert str(messages.Stopped(what, why)).count("\n") == 1


def test_a_problem_with_a_hostile_key_and_value_is_one_line() -> None:
    told = str(ConfigurationProblems([Problem(f"xtsync:{HOSTILE}", HOSTILE, HOSTILE, HOSTILE)]))
    assert told.count("\n") == 1
    assert obeyed_by(told, engine=True, lines=True) == []


@given(TEXTS)
def test_a_stack_file_says_the_same_and_commands_nobody(text: str) -> None:
    document = {"config": {"xtsync:displayName": text, "xtsync:users": ["alice@contoso.com", text], "n": 5, "b": True}}
    written = yaml_text(document)
    assert obeyed_by(written, lines=True) == []
    readable = not any("\ud800" <= character <= "\udfff" for character in text)  # YAML has no such characters
    assert not readable or yaml.safe_load(written) == document


@pytest.mark.parametrize(
    "text", [ATTACKS["Markdown"], "@team", "a@b.example", "https://evil.example", "fix #12", "`@x`"]
)
def test_markdown_is_dead(text: str) -> None:
    shown = escaped(text)
    fence = shown[: len(shown) - len(shown.lstrip("`"))]
    inside = shown.removeprefix(fence).removesuffix(fence)
    assert fence
    assert fence not in inside
    assert "|" not in inside


def test_plain_markdown_stays_readable() -> None:
    assert escaped("Ada Lovelace") == "Ada Lovelace"
    assert escaped("[x](y) *z* 100% a | b!") == "\\[x\\]\\(y\\) \\*z\\* 100% a \\| b\\!"


def test_files_are_for_their_owner_only_and_follow_no_link(tmp_path: Path) -> None:
    new, old, link = (tmp_path / name for name in ("new", "old", "link"))
    old.write_text("before, and longer")
    old.chmod(0o644)
    link.symlink_to(old)
    for path in (new, old):
        write_private(path, "text", replace=True)
        assert (path.read_text(), path.stat().st_mode & 0o777) == ("text", 0o600)
    for path, replace in ((new, False), (link, True), (tmp_path / "none" / "x", True)):
        with pytest.raises(XtsyncError):
            write_private(path, "other", replace=replace)
    assert old.read_text() == "text"


@pytest.mark.parametrize(
    "name",
    ["xtsync-report.html", "xtsync-report.md", "xtsync-import.json", "xtsync-export.yaml", "xtsync-forget-dev.json"],
)
def test_what_names_people_is_ignored_by_git(name: str) -> None:
    patterns = (ROOT / ".gitignore").read_text().splitlines()
    assert any(fnmatch(name, pattern) for pattern in patterns)


def test_where_git_does_not_ignore_it_is_said() -> None:
    """Under a name of somebody's own; all options that give one are in the documentation's sentence."""
    named: set[str] = set()
    for command in cli.app.registered_commands:
        assert command.callback is not None
        named |= set(inspect.signature(command.callback).parameters)
    options = {f"--{name.replace('_', '-')}" for name in named & {"output", "import_file", "backup"}}
    assert len(options) == 3
    (paragraph,) = [one for one in (ROOT / "docs/security.md").read_text().split("\n\n") if ".gitignore" in one]
    assert {option for option in options if f"`{option}`" not in paragraph} == set()
    assert "nothing does" in " ".join(paragraph.split())


# --- the screen ------------------------------------------------------------------------------------------------------


class File(io.StringIO):
    """A file that may be a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def shown_by(use: Callable[[screens.Screen], None], monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    file = File(terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setattr(sys, "stderr", file)
    use(screens.Screen(as_json=False))
    monkeypatch.undo()
    return file.getvalue()


def everything(screen: screens.Screen) -> None:
    table = screens.Rows("tenant", HOSTILE, title=HOSTILE)
    table.add(HOSTILE, screens.line((HOSTILE, "red")), [screens.line(HOSTILE), screens.line(HOSTILE)])
    screen.print(HOSTILE, screens.line(HOSTILE, (HOSTILE, "bold")), table, screens.progress(HOSTILE, 1, 2))
    screen.tell(HOSTILE, style="yellow")
    screen.error([HOSTILE, HOSTILE])
    screen.plain(f"{HOSTILE}\n")
    screen.json({HOSTILE: HOSTILE})
    screen.status(HOSTILE)
    screen.quiet()


@pytest.mark.parametrize("colours", ["", "1"])
def test_nothing_of_a_text_is_obeyed_off_a_terminal(monkeypatch: pytest.MonkeyPatch, colours: str) -> None:
    if colours:  # pipelines are told to show colours
        monkeypatch.setenv("FORCE_COLOR", colours)
    shown = shown_by(everything, monkeypatch, terminal=False)
    if colours:
        shown = without_styles(shown)
    assert obeyed_by(shown, lines=True) == []
    assert "[red]N[/red] :boom:" in shown


def without_styles(shown: str) -> str:
    """A text without what rich puts in: colours, and what moves the cursor while something is waited for."""
    import re

    return re.sub(r"\x1b\[[0-9;?]*[mhlKA]|\r", "", shown)


def test_nothing_of_a_text_steers_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def texts(screen: screens.Screen) -> None:
        screen.print(HOSTILE, table_of(HOSTILE))
        screen.tell(HOSTILE)
        screen.error([HOSTILE])

    shown = shown_by(texts, monkeypatch, terminal=True)
    assert "\x1b[1;31merror: " in shown
    assert obeyed_by(without_styles(shown), lines=True) == []
    assert "\x1b]" not in shown


def table_of(text: str) -> screens.Rows:
    table = screens.Rows()
    table.add(text, text)
    return table


def test_nothing_is_folded_off_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "word " * 500 + "::add-mask::x"

    def texts(screen: screens.Screen) -> None:
        screen.print(text, table_of(text))
        screen.tell(text)

    shown = shown_by(texts, monkeypatch, terminal=False)
    assert [line.count("::") for line in shown.splitlines()] == [2, 4, 2]


def test_the_debug_log_passes_the_gate() -> None:
    from xtsync_resources.untrusted import gated

    file = io.StringIO()
    logger = logging.getLogger("tests.untrusted")
    logger.addHandler(logging.StreamHandler(gated(file)))
    logger.propagate = False
    logger.warning("%s", HOSTILE)
    assert obeyed_by(file.getvalue(), engine=True, lines=True) == []
