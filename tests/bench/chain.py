"""How much longer a fresh `up` takes than its calls that wait for each other: the time in which nobody calls.

azuread's part is not counted: its calls, and its pauses between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from lab.entra import Exchange, RunningClock
from lab.pulumi.installation import Installation
from tests.bench.counts import Ours, program

LATENCY = 0.12
Span = tuple[float, float]


def ratio(installation: Installation | None) -> float:
    """Seconds from our first call to the last answer, over those in which a call of ours is under way."""
    with program(Ours, 1, installation) as (warm, users):
        warm.run("up", users)  # the first run compiles
    with program(Ours, 1, installation) as (ours, users):
        ours.entra.settings = replace(ours.entra.settings, latency_seconds=LATENCY)
        ours.entra.clock = RunningClock()
        ours.run("up", users)
        return waiting(ours.entra.traffic, LATENCY)


def waiting(traffic: Sequence[Exchange], latency: float) -> float:
    """The ratio of some traffic, in which every answer takes so many seconds."""
    calls = [
        (datetime.fromisoformat(one.time).timestamp(), one.client == "azuread") for one in traffic if not one.in_batch
    ]
    ours = merged((at, at + latency) for at, azuread in calls if not azuread)
    # From a call of azuread to the next one, where nobody else has called in between, is azuread's time.
    pairs = pairwise(calls)
    azuread = merged((at, later if next_one else at + latency) for (at, one), (later, next_one) in pairs if one)
    both = length(ours) + length(azuread) - length(merged([*ours, *azuread]))
    whole = ours[-1][1] - ours[0][0]
    return (whole - (length(azuread) - both)) / length(ours)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans of time without overlaps."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def length(spans: Iterable[Span]) -> float:
    return sum(end - begin for begin, end in spans)
