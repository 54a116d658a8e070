"""`make faults`: every fault at every call of every command, and a kill -9 at every call; prints the tables."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.faults.harness import (
    COMMANDS,
    TOLD,
    Cell,
    KillPoint,
    calls_of,
    calls_seen,
    cells,
    kill_points,
    try_cell,
    try_kill_point,
)

console = Console(highlight=False)


def run_all(work: list[Any], attempt: Any, title: str) -> dict[Any, str]:
    """Try everything on two processors; gives what went wrong with each."""
    with ProcessPoolExecutor(2) as pool:
        futures = [pool.submit(attempt, case) for case in work]
        found = {}
        for case, future in zip(work, track(futures, title, console=console), strict=True):
            error = future.exception()
            found[case] = future.result() if error is None else f"could not be tried: {error!r}"
        return found


def fault_table(results: dict[Cell, str]) -> None:
    table = Table(title="Faults: cells that ended well or in one clear message, and converged", title_justify="left")
    table.add_column("fault")
    for command in COMMANDS:
        table.add_column(command, justify="right")
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for cell, wrong in results.items():
        counts[cell.fault][cell.command]["all"] += 1
        counts[cell.fault][cell.command]["good"] += not wrong
    for fault, by_command in counts.items():
        table.add_row(fault, *(f"{by_command[c]['good']}/{by_command[c]['all']}" for c in COMMANDS))
    console.print(table)


def kill_table(results: dict[KillPoint, str]) -> None:
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


def main() -> int:
    what = set(sys.argv[1:]) or {"faults", "kills"}
    wrong: dict[Any, str] = {}
    if "kills" in what:
        points = kill_points({command: calls_of(command) for command in ("up", "update", "destroy")})
        killed = run_all(points, try_kill_point, "kill points")
        kill_table(killed)
        wrong |= {point: text for point, text in killed.items() if text and not text.startswith(TOLD)}
    if "faults" in what:
        all_cells = cells({command: calls_seen(command) for command in COMMANDS})
        done = run_all(all_cells, try_cell, "fault cells")
        fault_table(done)
        wrong |= {cell: text for cell, text in done.items() if text}
    for case, text in wrong.items():
        console.print(f"[red]{case}[/]: {text}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
