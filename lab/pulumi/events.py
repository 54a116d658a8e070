"""The event log of a Pulumi command -> what it did and what it said, as the lab's own engine tells it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lab.engine.model import Diagnostic, Step
from lab.engine.state import STACK_TYPE
from lab.engine.values import MASK, SECRET_SIGNATURE, SIGNATURE, UNKNOWN_TEXT

STEP_EVENTS = ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent")
DELETES = ("delete", "delete-replaced", "discard", "discard-replaced", "read-discard", "remove-pending-replace")
COLOUR = re.compile(r"<\{%.*?%\}>")
Event = Mapping[str, Any]


@dataclass
class Log:
    """What the events of one command amount to."""

    steps: list[Step] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    summary: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, Any] | None = None


def read(events: Iterable[Event]) -> Log:
    """Read a whole log, in its order."""
    log, waiting = Log(), {}  # type: Log, dict[tuple[str, str], list[int]]
    for number, event in enumerate(events):
        if "diagnosticEvent" in event and event["diagnosticEvent"]["severity"] != "debug":
            log.diagnostics.append(diagnostic(event["diagnosticEvent"]))
        elif "summaryEvent" in event:
            changes = event["summaryEvent"].get("resourceChanges") or {}
            log.summary = {op: count for op, count in changes.items() if count}
        for kind in STEP_EVENTS:
            if kind in event:
                note_step(log, waiting, kind, event[kind]["metadata"], number)
    log.steps = [step for step in log.steps if step.op != "replace"]
    return log


def note_step(log: Log, waiting: dict[tuple[str, str], list[int]], kind: str, told: Event, number: int) -> None:
    """A step begins, ends or fails."""
    key = (told["op"], told["urn"])
    if kind == "resourcePreEvent":
        waiting.setdefault(key, []).append(len(log.steps))
        log.steps.append(replace(step_of(told), outcome="started", started=number))
        return
    refreshed = ("refresh", told["urn"])
    if waiting.get(key):
        index = waiting[key].pop(0)
        result = ""
    elif waiting.get(refreshed):  # A refresh ends as what it found.
        index, result = waiting[refreshed].pop(0), told["op"]
        told = {**told, "op": "refresh"}
    else:  # RegisterResourceOutputs tells of a component once more, with its outputs.
        known = (i for i, step in enumerate(log.steps) if (step.op, step.urn) == key)
        index, result = next(known), ""
    if told["op"] == "refresh" and not result:
        result = found_by_refresh(told)
    outcome = "failed" if kind == "resOpFailedEvent" else "done"
    log.steps[index] = replace(
        step_of(told), outcome=outcome, result=result, started=log.steps[index].started, ended=number
    )
    if told["type"] == STACK_TYPE and told.get("new"):
        log.outputs = shown(told["new"].get("outputs") or {})


def found_by_refresh(told: Event) -> str:
    """What a refresh found of a resource."""
    if not (told.get("new") or {}).get("urn"):
        return "delete"
    return "update" if told.get("detailedDiff") or told.get("diffs") else "same"


def step_of(told: Event) -> Step:
    """A step as the engine describes it."""
    old, new = told.get("old") or {}, told.get("new") or {}
    state = old if told["op"] in DELETES or not new.get("urn") else new
    return Step(
        told["op"],
        told["urn"],
        told["type"],
        phase=0,
        id=state.get("id") or "",
        diffs=tuple(told.get("diffs") or ()),
        detailed_diff=told.get("detailedDiff") or {},
        keys=tuple(told.get("keys") or ()),
        inputs=shown(state.get("inputs") or {}),
        outputs=shown(state.get("outputs") or {}),
        old_inputs=shown(old.get("inputs") or {}),
    )


def diagnostic(told: Event) -> Diagnostic:
    """A message without its colours."""
    severity = told["severity"].removesuffix("#err")
    text = COLOUR.sub("", told["message"])
    return Diagnostic(severity, text.strip("\n"), told.get("urn") or "", ephemeral=bool(told.get("ephemeral")))


def shown(value: Any) -> Any:
    """A value as people see it: secrets are masked, what is not known yet says so."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return MASK
        return {key: shown(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shown(member) for member in value]
    return "[unknown]" if value == UNKNOWN_TEXT else value
