"""Answers that are each within bounds, and together are not; and ids that would lead a path elsewhere."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.graph_fakes import SOURCE, TARGET, SettableClock, jwt
from xtsync_resources.application.configurations import configurations_into
from xtsync_resources.assignments.calls import list_assignments
from xtsync_resources.assignments.operations import assignments
from xtsync_resources.config import parse
from xtsync_resources.directory.calls import list_members
from xtsync_resources.graph import json_reader, operation
from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.graph.credentials import TokenSource
from xtsync_resources.graph.errors import ConfigurationError, SignInError, UnusableAnswerError
from xtsync_resources.graph.transport import Request, Response
from xtsync_resources.operate.export import assigned
from xtsync_resources.operate.stack import Stack

BAD_IDS = ("", ".", "..")


class Endless:
    """Gives pages without end, each with a link to another."""

    def __init__(self, entries: int, page: dict[str, Any]) -> None:
        self._page, self.count = {"value": [page] * entries}, 0

    def send(self, request: Request) -> Response:
        self.count += 1
        link = f"https://graph.microsoft.com/v1.0/x?page={self.count}"
        return Response(200, {}, json.dumps({**self._page, "@odata.nextLink": link}).encode())


class Tokens:
    def token(self) -> str:
        return "t"

    def renew(self, _: str) -> None:
        pass


def client(transport: Any) -> GraphClient:
    return GraphClient(SOURCE, CLOUDS["public"].endpoints, Tokens(), transport, SettableClock())  # type: ignore[arg-type]


ASSIGNMENT = {"id": "a", "principalId": "b"}


def test_pages_without_end_are_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "MOST_ENTRIES", 1000)
    endless = Endless(300, ASSIGNMENT)
    with pytest.raises(UnusableAnswerError, match="more than 1,000 entries in 4 pages"):
        assignments(client(endless).operation(900), "sp", "role")
    assert endless.count == 4


@pytest.mark.parametrize("repeated", [False, True])
def test_bytes_without_end_are_one_message(monkeypatch: pytest.MonkeyPatch, *, repeated: bool) -> None:
    """In pages, and in calls of one operation that follow each other, as in batches."""
    monkeypatch.setattr(operation, "MOST_BYTES", 2**20)
    endless = Endless(3, {**ASSIGNMENT, "principalDisplayName": "x" * 100_000})
    made = client(endless).operation(900)

    def read() -> None:
        if not repeated:
            list(made.pages(list_assignments("sp")))
        while True:
            made.send(list_assignments("sp"))

    with pytest.raises(UnusableAnswerError, match="more than 1 MB came"):
        read()
    assert endless.count == 4


def endless_parts(each: int) -> Endless:
    """Many small things under a member that nobody reads: two bytes each as sent, a hundred in memory."""
    return Endless(1, {**ASSIGNMENT, "unread": [[]] * each})


def test_parts_without_end_are_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "MOST_PARTS", 10_000)
    endless = endless_parts(1_500)
    with pytest.raises(UnusableAnswerError, match="more than 10,000 parts came for what is one operation"):
        assignments(client(endless).operation(900), "sp", "role")
    assert endless.count == 4


def test_one_answer_of_many_parts_is_refused_before_it_is_made() -> None:
    endless = endless_parts(5_000_000)
    transport = SettableTransport(endless.send(Request("GET", "x")))
    made = client(transport).operation(900)
    tracemalloc.start()
    try:
        with pytest.raises(UnusableAnswerError, match="it has more than 1,000,000 parts"):
            assignments(made, "sp", "role")
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


class SettableTransport:
    """Gives the same answer again and again."""

    def __init__(self, reply: Response) -> None:
        self._reply = reply

    def send(self, request: Request) -> Response:
        return self._reply


# As a page of each comes: what is selected of a person, who is assigned.
PERSON = {
    "@odata.type": "#microsoft.graph.user",
    **dict.fromkeys("abcdefg", "Doe, John: of the department of somewhere"),
    "id": SOURCE.id,
}
REAL = {**ASSIGNMENT, **dict.fromkeys("abcdefghi", "Doe, John: of the department")}


@pytest.mark.parametrize(("entry", "people"), [(PERSON, 100_000), (REAL, 100_000)])
def test_a_large_tenant_fits(entry: dict[str, Any], people: int) -> None:
    body = json.dumps({"value": [entry] * 999}).encode()
    pages = people // 999 + 1
    assert pages * len(body) < operation.MOST_BYTES
    assert pages * json_reader.count_parts(body) < operation.MOST_PARTS


def test_what_a_look_has_read_in_vain_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain may look for hours; nothing of what it saw is kept."""
    monkeypatch.setattr(operation, "MOST_PARTS", 10_000)
    endless = endless_parts(1_500)
    made = client(endless).operation(900)

    def look() -> bool | None:
        made.send(list_assignments("sp"))
        return endless.count > 50 or None

    assert made.poll(look, list_assignments("sp"), "it is not there yet")


class Once:
    def __init__(self, entry: dict[str, Any]) -> None:
        self._entry = entry

    def send(self, request: Request) -> Response:
        return Response(200, {}, json.dumps({"value": [self._entry]}).encode())


READERS: dict[str, tuple[Callable[[Any], Any], dict[str, Any], str]] = {
    "who is assigned": (lambda made: assigned(made, "sp", ""), {**ASSIGNMENT, "principalType": "User"}, "principalId"),
    "an assignment": (lambda made: assignments(made, "sp", ""), ASSIGNMENT, "id"),
    "configurations": (lambda made: configurations_into(made, "t"), {"id": "", "appId": "x", "displayName": "d"}, "id"),
    "members": (lambda made: list(made.pages(list_members("g"))), {}, "id"),
}


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize("name", READERS)
def test_an_id_that_is_none_is_one_message(name: str, bad: str) -> None:
    read, entry, member = READERS[name]
    with pytest.raises(UnusableAnswerError, match=rf"value\[0\].{member} should be an id, and is '{bad}'"):
        read(client(Once({**entry, member: bad})).operation(900))


@pytest.mark.parametrize("bad", BAD_IDS)
def test_an_output_that_is_no_id_is_one_message(bad: str) -> None:
    sides = {"source": SOURCE.id, "target": TARGET.id}
    given = {side: json.dumps({"tenantId": tenant, "auth": "cli"}) for side, tenant in sides.items()}
    settings = parse({**given, "users": '["a@b.example"]'}, {}, {})
    stack = Stack("dev", settings)
    stack.__dict__["outputs"] = {"servicePrincipalId": bad}
    with pytest.raises(ConfigurationError, match=r"has no pair \(no output servicePrincipalId\)"):
        _ = stack.service_principal


@pytest.mark.parametrize("bad", ["\N{EURO SIGN}", "\u4e2d", "\r\nX: 1", " ", "\ud800", "\x7f"])
def test_a_token_that_no_header_can_have_is_one_message(bad: str) -> None:
    class Credential:
        def get_token(self, *_: str, **__: Any) -> Any:
            return type("Given", (), {"token": jwt(SOURCE.id) + bad, "expires_on": 2**31})

    with pytest.raises(SignInError, match="no token, or one that no header can have") as caught:
        TokenSource(SOURCE, "scope", Credential, clock=SettableClock()).token()
    assert jwt(SOURCE.id) not in str(caught.value)
