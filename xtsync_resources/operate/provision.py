"""`xtsync provision`: provision people now, and show what came of it step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..graph.pace import Pace
from ..on_demand.operations import FAILURE, SKIPPED, Step, Verdict, provision
from . import people
from .screen import Line, Rows, line
from .status import read_job

if TYPE_CHECKING:
    from .screen import Screen
    from .stack import Stack

COLOURS = {FAILURE: "red", SKIPPED: "yellow"}


def heading(name: str, verdict: Verdict) -> Line:
    """One person's verdict in a line."""
    colour = "green" if verdict.good else COLOURS.get(verdict.result, "yellow")
    return line(f"{name}  ", (str(verdict), colour))


def steps_table(verdict: Verdict) -> Rows:
    """What was done on the way."""
    table = Rows(padding=(0, 2, 0, 2))
    for step in verdict.steps:
        why = ": ".join(part for part in (step.code, step.reason) if part and part != "None")
        table.add(step.name, step.status, why)
    return table


@dataclass(frozen=True)
class Provisioned:
    """What came of provisioning one person, for machines.

    Attributes:
        user: as typed.
        object_id: in the source.
        good: whether the person is in the target as they should be.
        remedy: what to do about it; "" where nothing is known.
        result: `Success`, `Skipped`, `Warning`, `Failure`, or `Unknown` for an answer that does not say.
        code: Graph's code for it, such as `RedundantExport`; "" where there is none.
        reason: why, in Graph's words.
        steps: what was done on the way.
    """

    user: str
    object_id: str
    good: bool
    remedy: str
    result: str
    code: str
    reason: str
    steps: Sequence[Step]


def as_document(name: str, user: str, verdict: Verdict) -> Provisioned:
    """One person's verdict for machines."""
    return Provisioned(name, user, verdict.good, verdict.remedy, **vars(verdict))


def command(stack: Stack, screen: Screen, names: list[str]) -> int:
    """Provision them one after the other; 0 if all of them are in the target as they should be."""
    operation = stack.operation("source")
    read_job(operation, stack)
    by_id = {object_id: name for name, object_id in people.find(operation, names).items()}
    documents, good = [], True
    pace = Pace(operation.client.clock)
    for user, verdict in provision(operation, stack.service_principal, stack.job, by_id, pace):
        good = good and verdict.good
        documents.append(as_document(by_id[user], user, verdict))
        if not screen.as_json:
            screen.print(heading(by_id[user], verdict), steps_table(verdict))
            if verdict.remedy:
                screen.print(f"  Do: {verdict.remedy}")
    if screen.as_json:
        screen.json(documents)
    return 0 if good else 1
