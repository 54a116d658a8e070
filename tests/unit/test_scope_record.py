"""When nobody is left: what a drain believes of a job's answers, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for, refusal
from xtsync_resources.graph.errors import DeadlineError, RefusedError
from xtsync_resources.scope_record import NOBODY_LEFT, drain, refuse_missing, refuse_to_drain

OTHERS = [{"principalId": "p", "principalType": "User", "principalDisplayName": "Paul"}]


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


STARTED = answer(204)


def drained(*answers: Any, others: Any = ()) -> tuple[str, int]:
    """What is said after these answers, and how many of them were left."""
    transport = ScriptedTransport(*(answer(200, one) if isinstance(one, dict) else one for one in answers))
    operation, _ = operation_for(transport, seconds=60)
    return drain(operation, "sp", "j", others), len(transport.replies)


def test_people_are_waited_for_whatever_the_case_of_the_count() -> None:
    rests = job(5, "a", "Paused")
    assert drained(rests, STARTED, job(5, "a"), job(5, "a"), job(5, "b"), job(0, "c")) == (NOBODY_LEFT, 0)


@pytest.mark.parametrize("count", [0, None])
def test_a_count_from_before_everybody_left_is_not_believed(count: int | None) -> None:
    rests = job(count, "a", "Paused")
    assert drained(rests, STARTED, job(count, "a"), job(count, "a"), job(count, "b")) == (NOBODY_LEFT, 0)


def test_a_destroy_that_is_run_again_believes_the_count() -> None:
    assert drained(job(0, "a"), job(0, "a")) == (NOBODY_LEFT, 0)


def test_whom_others_keep_in_the_target_is_not_waited_for_but_a_cycle_is() -> None:
    said, left = drained(job(4, "a"), job(4, "a"), job(1, "b"), others=OTHERS)
    assert said == f"{NOBODY_LEFT} but those whom others have put in scope"
    assert left == 0


def test_a_job_that_never_ran_has_nobody_to_remove() -> None:
    said, left = drained(*[job(None, state="Disabled", code="Paused")] * 4)
    assert said.startswith("the job never ran")
    assert left == 0


def test_one_old_answer_is_no_job_that_never_ran() -> None:
    old = job(None, state="Disabled", code="Paused")
    assert drained(old, job(3, "a"), job(3, "a"), job(0, "b")) == (NOBODY_LEFT, 0)


def test_a_job_before_its_first_cycle_says_nothing() -> None:
    transport = ScriptedTransport(*[answer(200, job(None, code="NotRun"))] * 1000)
    operation, _ = operation_for(transport, seconds=60)
    with pytest.raises(DeadlineError, match="no cycle has ended since everybody left the scope"):
        drain(operation, "sp", "j", ())


def settings(everybody: str = "false", threshold: int = 500) -> Any:
    notification = f'{{"DeleteThresholdEnabled": true, "DeleteThresholdValue": {threshold}}}'
    pairs = {"SyncAll": everybody, "SyncNotificationSettings": notification}
    return answer(200, {"value": [{"key": key, "value": value} for key, value in pairs.items()]})


@pytest.mark.parametrize(
    ("found", "live", "why"),
    [
        ({**job(3), "status": {"code": "Quarantine", "quarantine": {"reason": "Unknown"}}}, settings(), "Unknown"),
        (job(3), settings(everybody="true"), "somebody has made everybody the scope"),
        (job(4), settings(threshold=2), "3 people would be deleted in the target, more than"),
    ],
)
def test_what_could_go_wrong_is_refused_before_anybody_is_taken_out(found: Any, live: Any, why: str) -> None:
    operation, _ = operation_for(ScriptedTransport(live))
    with pytest.raises(RefusedError, match=why):
        refuse_to_drain(operation, "sp", "j", found, OTHERS)


def test_somebody_who_is_not_ours_and_would_be_deleted_is_named() -> None:
    bob = answer(200, {"id": "b", "userPrincipalName": "bob@contoso.com"})
    sales = [refusal(404, "Request_ResourceNotFound"), answer(200, {"id": "g", "displayName": "Sales"})]
    operation, _ = operation_for(ScriptedTransport(bob, *sales))
    with pytest.raises(RefusedError, match=r"bob@contoso.com \(b\), Sales \(g\) had been in scope before this stack"):
        refuse_missing(operation, ["b", "g", "p"], {"p"})
    refuse_missing(operation, ["p"], {"p", "q"})
