"""`xtsync status`: the job's state in words, for people and for scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lab.entra.synchronization.models import Quarantine
from tests.scenarios.stacks import Command, Lab
from xtsync_resources.graph.clock import SystemClock


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
    assert "in quarantine (TooManyDeletes): 600 people" in said.out
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
    assert "Pulumi.prod.yaml" in xtsync("status", "-s", "prod").errors
    assert "Cannot read the outputs" in xtsync("status", "-s", "dev").errors
    (lab.folder / "outputs.json").write_text("{}")
    assert "run `pulumi up --stack dev`" in xtsync("status", "-s", "dev").errors
