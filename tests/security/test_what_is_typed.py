"""What is typed at `xtsync` may have been put together from what others name: complaints about it obey nobody."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.security.untrusted_samples import ATTACKS, obeyed_by
from xtsync_resources.operate import choices, cli, control, stack

Type: TypeAlias = Callable[..., tuple[object, str]]
# As an operating system hands words over: no NUL, and bytes that are no text as half characters.
SAMPLES = [
    os.fsdecode(text.encode(errors="surrogatepass").replace(b"\0", b""))
    for text in ATTACKS.values()
    if len(text) < 1000
]
WAYS: dict[str, Callable[[str], list[str]]] = {
    "a command": lambda text: [text],
    "an option": lambda text: [f"--{text}"],
    "an option's value": lambda text: ["logs", "--most", text],
    "a choice": lambda text: ["status", "--wait", text],
    "one argument more": lambda text: ["doctor", text],
    "a folder": lambda text: ["--cwd", f"/nowhere/{text}", "status", "--stack", "dev"],
    "a stack": lambda text: ["--cwd", "/nowhere", "status", "--stack", text],
    "settings": lambda text: ["export", "--source", text, "--target", text, "--auth", text, "--set", text],
}


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Type:
    """`xtsync` in this process; its exit code, and all it writes."""

    def type_in(*words: str, terminal: bool = False) -> tuple[object, str]:
        shown = io.StringIO()
        monkeypatch.setattr(shown, "isatty", lambda: terminal)
        monkeypatch.setenv("TERM", "dumb")  # so that nothing in it is rich's own
        monkeypatch.setenv("COLUMNS", "1000")
        monkeypatch.setattr(sys, "stdout", shown)
        monkeypatch.setattr(sys, "stderr", shown)
        monkeypatch.setattr(sys, "argv", ["xtsync", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, shown.getvalue()

    return type_in


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("text", SAMPLES)
@pytest.mark.parametrize("way", WAYS)
def test_a_complaint_about_what_was_typed_obeys_nobody(way: str, text: str, terminal: bool, type_in: Type) -> None:
    code, said = type_in(*WAYS[way](text), terminal=terminal)
    assert code == choices.FAILED
    assert obeyed_by(said, lines=True) == []
    assert said.startswith("error: ")
    assert "Traceback" not in said


def test_a_complaint_says_what_is_wrong_and_where_to_look(type_in: Type) -> None:
    code, said = type_in("status", "--folow")
    assert code == choices.FAILED
    assert re.fullmatch(r"error: No such option: --folow\n  Do:  see `.* status --help`\n", said)


@pytest.mark.parametrize(
    ("words", "code"), [([], choices.FAILED), (["--help"], choices.WELL), (["logs", "-h"], choices.WELL)]
)
def test_help_is_no_complaint(words: list[str], code: int, type_in: Type) -> None:
    ended, said = type_in(*words)
    assert ended == code
    assert "Usage: " in said
    assert "error" not in said


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_question_that_nobody_answers_is_declined(type_in: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "read", lambda *_: None)
    monkeypatch.setattr(control, "command", lambda _, screen, *__: screen.confirm("Go on?"))
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    ended, said = type_in("pause")
    assert ended == choices.NOT_WELL
    assert "\nNothing was done.\n" in said
