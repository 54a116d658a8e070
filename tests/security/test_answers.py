"""Answers are not trusted: neither in size and time, nor in what they say. Every strange one ends in a message."""

from __future__ import annotations

import gzip
import inspect
import json
import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.declared_calls import makers
from tests.patience import PATIENCE_SECONDS
from tests.security.hostile_answers import FLOOD, HEAD, MB, NOBODY_MEANS, SLOW, outcome
from tests.security.hostile_server import ELSEWHERE, Conversation, Hostile, floods, proxy, says, silence
from tests.unit.graph_fakes import SOURCE, ScriptedTransport, client_for, operation_for, tokens_for
from xtsync_resources.graph import json_reader
from xtsync_resources.graph.call import Call
from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clock import SystemClock
from xtsync_resources.graph.clouds import Endpoints
from xtsync_resources.graph.errors import (
    CallError,
    NoAnswerError,
    UnusableAnswerError,
)
from xtsync_resources.graph.headers import parse_date, parse_retry_after
from xtsync_resources.graph.transport import HttpsTransport, Request, Response, TransportError
from xtsync_resources.graph.wire_log import wire_text
from xtsync_resources.operate.health import read_health
from xtsync_resources.operate.logs import as_line
from xtsync_resources.partner_policy.calls import delete_partner, get_partner
from xtsync_resources.sync_job.calls import create_job, list_jobs
from xtsync_resources.sync_job.provisioning_log import read_event
from xtsync_resources.sync_schema.calls import put_schema


def client_of(server: Hostile, name: str = "localhost") -> GraphClient:
    host = server.host.replace("localhost", name)
    endpoints = Endpoints(f"https://{host}", f"https://{host}")
    return GraphClient(SOURCE, endpoints, tokens_for(), HttpsTransport())


# --- time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SLOW)
def test_no_answer_outlives_the_deadline_of_its_operation(server: Hostile, name: str) -> None:
    server.conversations[""] = SLOW[name]
    began = time.monotonic()
    with pytest.raises(NoAnswerError, match="it took too long"):
        client_of(server).operation(2).send(get_partner("p"))
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_an_answer_has_a_deadline_of_its_own(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    from xtsync_resources.graph import bounded

    monkeypatch.setattr(bounded, "ANSWER_SECONDS", 1.0)
    server.conversations[""] = SLOW["a body"]
    began = time.monotonic()
    with pytest.raises(TransportError, match="it took too long"):
        HttpsTransport().send(Request("GET", f"https://{server.host}/"))
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_a_quick_answer_after_a_slow_one_is_read(server: Hostile) -> None:
    server.conversations = {"slow": SLOW["a body"], "": says(b'{"tenantId": "p"}')}
    client = client_of(server)
    with pytest.raises(CallError):
        client.operation(1).send(get_partner("slow"))
    assert client.operation(PATIENCE_SECONDS).send(get_partner("p")) == {"tenantId": "p"}


@pytest.mark.parametrize("drip", [False, True])
def test_a_proxy_has_no_more_time(server: Hostile, monkeypatch: pytest.MonkeyPatch, drip: bool) -> None:
    server.conversations[""] = says(b'{"tenantId": "p"}')
    began = time.monotonic()
    with proxy(drip) as address:
        monkeypatch.setenv("HTTPS_PROXY", address)
        monkeypatch.setenv("NO_PROXY", "")
        seconds = 2 if drip else PATIENCE_SECONDS
        found = outcome(lambda: client_of(server, ELSEWHERE).operation(seconds).send(get_partner("p")))
    assert isinstance(found, NoAnswerError) if drip else found == {"tenantId": "p"}
    assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.parametrize("location", ["https://[bad", "//[", "https://user:password@[::1", "https://x:99999999/"])
def test_a_redirect_to_an_address_that_is_none_is_an_answer(server: Hostile, location: str) -> None:
    server.conversations[""] = says(b"{}", f"Location: {location}", status="302 Found")
    with pytest.raises(CallError, match="Microsoft Graph answered 302"):
        client_of(server).operation(2).send(get_partner("p"))


def test_a_request_that_is_taken_slowly_has_no_more_time(server: Hostile) -> None:
    client = client_of(server)
    server.conversations[""] = says(b'{"tenantId": "p"}')
    client.operation(PATIENCE_SECONDS).send(get_partner("p"))
    server.conversations[""] = silence
    schema = {"x": "y" * 12 * MB}
    server.body_pause = 0.25
    began = time.monotonic()
    with pytest.raises(NoAnswerError):
        client.operation(2).send(put_schema("sp", "j", schema))
    assert time.monotonic() - began < PATIENCE_SECONDS


# --- size ------------------------------------------------------------------------------------------------------


def bomb(megabytes: int) -> bytes:
    """Very much, packed to very little."""
    packing = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS)
    return b"".join(packing.compress(bytes(MB)) for _ in range(megabytes)) + packing.flush()


LARGE: dict[str, Conversation] = {
    "without end": FLOOD,
    "in one piece": says(b'{"a": "' + b"a" * 17 * MB + b'"}'),
    "packed": says(bomb(400), "Content-Encoding: gzip"),
    "packed, and sent large": floods(HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n", b"\x1f" * MB, 64),
    "said to be": floods(HEAD + b"Content-Length: 99999999999999\r\n\r\n", b"a" * MB, 64),
}


@pytest.mark.parametrize("name", LARGE)
def test_no_answer_takes_the_memory(server: Hostile, name: str) -> None:
    server.conversations[""] = LARGE[name]
    client = client_of(server)
    tracemalloc.start()
    try:
        with pytest.raises(UnusableAnswerError, match="larger than 16 MB"):
            client.operation(30).send(get_partner("p"))
        assert tracemalloc.get_traced_memory()[1] < 100 * MB
    finally:
        tracemalloc.stop()
    assert len(server.requests) == 1, "what is too large is not asked for again"


@pytest.mark.parametrize(
    ("body", "packing"),
    [
        (gzip.compress(b'{"tenantId": "p"}', mtime=0)[:-9], "gzip"),
        (b"not packed", "gzip"),
        (b"x", "br"),
        (gzip.compress(gzip.compress(b'{"tenantId": "p"}', mtime=0), mtime=0), "gzip, gzip"),
    ],
)
def test_what_cannot_be_unpacked_is_no_answer(server: Hostile, body: bytes, packing: str) -> None:
    server.conversations[""] = says(body, f"Content-Encoding: {packing}")
    with pytest.raises(NoAnswerError):
        client_of(server).operation(1).send(get_partner("p"))


def test_nothing_needs_no_unpacking(server: Hostile) -> None:
    server.conversations[""] = says(b"", "Content-Encoding: gzip")
    assert client_of(server).operation(5).send(delete_partner("p")) == {}


def test_what_is_packed_is_unpacked(server: Hostile) -> None:
    server.conversations[""] = says(gzip.compress(b'{"tenantId": "p"}', mtime=0), "Content-Encoding: gzip")
    assert client_of(server).operation(5).send(get_partner("p")) == {"tenantId": "p"}


# --- form ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NOBODY_MEANS)
def test_json_that_nobody_means_is_refused(name: str) -> None:
    with pytest.raises(json_reader.ShapeError):
        json_reader.read(NOBODY_MEANS[name])


@pytest.mark.parametrize("status", [200, 400, 404, 500])
@pytest.mark.parametrize("name", NOBODY_MEANS)
def test_what_nobody_means_is_told_with_the_call_and_its_reference(name: str, status: int) -> None:
    body = NOBODY_MEANS[name] if status == 200 else b'{"error": {"code": "X", "message": ' + NOBODY_MEANS[name] + b"}}"
    transport = ScriptedTransport(Response(status, {"request-id": "R1"}, body))
    with pytest.raises(CallError) as raised:
        client_for(transport)[0].exchange(get_partner("p"))
    assert "Failed to read the partner policy for p in the source tenant Contoso" in str(raised.value)
    assert "GET /v1.0/policies/crossTenantAccessPolicy/partners/p" in str(raised.value)
    assert "request-id R1" in str(raised.value)


def test_what_nobody_means_is_not_asked_for_again_and_a_creating_call_is_looked_for() -> None:
    strange = Response(200, {}, NOBODY_MEANS["deep"])
    transport = ScriptedTransport(strange)
    with pytest.raises(UnusableAnswerError):
        operation_for(transport)[0].send(get_partner("p"))
    transport = ScriptedTransport(strange)
    found = operation_for(transport)[0].make(create_job("sp", "t"), lambda: {"id": "found"})
    assert found == {"id": "found"}


MAKERS = makers()
PLAIN: dict[str, Any] = {"settings": {}, "values": {}, "top": 5}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def made(maker: Callable[..., Call]) -> Call:
    return maker(**{name: PLAIN.get(name, "x") for name in inspect.signature(maker).parameters})


def members(shape: Any) -> list[str]:
    """Names that occur in a shape at any depth."""
    from typing import get_args, get_type_hints, is_typeddict

    if not is_typeddict(shape):
        return [name for part in get_args(shape) for name in members(part)]
    return [found for name, part in get_type_hints(shape).items() for found in (name, *members(part))]


@pytest.mark.parametrize("name", MAKERS)
def test_no_call_takes_anything_for_an_answer(name: str) -> None:
    call = made(MAKERS[name])
    named = st.sampled_from(sorted({"value", "id", *members(call.answer)}))
    shaped = st.recursive(
        JSON, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(named, inner, max_size=4), max_leaves=12
    )

    @settings(max_examples=60)
    @given(shaped, st.sampled_from([200, 201, 400, 409, 500]))
    @example([], 200)
    @example("x", 200)
    @example({"value": {}}, 200)
    @example({"error": {"message": {"a": 1}, "code": [], "details": 5, "innerError": "x"}}, 400)
    @example({"error": {"message": '{"Message": [[]], "Code": {}}', "innererror": {"request-id": {}}}}, 500)
    def attack(document: Any, status: int) -> None:
        body = json.dumps(document).encode()
        client, _ = client_for(ScriptedTransport(Response(status, {}, body)))
        found = outcome(lambda: client.exchange(call))
        assert isinstance(found, dict) or len(str(found)) < 10_000

    attack()


READ = [name for name in MAKERS if made(MAKERS[name]).answer is not dict]


def test_every_read_says_what_its_answer_has_to_look_like() -> None:
    for name, maker in MAKERS.items():
        call = made(maker)
        if call.method == "GET" and name != "get_application_template":
            assert call.answer is not dict, name


COLLECTIONS = [name for name in READ if "value" in json_reader.members_of(made(MAKERS[name]).answer)]


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_collection_without_entries_is_told_from_an_answer_without_a_collection(name: str) -> None:
    call = made(MAKERS[name])
    with pytest.raises(NoAnswerError, match="but nothing with it"):
        client_for(ScriptedTransport(Response(200, {}, b"")))[0].exchange(call)
    for body in (b"{}", b'{"value": null}', b'{"value": {}}'):
        with pytest.raises(UnusableAnswerError, match="value"):
            client_for(ScriptedTransport(Response(200, {}, body)))[0].exchange(call)


@pytest.mark.parametrize("link", [5, ["x"], {"a": 1}, True, "x" * 100_000])
def test_a_next_page_of_any_kind(link: Any) -> None:
    transport = ScriptedTransport(Response(200, {}, json.dumps({"value": [], "@odata.nextLink": link}).encode()))
    with pytest.raises(CallError, match="not at Graph") as raised:
        list(operation_for(transport)[0].pages(list_jobs("sp")))
    assert len(str(raised.value)) < 10_000


def test_a_message_is_not_as_long_as_the_answer_would_like() -> None:
    said = json.dumps({"error": {"code": "X" * MB, "message": "y" * MB}}).encode()
    with pytest.raises(CallError) as raised:
        client_for(ScriptedTransport(Response(400, {"request-id": "z" * MB}, said)))[0].exchange(get_partner("p"))
    assert len(str(raised.value)) < 10_000
    assert len(raised.value.why) < 3_000


@given(st.text() | st.from_regex(r"(Mon, )?[0-9]{1,2} Jan [0-9]{1,9} [0-9:]{1,9} [+-]?[0-9]{1,30}"))
@example("Mon, 01 Jan 2024 00:00:00 +99999999999999999999")
@example("01 Jan 99999 00:00:00 GMT")
@example("1 1 1")
def test_dates_in_headers_that_no_calendar_has(text: str) -> None:
    parse_date(text)
    parse_retry_after(text, SystemClock().now())


NEVER = ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "0000-01-01T00:00:00Z")


@pytest.mark.parametrize("interval", ["PT40M", "P99999999999999D", f"PT{'9' * 400}S", "PT0S"])
@pytest.mark.parametrize("when", NEVER)
def test_times_that_no_calendar_has_are_never(when: str, interval: str) -> None:
    ran = {"state": "Succeeded", "timeBegan": when, "timeEnded": when}
    quarantine = {"reason": "x", "nextAttempt": when}
    status = {"code": "Active", "lastExecution": ran, "steadyStateFirstAchievedTime": when, "quarantine": quarantine}
    job = {"id": "j", "schedule": {"state": "Active", "interval": interval}, "status": status}
    health = read_health(job, SystemClock().now())
    assert (health.last_run, health.next_run, health.first_cycle) == (None, None, None)
    assert health.interval_minutes == 40
    assert as_line(read_event({"id": "e", "activityDateTime": when})).plain.startswith("?")


@pytest.mark.parametrize("name", NOBODY_MEANS)
def test_the_wire_log_writes_no_traceback_of_it(name: str) -> None:
    assert "\n" not in wire_text(NOBODY_MEANS[name])
