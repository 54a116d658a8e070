"""The gate for untrusted text: what it lets through obeys nobody and deceives nobody, and no way out is without it."""

from __future__ import annotations

import ast
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
from pulumi.dynamic import Config, ConfigureRequest, CreateResult, ReadResult, UpdateResult
from pulumi.runtime.proto import engine_pb2

from tests.security.untrusted_samples import ATTACKS, HOSTILE, UNSEEN, obeyed_by, texts_in
from xtsync_resources import records
from xtsync_resources.config import ConfigurationProblems, Problem
from xtsync_resources.graph.errors import RefusedError, XtsyncError
from xtsync_resources.operate import cli
from xtsync_resources.operate import screen as screens
from xtsync_resources.operate.export import yaml_text
from xtsync_resources.operate.files import write_private
from xtsync_resources.operate.report.markdown import escaped
from xtsync_resources.pulumi_runtime import engine as engine_door
from xtsync_resources.pulumi_runtime import messages
from xtsync_resources.pulumi_runtime import provider as runtime
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


# --- the engine ------------------------------------------------------------------------------------------------------


class Engine:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def Log(self, request: Any) -> None:  # noqa: N802 - the engine's name for it
        self.told.append(request.message)


def test_messages_of_the_program_pass_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    monkeypatch.setattr("pulumi.log.get_engine", lambda: engine)
    messages.info(HOSTILE, HOSTILE)
    messages.warn(HOSTILE)
    assert [told.count("\n") for told in engine.told] == [1, 0]
    assert obeyed_by("\n".join(engine.told), engine=True, lines=True) == []


class Provider(runtime.TenantResourceProvider):
    """Gives back, raises and says whatever it is told to."""

    result: Any = None

    def create(self, props: Any) -> CreateResult:
        given: CreateResult = self.act()
        return given

    def read(self, id_: str, props: Any) -> ReadResult:
        given: ReadResult = self.act()
        return given

    def update(self, _id: str, olds: Any, news: Any) -> UpdateResult:
        given: UpdateResult = self.act()
        return given

    def delete(self, _id: str, props: Any) -> None:
        self.act()

    def act(self) -> Any:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    made = Provider()
    made.configure(ConfigureRequest(Config({"xtsync:side": "source", "xtsync:tenantId": "T"}, "xtsync")))
    assert isinstance(sys.stdout, Stream)
    assert isinstance(sys.stderr, Stream)
    return made


def test_what_a_provider_gives_back_passes_the_gate(provider: Provider) -> None:
    properties = {"displayName": HOSTILE, HOSTILE: [{"former": json.dumps({"a": HOSTILE})}], "n": 5, "none": None}
    for result, method in (
        (CreateResult("id", properties), lambda: provider.create({})),
        (ReadResult("id", properties, properties), lambda: provider.read("id", {})),
        (UpdateResult(properties), lambda: provider.update("id", {}, {})),
    ):
        provider.result = result
        given = method()
        assert given.outs is not None
        for part in (given.outs, getattr(given, "inputs", None) or {}):
            for text in texts_in(part):
                assert [found for found in obeyed_by(text, engine=True) if found != "GitHub"] == []
        assert given.outs["n"] == 5
    checked = provider.check({}, properties)
    assert all("<{%" not in text for text in texts_in(checked.inputs))


@pytest.mark.parametrize("text", [t for t in ATTACKS.values() if not is_plain(t)])
def test_an_id_is_refused_rather_than_changed(provider: Provider, text: str) -> None:
    for result in (CreateResult(text, {}), ReadResult(text, {}, {})):
        provider.result = result
        with pytest.raises(RefusedError) as raised:
            provider.create({})
        assert obeyed_by(str(raised.value), engine=True, lines=True) == []


class OddError(Exception):
    """Says what it is told to."""


@pytest.mark.parametrize("error", [OddError(HOSTILE), ValueError(HOSTILE), XtsyncError(HOSTILE, HOSTILE)])
def test_what_a_provider_raises_passes_the_gate_with_all_its_history(provider: Provider, error: Exception) -> None:
    import traceback

    error.__context__ = OddError(HOSTILE)
    error.__cause__ = OddError(HOSTILE)
    provider.result = error
    for method in (lambda: provider.create({}), lambda: provider.read("", {}), lambda: provider.delete("", {})):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - any class
            method()
        told = "".join(traceback.format_exception(raised.value))
        assert type(error).__name__ in told
        assert obeyed_by(told, engine=True, lines=True) == []


def test_a_wrong_setting_of_a_provider_is_told_through_the_gate(provider: Provider) -> None:
    with pytest.raises(RuntimeError) as raised:
        provider.configure(ConfigureRequest(Config({"xtsync:deadlineMinutes": HOSTILE}, "xtsync")))
    assert obeyed_by(str(raised.value), engine=True) == []


def test_a_half_finished_object_and_its_reasons_pass_the_gate(provider: Provider) -> None:
    outputs = {"displayName": HOSTILE}
    provider.result = engine_door.Partial("id", outputs, [HOSTILE, XtsyncError(HOSTILE, HOSTILE)])
    with pytest.raises(engine_door.Partial) as raised:
        provider.create({})
    found = raised.value
    assert [reason.count("\n") for reason in found.reasons] == [0, 1]
    for text in (str(found), *found.reasons, *texts_in(found.outputs)):
        assert obeyed_by(text, engine=True, lines=True) == []
    with pytest.raises(RefusedError):
        engine_door.Partial(HOSTILE, {}, [])


def test_what_a_provider_says_passes_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    monkeypatch.setattr(engine_door, "engine", lambda: engine)
    monkeypatch.setattr(engine_door, "current_call", lambda: (engine_pb2.LogRequest(urn="u"), None))
    monkeypatch.setattr(sys, "argv", ["provider", "127.0.0.1:1"])
    engine_door.report(HOSTILE, severity=engine_door.WARNING)
    assert [told.count("\n") for told in engine.told] == [1]
    assert obeyed_by(engine.told[0], engine=True, lines=True) == []


# --- no way out without it -----------------------------------------------------------------------------------------

# Ways to a screen, a log, the engine or a file, and the modules that are the gate there or behind it.
WAYS_OUT = {
    "print": (),
    "open": ("graph/files.py",),  # which reads
    "typer.echo": (),
    "typer.secho": (),
    "typer.confirm": ("operate/screen.py",),
    "typer.prompt": ("operate/screen.py",),
    "sys.stdout": (
        "operate/screen.py",
        "operate/cli.py",
        "untrusted.py",
        "pulumi_runtime/engine.py",
        "pulumi_runtime/provider.py",
        "sync_schema/matching.py",
        "graph/unlocking.py",
    ),
    "sys.stderr": ("operate/screen.py", "operate/cli.py", "untrusted.py", "pulumi_runtime/provider.py"),
    "rich": ("operate/screen.py",),
    "pulumi.log": ("pulumi_runtime/messages.py",),
    "pulumi.RunError": ("pulumi_runtime/messages.py",),
    "report_violation": ("policy/__main__.py",),
    ".Log": ("pulumi_runtime/engine.py",),
    ".abort": (),
    ".set_trailing_metadata": ("pulumi_runtime/engine.py",),
    ".basicConfig": ("graph/wire_log.py",),
    ".StreamHandler": (),
    ".fdopen": ("operate/files.py", "graph/files.py"),  # the latter reads
    ".write": (
        "graph/audit.py",  # a line of JSON, in which nothing is more than text
        "operate/files.py",
        "operate/screen.py",
        "untrusted.py",
        "pulumi_runtime/engine.py",
        "sync_schema/matching.py",
    ),
    ".write_bytes": (),
    ".write_text": ("config/published.py",),  # of what the project itself declares
}
MODULES = ("policy", "bootstrap", ".")
SOURCES = [*(ROOT / "xtsync_resources").rglob("*.py"), *(ROOT / name / "__main__.py" for name in MODULES)]


def ways_out(source: str) -> set[str]:
    """The ways out a module takes: what it imports, names with their module, calls by name and of any object."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found |= {str(node.module).partition(".")[0], *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found |= {f"{node.value.id}.{node.attr}"} if isinstance(node.value, ast.Name) else set()
        elif isinstance(node, ast.Call):
            found |= {f".{node.func.attr}"} if isinstance(node.func, ast.Attribute) else set()
            found |= {node.func.id} if isinstance(node.func, ast.Name) else set()
    return found & set(WAYS_OUT)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_writes_past_the_gate(path: Path) -> None:
    name = str(path.relative_to(ROOT)).removeprefix("xtsync_resources/")
    assert {way for way in ways_out(path.read_text()) if name not in WAYS_OUT[way]} == set()


def test_the_ways_out_are_seen() -> None:
    source = """
import rich.table
from pulumi import log
class A(pulumi.RunError): pass
print(1)
sys.stderr.write("x")
"""
    assert ways_out(source) == {"rich", "pulumi.log", "pulumi.RunError", "print", "sys.stderr", ".write"}
