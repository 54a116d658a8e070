"""`make faults`: every fault at every call of every command, and a kill -9 at every call; prints the tables.

On the Pulumi CLI it is every kind of fault at one call of each kind, and every kill of `up` and of `destroy`.
Every result is written down as it comes: with `--resume` a run that was cut off goes on.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lab import engines
from lab.engine.processes import Children
from lab.entra import Exchange
from lab.pulumi.installation import Installation
from tests.faults import cells, kills
from tests.faults.cells import Cell, try_cell
from tests.faults.ground import TOLD, ground, prepare
from tests.faults.kills import KillPoint, try_kill_point
from tests.faults.results import Pace, Results
from tests.nursery import Nursery

console = Console(highlight=False)


def begin() -> None:
    """In each worker: the small engine forks the processes that nobody kills."""
    Children.start = Nursery().start_of_children()  # type: ignore[method-assign]


def timed(attempt: Callable[..., str], case: Any, installation: Installation | None) -> tuple[str, float]:
    began = time.monotonic()
    return attempt(case, installation), time.monotonic() - began


def say(text: str) -> None:
    console.print(escape(text), soft_wrap=True)


def run_all(
    title: str,
    work: Sequence[Any],
    attempt: Callable[..., str],
    installation: Installation | None,
    results: Results,
    jobs: int,
) -> dict[Any, str]:
    """Try everything that has not been tried yet; gives what went wrong with each."""
    due = [case for case in work if results.of(case) is None]
    say(f"{title}: {len(work)}, of which {len(work) - len(due)} are done")
    pace, broken = Pace(title, len(due)), {}
    with ProcessPoolExecutor(jobs, initializer=begin) as pool:
        futures = {pool.submit(timed, attempt, case, installation): case for case in due}
        try:
            for future in as_completed(futures):
                case, error = futures[future], future.exception()
                if error is None:
                    wrong, seconds = future.result()
                    results.add(case, wrong, seconds)
                else:
                    wrong = broken[case] = f"could not be tried: {error!r}"
                for text in filter(None, (wrong and f"{case}: {wrong}", pace.step(wrong))):
                    say(text)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return {case: broken.get(case) or results.of(case) or "" for case in work}


def fault_table(results: Mapping[Cell, str]) -> None:
    table = Table(title="Faults: cells that ended well or in one clear message, and converged", title_justify="left")
    table.add_column("fault")
    for command in cells.COMMANDS:
        table.add_column(command, justify="right")
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for cell, wrong in results.items():
        counts[cell.fault][cell.command]["all"] += 1
        counts[cell.fault][cell.command]["good"] += not wrong
    for fault, by_command in counts.items():
        table.add_row(fault, *(f"{by_command[c]['good']}/{by_command[c]['all']}" for c in cells.COMMANDS))
    console.print(table)


def kill_table(results: Mapping[KillPoint, str]) -> None:
    table = Table(title="Kill -9 at every Graph call, then up or destroy: converged", title_justify="left")
    for column in ("command", "victim", "then", "converged", "told what stays"):
        table.add_column(column)
    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for point, wrong in results.items():
        key = (point.command, point.victim, point.then)
        counts[key]["all"] += 1
        counts[key]["good"] += not wrong
        counts[key]["told"] += wrong.startswith(TOLD)
    for key, counted in counts.items():
        table.add_row(*key, f"{counted['good']}/{counted['all']}", str(counted["told"] or ""))
    console.print(table)


def calls_made(commands: Sequence[str]) -> dict[str, list[Exchange]]:
    """The calls of each command without faults: the same on both engines, and sooner known on the small one."""
    made = {}
    for command in commands:
        with ground() as place:
            prepare(place, command)
            made[command] = place.calls_of(command)
    return made


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", nargs="?", choices=("faults", "kills"), help="which table; both if none is named")
    parser.add_argument("--engine", choices=("lab", "pulumi"), default="lab", help="the small engine, or the CLI")
    parser.add_argument("--file", type=Path, help="where results go; .lab/faults-ENGINE.jsonl if not given")
    parser.add_argument("--resume", action="store_true", help="go on where the results in the file end")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="try only every N-th case")
    parser.add_argument("--jobs", "-j", type=int, default=2, help="how many at a time; 2 if not given")
    return parser.parse_args(given)


def main() -> int:
    given = arguments()
    what, installation = given.what, engines.installation(engines.Choice(given.engine))
    results = Results(given.file or Path(f".lab/faults-{given.engine}.jsonl"), given.engine, resume=given.resume)
    began = time.monotonic()

    def tried(title: str, table: Any, attempt: Callable[..., str]) -> dict[Any, str]:
        every = table.cases(calls_made(table.COMMANDS))
        work = every if installation is None else table.essential(every)
        return run_all(title, work[:: given.every], attempt, installation, results, given.jobs)

    wrong: dict[Any, str] = {}
    if what != "faults":
        killed = tried("kill points", kills, try_kill_point)
        kill_table(killed)
        wrong |= {point: text for point, text in killed.items() if text and not text.startswith(TOLD)}
    if what != "kills":
        done = tried("fault cells", cells, try_cell)
        fault_table(done)
        wrong |= {cell: text for cell, text in done.items() if text}
    for case, text in wrong.items():
        say(f"{case}: {text}")
    say(f"{len(wrong)} wrong, {(time.monotonic() - began) / 60:.0f} minutes")
    return 1 if wrong else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("cut off; --resume goes on")
