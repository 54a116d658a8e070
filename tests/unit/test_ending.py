"""When nobody is left: what a drain believes of a job's answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for
from xtsync_resources.ending import NOBODY_LEFT, cycle_before_leaving, wait_until_drained
from xtsync_resources.graph.errors import DeadlineError


def job(people: int | None, cycle: str = "", state: str = "Active", code: str = "Active") -> dict[str, Any]:
    counts = [] if people is None else [{"key": "user to User", "value": people}]
    last = {"activityIdentifier": cycle} if cycle else None
    succeeded = {"state": "Succeeded"} if cycle else None
    status = {
        "code": code,
        "lastExecution": last,
        "lastSuccessfulExecution": succeeded,
        "synchronizedEntryCountByType": counts,
    }
    return {"id": "j", "schedule": {"state": state}, "status": status}


def drain(*answers: dict[str, Any], before: str = "") -> tuple[str, int]:
    """What is said after these answers, and how many of them were left."""
    transport = ScriptedTransport(*(answer(200, one) for one in answers))
    operation, _ = operation_for(transport, seconds=60)
    if before:
        operation.client.remember_made(cycle_before_leaving(job(0, before)))
    return wait_until_drained(operation, "sp", "j"), len(transport.replies)


def test_people_are_waited_for_whatever_the_case_of_the_count() -> None:
    assert drain(job(5, "a"), job(5, "b"), job(0, "c"), before="a") == (NOBODY_LEFT, 0)


@pytest.mark.parametrize("count", [0, None])
def test_a_count_from_before_the_assignments_went_is_not_believed(count: int | None) -> None:
    assert drain(job(count, "a"), job(count, "a"), job(count, "b"), before="a") == (NOBODY_LEFT, 0)


def test_a_destroy_that_is_run_again_believes_the_count() -> None:
    assert drain(job(0, "a")) == (NOBODY_LEFT, 0)


def test_a_job_that_never_ran_has_nobody_to_remove() -> None:
    said, left = drain(*[job(None, state="Disabled", code="Paused")] * 4)
    assert said.startswith("the job never ran")
    assert left == 0


def test_one_old_answer_is_no_job_that_never_ran() -> None:
    old = job(None, state="Disabled", code="Paused")
    assert drain(old, job(3, "a"), job(3, "a"), job(0, "b")) == (NOBODY_LEFT, 0)


def test_a_job_before_its_first_cycle_says_nothing() -> None:
    transport = ScriptedTransport(*[answer(200, job(None, code="NotRun"))] * 1000)
    operation, _ = operation_for(transport, seconds=60)
    with pytest.raises(DeadlineError, match="no cycle has ended since everybody left the scope"):
        wait_until_drained(operation, "sp", "j")
