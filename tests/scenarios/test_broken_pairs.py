"""`xtsync doctor` on pairs that do not work: what is broken stands there, and the exit code says so."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from lab.entra.applications.models import ServicePrincipal
from tests.scenarios.stacks import Command, Lab
from tests.scenarios.steps import findings
from tests.scenarios.tenants import assign
from xtsync_resources.sync_secrets.model import NOTIFICATION

ALICE, BOB = "alice@contoso.com", "bob@contoso.com"


def principal_of(lab: Lab) -> ServicePrincipal:
    (found,) = (one for one in lab.source.applications.principals.values() if one.synchronization.jobs)
    return found


def pause_job(lab: Lab) -> None:
    (job,) = lab.jobs()
    job.schedule_state = "Paused"


def delete_job(lab: Lab) -> None:
    principal_of(lab).synchronization.jobs.clear()


def delete_application(lab: Lab) -> None:
    del lab.source.applications.principals[principal_of(lab).id]


def switch_everybody_on(lab: Lab) -> None:
    principal_of(lab).synchronization.secrets["SyncAll"] = "True"


def raise_threshold(lab: Lab) -> None:
    text = json.dumps({"Enabled": False, "DeleteThresholdEnabled": True, "DeleteThresholdValue": 900})
    principal_of(lab).synchronization.secrets[NOTIFICATION] = text


def take_out(lab: Lab) -> None:
    alice = lab.source.directory.user(ALICE).id
    assignments = principal_of(lab).assignments
    for id_ in [id_ for id_, one in assignments.items() if one.principal_id == alice]:
        del assignments[id_]


def assign_somebody(lab: Lab) -> None:
    assign(lab, BOB)


BROKEN: list[tuple[Callable[[Lab], None], str, str]] = [
    (pause_job, "problem", "paused: nothing is synchronized"),
    (delete_job, "problem", "is gone"),
    (delete_application, "problem", "is gone, and the job with it"),
    (switch_everybody_on, "problem", "everybody is in scope (SyncAll): somebody has switched that on"),
    (
        raise_threshold,
        "warning",
        "holds deletions back from 900 of a cycle on, and the stack file says from 500",
    ),
    (take_out, "problem", f"configured and not in scope: {ALICE}"),
    (assign_somebody, "warning", "in scope and not configured: Bob"),
]


@pytest.mark.parametrize(("broken", "level", "text"), BROKEN, ids=[one[0].__name__ for one in BROKEN])
def test_what_is_broken_is_named(
    lab: Lab, xtsync: Command, broken: Callable[[Lab], None], level: str, text: str
) -> None:
    lab.stack.config |= {"xtsync:users": [ALICE], "xtsync:groups": []}
    xtsync.up()
    broken(lab)
    found = findings(xtsync, int(level == "problem"))["source", "synchronization"]
    assert any(text in said and how == level for how, said in found), found


def test_a_pair_that_works_is_well(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    assert findings(xtsync, 0)["source", "synchronization"] == [("ok", "running; the last cycle went well")]


def test_status_says_who_is_out_of_scope(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    assert xtsync("status", "-s", "dev", "--json").document["outOfScope"] == []
    take_out(lab)
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert f"NOT {ALICE}, though configured" in said.out
    assert xtsync("status", "-s", "dev", "--json").document["outOfScope"] == [ALICE]
