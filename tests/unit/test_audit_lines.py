"""What a line of the audit says of a change."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.graph_fakes import SOURCE, SettableClock
from xtsync_resources.graph.audit import Audit, Outcome, changed, changes_of, leaves
from xtsync_resources.graph.call import Call
from xtsync_resources.graph.errors import ConfigurationError
from xtsync_resources.graph.sign_in import SignIn
from xtsync_resources.graph.transport import Response
from xtsync_resources.sync_secrets.calls import put_secrets

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
CASES: list[tuple[str, Any, Any, list[dict[str, Any]]]] = [
    ("PATCH", {"a": {"b": True, "c": 1}}, {"a": {"b": False}}, [{"field": "a.b", "old": True, "new": False}]),
    ("PATCH", None, {"a": 1}, [{"field": "a", "new": 1}]),
    ("PATCH", {"a": None}, {"a": 1}, [{"field": "a", "old": None, "new": 1}]),
    ("PATCH", {"a": 1}, {"a": 1}, []),
    ("PUT", {"a": 1, "b": 2}, {"a": 1}, [{"field": "b", "old": 2}]),
    ("DELETE", {"principalDisplayName": "Ann"}, None, [{"field": "principalDisplayName", "old": "Ann"}]),
    (
        "PUT",
        {"value": [{"key": "x", "value": "1"}, {"key": "y", "value": "2"}]},
        {"value": [{"key": "y", "value": "3"}]},
        [{"field": "value[y].value", "old": "2", "new": "3"}, {"field": "value[x].value", "old": "1"}],
    ),
    ("PUT", {"v": '{"n": 1}'}, {"v": '{"n": 2}'}, [{"field": "v.n", "old": 1, "new": 2}]),
    ("PATCH", {"@odata.context": "x"}, {"a": 1}, [{"field": "a", "new": 1}]),
]


@pytest.mark.parametrize(("method", "before", "after", "expected"), CASES)
def test_changes(method: str, before: Any, after: Any, expected: list[dict[str, Any]]) -> None:
    assert list(changed(method, before, after)) == expected


@given(VALUES)
@example([{"": None, ".": None}])
def test_what_is_written_as_it_was_changes_nothing(value: Any) -> None:
    assert list(changed("PUT", value, value)) == []
    assert all(path for path, _ in leaves(value))


def audit(path: Path) -> Audit:
    return Audit(str(path), SignIn(SOURCE, "cli"), SettableClock(), lambda: {"stack": "dev"})


def record(found: Audit, call: Call, document: dict[str, Any] | None = None) -> None:
    with found.of_call(call) as outcome:
        outcome.document, outcome.response = document or {}, Response(204, {"request-id": "r"}, b"")


def only(path: Path) -> dict[str, Any]:
    """What a file says of its one write."""
    first, second = map(json.loads, path.read_text().splitlines())
    assert first["write"] == second["write"]
    assert "status" not in first
    return {**first, **second}


@given(st.text(), st.text())
def test_one_line_whatever_a_tenant_says(tmp_path_factory: pytest.TempPathFactory, key: str, text: str) -> None:
    path = tmp_path_factory.mktemp("audit") / "a.jsonl"
    record(audit(path), put_secrets("sp", {key: text}))
    assert path.read_text().isascii()
    said = only(path)
    assert said["stack"] == "dev"
    assert datetime.fromisoformat(said["time"]).tzinfo == UTC


def test_a_secret_setting_is_not_shown(tmp_path: Path) -> None:
    record(audit(tmp_path / "a"), put_secrets("sp", {"SecretToken": "canary", "SyncAll": "false"}))
    text = (tmp_path / "a").read_text()
    assert "canary" not in text
    assert "value[SyncAll].value" in text


def test_a_write_without_an_answer_is_recorded_as_such(tmp_path: Path) -> None:
    found = audit(tmp_path / "a")
    with pytest.raises(TimeoutError), found.of_call(put_secrets("sp", {"SyncAll": "false"})):
        raise TimeoutError
    assert only(tmp_path / "a")["status"] is None


def test_a_call_that_cannot_be_recorded_is_not_made(tmp_path: Path) -> None:
    made = []
    with (
        pytest.raises(ConfigurationError, match="XTSYNC_AUDIT"),
        audit(tmp_path / "missing" / "a").of_call(put_secrets("sp", {})),
    ):
        made.append(Outcome())
    assert made == []


def test_a_line_that_was_cut_off_is_ended_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text('{"time": "2026')
    record(audit(path), put_secrets("sp", {"SyncAll": "false"}))
    assert path.read_text().splitlines()[0] == '{"time": "2026'
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("kind", ["symbolic link", "pipe", "folder"])
def test_only_a_regular_file_is_written(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    if kind == "symbolic link":
        (tmp_path / "victim").write_text("")
        path.symlink_to(tmp_path / "victim")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(ConfigurationError, match="XTSYNC_AUDIT"):
        audit(path).check()


def full(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_a_full_disk_after_the_write_hides_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = audit(tmp_path / "a")
    with suppress(TimeoutError), found.of_call(put_secrets("sp", {"SyncAll": "false"})):
        monkeypatch.setattr(os, "write", full)
        raise TimeoutError
    assert len((tmp_path / "a").read_text().splitlines()) == 1
    made: list[int] = []
    with pytest.raises(ConfigurationError, match="No space left"), found.of_call(put_secrets("sp", {})):
        made.append(1)
    assert made == []


def test_what_is_nested_too_deep_stops_nothing(tmp_path: Path) -> None:
    text = "x"
    for _ in range(12):
        text = json.dumps({"a": text})
    record(audit(tmp_path / "a"), put_secrets("sp", {"SyncAll": text}))
    assert only(tmp_path / "a")["status"] == 204


def test_secrets_are_compared_and_not_shown() -> None:
    before, after = ({"value": [{"key": "SecretToken", "value": one}]} for one in ("canary 1", "canary 2"))
    assert changes_of("PUT", before, after) == [{"field": "value[SecretToken].value", "old": "***", "new": "***"}]


MORE: list[tuple[Any, Any, list[str]]] = [
    ([{"name": "g", "v": 1}, {"name": "g", "v": 2}], [{"name": "g", "v": 9}, {"name": "g", "v": 2}], ["x[g].v"]),
    ([{"id": "a"}], [{"id": "a"}, {"id": "b"}], ["x[b]"]),
    ({"b": True}, None, ["x.b"]),
    ({"b": True}, {}, ["x", "x.b"]),
]


@pytest.mark.parametrize(("before", "after", "fields"), MORE)
def test_no_change_is_overlooked(before: Any, after: Any, fields: list[str]) -> None:
    assert [one["field"] for one in changes_of("PUT", {"x": before}, {"x": after})][: len(fields)] == fields
