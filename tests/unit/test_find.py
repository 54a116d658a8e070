"""Users and groups are found by what they are called, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for
from xtsync_resources.config import GUID
from xtsync_resources.directory.find import find
from xtsync_resources.graph.errors import GraphError
from xtsync_resources.graph.transport import Response

ID = "0f6c2a11-0000-4000-8000-000000000001"
ALICE = {"id": ID, "userPrincipalName": "alice@contoso.com"}


def batch(*parts: tuple[int, Any]) -> Response:
    responses = [{"id": str(place), "status": status, "body": body} for place, (status, body) in enumerate(parts)]
    return answer(200, {"responses": responses})


def found(*replies: Response, **wanted: Sequence[str]) -> Mapping[tuple[str, str], set[str]]:
    operation, _ = operation_for(ScriptedTransport(*replies))
    return {key: {*ids} for key, ids in find(operation, wanted, GUID.fullmatch).items()}


@pytest.mark.parametrize("status", [400, 404, 413, 414])
def test_whoever_a_filter_cannot_ask_for_is_asked_for_alone(status: int) -> None:
    refused = {"error": {"code": "x", "message": "URI too long"}}
    one_by_one = found(batch((status, refused)), batch((200, ALICE)), user=["alice@contoso.com"])
    assert one_by_one == {("user", "alice@contoso.com"): {ID}}


def test_a_filter_that_is_refused_for_another_reason_fails() -> None:
    with pytest.raises(GraphError):
        found(batch((403, {"error": {"code": "x", "message": "no"}})), user=["alice@contoso.com"])
