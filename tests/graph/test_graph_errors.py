"""Error answers, clouds, and sign-in: what is read out of them and what they say."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError

from tests.unit.graph_fakes import SOURCE, SOURCE_ID, TARGET_ID, CountingCredential, jwt, tokens_for
from xtsync_resources.graph import errors
from xtsync_resources.graph.clouds import endpoints_from_metadata
from xtsync_resources.graph.credentials import check_tenant
from xtsync_resources.graph.refusals import explain
from xtsync_resources.graph.transport import HttpsTransport, trusted_certificates
from xtsync_resources.partner_policy.calls import get_partner

CALL = get_partner("p")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "x", errors.NotFoundError),
        (400, errors.MISSING_CODE, errors.NotFoundError),
        (409, "x", errors.ConflictError),
        (400, errors.CONFLICT_CODE, errors.ConflictError),
        (409, errors.CONCURRENCY_CODE, errors.GraphError),
        (401, "x", errors.ForbiddenError),
        (403, "x", errors.ForbiddenError),
        (429, "x", errors.ThrottledError),
        (408, "x", errors.UnavailableError),
        (503, "x", errors.UnavailableError),
        (400, "x", errors.GraphError),
    ],
)
def test_status_and_code_choose_the_class(status: int, code: str, kind: type[errors.GraphError]) -> None:
    assert type(errors.graph_error(CALL, SOURCE, errors.Answer(status, code))) is kind


@pytest.mark.parametrize("inner", ["innerError", "innererror"])
def test_an_envelope_becomes_one_message(inner: str) -> None:
    ids = {"request-id": "r1", "client-request-id": "c1"}
    nested = json.dumps({"Message": "No\x1b[31m way"})
    error = {"code": "UnknownError", "message": nested, inner: ids, "details": [{"code": "D"}]}
    answer = errors.parse_answer(403, {}, json.dumps({"error": error}).encode(), None)
    assert answer.mentions("d")
    text = str(errors.graph_error(CALL, SOURCE, answer))
    assert f"in the source tenant Contoso ({SOURCE_ID})." in text
    assert "Why: Microsoft Graph answered 403 UnknownError: No\N{REPLACEMENT CHARACTER}[31m way" in text
    assert "Do:  give the signed-in application" in text
    assert "Ref: GET /v1.0/policies/crossTenantAccessPolicy/partners/p, request-id r1, client-request-id c1" in text


def nested(*levels: Any) -> str:
    """Errors each of which is a text in the message of the one before."""
    text = str(levels[-1])
    for level in reversed(levels[:-1]):
        text = json.dumps(level(text))
    return text


@pytest.mark.parametrize(
    ("message", "says", "codes"),
    [
        ("plain", "plain", []),
        ("{not JSON", "{not JSON", []),
        (nested(lambda text: {"Message": text}, "No way"), "No way", []),
        (nested(lambda text: {"error": {"code": "Inner", "message": text}}, "No way"), "Inner: No way", ["Inner"]),
        (nested(lambda text: [{"Code": "Inner", "Message": text}], "No way"), "Inner: No way", ["Inner"]),
        (
            nested(
                lambda text: {"error": {"code": "Outer", "message": text}},
                lambda text: {"code": "Inner", "message": text},
                "Inner happened",
            ),
            "Inner happened",
            ["Outer", "Inner"],
        ),
        ('{"error": "no_access"}', "no_access", []),
        ('{"count": 1}', '{"count": 1}', []),
        ("[]", "[]", []),
        ("null", "null", []),
        ('{"message": ""}', '{"message": ""}', []),
    ],
)
def test_an_error_that_is_a_text_in_a_message_is_unwrapped(message: str, says: str, codes: list[str]) -> None:
    answer = errors.parse_answer(
        400, {}, json.dumps({"error": {"code": "UnknownError", "message": message}}).encode(), 0
    )
    assert (answer.code, answer.message) == ("UnknownError", says)
    assert all(answer.mentions(code) for code in codes)


def test_errors_in_errors_have_an_end() -> None:
    text = "end"
    for _ in range(50):
        text = json.dumps({"message": text})[:20_000]
    body = json.dumps({"error": {"message": text, "details": [{"message": text}]}}).encode()
    assert errors.parse_answer(400, {}, body, None).message


@pytest.mark.parametrize(
    ("body", "says"), [(b"", "(empty answer)"), (b"<html>x", "(not a Graph answer) <html>x"), (b"[]", "not a Graph")]
)
def test_what_is_no_envelope_is_said(body: bytes, says: str) -> None:
    assert says in errors.parse_answer(502, {}, body, None).message


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"authentication": [], "microsoftGraphResourceId": "https://g"},
        {"authentication": {"loginEndpoint": "http://l"}, "microsoftGraphResourceId": "https://g"},
        {"authentication": {"loginEndpoint": "https://l"}, "microsoftGraphResourceId": "http://g"},
    ],
)
def test_metadata_without_https_endpoints_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"lacks|not https"):
        endpoints_from_metadata(document)


@pytest.mark.parametrize("token", [jwt(TARGET_ID), "", "opaque", "a.!!!.c", "a.bnVsbA.c"])
def test_a_token_of_another_tenant_is_refused(token: str) -> None:
    with pytest.raises(errors.WrongTenantError, match="no call was made"):
        check_tenant(SOURCE, token)
    check_tenant(SOURCE, jwt(SOURCE_ID.upper()))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ClientAuthenticationError("AADSTS7000222: x Trace ID: t1 y"), "XTSYNC_SOURCE_CLIENT_SECRET"),
        (ClientAuthenticationError("AADSTS700016: x"), "xtsync:source.clientId"),
        (ClientAuthenticationError("other\nmore"), "check xtsync:source.auth"),
        (CredentialUnavailableError("no az"), f"az login --tenant {SOURCE_ID}"),
        (ServiceRequestError("Connection refused"), "REQUESTS_CA_BUNDLE"),
    ],
)
def test_sign_in_refusals_say_what_to_do(error: Any, says: str) -> None:
    assert says in str(explain(SOURCE, error))


def test_threads_share_one_credential() -> None:
    before, tokens, found = CountingCredential.made, tokens_for(), []
    threads = [threading.Thread(target=lambda: found.append(tokens.token())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert (len(found), len(set(found)), CountingCredential.made - before) == (16, 1, 1)


def test_servers_are_always_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert trusted_certificates() is True
    monkeypatch.setenv("SSL_CERT_FILE", "ssl.pem")
    assert HttpsTransport()._verify == "ssl.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "requests.pem")
    assert HttpsTransport()._verify == "requests.pem"
    assert "http://" not in HttpsTransport()._session.adapters
