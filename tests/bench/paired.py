"""What a run without changes costs beside programs of the same size: CPU as ratios, measured in pairs.

Each figure is a median of ratios of two runs that follow each other, so that a busy machine counts for both. CPU is
that of all processes but the tenants: the engine where it is the CLI, the program, the providers. azuread is the lab's
stand-in, a Python program: the real one takes less, and the ratios beside it are higher there.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.pulumi.installation import Installation
from tests.bench.counts import BESIDE, AzureadOnly, Ours, children_seconds, program

TIMES = 5
# What azuread alone has besides the people: the stack, the provider, the application.
AZUREAD_RESOURCES = 3


class TrivialDynamic(Ours):
    """As many dynamic resources, which do nothing."""

    folder = BESIDE

    def config(self, users: Sequence[str]) -> dict[str, Any]:
        return {"beside:nothings": len(users)}


class WithTwoProviders(AzureadOnly):
    """azuread alone beside a resource that does nothing in each of two Python providers: the least that a pair costs.

    Each is a process that imports Pulumi, whatever it does.
    """

    nothings = 2


@dataclass(frozen=True)
class Ratio:
    """A figure.

    Attributes:
        what: was measured.
        found: the median ratio.
        goal: the most that it is to be; None where there is no goal.
    """

    what: str
    found: float
    goal: float | None = None


def ratios(installation: Installation | None, times: int = TIMES) -> list[Ratio]:
    """A pair of one person beside azuread alone and beside dynamic resources that do nothing."""
    with program(Ours, 1, installation) as (ours, users):
        ours.run("up", users)
        resources = len(ours.engine(users).export()["deployment"]["resources"])
        many, found = resources - AZUREAD_RESOURCES, []

        def beside(kind: type[Ours], operation: str, count: int, what: str, goal: float | None = None) -> None:
            with program(kind, count, installation) as (other, names):
                if issubclass(kind, AzureadOnly):
                    other.run("up", [])
                other.run("up", names)
                ratio = paired(lambda: ours.run(operation, users), lambda: other.run(operation, names), times)
                found.append(Ratio(f"{operation} {what}", ratio, goal))

        beside(AzureadOnly, "preview", many, f"without changes / azuread alone with {resources} resources", 1.15)
        beside(WithTwoProviders, "preview", many - 4, "without changes / the same with two Python providers")
        beside(TrivialDynamic, "preview", resources, f"without changes / {resources} dynamic resources that do nothing")
        beside(AzureadOnly, "refresh", 1, "/ azuread's half of the pair", 1.4)
        beside(WithTwoProviders, "refresh", 1, "/ the same with two Python providers")
    return found


def paired(mine: Callable[[], Any], other: Callable[[], Any], times: int) -> float:
    """The median of the ratios of CPU, after a first pair that compiles."""
    return statistics.median([seconds_of(mine) / seconds_of(other) for _ in range(1 + times)][1:])


def seconds_of(run: Callable[[], Any]) -> float:
    """The CPU of the processes that a run starts."""
    before = children_seconds()
    run()
    return children_seconds() - before


def start_up(times: int = TIMES) -> list[Ratio]:
    """What passes before the program starts: Pulumi's official language host asks pip two things first.

    Where that host is not installed, its questions are asked here, of the environment that it would ask.
    """
    official = shutil.which("pulumi-language-python") is not None
    asked = "the official host asks" if official else "the official host, which is not installed here, would ask"
    start = runs("-c", "pass")
    return [
        Ratio(f"pip {words} ({asked}) / Python's start", paired(runs("-m", "pip", words), start, times))
        for words in ("--version", "list")
    ]


def runs(*words: str) -> Callable[[], Any]:
    """A run of Python in the environment."""
    return lambda: subprocess.run([sys.executable, *words], capture_output=True, check=True)
