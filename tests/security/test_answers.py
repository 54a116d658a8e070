"""Answers are not trusted: neither in size and time, nor in what they say. Every strange one ends in a message."""

from __future__ import annotations

import gzip
import inspect
import json
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.declared_calls import makers
from tests.patience import PATIENCE_SECONDS
from tests.security.hostile_server import ELSEWHERE, Conversation, Hostile, drips, floods, hostile, proxy, says, silence
from tests.unit.graph_fakes import SOURCE, SOURCE_ID, ScriptedTransport, client_for, jwt, operation_for, tokens_for
from xtsync_resources.graph import json_reader
from xtsync_resources.graph.call import Call
from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clock import SystemClock
from xtsync_resources.graph.clouds import Endpoints
from xtsync_resources.graph.connect import fetch_endpoints
from xtsync_resources.graph.credentials import TokenSource, credential_for
from xtsync_resources.graph.errors import (
    CallError,
    ConfigurationError,
    NoAnswerError,
    SignInError,
    UnusableAnswerError,
    XtsyncError,
)
from xtsync_resources.graph.headers import parse_date, parse_retry_after
from xtsync_resources.graph.sign_in import Secrets, SignIn
from xtsync_resources.graph.token_claims import claims
from xtsync_resources.graph.transport import HttpsTransport, Request, Response, TransportError
from xtsync_resources.graph.wire_log import wire_text
from xtsync_resources.operate.health import read_health
from xtsync_resources.operate.logs import as_line
from xtsync_resources.partner_policy.calls import delete_partner, get_partner
from xtsync_resources.sync_job.calls import create_job, list_jobs
from xtsync_resources.sync_job.provisioning_log import read_event
from xtsync_resources.sync_schema.calls import put_schema

MB = 2**20
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DEEP = b'{"a":' * 100_000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    with hostile(tmp_path) as found:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", found.certificate)
        yield found


def client_of(server: Hostile, name: str = "localhost") -> GraphClient:
    host = server.host.replace("localhost", name)
    endpoints = Endpoints(f"https://{host}", f"https://{host}")
    return GraphClient(SOURCE, endpoints, tokens_for(), HttpsTransport())


# --- time ------------------------------------------------------------------------------------------------------

# Each takes longer than a test waits: only a deadline ends it.
SLOW: dict[str, Conversation] = {
    "a body": drips(b" " * 2000, 0.25, HEAD + b"Content-Length: 2000\r\n\r\n"),
    "a body in chunks": drips(b"1\r\n \r\n" * 400, 0.25, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
    "a body without length": drips(b" " * 2000, 0.25, HEAD + b"Connection: close\r\n\r\n"),
    "headers": drips(b"X-Slow: " + b"a" * 2000, 0.25, HEAD),
    "a status": drips(b"HTTP/1.1 " + b" " * 2000, 0.25),
    "answers before the answer": drips(b"HTTP/1.1 100 Continue\r\n\r\n" * 80, 0.25),
    "nothing": drips(b"", 0, b""),
}


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


FLOOD = floods(HEAD + b"Connection: close\r\n\r\n", b'{"a": "' + b"a" * MB, 64)
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

NOBODY_MEANS = {
    "deep": DEEP,
    "deep and whole": b'{"a":' * 70 + b"1" + b"}" * 70,
    "not a number": b'{"a": NaN}',
    "infinite": b'{"a": -Infinity}',
    "beyond all numbers": b'{"a": 1e999}',
    "a long number": b'{"a": ' + b"9" * 5000 + b"}",
    "a large number": b'{"a": 99999999999999999999}',
    "half a character": b'{"a": "\\ud800"}',
    "half a character as a name": b'{"\\udfff": 1}',
    "half a character, raw": b'{"a": "\xed\xa0\x80"}',
    "a list": b"[]",
    "a text": b'"text"',
    "null": b"null",
}


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


def outcome(act: Callable[[], Any]) -> Any:
    """What an act gives, or the error of ours it ends with; any other error is the test's failure."""
    try:
        return act()
    except XtsyncError as error:
        return error


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


# --- sign-in and metadata --------------------------------------------------------------------------------------


def openid(host: str) -> dict[str, Any]:
    base = f"https://{host}/{SOURCE_ID}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "issuer": f"{base}/v2.0",
    }


TOKEN: dict[str, Any] = {"token_type": "Bearer", "expires_in": 3599, "access_token": jwt(SOURCE_ID)}
STRANGE_TOKENS: dict[str, Any] = {
    "a list": [],
    "null": None,
    "a text": "x",
    "no token": {},
    "a token that is a list": {**TOKEN, "access_token": ["x"]},
    "a token that is an object": {**TOKEN, "access_token": {"a": 1}},
    "a token that is a number": {**TOKEN, "access_token": 5},
    "a time that is a text": {**TOKEN, "expires_in": "soon"},
    "a time that is a list": {**TOKEN, "expires_in": []},
    "a time that is an object": {**TOKEN, "expires_in": {}},
    "an id token that is a number": {**TOKEN, "id_token": 5},
    "an id token of nothing": {**TOKEN, "id_token": "a.b.c"},
    "a deep id token": {**TOKEN, "id_token": "e30.W1tb.x"},
    "client info that is a list": {**TOKEN, "client_info": ["x"]},
    "a scope that is an object": {**TOKEN, "scope": {"a": 1}},
    "an error that is an object": {"error": {"a": 1}, "error_description": ["x"], "error_codes": 5},
}
STRANGE_BODIES = {name: json.dumps(document).encode() for name, document in STRANGE_TOKENS.items()} | NOBODY_MEANS


def source_of(server: Hostile) -> TokenSource:
    login = f"https://{server.host}"
    sign_in = SignIn(SOURCE, "secret", "c", metadata_host=server.host)
    endpoints = Endpoints(login, login)
    return TokenSource(
        SOURCE, endpoints.scope, lambda: credential_for(sign_in, Secrets(lambda: "s3cr3t"), endpoints), "secret"
    )


def signed_in_or_told(tokens: TokenSource) -> None:
    found = outcome(tokens.token)
    if isinstance(found, str):
        return
    assert isinstance(found, SignInError)
    assert "Failed to sign in to the source tenant Contoso" in str(found)
    assert "s3cr3t" not in str(found)
    assert len(str(found)) < 10_000


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
@pytest.mark.parametrize("name", STRANGE_BODIES)
def test_a_token_endpoint_that_answers_strangely(server: Hostile, name: str, status: str) -> None:
    server.conversations = {
        "openid-configuration": says(json.dumps(openid(server.host)).encode()),
        "": says(STRANGE_BODIES[name], status=status),
    }
    signed_in_or_told(source_of(server))


@pytest.mark.parametrize("name", STRANGE_BODIES)
def test_an_openid_document_that_is_strange(server: Hostile, name: str) -> None:
    server.conversations = {
        "openid-configuration": says(STRANGE_BODIES[name]),
        "": says(json.dumps(TOKEN).encode()),
    }
    with pytest.raises(SignInError):
        source_of(server).token()


def test_a_token_endpoint_that_does_not_end(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)  # azure-core's pauses before it asks again
    server.conversations = {"openid-configuration": says(json.dumps(openid(server.host)).encode()), "": FLOOD}
    tracemalloc.start()
    try:
        with pytest.raises(SignInError, match="larger than 1 MB"):
            source_of(server).token()
        assert tracemalloc.get_traced_memory()[1] < 100 * MB
    finally:
        tracemalloc.stop()


def test_a_token_endpoint_that_drips(server: Hostile) -> None:
    openid_document = says(json.dumps(openid(server.host)).encode())
    server.conversations = {"openid-configuration": openid_document, "": SLOW["a body"]}
    client = GraphClient(SOURCE, Endpoints("https://login", "https://graph"), source_of(server), ScriptedTransport())
    began = time.monotonic()
    with pytest.raises(XtsyncError):
        client.operation(1.5).send(get_partner("p"))
    assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.parametrize("payload", [b"[" * 100_000, b'{"tid": 5}', b'{"tid": "t", "roles": 5}', b'{"tid": "\\ud800"}'])
def test_a_token_whose_claims_are_strange_belongs_to_no_tenant(payload: bytes) -> None:
    import base64

    text = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    assert claims(f"e30.{text}.x") == {}


METADATA: dict[str, Any] = {
    "a list": [],
    "no Graph": {"authentication": {"loginEndpoint": "https://l"}},
    "a login that is a list": {"authentication": ["x"], "microsoftGraphResourceId": "https://g"},
    "an endpoint that is a number": {"authentication": {"loginEndpoint": 5}, "microsoftGraphResourceId": "https://g"},
}


@pytest.mark.parametrize("name", METADATA | NOBODY_MEANS)
def test_metadata_that_is_strange(name: str) -> None:
    body = NOBODY_MEANS[name] if name in NOBODY_MEANS else json.dumps(METADATA[name]).encode()
    with pytest.raises(ConfigurationError, match="Failed to read the endpoints"):
        fetch_endpoints("localhost", ScriptedTransport(Response(200, {}, body)), SystemClock())
