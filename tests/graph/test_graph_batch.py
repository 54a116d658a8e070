"""Removals in batches: each part of an answer counts by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for, refusal
from xtsync_resources.assignments.calls import delete_assignment
from xtsync_resources.graph.batch import remove_all
from xtsync_resources.graph.call import Call
from xtsync_resources.graph.errors import ForbiddenError, ThrottledError, UnavailableError

PURPOSE = "take users and groups out of the scope"


def removals(count: int) -> list[Call]:
    return [delete_assignment("sp", f"a{number}") for number in range(count)]


def parts(*statuses: int, **headers: str) -> Any:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    refused = {"error": {"code": "Code", "message": "no"}}
    return answer(
        200,
        {
            "responses": [
                {"id": str(place), "status": status, "headers": given, **({"body": refused} if status >= 300 else {})}
                for place, status in reversed(list(enumerate(statuses)))
            ]
        },
    )


def sent(transport: ScriptedTransport) -> list[list[str]]:
    """The urls of the parts of each request."""
    return [[one["url"] for one in json.loads(request.body or b"")["requests"]] for request in transport.requests]


def test_twenty_go_into_one_request() -> None:
    transport = ScriptedTransport(parts(*[204] * 20), parts(*[204] * 20), parts(204))
    operation, clock = operation_for(transport)
    remove_all(operation, removals(41), PURPOSE)
    assert [len(urls) for urls in sent(transport)] == [20, 20, 1]
    assert sent(transport)[2] == ["/servicePrincipals/sp/appRoleAssignedTo/a40"]
    assert clock.slept == []


def test_what_is_gone_is_done() -> None:
    operation, _ = operation_for(ScriptedTransport(parts(204, 404)))
    remove_all(operation, removals(2), PURPOSE)


@pytest.mark.parametrize("status", [429, 503, 504])
def test_only_the_parts_that_failed_are_sent_again_after_their_own_pause(status: int) -> None:
    transport = ScriptedTransport(parts(204, status, 204, Retry_After="7"), parts(204))
    operation, clock = operation_for(transport)
    remove_all(operation, removals(3), PURPOSE)
    assert sent(transport)[1] == ["/servicePrincipals/sp/appRoleAssignedTo/a1"]
    assert clock.slept == [7]


def test_a_part_that_is_not_answered_is_sent_again() -> None:
    transport = ScriptedTransport(answer(200, {"responses": []}), parts(204))
    operation, _ = operation_for(transport)
    remove_all(operation, removals(1), PURPOSE)
    assert len(transport.requests) == 2


def test_the_request_itself_is_repeated_as_any_other() -> None:
    transport = ScriptedTransport(refusal(429, headers={"retry-after": "3"}), refusal(503), parts(204))
    operation, clock = operation_for(transport)
    remove_all(operation, removals(1), PURPOSE)
    assert clock.slept[0] >= 3


def test_a_refused_part_stops_with_its_own_permission_and_call() -> None:
    operation, _ = operation_for(ScriptedTransport(parts(204, 403, request_id="R-1")))
    with pytest.raises(ForbiddenError) as caught:
        remove_all(operation, removals(2), PURPOSE)
    text = str(caught.value)
    for part in ("remove the assignment a1", "AppRoleAssignment.ReadWrite.All", "request-id R-1", "no"):
        assert part in text


@pytest.mark.parametrize(("status", "kind"), [(429, ThrottledError), (503, UnavailableError)])
def test_the_deadline_ends_it_with_what_graph_said_last(status: int, kind: type[Exception]) -> None:
    transport = ScriptedTransport(*[parts(status, Retry_After="20")] * 10)
    operation, _ = operation_for(transport, seconds=60)
    with pytest.raises(kind):
        remove_all(operation, removals(1), PURPOSE)
    assert len(transport.requests) == 3
