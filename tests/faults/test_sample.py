"""A sample of `make faults` that fits the time of `make test`: the calls where going wrong is worst."""

from __future__ import annotations

import pytest

from lab import world
from tests.faults.harness import Cell, Ground, KillPoint, converges, ground, try_cell, try_kill_point
from tests.patience import PATIENCE_SECONDS, wait_until

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


@pytest.mark.parametrize("then", ["up", "destroy"])
def test_what_kills_leave_behind_while_azuread_waits_for_the_application_is_removed(then: str) -> None:
    """azuread has a new id in its memory only, for the twenty seconds in which it looks at the application."""
    with ground() as place:
        for _ in range(2):
            since = len(place.entra.traffic)
            process = place.start("up", LAB_AZUREAD_SECOND=str(PATIENCE_SECONDS))
            looks = wait_until(lambda since=since: looked_at_an_application(place, since))
            process.kill()
            process.wait(PATIENCE_SECONDS)
            assert looks
        applications = place.entra.tenants[world.SOURCE_TENANT].applications
        left = set(applications.applications)
        assert len(left) == 2
        result = place.run(then)
        assert result.exit_code == 0
        said = "\n".join(d.message for d in result.diagnostics)
        assert all(f"removed another configuration application of this name: {twin}" in said for twin in left)
        assert left <= set(applications.deleted_applications)
        assert converges(place, then) == ""


def looked_at_an_application(place: Ground, since: int) -> bool:
    asked = [call for call in place.entra.traffic[since:] if call.client == "azuread"]
    return any(call.method == "GET" and call.path.startswith("/applications/") for call in asked)
