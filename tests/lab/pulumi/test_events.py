"""How the event log of the CLI is read: what begins, ends, fails, and what a refresh found."""

from __future__ import annotations

from typing import Any

from lab.pulumi.events import read

STACK = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def step(kind: str, op: str, name: str = "a", type_: str = "t", **more: Any) -> dict[str, Any]:
    urn = STACK if name == "stack" else f"urn:pulumi:dev::p::{type_}::{name}"
    metadata = {"op": op, "urn": urn, "type": type_, "old": None, "new": {"urn": urn, "type": type_}, **more}
    return {kind: {"metadata": metadata}}


def test_steps_end_as_they_ended_and_in_their_order() -> None:
    log = read(
        [
            step("resourcePreEvent", "create", "a"),
            step("resourcePreEvent", "create", "b"),
            step("resOpFailedEvent", "create", "b"),
            step("resOutputsEvent", "create", "a", new={"urn": "u", "id": "1", "outputs": {"x": SECRET, "y": UNKNOWN}}),
        ]
    )
    assert [(one.name, one.outcome, one.id) for one in log.steps] == [("a", "done", "1"), ("b", "failed", "")]
    assert log.steps[0].outputs == {"x": "[secret]", "y": "[unknown]"}


def test_a_refresh_ends_as_what_it_found() -> None:
    changed: dict[str, Any] = {"detailedDiff": {"x": {"diffKind": "update"}}}
    log = read(
        [
            *(step("resourcePreEvent", "refresh", name) for name in "abcd"),
            step("resOutputsEvent", "refresh", "a", **changed),
            step("resOutputsEvent", "refresh", "b"),
            step("resOutputsEvent", "refresh", "c", new=None),
            step("resOutputsEvent", "update", "d"),
        ]
    )
    assert {one.name: one.result for one in log.steps} == {"a": "update", "b": "same", "c": "delete", "d": "update"}
    assert {one.op for one in log.steps} == {"refresh"}


def test_outputs_counts_and_messages_without_colours() -> None:
    log = read(
        [
            step("resourcePreEvent", "same", "stack", "pulumi:pulumi:Stack"),
            step("resOutputsEvent", "same", "stack", "pulumi:pulumi:Stack", new={"urn": STACK, "outputs": {"k": "v"}}),
            {"diagnosticEvent": {"severity": "debug", "message": "noise"}},
            {"diagnosticEvent": {"severity": "info#err", "message": "<{%fg 1%}>text<{%reset%}>\n", "urn": STACK}},
            {"summaryEvent": {"resourceChanges": {"same": 1, "create": 0}}},
        ]
    )
    assert log.outputs == {"k": "v"}
    assert log.summary == {"same": 1}
    assert [(one.severity, one.message, one.urn) for one in log.diagnostics] == [("info", "text", STACK)]
