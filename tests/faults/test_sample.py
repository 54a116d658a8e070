"""A sample of `make faults` that fits the time of `make test`: the calls where going wrong is worst."""

from __future__ import annotations

import pytest

from tests.faults.harness import Cell, KillPoint, try_cell, try_kill_point

KILLS = [
    KillPoint("up", 15, "after", "engine", "up"),
    KillPoint("up", 19, "after", "provider", "up"),
    KillPoint("update", 14, "after", "engine", "destroy"),
    KillPoint("destroy", 10, "before", "provider", "destroy"),
]
CELLS = [
    Cell("connection reset after effect", "create partner", "up"),
    Cell("504 after effect", "create job", "up"),
    Cell("empty answer after effect", "create job", "up"),
    Cell("403 for good", "create identity sync", "up"),
    Cell("HTML instead of JSON", "read partner", "preview"),
    Cell("503 before effect", "delete partner", "destroy"),
]


@pytest.mark.parametrize("point", KILLS, ids=str)
def test_a_killed_run_converges(point: KillPoint) -> None:
    assert try_kill_point(point) == ""


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_fault_is_absorbed_or_explained(cell: Cell) -> None:
    assert try_cell(cell) == ""
