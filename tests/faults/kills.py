"""Kill points: kill -9 at every Graph call of a command, and whether what follows converges."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.entra import Exchange
from lab.pulumi.installation import Installation
from tests.faults.graph_calls import GraphCall, counted
from tests.faults.ground import converges, ground, prepare
from tests.patience import PATIENCE_SECONDS, wait_until

COMMANDS = ("up", "update", "destroy")
DYNAMIC = "pulumi.dynamic"
PROVIDERS = (DYNAMIC, "lab.azuread", "pulumi-resource-azuread")
# A process of ours needs some three seconds to notice that its engine is gone; azuread first ends its call.
NOTICE_SECONDS, END_SECONDS = 6.0, 60.0

Moment = Literal["before", "after"]


@dataclass(frozen=True)
class KillPoint:
    """Kill -9 of a victim at the n-th time a command makes a call, before that has effect or after it had."""

    command: str
    call: GraphCall
    number: int
    when: Moment
    victim: str
    then: str


def moments(call: GraphCall) -> tuple[Moment, ...]:
    return ("after",) if call.reads else ("before", "after")


def cases(made: Mapping[str, Iterable[Exchange]]) -> list[KillPoint]:
    """All of them: what has no effect is the same before and after, and a part of a batch is answered with it."""
    return [
        KillPoint(command, call, number, when, victim, then)
        for command, exchanges in made.items()
        for call, count in counted(exchanges).items()
        if not call.in_batch
        for number in range(count)
        for when in moments(call)
        for victim in ("engine", "provider")
        for then in ("up", "destroy")
        if (command, then) != ("destroy", "up") or victim == "engine"
    ]


def essential(points: Iterable[KillPoint]) -> list[KillPoint]:
    """Those of the real engine: every kill of `up` and `destroy`, and then the same command again."""
    return [p for p in points if p.victim == "engine" and p.command == p.then]


def try_kill_point(point: KillPoint, installation: Installation | None = None) -> str:
    """Kill, go on, look. "" if it converged, else what is wrong."""
    with ground(installation) as place:
        prepare(place, point.command)
        place.entra.faults.add(point.call.fault(kind="hold", when=point.when, skip=point.number))
        process = place.start(point.command)
        try:
            wait_until(lambda: not place.entra.faults.pending or process.poll() is not None)
            if place.entra.faults.pending:
                return "" if process.poll() == 0 else "the call was not reached"
            children = descendants(process.pid)
            victims = [process.pid] if point.victim == "engine" else [i for i in children if is_provider(i)]
            for process_id in victims:
                kill(process_id)
            if point.victim == "engine":
                wait_until(lambda: not any(map(lives, children)), NOTICE_SECONDS)
        finally:
            place.entra.faults.release()
            if point.victim == "engine":
                process.kill()
            process.wait(PATIENCE_SECONDS)
        if stay := ended(children):
            return f"processes do not end: {stay}"
        if point.victim == "engine":
            place.unlock()
        # The state has what a `destroy` was just deleting, so `up` takes a refresh then, and says so.
        return converges(place, point.then, refresh=point.command == "destroy")


# --- processes ---------------------------------------------------------------------------------------------


def ended(processes: Iterable[int]) -> list[str]:
    """Wait until what a killed command has started is gone; what does not end by itself.

    A provider process that has not loaded our code yet stays, idle, until somebody ends it, as docs/security.md says.
    """
    idle = [process_id for process_id in processes if DYNAMIC in command_of(process_id)]
    others = [process_id for process_id in processes if process_id not in idle]
    wait_until(lambda: not any(map(lives, others)), END_SECONDS)
    for process_id in idle:
        kill(process_id)
    return [command_of(process_id) for process_id in others if lives(process_id)]


def descendants(process_id: int) -> list[int]:
    """Ids of all that a process has started, and of what those have."""
    tasks = Path(f"/proc/{process_id}/task").glob("*")
    children = [int(child) for task in tasks for child in contents(task / "children").split()]
    return [one for child in children for one in (child, *descendants(child))]


def is_provider(process_id: int) -> bool:
    return any(name in command_of(process_id) for name in PROVIDERS)


def command_of(process_id: int) -> str:
    return contents(Path(f"/proc/{process_id}/cmdline")).replace("\0", " ")


def lives(process_id: int) -> bool:
    """Whether a process is there and not only waiting to be buried."""
    said = contents(Path(f"/proc/{process_id}/stat")).rpartition(")")[2].split()
    return bool(said) and said[0] != "Z"


def kill(process_id: int) -> None:
    with suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(process_id, signal.SIGKILL)


def contents(path: Path) -> str:
    """What the system says of a process or thread; "" if it has just ended."""
    try:
        return path.read_text()
    except OSError:
        return ""
