"""The client's retries, waits and deadline, on a clock that only sleeping moves."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.graph_fakes import (
    BEGINNING,
    SOURCE_ID,
    ScriptedTransport,
    answer,
    client_for,
    operation_for,
    refusal,
)
from xtsync_resources.graph.call import Call
from xtsync_resources.graph.consistency import POLICIES_APPEAR, SERVICE_PRINCIPAL_SETTLES, Propagation, StaleRead
from xtsync_resources.graph.errors import (
    CallError,
    DeadlineError,
    GraphError,
    NoAnswerError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
    UnusableAnswerError,
)
from xtsync_resources.graph.headers import parse_retry_after
from xtsync_resources.graph.transport import CAUSES, Response, TransportError
from xtsync_resources.identity_sync_policy.calls import delete_identity_sync, get_identity_sync
from xtsync_resources.partner_policy.calls import get_partner
from xtsync_resources.sync_job.calls import (
    create_job,
    get_job,
    list_jobs,
    start_job,
    validate_credentials,
)

READ = get_partner("p")
MAKE = create_job("sp", "Azure2Azure")
SAID = {"tenantId": "p", "value": []}  # as a partner policy, and as a list of jobs
FINE = answer(200, SAID)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7.7),
        ("315", 315, 316),
        (format_datetime(BEGINNING + timedelta(seconds=90), usegmt=True), 90, 91),
        ("0", 0, 1),
        (None, 0, 1),
        ("soon", 0, 1),
    ],
)
@pytest.mark.parametrize("call", [READ, MAKE])
def test_throttling_is_waited_out_in_full(header: str | None, least: float, most: float, call: Call) -> None:
    headers = {"retry-after": header} if header else {}
    transport = ScriptedTransport(refusal(429, "TooManyRequests", headers=headers), FINE)
    operation, clock = operation_for(transport)
    assert operation.send(call) == SAID
    assert len(clock.slept) == 1
    assert least <= clock.slept[0] <= most


REPEATED = [
    *(refusal(status) for status in (500, 502, 503, 504, 408)),
    TransportError("cut", unsent=False),
    Response(200, {}, b'{"value": ['),
    Response(200, {}, b"<html>proxy</html>"),
]


@pytest.mark.parametrize("reply", REPEATED)
def test_what_may_have_been_done_is_repeated_only_where_harmless(reply: Response | TransportError) -> None:
    transport = ScriptedTransport(reply, FINE)
    assert operation_for(transport)[0].send(READ) == SAID
    transport = ScriptedTransport(reply, FINE)
    with pytest.raises((NoAnswerError, UnavailableError)):
        operation_for(transport)[0].send(MAKE)
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [TransportError("refused", unsent=True), refusal(409, "Directory_ConcurrencyViolation")],
)
def test_what_was_certainly_not_done_is_always_repeated(reply: Response | TransportError) -> None:
    transport = ScriptedTransport(reply, FINE)
    assert operation_for(transport)[0].send(MAKE) == SAID


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 501])
def test_final_answers_are_final(status: int) -> None:
    transport = ScriptedTransport(refusal(status, "X"))
    operation, clock = operation_for(transport)
    with pytest.raises(GraphError):
        operation.send(READ)
    assert clock.slept == []


def test_an_unreachable_host_is_given_up_after_a_minute() -> None:
    transport = ScriptedTransport(*[TransportError("refused", unsent=True)] * 200)
    operation, clock = operation_for(transport)
    with pytest.raises(NoAnswerError, match="refused"):
        operation.send(READ)
    assert 60 <= clock.time <= 60 + 30


@pytest.mark.parametrize("unsent", [True, False])
@pytest.mark.parametrize("cause", ["CERTIFICATE_VERIFY_FAILED", "SOCKS support"])
@pytest.mark.parametrize("call", [READ, MAKE], ids=["read", "make"])
def test_what_the_next_try_would_meet_as_well_is_final(call: Call, cause: str, unsent: bool) -> None:
    transport = ScriptedTransport(*[TransportError(CAUSES[cause], unsent=unsent)] * 200)
    operation, clock = operation_for(transport)
    with pytest.raises(NoAnswerError, match="REQUESTS_CA_BUNDLE"):
        operation.send(call)
    assert clock.slept == []


@pytest.mark.parametrize("header", ["11", "315"])
def test_nothing_sleeps_past_the_deadline(header: str) -> None:
    transport = ScriptedTransport(refusal(429, headers={"retry-after": header}))
    operation, clock = operation_for(transport, seconds=10)
    with pytest.raises(ThrottledError):
        operation.send(READ)
    assert clock.slept == []


def test_the_deadline_bounds_the_whole_operation() -> None:
    transport = ScriptedTransport(*[refusal(503)] * 1000)
    operation, clock = operation_for(transport, seconds=100)
    with pytest.raises(UnavailableError):
        operation.send(READ)
    assert 50 < clock.time <= 100
    assert sum(clock.slept) == pytest.approx(clock.time)


def test_a_refused_token_is_renewed_once() -> None:
    transport = ScriptedTransport(refusal(401, "InvalidAuthenticationToken"), FINE)
    client, clock = client_for(transport)
    assert client.exchange(READ) == SAID
    first, second = (request.headers["Authorization"] for request in transport.requests)
    assert first != second
    assert clock.slept == []
    transport.replies = [refusal(401)] * 2
    with pytest.raises(GraphError):
        client.exchange(READ)
    assert transport.replies == []


def test_a_token_only_goes_to_graph_and_a_redirect_is_an_error() -> None:
    transport = ScriptedTransport(answer(302, headers={"location": "https://elsewhere.example/"}))
    with pytest.raises(GraphError):
        operation_for(transport)[0].send(READ)
    assert [request.url for request in transport.requests] == [
        "https://graph.microsoft.com/v1.0/policies/crossTenantAccessPolicy/partners/p"
    ]
    assert transport.requests[0].headers["Authorization"].startswith("Bearer ")


@pytest.mark.parametrize("seconds", [60.0, None])
def test_patience_ends_with_its_window_or_the_deadline(seconds: float | None) -> None:
    patience = Propagation("waiting for it", frozenset({404}), seconds=seconds)
    transport = ScriptedTransport(*[refusal(404, "Request_ResourceNotFound")] * 1000)
    operation, clock = operation_for(transport, seconds=300)
    with pytest.raises(DeadlineError, match="waiting for it: after"):
        operation.send(READ, patience)
    end = seconds or 300
    assert end - 31 <= clock.time <= end + 31
    assert clock.time <= 300


def test_more_time_is_only_advised_where_it_helps() -> None:
    for seconds, advised in ((60.0, False), (None, True)):
        transport = ScriptedTransport(*[refusal(404, "Request_ResourceNotFound")] * 1000)
        operation, _ = operation_for(transport, seconds=300)
        with pytest.raises(DeadlineError) as caught:
            operation.send(READ, Propagation("waiting for it", frozenset({404}), seconds=seconds))
        assert ("xtsync:deadlineMinutes" in caught.value.do) is advised
        assert caught.value.do.startswith("run the command again to go on waiting")


@pytest.mark.parametrize(("status", "waits"), [(404, True), (403, False)])
def test_a_new_service_principal_may_be_unknown_for_minutes_but_not_forbidden(status: int, waits: bool) -> None:
    transport = ScriptedTransport(*[refusal(status, "x")] * 1000)
    operation, clock = operation_for(transport, seconds=900)
    with pytest.raises(DeadlineError):
        operation.send(list_jobs("sp"), *SERVICE_PRINCIPAL_SETTLES)
    assert (clock.time > 600) is waits
    assert waits or clock.time < 100


def test_each_patience_has_a_time_of_its_own() -> None:
    """404 for minutes, then 403 for a moment, as a new service principal becomes known."""
    transport = ScriptedTransport(*[refusal(404, "x")] * 30, *[refusal(403, "x")] * 2, FINE)
    operation, clock = operation_for(transport, seconds=900)
    assert operation.send(list_jobs("sp"), *SERVICE_PRINCIPAL_SETTLES) == SAID
    assert clock.time > 60


CODE = "AzureDirectoryB2BManagementPolicyCheckFailure"


@pytest.mark.parametrize(
    "error",
    [
        {"code": CODE, "message": "x"},
        {"code": "CredentialValidationUnavailable", "message": "x", "details": [{"code": CODE, "message": "y"}]},
        {"code": "CredentialValidationUnavailable", "message": "x", "innerError": {"code": CODE}},
        {"code": "x", "message": "x", "innererror": {"code": "y", "innererror": {"code": CODE}}},
        {"code": "x", "message": json.dumps({"Code": CODE, "Message": "No."})},
        {"code": "x", "message": "Policy permitting auto-redemption of invitations not configured."},
    ],
    ids=["code", "details", "innerError", "deep", "embedded", "text"],
)
def test_the_gate_knows_a_policy_that_has_not_spread_wherever_graph_says_so(error: Any) -> None:
    transport = ScriptedTransport(answer(400, {"error": error}), answer(204, {}))
    operation_for(transport)[0].send(validate_credentials("sp", "t", "x"), POLICIES_APPEAR)
    assert transport.replies == []


def test_patience_looks_at_the_text_where_it_names_one() -> None:
    final = refusal(400, "Other", "no licence")
    transport = ScriptedTransport(refusal(400, "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure"), final)
    with pytest.raises(GraphError, match="no licence"):
        operation_for(transport)[0].send(validate_credentials("sp", "t", "x"), POLICIES_APPEAR)
    assert transport.replies == []


def test_make_looks_before_it_sends_again() -> None:
    transport = ScriptedTransport(TransportError("cut", unsent=False), refusal(503), FINE)
    operation, _ = operation_for(transport)
    looks: list[int] = []
    assert operation.make(MAKE, lambda: looks.append(len(transport.requests))) == SAID
    assert looks == [1, 2]
    transport = ScriptedTransport(TransportError("cut", unsent=False))
    assert operation_for(transport)[0].make(MAKE, lambda: "found") == "found"
    assert len(transport.requests) == 1


def test_make_goes_on_looking_while_things_settle() -> None:
    transport = ScriptedTransport(TransportError("cut", unsent=False))
    operation, clock = operation_for(transport)
    found = operation.make(MAKE, lambda: "late" if clock.time >= 9 else None, lost=StaleRead.for_seconds(10))
    assert found == "late"
    assert clock.time <= 10


def test_make_gives_up_at_the_deadline_with_the_lost_answer() -> None:
    transport = ScriptedTransport(*[TransportError("cut", unsent=False)] * 1000)
    operation, clock = operation_for(transport, seconds=60)
    with pytest.raises(NoAnswerError, match="cut"):
        operation.make(MAKE, lambda: None)
    assert clock.time <= 60


def test_waits_look_at_once_and_end_with_the_deadline() -> None:
    operation, clock = operation_for(ScriptedTransport(FINE))
    assert operation.wait_until(READ, lambda seen: seen is not None, "w") == SAID
    assert clock.slept == []
    operation, clock = operation_for(ScriptedTransport(*[FINE] * 200), seconds=60)
    with pytest.raises(DeadlineError, match="for it, to the end of the time allowed"):
        operation.wait_until(READ, lambda seen: seen is None, "for it")
    assert 45 <= clock.time <= 60


def test_poll_gives_errors_on_and_read_gives_none_for_404() -> None:
    operation, _ = operation_for(ScriptedTransport(refusal(403, "X"), refusal(404)))
    with pytest.raises(GraphError):
        operation.wait_until(READ, lambda seen: True, "w")
    assert operation.read(READ) is None


def test_class_and_message_of_an_empty_404() -> None:
    operation, _ = operation_for(ScriptedTransport(Response(404, {}, b"")))
    with pytest.raises(NotFoundError, match=r"\(empty answer\)") as caught:
        operation.send(READ)
    assert isinstance(caught.value, CallError)
    assert SOURCE_ID in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("nonsense", None),
        ("-5", 0),
        ("2.5", 2.5),
        (format_datetime(BEGINNING - timedelta(hours=1), usegmt=True), 0),
        ((BEGINNING + timedelta(seconds=30)).strftime("%a, %d %b %Y %H:%M:%S"), 30),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, BEGINNING) == seconds


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400"])
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(text: str) -> None:
    assert parse_retry_after(text, BEGINNING) is None


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_an_id_stays_one_path_segment(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    for call, before, after in (
        (get_partner(text), 4, 0),
        (delete_identity_sync(text), 4, 1),
        (get_job("sp", text), 5, 0),
        (start_job(text, "j"), 2, 4),
    ):
        segments = call.url_path.split("/")[1:]
        assert len(segments) == before + 1 + after
        assert not set("?#\\ \r\n") & set(segments[before])


@pytest.mark.parametrize("to_the_end", [True, False])
def test_looks_from_which_absence_follows_are_made_past_the_deadline(to_the_end: bool) -> None:
    operation, clock = operation_for(ScriptedTransport(), seconds=0)
    stale = StaleRead((0.5, 1.0, 2.0), to_the_end=to_the_end)
    assert operation.look_again(stale, lambda: "late" if clock.time >= 3 else None) == ("late" if to_the_end else None)


# --- where there may be none ---------------------------------------------------------------------------------------

NULLS = {"tenantId": SOURCE_ID, "displayName": None, "userSyncInbound": None}


@pytest.mark.parametrize(
    "none",
    [
        answer(204),
        Response(200, {}, b"null"),
        answer(200, {"@odata.context": "x", "@odata.null": True}),
        answer(200, {"@odata.context": "x", **NULLS}),
    ],
)
def test_every_answer_of_odata_for_no_object_is_not_found(none: Response) -> None:
    operation, _ = operation_for(ScriptedTransport(none))
    assert operation.read(get_identity_sync(SOURCE_ID)) is None


@pytest.mark.parametrize("there", [{**NULLS, "displayName": "x"}, {**NULLS, "userSyncInbound": {}}])
def test_what_says_something_is_there(there: dict[str, Any]) -> None:
    operation, _ = operation_for(ScriptedTransport(answer(200, there)))
    assert operation.read(get_identity_sync(SOURCE_ID)) == there


@pytest.mark.parametrize("lost", [Response(200, {}, b""), answer(200, {})])
def test_an_empty_answer_is_not_taken_for_none(lost: Response) -> None:
    operation, _ = operation_for(ScriptedTransport(*[lost] * 1000))
    with pytest.raises(NoAnswerError):
        operation.read(get_identity_sync(SOURCE_ID))


def test_a_collection_that_is_read_whole_has_the_entries_of_all_its_pages() -> None:
    link = f"https://graph.microsoft.com/v1.0{list_jobs('sp').path}?$skiptoken=x"
    job = {"id": "j", "templateId": "Azure2Azure", "schedule": {"state": "Active"}}
    first, last = answer(200, {"value": [], "@odata.nextLink": link}), answer(200, {"value": [job]})
    operation, _ = operation_for(ScriptedTransport(first, last))
    assert operation.send(list_jobs("sp")) == {"value": [job]}


def test_a_later_page_that_is_refused_is_refused_in_words() -> None:
    link = f"https://graph.microsoft.com/v1.0{list_jobs('sp').path}?$skiptoken=x"
    transport = ScriptedTransport(answer(200, {"value": [], "@odata.nextLink": link}), refusal(404))
    with pytest.raises(UnusableAnswerError, match="a later page of it is not there"):
        operation_for(transport)[0].read(list_jobs("sp"))
