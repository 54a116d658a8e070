"""Names and ids from anywhere cannot break out of a URL, a filter or a terminal line; many threads share a client."""

from __future__ import annotations

import inspect
import json
import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import world
from lab.entra import Fault, serve
from tests.declared_calls import makers
from tests.sign_ins import connected
from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for
from xtsync_resources.application.calls import list_applications
from xtsync_resources.assignments.calls import list_assignments
from xtsync_resources.graph.call import Call
from xtsync_resources.graph.errors import DeadlineError, GraphError, NoAnswerError, TenantName, XtsyncError
from xtsync_resources.graph.transport import Response, TransportError
from xtsync_resources.graph.wire_log import wire_text
from xtsync_resources.partner_policy.calls import create_partner, get_partner, update_partner
from xtsync_resources.sync_job.calls import get_job
from xtsync_resources.untrusted import one_line

IDS = st.text(min_size=1).filter(lambda text: text not in (".", ".."))
MAKERS = makers()
PLAIN = {"settings": {}, "values": {}, "top": 5, "seconds": 1.0}


def made(maker: Callable[..., Call], text: str) -> Call:
    parameters = inspect.signature(maker).parameters
    return maker(**{name: PLAIN.get(name, text) for name in parameters})


@pytest.mark.parametrize("name", MAKERS)
@given(text=IDS)
def test_no_id_leaves_its_place_in_a_url(name: str, text: str) -> None:
    plain, hostile = made(MAKERS[name], "x"), made(MAKERS[name], text)
    url = hostile.url_path
    assert url.isascii()
    assert url.isprintable()
    assert not set(url) & set(' "<>\\^`{|}#')
    assert urlsplit(url).path.count("/") == urlsplit(plain.url_path).path.count("/")
    assert list(parse_qs(urlsplit(url).query)) == list(parse_qs(urlsplit(plain.url_path).query))


@given(IDS)
def test_a_name_stays_inside_its_quotes_in_a_filter(text: str) -> None:
    query = urlsplit(list_applications(text).path).query
    found = unquote(query.split("&")[0].removeprefix("$filter="))
    assert found.startswith("displayName eq '")
    assert found.endswith("'")
    inside = found.removeprefix("displayName eq '")[:-1]
    assert "'" not in inside.replace("''", "")
    assert inside.replace("''", "'") == text


@given(st.text(), st.text())
def test_no_text_reaches_a_terminal_raw(what: str, why: str) -> None:
    assert one_line(what).isprintable()
    shown = str(XtsyncError(what, why, what, why))
    assert shown.count("\n") == 1 + bool(what) + bool(why)
    assert shown.replace("\n", "").isprintable()


JSON = st.recursive(st.text() | st.none() | st.booleans(), lambda inner: st.dictionaries(st.text(), inner))


@given(JSON)
def test_the_wire_log_is_one_line_without_secrets(value: object) -> None:
    body = json.dumps({"clientSecret": "canary", "value": [{"key": "Password", "value": "canary"}], "x": value})
    assert "canary" not in wire_text(body.encode()).replace(json.dumps(value), "")
    assert wire_text(body.encode()).isprintable()


@pytest.mark.parametrize("hidden", ["canary", ["canary"], {"a": {"b": ["canary"]}}, 271828, 2.71828, True, [[{}]]])
@pytest.mark.parametrize("name", ["secret", "passwordCredentials", "refresh_token", "clientAssertion"])
def test_the_wire_log_shows_nothing_below_a_secret_name(name: str, hidden: object) -> None:
    setting = {"key": "BaseAddress", "value": hidden, name: hidden}
    inside = json.dumps({name: hidden})
    for body in (
        {name: hidden, "n": 5},
        [{"a": [{name: hidden}]}],
        {"value": [setting]},
        {"a": inside},
        [f" {inside}"],
    ):
        shown = wire_text(json.dumps(body).encode())
        assert json.dumps(hidden).replace('"', "") not in shown.replace('"', "")
        assert "canary" not in shown
        assert "***" in shown


SIGNED = "eyJhbGciOiJSUzI1NiJ9.eyJ0aWQiOiJ4In0.c2lnbmF0dXJl"
ENCRYPTED = "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVydGV4dA.dGFn"


@pytest.mark.parametrize("token", [SIGNED, ENCRYPTED])
def test_the_wire_log_shows_no_token_wherever_it_is(token: str, caplog: pytest.LogCaptureFixture) -> None:
    """A server may send back what it got, or what is somebody else's, in any part of an answer."""
    body = {"id": token, "a": [f"Bearer {token}, and more"], token: 1, "b": json.dumps([token])}
    headers = {"request-id": token, "client-request-id": token}
    transport = ScriptedTransport(Response(200, headers, json.dumps(body).encode()), TransportError(token, unsent=True))
    operation, _ = operation_for(transport)
    with caplog.at_level(logging.DEBUG, "xtsync"):
        for _ in range(2):  # an answer of another shape, and none
            with pytest.raises(NoAnswerError):
                operation.client.exchange(get_job("sp", token))
    assert len(caplog.messages) == 2
    for part in token.split("."):
        assert not part or part[:12] not in caplog.text
    assert caplog.text.count("[a token]") >= 6
    assert token[:12] not in wire_text(json.dumps({"long": "x" * 1970 + token}).encode()), "it is cut in two"


@pytest.mark.parametrize("link", ["https://evil.example/v1.0/x", "https://graph.example.evil/v1.0/", "/relative", "x"])
def test_a_next_page_elsewhere_does_not_get_the_token(link: str) -> None:
    transport = ScriptedTransport(answer(200, {"value": [ONE], "@odata.nextLink": link}))
    operation, _ = operation_for(transport)
    with pytest.raises(NoAnswerError, match="next page is not at Graph"):
        list(operation.pages(list_assignments("sp")))


ONE = {"id": "a", "principalId": "p"}
FIRST = f"https://graph.microsoft.com/v1.0{list_assignments('sp').path}"
SECOND = f"{FIRST}?$skiptoken=2"


@pytest.mark.parametrize("links", [[FIRST], [SECOND, SECOND], [SECOND, FIRST]])
def test_a_next_page_that_was_read_already_ends_the_reading(links: list[str]) -> None:
    transport = ScriptedTransport(*(answer(200, {"value": [ONE], "@odata.nextLink": link}) for link in links))
    operation, _ = operation_for(transport)
    with pytest.raises(GraphError, match="read already") as raised:
        list(operation.pages(list_assignments("sp")))
    assert transport.replies == []
    assert "again later" in raised.value.do


def test_pages_without_end_are_read_to_the_deadline_only() -> None:
    pages = [answer(200, {"value": [ONE], "@odata.nextLink": f"{FIRST}?$skiptoken={n}"}) for n in range(100)]
    transport = ScriptedTransport(*pages)
    operation, clock = operation_for(transport, seconds=30)
    with pytest.raises(DeadlineError, match="2 pages were read in the time allowed"):
        list(operation.pages(list_assignments("sp"), lambda: clock.sleep(10)))
    assert len(transport.requests) == 2


def test_four_threads_share_one_client_under_throttling_violations_and_an_expired_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entra = world.dev_world()
    problems: list[BaseException] = []
    with serve(entra) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        client = connected(
            TenantName("target", "Fabrikam", world.TARGET_TENANT),
            kind="secret",
            client_id=world.TARGET_CLIENT,
            secret=lambda: world.TARGET_SECRET,
            cloud="public",
            metadata_host=server.host,
        )
        violation: dict[str, Any] = {"status": 409, "code": "Directory_ConcurrencyViolation", "method": "PATCH"}
        entra.faults.add(
            *(Fault(**violation, skip=skip) for skip in range(0, 30, 7)),
            *(Fault(status=429, code="TooManyRequests", headers={"Retry-After": "0"}, skip=s) for s in (3, 40)),
            Fault(status=401, code="InvalidAuthenticationToken", skip=25),
        )
        partners = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(4)]

        def work(partner: str) -> None:
            try:
                operation = client.operation(60)
                operation.make(create_partner(partner, {}), lambda: None)
                for number in range(10):
                    settings = {"automaticUserConsentSettings": {"inboundAllowed": bool(number % 2)}}
                    operation.send(update_partner(partner, settings))
                operation.send(get_partner(partner))
            except BaseException as error:
                problems.append(error)

        threads = [threading.Thread(target=work, args=(partner,)) for partner in partners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert problems == []
        assert not entra.faults.pending
        policies = entra.tenants[world.TARGET_TENANT].policies.partners
        assert all(policies[p].members["automaticUserConsentSettings"]["inboundAllowed"] is True for p in partners)
        assert len({call.path for call in entra.traffic if call.method == "PATCH"}) == len(partners)
