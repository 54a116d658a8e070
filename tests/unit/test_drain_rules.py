"""When nobody is left: what a drain believes of a job's answers, and what it refuses."""

from __future__ import annotations

from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for, refusal
from xtsync_resources.application.configurations import PairConfiguration
from xtsync_resources.assignments.operations import people_of
from xtsync_resources.directory.members import TYPE, USER
from xtsync_resources.graph.errors import DeadlineError, RefusedError
from xtsync_resources.sync_scope import draining
from xtsync_resources.sync_scope.before_draining import AGREED, refuse_missing, refuse_shared, refuse_to_drain
from xtsync_resources.sync_scope.draining import NOBODY_LEFT, drain

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


def waited(operation: Any, others: Any, leaving: Any = ()) -> str:
    """Drain a job that would remove people, which is looked at elsewhere."""
    with patch.object(draining, "refuse_job_that_keeps"):
        return drain(operation, "sp", "j", others, leaving)


def drained(*answers: Any, others: Any = (), leaving: Any = ("x",), log_of: Any = None) -> tuple[str, int]:
    """What is said after these answers, and how many of them were left."""
    given = [*answers, log()] if log_of is None else [*answers, *log_of]
    transport = ScriptedTransport(*(answer(200, one) if isinstance(one, dict) else one for one in given))
    operation, _ = operation_for(transport, seconds=60)
    return waited(operation, others, leaving), len(transport.replies)


def looked_up(*found: dict[str, Any]) -> Any:
    """The answer to a look-up by object id."""
    return answer(200, {"responses": [{"id": "0", "status": 200, "body": {"value": list(found)}}]})


def log(*events: tuple[str, str, str]) -> dict[str, Any]:
    """A page of the provisioning log: action, status and error code, newest first."""
    return {
        "value": [
            {
                "id": str(number),
                "provisioningAction": action,
                "provisioningStatusInfo": {"status": status, "errorInformation": {"errorCode": code}},
                "sourceIdentity": {"id": "x", "displayName": "dora@contoso.com"},
            }
            for number, (action, status, code) in enumerate(events)
        ]
    }


def test_people_are_waited_for_whatever_the_case_of_the_count() -> None:
    rests = job(5, "a", "Paused")
    assert drained(rests, STARTED, job(5, "a"), job(5, "a"), job(5, "b"), log(), job(0, "c")) == (NOBODY_LEFT, 0)


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
    said, left = drained(*[job(None, state="Disabled", code="Paused")] * 4, log_of=[])
    assert said.startswith("the job never ran")
    assert left == 0


def test_one_old_answer_is_no_job_that_never_ran() -> None:
    old = job(None, state="Disabled", code="Paused")
    assert drained(old, job(3, "a"), job(3, "a"), log(), job(0, "b")) == (NOBODY_LEFT, 0)


def test_a_job_before_its_first_cycle_says_nothing() -> None:
    transport = ScriptedTransport(*[answer(200, job(None, code="NotRun"))] * 1000)
    operation, _ = operation_for(transport, seconds=60)
    with pytest.raises(DeadlineError, match="no cycle is known to have ended since everybody left the scope"):
        waited(operation, ())


def settings(everybody: str = "false", threshold: int = 500) -> Any:
    notification = f'{{"DeleteThresholdEnabled": true, "DeleteThresholdValue": {threshold}}}'
    pairs = {"SyncAll": everybody, "SyncNotificationSettings": notification}
    return answer(200, {"value": [{"key": key, "value": value} for key, value in pairs.items()]})


def schema(flows: str | None) -> Any:
    users = {"sourceObjectName": "User", "targetObjectName": "User", "flowTypes": flows}
    return answer(200, {"directories": [{}], "synchronizationRules": [{"id": "r", "objectMappings": [users]}]})


@pytest.mark.parametrize("flows", ["Add, Update", "None", "add,UPDATE"])
def test_a_job_that_deletes_nobody_is_not_waited_for(flows: str) -> None:
    operation, _ = operation_for(ScriptedTransport(settings(), schema(flows)))
    with pytest.raises(RefusedError, match="the job deletes nobody"):
        refuse_to_drain(operation, "sp", "j", job(1), set, (), 9)


@pytest.mark.parametrize(
    "found", [schema("delete"), schema(None), answer(200, {"directories": [], "synchronizationRules": []})]
)
def test_a_job_that_may_delete_is_waited_for(found: Any) -> None:
    operation, _ = operation_for(ScriptedTransport(settings(), found))
    refuse_to_drain(operation, "sp", "j", job(1), set, (), 9)


@pytest.mark.parametrize(
    ("found", "live", "why"),
    [
        ({**job(3), "status": {"code": "Quarantine", "quarantine": {"reason": "Unknown"}}}, settings(), "Unknown"),
        (job(3), settings(everybody="true"), "somebody has made everybody the scope"),
        (job(4), settings(threshold=3), r"3 people would be deleted in the target, and .* \(3\) holds back 3 and more"),
        (job(4), settings(), "3 people would be deleted in the target, but the last count was 2"),
    ],
)
def test_what_could_go_wrong_is_refused_before_anybody_is_taken_out(found: Any, live: Any, why: str) -> None:
    operation, _ = operation_for(ScriptedTransport(live, schema("Delete")))
    with pytest.raises(RefusedError, match=why):
        refuse_to_drain(operation, "sp", "j", found, set, OTHERS, 2)


def test_somebody_who_is_not_ours_and_would_be_deleted_is_named() -> None:
    bob, sales = {"id": "b", "userPrincipalName": "bob@contoso.com"}, {"id": "g", "displayName": "Sales"}
    no_user = {"id": "0", "status": 404, "body": {"error": {"code": "Request_ResourceNotFound"}}}
    answers = [looked_up(bob), answer(200, {"responses": [no_user]}), looked_up(sales)]
    operation, _ = operation_for(ScriptedTransport(*answers))
    with pytest.raises(RefusedError, match=r"bob@contoso.com \(b\), Sales \(g\) had been in scope before this stack"):
        refuse_missing(operation, ["b", "g", "p"], {"p"})
    refuse_missing(operation, ["p"], {"p", "q"})


@pytest.mark.parametrize(
    ("said", "agreed", "goes"),
    [(3, "", True), (None, "", False), (2, "3", True), (None, "3", True), (None, "2", False), (2, "many", False)],
)
def test_as_many_people_go_as_were_said_or_agreed(
    monkeypatch: pytest.MonkeyPatch, said: int | None, agreed: str, goes: bool
) -> None:
    monkeypatch.setenv(AGREED, agreed)
    operation, _ = operation_for(ScriptedTransport(settings(), schema("Add, Update, Delete")))
    if goes:
        refuse_to_drain(operation, "sp", "j", job(4), set, OTHERS, said)
        return
    with pytest.raises(RefusedError, match=f"{AGREED}=3 pulumi destroy"):
        refuse_to_drain(operation, "sp", "j", job(4), set, OTHERS, said)


def member(object_id: str, kind: str = TYPE + USER) -> dict[str, Any]:
    return {"@odata.type": kind, "id": object_id}


def test_people_of_the_groups_of_others_stay_as_well() -> None:
    group = [{"principalId": "g", "principalType": "Group", "principalDisplayName": "Sales"}]
    members = {"value": [member("a"), member("b"), member("n", "#microsoft.graph.group")]}
    answers = job(5, "a", "Paused"), STARTED, job(5, "a"), members, job(3, "b"), log(), job(2, "c")
    assert drained(*answers, others=group) == (f"{NOBODY_LEFT} but those whom others have put in scope", 0)


def test_whom_the_job_leaves_alone_is_named_and_not_waited_for() -> None:
    spared = log(("delete", "skipped", "AccountDisabled"), ("update", "success", ""))
    said, left = drained(job(5, "a", "Paused"), STARTED, job(5, "a"), job(1, "b"), log_of=[spared])
    assert said.startswith(f"{NOBODY_LEFT}, and dora@contoso.com (AccountDisabled): the job did not delete them")
    assert left == 0


@pytest.mark.parametrize("newest", [("delete", "success", ""), ("create", "success", "")])
def test_what_became_of_somebody_is_the_newest_event(newest: tuple[str, str, str]) -> None:
    told = log(newest, ("delete", "skipped", "AccountDisabled"))
    assert drained(job(0, "a"), job(0, "a"), log_of=[told]) == (NOBODY_LEFT, 0)


def test_a_log_that_may_not_be_read_is_no_proof_that_nobody_is_left() -> None:
    said, _ = drained(job(0, "a"), job(0, "a"), log_of=[refusal(403, "Forbidden")])
    assert "by the job's own count" in said
    assert "ProvisioningLog.Read.All" in said


def test_people_left_after_a_cycle_are_explained() -> None:
    failed = answer(200, log(("delete", "failure", "TargetBusy")))
    transport = ScriptedTransport(
        *(answer(200, job(5, "a", "Paused")), STARTED, answer(200, job(5, "a"))),
        *[answer(200, job(3, "b")), failed] * 1000,
    )
    operation, _ = operation_for(transport, seconds=60)
    with pytest.raises(DeadlineError, match=r"3 people .* after a cycle has ended: .* dora@contoso.com \(TargetBusy\)"):
        waited(operation, ())


@pytest.mark.parametrize(
    ("ours", "theirs", "everybody", "words"),
    [
        ({"a"}, [("a", "User")], "false", "alice@contoso.com (a)"),
        ({"a"}, [("b", "User")], "false", ""),
        ({"a"}, [("b", "User")], "true", "who may be anybody here"),
        (None, [("b", "User")], "false", "who may be anybody here"),
    ],
)
def test_people_of_another_configuration_are_not_drained(
    ours: set[str] | None, theirs: list[tuple[str, str]], everybody: str, words: str
) -> None:
    listed = {"value": [{"id": i, "principalId": i, "principalType": kind} for i, kind in theirs]}
    alice = looked_up({"id": "a", "userPrincipalName": "alice@contoso.com"})
    replies = [*([] if everybody == "true" else [answer(200, listed)]), *([alice] if "alice" in words else [])]
    operation, _ = operation_for(ScriptedTransport(*replies))
    other = PairConfiguration({"id": "sp2", "displayName": "Second"}, job(3), {"SyncAll": everybody})
    if not words:
        refuse_shared(operation, ours, [other])
        return
    with pytest.raises(RefusedError) as refused:
        refuse_shared(operation, ours, [other])
    assert words in str(refused.value)
    assert "Second" in str(refused.value)


SALES = [{"principalId": "g", "principalType": "Group", "principalDisplayName": "Sales"}]
MEMBERS = answer(200, {"value": [{TYPE: USER, "id": f"m{number}", "accountEnabled": True} for number in range(3)]})


@pytest.mark.parametrize(
    ("members", "agreed", "why"),
    [
        (MEMBERS, "", "3 people would be deleted in the target, but the last count was 2"),
        (MEMBERS, "3", ""),
        (refusal(403), "", "nobody can see how many people would be deleted"),
        (refusal(403), "3", ""),
    ],
)
def test_where_the_job_does_not_count_the_people_in_scope_are_counted(
    monkeypatch: pytest.MonkeyPatch, members: Any, agreed: str, why: str
) -> None:
    monkeypatch.setenv(AGREED, agreed)
    operation, _ = operation_for(ScriptedTransport(settings(), schema("Delete"), members))
    uncounted, leaving = job(None, "a"), partial(people_of, operation, SALES)
    if not why:
        refuse_to_drain(operation, "sp", "j", uncounted, leaving, (), 2)
        return
    with pytest.raises(RefusedError, match=why):
        refuse_to_drain(operation, "sp", "j", uncounted, leaving, (), 2)


GONE = log(("delete", "success", ""))


@pytest.mark.parametrize(
    ("leaving", "unsaid"),
    [
        ("x", [log()]),
        ("x", [refusal(403)]),
        ("x", [log(("create", "success", ""), ("delete", "success", ""))]),
        ("y", [GONE, refusal(404)]),
        ("g", [GONE, MEMBERS]),
        ("", [GONE]),
    ],
)
def test_without_a_count_a_destroy_that_is_run_again_waits_for_a_further_cycle_unless_the_log_tells_of_all(
    leaving: str, unsaid: list[Any]
) -> None:
    said = drained(job(None, "a"), *unsaid, job(None, "a"), job(None, "b"), leaving=leaving)
    assert said == (NOBODY_LEFT, 0)


@pytest.mark.parametrize(
    ("leaving", "read"), [("x", []), ("g", [answer(200, {"value": [{TYPE: USER, "id": "x", "accountEnabled": True}]})])]
)
def test_without_a_count_the_log_tells_a_destroy_that_is_run_again(leaving: str, read: list[Any]) -> None:
    assert drained(job(None, "a"), GONE, *read, job(None, "a"), leaving=leaving) == (NOBODY_LEFT, 0)


def test_whom_the_job_tried_to_delete_is_not_waited_for_again_but_named() -> None:
    failed = log(("delete", "failure", "Locked"))
    said, _ = drained(job(None, "a"), failed, job(None, "a"), log_of=[failed])
    assert "dora@contoso.com (Locked): the job did not delete them" in said


def test_without_a_count_a_cycle_that_failed_proves_nothing() -> None:
    rests, failed = job(None, "a", "Paused"), job(None, "b")
    failed["status"]["lastExecution"]["state"] = "Failed"
    nulls = job(None, "a")
    nulls["status"]["lastExecution"] = {"activityIdentifier": None, "timeBegan": None}
    assert drained(rests, STARTED, nulls, nulls, failed, job(None, "c")) == (NOBODY_LEFT, 0)


def test_a_job_that_was_just_started_shows_no_cycle() -> None:
    started = job(None, "a")
    started["status"]["lastExecution"] = {"activityIdentifier": None, "timeBegan": "0001-01-01T00:00:00Z"}
    rests = {**started, "schedule": {"state": "Paused"}}
    assert drained(rests, STARTED, started, started, job(None, "b")) == (NOBODY_LEFT, 0)
