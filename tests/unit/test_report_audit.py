"""What `xtsync report --audit FILE` shows of a file, and what it says of one that is none."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.graph_fakes import SOURCE, SettableClock
from xtsync_resources.graph.audit import Audit, Outcome
from xtsync_resources.graph.errors import ConfigurationError
from xtsync_resources.graph.sign_in import SignIn
from xtsync_resources.graph.transport import Response
from xtsync_resources.operate.report.audit import LONGEST_LINE, WRITES, change_in_words, last_writes
from xtsync_resources.operate.report.words import write_extent
from xtsync_resources.sync_secrets.calls import put_secrets

LINE: dict[str, Any] = {
    "time": "2026-11-23T12:00:00.000Z",
    "write": "w",
    "stack": "dev",
    "tenant": {"side": "source", "name": "Contoso", "id": "t"},
    "action": "save the settings",
    "method": "PUT",
    "object": "/servicePrincipals/x",
    "changes": [{"field": "a.b", "old": True, "new": "x → y"}],
}


def answer(write: str = "w", status: int | None = 204, request_id: str = "r-1") -> dict[str, Any]:
    return {"time": "2026-11-23T12:00:01.000Z", "write": write, "status": status, "requestId": request_id}


def file(path: Path, *lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_the_last_writes_of_this_stack_newest_first(tmp_path: Path) -> None:
    mine = [{**LINE, "time": f"2026-11-23T12:{number:02}:00Z", "write": str(number)} for number in range(60)]
    answers = [answer(str(number), request_id=str(number)) for number in range(60)]
    others = [{**LINE, "stack": "other"}, {key: value for key, value in LINE.items() if key != "stack"}]
    # Two processes have appended: the newest is the first line.
    found = last_writes(file(tmp_path / "a", mine[-1], *others, *mine[:-1], *answers, others[0]), {"dev", "none"})
    assert [write.request_id for write in found["dev"].newest] == [str(number) for number in range(59, 59 - WRITES, -1)]
    assert found["dev"].total == 60
    assert (found["none"].total, found["none"].newest) == (0, ())
    assert found.keys() == {"dev", "none"}


def test_what_a_write_says(tmp_path: Path) -> None:
    unknown = {**LINE, "write": "killed", "changes": []}
    many = {
        **LINE,
        "write": "many",
        "changes": [{"field": str(number), "new": 1} for number in range(25)],
        "furtherChanges": 7,
    }
    path = file(tmp_path / "a", LINE, answer(), unknown, many)
    (crowded, bare, full) = last_writes(path, {"dev"})["dev"].newest
    assert (full.tenant, full.action, full.object) == (
        "Contoso (source)",
        "save the settings",
        "PUT /servicePrincipals/x",
    )
    assert (full.changes, full.status, full.request_id) == (('a.b: true → "x → y"',), "204", "r-1")
    assert (bare.changes, bare.status, bare.request_id) == ((), "not known", "")
    assert (len(crowded.changes), crowded.changes[-1]) == (21, "and 12 more")


def test_what_a_change_says() -> None:
    assert change_in_words({"field": "a", "new": None}) == "a: → null"
    assert change_in_words({"field": "a", "old": "Ann"}) == 'a: "Ann" → (gone)'
    assert change_in_words({"field": "a", "new": "x" * 400}).endswith("x… (402 characters)")


def test_what_the_program_records_is_read(tmp_path: Path) -> None:
    audit = Audit(str(tmp_path / "a"), SignIn(SOURCE, "cli"), SettableClock(), lambda: {"stack": "dev"})
    with audit.of_call(put_secrets("sp", {"SyncAll": "false"})) as outcome:
        assert isinstance(outcome, Outcome)
        outcome.document, outcome.response = {}, Response(204, {"request-id": "r"}, b"")
    (write,) = last_writes(tmp_path / "a", {"dev"})["dev"].newest
    assert (write.status, write.request_id) == ("204", "r")
    assert 'value[SyncAll].value: → "false"' in write.changes


def test_a_file_before_the_first_write_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert last_writes(tmp_path / "a", {"dev"})["dev"].total == 0


@pytest.mark.parametrize("length", [1, 9, 20, 60, 200, -9, -1])
def test_a_line_that_a_crash_has_cut_off_is_told_and_fails_nothing(length: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(json.dumps(LINE).encode() + b"\n" + json.dumps({**LINE, "write": "torn"}).encode()[:length])
    found = last_writes(path, {"dev"})["dev"]
    assert (found.total, found.torn) == (1, 1)
    assert "1 line of the file is cut off" in write_extent(found)
    audit = Audit(str(path), SignIn(SOURCE, "cli"), SettableClock(), lambda: {"stack": "dev"})
    audit.answer(audit.announce(put_secrets("sp", {})), 204)
    after = last_writes(path, {"dev"})["dev"]
    assert (after.total, after.torn) == (2, 1), "the next write stands in a line of its own"


BAD: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"2026 somebody did something\n", "line 2 is no JSON"),
    "mended badly": (json.dumps(LINE).replace('"write"', "write").encode() + b"\n", "line 2 is no JSON"),
    "an empty line": (b"\n", "line 2 is no JSON"),
    "no text": (b"\xff\xfe\n", "line 2 is no JSON"),
    "a list": (b"[]\n", "line 2 is no line of the audit: it should be an object"),
    "a member is missing": (b'{"time": "2026-11-23T12:00:00Z"}\n', "line 2 is no line of the audit: it has no"),
    "of another stack": (json.dumps({**LINE, "stack": "other", "changes": 1}).encode(), "it.changes should be a list"),
    "a change": (json.dumps({**LINE, "changes": [{"old": 1}]}).encode(), "it.changes[0] has no field"),
    "no time": (json.dumps({**LINE, "time": "today"}).encode(), "its time is none"),
    "deep": (b"[" * 100_000 + b"\n", "line 2 is no line of the audit: it is nested"),
    "half a character": (json.dumps({**LINE, "action": "\ud800"}).encode(), "a lone surrogate"),
    "long": (b" " * (LONGEST_LINE + 1), "it has a line of more than 4096 KiB: line 2"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_line_that_is_none_is_one_message(name: str, tmp_path: Path) -> None:
    raw, why = BAD[name]
    (tmp_path / "a").write_bytes(json.dumps(LINE).encode() + b"\n" + raw)
    with pytest.raises(ConfigurationError) as caught:
        last_writes(tmp_path / "a", {"dev"})
    assert caught.value.what == f"Cannot show the writes of {tmp_path / 'a'}"
    assert why in caught.value.why
    assert "--audit" in caught.value.do


def test_a_file_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    for path, why in (
        (tmp_path / "none", "it cannot be read (No such file or directory)"),
        (tmp_path, "it is a folder"),
        (Path("/dev/zero"), "it is not a regular file"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            last_writes(path, {"dev"})
        assert caught.value.why == why


@given(st.binary(max_size=200))
def test_whatever_is_in_it_there_is_no_traceback(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("audit") / "a"
    path.write_bytes(content)
    with suppress(ConfigurationError):
        assert last_writes(path, {"dev"})["dev"].total == 0
