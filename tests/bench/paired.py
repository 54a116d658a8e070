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
from pathlib import Path
from typing import Any

from lab.pulumi.installation import Installation
from tests.bench.counts import AzureadOnly, Ours, children_seconds, program

TIMES = 5
TRIVIAL = Path(__file__).with_name("trivial_dynamic")
# What azuread alone has besides the people: the stack, the provider, the application.
AZUREAD_RESOURCES = 3


class TrivialDynamic(Ours):
    """As many dynamic resources, which do nothing."""

    folder = TRIVIAL

    def config(self, users: Sequence[str]) -> dict[str, Any]:
        return {"trivial-dynamic:count": len(users)}


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
        many = resources - AZUREAD_RESOURCES
        found = []
        with program(AzureadOnly, many, installation) as (alone, others):
            alone.run("up", [])
            alone.run("up", others)
            preview = paired(lambda: ours.run("preview", users), lambda: alone.run("preview", others), times)
            found.append(Ratio(f"preview without changes / azuread alone with {resources} resources", preview, 1.15))
        with program(AzureadOnly, 1, installation) as (alone, others):
            alone.run("up", [])
            alone.run("up", others)
            refresh = paired(lambda: ours.run("refresh", users), lambda: alone.run("refresh", others), times)
            found.append(Ratio("refresh / azuread's half of the pair", refresh, 1.4))
        with program(TrivialDynamic, resources, installation) as (trivial, names):
            trivial.run("up", names)
            preview = paired(lambda: ours.run("preview", users), lambda: trivial.run("preview", names), times)
            found.append(Ratio(f"preview without changes / {resources} dynamic resources that do nothing", preview))
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
