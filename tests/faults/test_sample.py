"""A sample of `make faults` that fits the time of `make test`: the calls where going wrong is worst."""

from __future__ import annotations

from functools import partial

import pytest

from lab import world
from tests.faults.__main__ import arguments
from tests.faults.cells import Cell, try_cell
from tests.faults.graph_calls import OURS, GraphCall
from tests.faults.ground import Ground, converges, ground
from tests.faults.kills import KillPoint, try_kill_point
from tests.patience import PATIENCE_SECONDS, wait_until

PARTNERS, JOBS = "/policies/crossTenantAccessPolicy/partners", "/servicePrincipals/*/synchronization/jobs"
IDENTITY_SYNC = f"{PARTNERS}/*/identitySynchronization"
BATCH, PARTNER = GraphCall(OURS, "POST", "/$batch"), f"{PARTNERS}/*"
KILLS = [
    KillPoint("up", GraphCall(OURS, "POST", JOBS), 0, "after", "engine", "up"),
    KillPoint(
        "up", GraphCall("azuread", "POST", "/servicePrincipals/*/appRoleAssignedTo"), 1, "after", "provider", "up"
    ),
    KillPoint("update", BATCH, 0, "after", "engine", "destroy"),
    KillPoint("destroy", BATCH, 0, "before", "provider", "destroy"),
    KillPoint("destroy", GraphCall(OURS, "PATCH", PARTNER), 0, "after", "engine", "destroy"),
]
CELLS = [
    Cell("connection reset after effect", GraphCall(OURS, "POST", PARTNERS), "up"),
    Cell("504 after effect", GraphCall(OURS, "POST", JOBS), "up"),
    Cell("empty answer after effect", GraphCall(OURS, "POST", JOBS), "up"),
    Cell("403 for good", GraphCall(OURS, "PUT", IDENTITY_SYNC), "up"),
    Cell("HTML instead of JSON", GraphCall(OURS, "GET", PARTNER), "preview"),
    Cell("500", GraphCall(OURS, "DELETE", "/servicePrincipals/*/appRoleAssignedTo/*", in_batch=True), "update"),
    Cell("503 before effect", GraphCall(OURS, "DELETE", PARTNER), "destroy"),
    Cell("403 for good", GraphCall(OURS, "GET", f"{PARTNER}/m365Capabilities"), "destroy"),
    # What was there before cannot be told later.
    Cell("400 unknown", GraphCall(OURS, "GET", "/applications"), "up"),
    # azuread has made it then, and cannot mend it by an update.
    Cell("400 unknown", GraphCall("azuread", "GET", "/servicePrincipals/*/appRoleAssignedTo/*"), "up"),
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
            looks = wait_until(partial(looked_at_an_application, place, since))
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


@pytest.mark.parametrize(("given", "what"), [([], None), (["kills"], "kills"), (["--engine", "pulumi"], None)])
def test_the_command_takes_one_table_or_both(given: list[str], what: str | None) -> None:
    assert arguments(given).what == what
