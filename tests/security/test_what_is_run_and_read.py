"""`xtsync` says what went wrong with a file or a command, and nothing of what either holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from xtsync_resources.graph.errors import ConfigurationError
from xtsync_resources.operate.stack import Location, pulumi, read
from xtsync_resources.operate.yaml_files import read_yaml

CANARY = "abC8Q~what-was-to-be-hidden"
GET = ["config", "get", "xtsync:sourceClientSecret", "--stack", "dev"]


def said_of(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_yaml(path, "stack file", "look")
    return str(caught.value)


# --- files -----------------------------------------------------------------------------------------------------------

TORN = {
    "a private key": f"-----BEGIN KEY-----\n{CANARY}: x: y\n",
    "a password": f"*{CANARY}",
    "an anchor": f"a: &{CANARY} 1\nb: *{CANARY}x",
    "a directive": f"%TAG {CANARY} x\n--- a",
    "a tag handle": f"!{CANARY.replace('~', '')}!x y",
    "an escape": f'"{CANARY}\\x',
    "a torn list": f"[{CANARY}",
    "two documents": f"a: 1\n---\n{CANARY}: 1",
}


@pytest.mark.parametrize("name", TORN)
def test_a_file_that_is_no_yaml_is_told_by_place_and_cause(name: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(TORN[name])
    said = said_of(tmp_path / "Pulumi.dev.yaml")
    assert "it is not YAML at line " in said
    assert CANARY not in said
    assert CANARY.replace("~", "") not in said
    assert len(said.split("\n")) == 3


CAUSES = {
    "a: {b: [1, 2\n  c: d}\n": "line 2, column 4: expected ',' or ']', but got ':'",
    "a: [1, 2}\n": "line 1, column 9: expected ',' or ']', but got '}'",
    "a: b: c\n": "line 1, column 5: mapping values are not allowed here",
    "a:\n\t- b\n": "line 2, column 1: found character '\\t' that cannot start any token",
    "a: @b\n": "line 1, column 4: found character '@' that cannot start any token",
    "a: 1\n b\nc\n": "line 4, column 1: could not find expected ':'",
    f"a: *{CANARY.replace('~', '')}\n": "line 1, column 4: found undefined alias '...'",
}


@pytest.mark.parametrize("text", CAUSES)
def test_the_cause_is_told_in_whole_words(text: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(text)
    assert f"it is not YAML at {CAUSES[text]}\n" in said_of(tmp_path / "Pulumi.dev.yaml")


def test_a_link_leads_to_no_other_file(tmp_path: Path) -> None:
    """Git keeps links: a change of a stack file can make one of it."""
    (tmp_path / "of the runner").write_text(f"config: {{xtsync:displayName: {CANARY}}}\n")
    (tmp_path / "Pulumi.dev.yaml").symlink_to(tmp_path / "of the runner")
    assert "it is a link to another file" in said_of(tmp_path / "Pulumi.dev.yaml")
    with pytest.raises(ConfigurationError, match="it is a link"):
        read("dev", Location(tmp_path), lambda _: None)


@pytest.mark.parametrize("kind", ["a device", "a pipe", "a folder", "a large one", "other bytes"])
def test_a_stack_file_is_a_regular_file_of_bounded_size(kind: str, tmp_path: Path) -> None:
    path = {"a device": Path("/dev/zero"), "a folder": tmp_path}.get(kind, tmp_path / "file")
    if kind == "a pipe":
        os.mkfifo(path)
    if kind in ("a large one", "other bytes"):
        path.write_bytes(b"#" * 5_000_000 if kind == "a large one" else b"\xff")
    words = {"a folder": "is a folder", "a large one": "larger than", "other bytes": "not UTF-8"}
    assert words.get(kind, "is not a regular file") in said_of(path)


def test_an_empty_stack_file_says_nothing(tmp_path: Path) -> None:
    """As where the project's file says all of it."""
    (tmp_path / "Pulumi.dev.yaml").touch()
    assert read_yaml(tmp_path / "Pulumi.dev.yaml", "stack file", "look") == {}


# --- commands --------------------------------------------------------------------------------------------------------


def command(folder: Path, program: str) -> str:
    (folder / "wrapper.py").write_text(program)
    return f"{sys.executable} {folder / 'wrapper.py'} --password={CANARY}"


FAILING = {
    "prints it, and fails": (f"print({CANARY!r}); raise SystemExit(3)", "it ended with exit code 3"),
    "says why": (
        f"import sys; print({CANARY!r}); print('no such stack', file=sys.stderr); raise SystemExit(255)",
        "no such stack",
    ),
    "is killed": (f"import os; print({CANARY!r}, flush=True); os.kill(os.getpid(), 9)", "exit code -9"),
}


@pytest.mark.parametrize("name", FAILING)
def test_what_a_command_has_printed_is_not_shown(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, why = FAILING[name]
    monkeypatch.setenv("XTSYNC_PULUMI", command(tmp_path, program))
    with pytest.raises(ConfigurationError) as caught:
        pulumi(GET, tmp_path)
    said = str(caught.value)
    assert f"Cannot run `pulumi {' '.join(GET)}` by the command of XTSYNC_PULUMI." in said
    assert why in said
    assert CANARY not in said


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (f"PASSWORD={CANARY} pulumi", "no such program"),
        (f"env PASSWORD={CANARY} /nowhere/pulumi", "No such file"),
        (f"/nowhere/{CANARY}", "no such program"),
        (f"'{CANARY}", "No closing quotation"),
        (f"not-a-program {CANARY}", "cannot be run"),
    ],
)
def test_what_names_the_command_is_not_shown(
    named: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "not-a-program").write_text("")
    (tmp_path / "not-a-program").chmod(0o700)
    (tmp_path / "not-a-program").write_bytes(b"\x7fELF")
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{tmp_path}")
    monkeypatch.setenv("XTSYNC_PULUMI", named)
    with pytest.raises(ConfigurationError) as caught:
        pulumi(["stack", "--show-name"], tmp_path)
    assert CANARY not in str(caught.value)
    assert "XTSYNC_PULUMI" in str(caught.value)
    assert why in str(caught.value)


def test_a_command_that_says_other_bytes_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; sys.stderr.buffer.write(bytes([255])); raise SystemExit(1)"
    monkeypatch.setenv("XTSYNC_PULUMI", command(tmp_path, program))
    with pytest.raises(ConfigurationError):
        pulumi(GET, tmp_path)
