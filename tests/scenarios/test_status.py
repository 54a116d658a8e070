"""`xtsync status`: the job's state in words, for people and for scripts."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from lab import world
from lab.entra import Fault
from lab.entra.synchronization.models import Quarantine
from tests.scenarios.stacks import Command, Lab
from xtsync_resources.graph.clock import SystemClock
from xtsync_resources.operate.choices import INTERRUPTED
from xtsync_resources.operate.status import BESIDE_SECONDS, WATCH_SECONDS


def test_a_job_that_waits_for_its_first_cycle_has_never_run_and_is_healthy(xtsync: Command) -> None:
    xtsync.up()
    said = xtsync("status", "--stack", "dev")
    assert said.exit_code == 0, said
    assert "Contoso → Fabrikam (stack dev)" in said.out
    assert "the first cycle is not done yet" in said.out
    assert "Last run       never" in said.out
    assert "0001" not in said.out


def test_after_a_cycle_it_says_who_is_in_the_target_and_when_it_runs_again(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    said = xtsync("status", "-s", "dev", "--json")
    assert said.exit_code == 0
    assert said.document["people"] == len(lab.arrived()) > 0
    assert said.document["lastResult"] == "Succeeded"
    assert said.document["firstCycle"]
    assert "the last cycle went well" in xtsync("status", "-s", "dev", "--wait", "first-cycle").out


def test_a_paused_job_is_not_healthy_unless_the_configuration_wants_it(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.jobs()[0].schedule_state = "Paused"
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert "xtsync resume" in said.out
    lab.stack.config["xtsync:running"] = False
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 0
    assert "as xtsync:running: false wants it" in said.out


def test_a_job_that_has_stopped_running_or_only_fails_is_not_healthy(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    job = lab.jobs()[0]
    job.failures_in_a_row = 3
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 0
    assert "fail" not in said.out
    assert "the last cycle went well" in said.out
    job.last_execution.state = "Failed"
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert "Succeeded" not in said.out
    assert "3 cycles in a row failed completely" in said.out
    job.failures_in_a_row = 0
    xtsync.monkeypatch.setattr(SystemClock, "now", lambda _: datetime.now(UTC) + timedelta(days=2))
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert "has not run since" in said.out


def test_a_quarantine_is_told_with_reason_and_remedy_and_waiting_for_it_is_refused(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    job, now = lab.jobs()[0], lab.entra.clock.now()
    job.status_code = "Quarantine"
    job.quarantine = Quarantine("TooManyDeletes", "Error", "600 people", now, now + timedelta(hours=6))
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert "Job            in quarantine (TooManyDeletes)\n" in said.out
    assert "in quarantine less often, down to once a day" in said.out
    assert "xtsync:deletionThreshold" in said.out
    assert "is no use" in xtsync("status", "-s", "dev", "--wait", "steady").errors


def test_a_deleted_job_is_one_clear_message(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    for principal in lab.source.applications.principals.values():
        principal.synchronization.jobs.clear()
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1, "the pair is not well"
    assert "the source tenant Contoso" in said.errors
    assert "pulumi stack --show-urns --stack dev" in said.errors
    assert "Traceback" not in said.errors
    for typed in (("status", "--wait", "steady"), ("pause", "--yes"), ("provision", "alice@contoso.com"), ("doctor",)):
        told = xtsync(typed[0], "-s", "dev", *typed[1:])
        assert told.exit_code == 1, typed
        assert "is gone" in told.errors + told.out


def test_what_the_command_needs_is_asked_for_in_words(lab: Lab, xtsync: Command, monkeypatch: object) -> None:
    outputs = lab.folder / "outputs.json"
    outputs.mkdir()
    assert "Pulumi.prod.yaml" in xtsync("status", "-s", "prod").errors
    assert "Cannot read the outputs" in xtsync("status", "-s", "dev").errors
    outputs.rmdir()
    assert "run `pulumi up --stack dev`" in xtsync("status", "-s", "dev").errors


# --- watching --------------------------------------------------------------------------------------------------


def test_watching_reads_the_job_each_time_and_the_rest_where_it_may_have_changed(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    lab.pass_time()
    rounds: list[list[str]] = []
    passed, began = [0.0], [len(lab.entra.traffic)]

    def sleep(_: SystemClock, seconds: float) -> None:
        if seconds != WATCH_SECONDS:
            return
        rounds.append([call.path for call in lab.calls_since(began[0])])
        began[0] = len(lab.entra.traffic)
        passed[0] += BESIDE_SECONDS if len(rounds) == 4 else seconds
        if len(rounds) == 6:
            lab.jobs()[0].schedule_state = "Paused"
        if len(rounds) == 8:
            raise KeyboardInterrupt

    xtsync.monkeypatch.setattr(SystemClock, "sleep", sleep)
    xtsync.monkeypatch.setattr(SystemClock, "monotonic", lambda _: time.monotonic() + passed[0])
    assert xtsync("status", "-s", "dev", "--watch").exit_code == INTERRUPTED
    assert [len(calls) > 5 for calls in rounds] == [True, False, False, False, True, False, True, False]
    for calls in (rounds[1], rounds[2], rounds[3], rounds[5], rounds[7]):
        (path,) = calls
        assert path.endswith(f"/jobs/{lab.jobs()[0].id}")


# --- a tenant that cannot be reached ---------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("silent", ["the login service", "Graph"])
@pytest.mark.parametrize("command", [["status"], ["doctor"], ["report", "--output", "-"]], ids=lambda one: one[0])
def test_a_tenant_that_cannot_be_reached_is_not_known_to_be_wrong(
    lab: Lab, xtsync: Command, command: list[str], silent: str, *, wrong: bool
) -> None:
    xtsync.up()
    lab.pass_time()
    if wrong:
        lab.jobs()[0].schedule_state = "Paused"
    version = "v1.0" if silent == "Graph" else None
    lab.entra.faults.add(Fault("reset", tenant=world.TARGET_TENANT, version=version, times=9_999))
    passed = [0.0]

    def sleep(_: SystemClock, seconds: float) -> None:
        passed[0] += seconds

    xtsync.monkeypatch.setattr(SystemClock, "sleep", sleep)
    xtsync.monkeypatch.setattr(SystemClock, "monotonic", lambda _: time.monotonic() + passed[0])
    said = xtsync(*command, "-s", "dev")
    assert said.exit_code == (1 if wrong else 2), said
    assert wrong or "All is well" not in said.out
