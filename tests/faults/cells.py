"""Faults at every Graph call of a command: absorbed, or explained in one message, and what follows converges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.engine import Result
from lab.engine.model import Diagnostic
from lab.entra import Exchange
from lab.pulumi.installation import Installation
from tests.faults.graph_calls import GraphCall, counted
from tests.faults.ground import DIFFERENT, TOLD, converges, ground, prepare, told

COMMANDS = ("preview", "up", "update", "refresh", "destroy")
REFUSED = "403 for good"
THROTTLED: Mapping[str, Any] = {"status": 429, "code": "TooManyRequests"}
FAULTS: Mapping[str, Mapping[str, Any]] = {
    "429 with Retry-After 1": {**THROTTLED, "headers": {"Retry-After": "1"}},
    "429 with Retry-After 0": {**THROTTLED, "headers": {"Retry-After": "0"}},
    "429 without Retry-After": {**THROTTLED, "times": 2},
    "429 with Retry-After 315": {**THROTTLED, "headers": {"Retry-After": "315"}},
    "500": {"status": 500, "code": "UnknownError"},
    "503 before effect": {"status": 503},
    "504 after effect": {"status": 504, "code": "UnknownError", "when": "after"},
    "connection reset before effect": {"kind": "reset"},
    "connection reset after effect": {"kind": "reset", "when": "after"},
    "body cut off": {"kind": "truncate"},
    "HTML instead of JSON": {"kind": "html", "when": "after"},
    "empty answer after effect": {"kind": "empty", "when": "after"},
    "answer without properties after effect": {"kind": "hollow", "when": "after"},
    "409 Directory_ConcurrencyViolation": {"status": 409, "code": "Directory_ConcurrencyViolation"},
    "401 InvalidAuthenticationToken": {"status": 401, "code": "InvalidAuthenticationToken"},
    REFUSED: {"status": 403, "code": "Authorization_RequestDenied", "times": 1000},
    "400 unknown": {"status": 400, "code": "Request_BadRequest", "message": "Something is wrong."},
}
# What a call that failed is told by, and what names that nobody could look up are.
CLEAR = (("Failed to", "Why:", "tenant"), ("nothing was changed", "lookup in", "tenant"))


@dataclass(frozen=True)
class Cell:
    """One fault at one call of one command."""

    fault: str
    call: GraphCall
    command: str


def cases(made: Mapping[str, Iterable[Exchange]]) -> list[Cell]:
    """All that can occur."""
    calls = [(command, call) for command, exchanges in made.items() for call in counted(exchanges)]
    return [Cell(fault, call, command) for command, call in calls for fault in FAULTS]


def essential(table: Iterable[Cell]) -> list[Cell]:
    """Those of the real engine: every fault at one call of each kind, by client, method and whether it is a batch."""
    kinds: dict[tuple[str, str, str, bool], Cell] = {}
    for cell in table:
        call, batch = cell.call, cell.call.path if cell.call.path.endswith("$batch") else ""
        if cell.command != "preview":
            kinds.setdefault((cell.fault, call.client, call.method + batch, call.in_batch), cell)
    return list(kinds.values())


def try_cell(cell: Cell, installation: Installation | None = None) -> str:
    """Run the command under the fault. "" if it ended well or in one clear message, and all converges after."""
    with ground(installation) as place:
        prepare(place, cell.command)
        place.entra.faults.add(cell.call.fault(**FAULTS[cell.fault]))
        result = place.run(cell.command)
        place.entra.faults.clear()
        wrong = unclear(result)
        outcome = converges(place, "destroy" if cell.command == "destroy" else "up")
        # What a run may not see, it leaves and says so: then, or at the end.
        said = (told(result) and outcome.startswith(DIFFERENT)) or (cell.fault == REFUSED and outcome.startswith(TOLD))
        return wrong or ("" if said else outcome)


def unclear(result: Result) -> str:
    """What is wrong with how a failed command speaks; "" if nothing. What azuread itself says is azuread's."""
    if result.exit_code == 0:
        return ""
    complaints = [d for d in result.diagnostics if d.severity == "error" and not is_summary(d)]
    ours = [d for d in complaints if "azuread:" not in d.urn]
    if not complaints or len({d.urn for d in ours}) != len(ours):
        return f"not one message a resource: {[d.message for d in complaints]}"[:600]
    for text in (d.message for d in complaints):
        if "Traceback" in text or text.startswith("xtsync_resources"):
            return f"a traceback: {text}"[:600]
    for text in (d.message for d in ours):
        if not any(all(part in text for part in parts) for parts in CLEAR):
            return f"unclear message: {text}"[:600]
    return ""


def is_summary(told: Diagnostic) -> bool:
    """Whether this is the CLI's last word after what went wrong has been said."""
    return told.message in ("preview failed", "update failed", "refresh failed", "destroy failed")
