"""What a job's answer means: healthy or not, in words, against a clock the test sets."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.in_memory_graph import InMemory
from tests.unit.graph_fakes import SOURCE, SOURCE_ID, TARGET_ID, answer
from xtsync_resources.config import parse
from xtsync_resources.graph.errors import LONGER, DeadlineError, RefusedError
from xtsync_resources.operate import gone
from xtsync_resources.operate.choices import Wait
from xtsync_resources.operate.cli import app
from xtsync_resources.operate.gone import NotWellError, make_all_again
from xtsync_resources.operate.health import (
    ASSIGN_NEW,
    INTERVAL,
    interval_of,
    last_words,
    next_words,
    read_health,
    where_missing,
)
from xtsync_resources.operate.stack import Stack
from xtsync_resources.operate.status import reached, wait_for
from xtsync_resources.program.stack_state import Recorded
from xtsync_resources.state import type_token
from xtsync_resources.sync_job.quarantine import REASONS, Reason, explained
from xtsync_resources.sync_job.running import make_again

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUARANTINE: dict[str, Any] = {"code": "Quarantine", "quarantine": {"reason": "TooManyDeletes"}}


def before(**span: float) -> str:
    return (NOW - timedelta(**span)).isoformat()


def job(
    state: str = "Active", interval: str = "PT40M", last: str = "", how: str = "Succeeded", **status: Any
) -> dict[str, Any]:
    error = {"code": "None", "message": ""}
    ran = {"lastExecution": {"state": how, "timeBegan": last, "timeEnded": last, "error": error}} if last else {}
    schedule = {"state": state, "interval": interval}
    return {"id": "j", "schedule": schedule, "status": {"code": "Active" if ran else "NotRun", **ran, **status}}


def progress(**more: Any) -> list[dict[str, Any]]:
    return [{"units": "users", "completedUnits": 1, "totalUnits": 9, **more}]


@pytest.mark.parametrize(
    ("found", "running", "healthy", "words"),
    [
        (job(last=before(minutes=119)), True, True, "the last cycle went well"),
        (job(last=before(minutes=121)), True, False, "has not run since 2026-11-23 09:59 UTC"),
        (job(last=before(minutes=121), interval="PT1H"), True, True, "the last cycle went well"),
        (job(last=before(hours=9), interval="PT1H30M"), True, False, "has not run since"),
        (job(last=before(days=2), interval=""), True, False, "has not run since"),
        (job(), True, True, "first cycle is not done"),
        (job(last="0001-01-01T00:00:00Z"), True, True, "first cycle is not done"),
        (job(last=before(minutes=9), code="NotRun"), True, True, "restarted, and looks at everybody again"),
        (job(last=before(hours=9), progress=progress()), True, True, "went well"),
        (job(last=before(hours=9), progress=progress(progressObservationDateTime=before(minutes=5))), True, True,
         "went well"),
        (job(last=before(hours=9), progress=progress(progressObservationDateTime=before(hours=8))), True, False,
         "has not run since 2026-11-23 04:00 UTC"),
        (job("Paused", last=before(days=9)), True, False, "paused: nothing is synchronized"),
        (job("Paused", last=before(days=9)), False, True, "paused, as xtsync:running: false wants it"),
        (job("Disabled"), False, True, "not started, as xtsync:running: false wants it"),
        (job("Disabled"), True, False, "disabled"),
        (job("Paused", **QUARANTINE), False, False, "in quarantine (TooManyDeletes)"),
        (job(last=before(days=9), **QUARANTINE), True, False, "in quarantine (TooManyDeletes)"),
        (job(last=before(minutes=9), how="Failed", countSuccessiveCompleteFailures=3), True, False,
         "running, but 3 cycles in a row failed completely: no reason given"),
        (job(last=before(minutes=9), how="Failed", countSuccessiveCompleteFailures=1), True, False,
         "running, but the last cycle failed completely: no reason given"),
        (job(last=before(minutes=9), how="Failed"), True, False, "running, but the last cycle failed: no reason given"),
        (job(last=before(minutes=9), countSuccessiveCompleteFailures=2), True, True,
         "running; the last cycle went well"),
        (job(last=before(minutes=9), how="EntryLevelErrors", countSuccessiveCompleteFailures=1), True, True,
         "running; some people could not be synchronized in the last cycle"),
        (job(last=before(days=9), how="Failed", countSuccessiveCompleteFailures=2), True, False,
         "has not run since 2026-11-14 12:00 UTC; 2 cycles in a row failed completely"),
        (job(countSuccessiveCompleteFailures=1), True, False, "running, but the last cycle failed completely"),
        (job("Paused", countSuccessiveCompleteFailures=2), False, False, "2 cycles in a row failed completely"),
        (job(last=before(minutes=9), countSuccessiveCompleteFailures=0), True, True, "the last cycle went well"),
    ],
)  # fmt: skip
def test_health_in_words(found: dict[str, Any], running: bool, healthy: bool, words: str) -> None:
    health = read_health(found, NOW, running=running)
    assert health.healthy is healthy
    assert words in health.headline
    assert healthy or health.remedy


@pytest.mark.parametrize("reason", [one.name for one in REASONS])
@pytest.mark.parametrize("how", ["Succeeded", "EntryLevelErrors", "Failed"])
@pytest.mark.parametrize("number", [0, 1, 3])
def test_one_thing_is_said_of_a_cycle_in_quarantine(reason: str, how: str, number: int) -> None:
    status: dict[str, Any] = {"code": "Quarantine", "quarantine": {"reason": reason}}
    health = read_health(job(last=before(minutes=9), how=how, countSuccessiveCompleteFailures=number, **status), NOW)
    assert not health.healthy
    assert health.headline.startswith(f"in quarantine ({reason})")
    assert ("failed completely" in health.headline) is (how == "Failed" and number > 0)
    held = how == "Succeeded" and reason == "TooManyDeletes"
    end = "Succeeded but for the deletions that it holds back" if held else how
    said = last_words(health, NOW).split(", ")[1]
    assert said.startswith(end)
    assert "but for" not in said or how != "Failed"


@pytest.mark.parametrize("reason", ["toomanydeletes", "TooManyDeletes"])
def test_a_reason_means_the_same_in_any_case(reason: str) -> None:
    assert explained(reason, active=True) == explained("TooManyDeletes", active=True)


@pytest.mark.parametrize("one", REASONS, ids=[one.name for one in REASONS])
@pytest.mark.parametrize("state", ["Paused", "Disabled"])
def test_a_job_at_rest_is_never_told_to_restart(one: Reason, state: str) -> None:
    """`xtsync restart` refuses a job that does not run, and `resume` one that starting would let loose."""
    health = read_health(job(state, code="Quarantine", quarantine={"reason": one.name}), NOW)
    assert "xtsync restart" not in health.remedy
    assert ("xtsync resume" in health.remedy) is one.starts


def test_what_was_just_acted_upon_is_not_called_silent() -> None:
    assert read_health(job(last=before(days=9))).healthy


@pytest.mark.parametrize(
    ("text", "minutes"), [("PT40M", 40), ("PT1H5M", 65), ("P1D", 1440), ("PT90S", 1.5), ("PT0S", 40), ("soon", 40)]
)
def test_the_interval_is_the_jobs_own(text: str, minutes: float) -> None:
    assert interval_of(job(interval=text)) == timedelta(minutes=minutes)
    assert read_health(job(interval=text, last=before())).next_run == NOW + timedelta(minutes=minutes)
    assert interval_of({}) == INTERVAL


@pytest.mark.parametrize(
    "found",
    [
        job("Paused"),
        job("Disabled"),
        job(last=before(hours=9)),
        *(job(last=before(), code="Quarantine", quarantine={"reason": one.name}) for one in REASONS),
        *(job("Disabled", code="Quarantine", quarantine={"reason": one.name}) for one in REASONS),
    ],
)
def test_where_somebody_is_not_in_scope_that_is_mended_first(found: dict[str, Any]) -> None:
    """`resume`, `restart` and `approve-deletions` refuse before, and so does nothing that is advised first."""
    remedy = where_missing(read_health(found, NOW), only_new=False).remedy
    remedy = remedy.removeprefix("ask who has paused it and why; ")
    assert remedy.startswith("restore whose account is deleted in the target already (Deleted users, 30 days), and run")
    assert remedy.partition("`")[2].startswith("pulumi up --refresh --diff`, which assigns whoever is missing")
    assert "refuses before that. An entry that nobody has stops it: restore or correct that before" in remedy


def test_a_job_that_is_well_has_nothing_to_mend_first() -> None:
    for only_new in (False, True):
        assert where_missing(read_health(job(last=before(minutes=9)), NOW), only_new=only_new).remedy == ""


def test_whoever_is_new_in_the_stack_file_is_not_to_be_restored() -> None:
    paused = where_missing(read_health(job("Paused"), NOW), only_new=True).remedy
    assert paused == (
        f"ask who has paused it and why; {ASSIGN_NEW} and starts the job then; `xtsync resume` refuses before that"
    )
    assert where_missing(read_health(job("Disabled"), NOW), only_new=True).remedy.startswith("run `pulumi up`, which")


def test_a_start_of_a_quarantined_job_is_not_called_a_way_to_a_sooner_run() -> None:
    soon = (NOW + timedelta(hours=6)).isoformat()
    status: dict[str, Any] = {"code": "Quarantine", "quarantine": {"reason": "TooManyDeletes", "nextAttempt": soon}}
    assert next_words(read_health(job(last=before(), **status), NOW), NOW) == "in 6 hours (2026-11-23 18:00 UTC)"
    assert next_words(read_health(job(last=before()), NOW), NOW).endswith(", sooner after a start")


def test_a_pause_that_is_wanted_is_healthy_but_never_in_step() -> None:
    paused = read_health(job("Paused", last=before(), steadyStateFirstAchievedTime=before()), NOW, running=False)
    with pytest.raises(RefusedError, match="set xtsync:running: true"):
        reached(Wait.STEADY, paused)


# --- waiting ---------------------------------------------------------------------------------------------------


URN = "urn:pulumi:dev::xtsync::xtsync:index:TenantPair$pulumi-python:dynamic/xtsync:SyncJob::pair-job"


def stack_on(graph: InMemory, principal: str = "sp") -> Stack:
    values = {"source": f'{{"tenantId": "{SOURCE_ID}"}}', "target": f'{{"tenantId": "{TARGET_ID}"}}'}
    stack = Stack("dev", parse({**values, "users": '["a@b.c"]'}, {}, {}))
    stack.__dict__["outputs"] = {"servicePrincipalId": principal, "jobId": "job0"}
    stack._clients["source"] = graph.client(SOURCE)
    return stack


@pytest.mark.parametrize("configured", [True, False])
def test_waiting_for_a_job_that_is_gone_ends_at_once(configured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Recorded("pair-job", type_token("SyncJob"), {}, URN, "job0")]
    monkeypatch.setattr(gone, "recorded_of", lambda _: found)
    remedy = make_again(URN) if configured else make_all_again("dev")
    graph = InMemory()
    principal = graph.configuration() if configured else "sp"
    if configured:
        settings = {"value": [{"key": "CompanyId", "value": TARGET_ID}]}
        graph.ask(SOURCE_ID, "PUT", f"/servicePrincipals/{principal}/synchronization/secrets", settings)
    stack = stack_on(graph, principal)
    with pytest.raises(NotWellError, match="is gone") as raised:
        wait_for(stack.operation("source", 3600), stack, Wait.STEADY)
    assert raised.value.do == remedy
    assert graph.calls[0] == "GET job0"


@pytest.mark.parametrize("stack", ["dev", "it's"])
def test_the_command_that_makes_a_job_again_is_whole(stack: str) -> None:
    assert f"`pulumi up --replace '{URN}' --stack dev`" in make_again(URN)
    listing = re.findall("`([^`]*)`", make_again("", stack))
    assert [shlex.split(one) for one in listing] == [
        ["pulumi", "up", "--replace", "URN", "--stack", stack],
        ["pulumi", "stack", "--show-urns", "--stack", stack],
    ]


def test_waiting_too_long_names_the_option_that_allows_more() -> None:
    graph = InMemory()
    graph.interventions.append(lambda *_: answer(200, job()))
    stack = stack_on(graph)
    with pytest.raises(DeadlineError) as raised:
        wait_for(stack.operation("source", 60, "wait longer with --minutes"), stack, Wait.FIRST_CYCLE)
    assert "--minutes" in raised.value.do
    assert LONGER not in raised.value.do


@pytest.mark.parametrize("minutes", ["0", "-5"])
def test_no_time_to_wait_is_refused_in_words(minutes: str) -> None:
    said = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["status", "--wait", "steady", f"--minutes={minutes}"])
    assert said.exit_code == 2
    assert "Invalid value for '--minutes'" in said.stderr
    assert "0.1" in said.stderr
