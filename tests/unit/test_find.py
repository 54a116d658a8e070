"""Users and groups are found by what they are called, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for
from xtsync_resources.config import GUID
from xtsync_resources.directory.find import find, find_objects
from xtsync_resources.graph.errors import GraphError
from xtsync_resources.graph.transport import Response

ID, OTHER = "0f6c2a11-0000-4000-8000-000000000001", "0f6c2a11-0000-4000-8000-000000000002"
ALICE = {"id": ID, "userPrincipalName": "alice@contoso.com"}
NOBODY: dict[str, Any] = {"value": []}
COMPOSED, DECOMPOSED = "Caf\u00e9", "cafe\u0301"


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


@pytest.mark.parametrize(
    ("kind", "name", "told", "is_it"),
    [
        ("user", "alice@contoso.com", "Alice@Contoso.com", True),
        ("user", "alice@contoso.com", "alice.smith@contoso.com", False),
        ("group", "Finance", "FINANCE", True),
        ("group", "Finance", "Finance 2", False),
        ("group", "Finance ", "Finance", True),
        ("group", COMPOSED, DECOMPOSED, True),
        ("group", "Stra\u00dfe", "STRASSE", True),
        ("group", "Finance", None, True),
    ],
)
def test_an_answer_of_another_name_finds_nobody(kind: str, name: str, told: str | None, *, is_it: bool) -> None:
    key = "userPrincipalName" if kind == "user" else "displayName"
    one = {"id": ID, key: told}
    alone = batch((200, one if kind == "user" else {"value": [one]}))
    assert found(batch((200, NOBODY)), alone, **{kind: [name]}) == ({(kind, name.lower()): {ID}} if is_it else {})


def test_an_answer_that_says_no_name_is_taken() -> None:
    assert found(batch((200, NOBODY)), batch((200, {"id": ID})), user=["a@b.c"]) == {("user", "a@b.c"): {ID}}


def test_of_an_object_id_the_name_does_not_matter() -> None:
    assert found(batch((200, NOBODY)), batch((200, ALICE)), user=[ID]) == {("user", ID): {ID}}


def test_of_several_only_those_of_the_name_are_kept() -> None:
    value = [{"id": ID, "displayName": "Finance"}, {"id": OTHER, "displayName": "Finances"}]
    operation, _ = operation_for(ScriptedTransport(batch((200, NOBODY)), batch((200, {"value": value}))))
    assert find_objects(operation, {"group": ["finance"]}, GUID.fullmatch) == {("group", "finance"): {ID: value[0]}}
