"""A secret that somebody says is shown nowhere: by a server that sends it back, or by a library that quotes it."""

from __future__ import annotations

import base64
import io
import json
import logging
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from lab import world
from tests.security.hostile import Hostile, Seen
from tests.sign_ins import connected
from tests.unit.graph_fakes import SOURCE, TARGET, SettableClock
from xtsync_resources.application.calls import list_applications
from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.graph.errors import FOREIGN_CHARACTERS, ConfigurationError, SignInError, XtsyncError, parse_answer
from xtsync_resources.graph.transport import CAUSES, HttpsTransport, Request, Response, TransportError, plain_cause
from xtsync_resources.graph.wire_log import wire_text
from xtsync_resources.pulumi_runtime.messages import Stopped
from xtsync_resources.redaction import MASK, VARIABLE, know, redacted
from xtsync_resources.untrusted import gated, value

SECRET = "abC8Q~a client+secret/with%signs&'\"and\\\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{PERSON WITH FOLDED HANDS}"
JWT = "eyJhbGciOi.eyJ0aWQiOiJ4.c2ln"
EVERY_BYTE = "".join(f"%{byte:02x}" for byte in SECRET.encode())

WAYS = {
    "as it is": SECRET,
    "in an address": quote(SECRET),
    "in a path": quote(SECRET, safe=""),
    "in a form": quote_plus(SECRET),
    "every byte": EVERY_BYTE,
    "every byte, in capitals": EVERY_BYTE.upper(),
    "in JSON": json.dumps(SECRET)[1:-1],
    "in JSON as it is": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "in HTML": escape(SECRET),
    "in XML": escape(SECRET, quote=False).replace('"', "&quot;").replace("'", "&apos;"),
    "in HTML by numbers": "".join(f"&#0{ord(character)};" for character in SECRET),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_known_however_it_is_written(way: str) -> None:
    know(SECRET)
    assert redacted(f"<{WAYS[way]}>") == f"<{MASK}>"


@pytest.mark.parametrize(
    "variable",
    [
        "XTSYNC_SOURCE_CLIENT_SECRET",
        "XTSYNC_TARGET_CERTIFICATE_PASSWORD",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "SYSTEM_ACCESSTOKEN",
        "IDENTITY_HEADER",
        "MSI_SECRET",
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_CONFIG_PASSPHRASE",
    ],
)
def test_a_secret_of_the_environment_is_known_before_it_is_used(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, f"{SECRET}\n")
    assert SECRET not in str(ConfigurationError("It failed", f"because of {SECRET}", "look"))
    assert not VARIABLE.fullmatch("XTSYNC_SOURCE_CLIENT_SECRET_FILE")


def test_words_and_values_stay() -> None:
    know("secret")
    know("")
    know(SECRET)
    assert redacted("a secret word, Eyjafjallajökull.example.com, 100 % of it") == (
        "a secret word, Eyjafjallajökull.example.com, 100 % of it"
    )
    assert value(SECRET.replace("\\", "")) == SECRET.replace("\\", "")


@pytest.mark.parametrize("head", ['{"alg":"none"}', '{ "alg":"none"}', '{\n "alg":"none"}', '{\r\n "alg":"none"}'])
@pytest.mark.parametrize("dot", [".", "%2E", "%2e"])
def test_a_token_is_known_by_its_form(head: str, dot: str) -> None:
    first = base64.urlsafe_b64encode(head.encode()).decode().rstrip("=")
    assert redacted(f"({first}{dot}e30{dot}c2ln)") == "([a token])"


def test_a_word_before_a_token_stays() -> None:
    assert redacted(f"a.b.x{JWT} eyJ.eyJ") == "a.b.x[a token] eyJ.eyJ"


def test_every_way_out_takes_it_out() -> None:
    know(SECRET)
    out = io.StringIO()
    gated(out).write(f"{SECRET[:5]}")
    gated(out).write(f"before {SECRET} after {JWT}\n")
    assert SECRET not in out.getvalue()
    assert JWT not in out.getvalue()
    for error in (Stopped(f"a {SECRET} b"), ConfigurationError("w", f"a {SECRET} b")):
        assert SECRET not in str(error)


@pytest.mark.parametrize("secret", [SECRET, "abC8Q~plain-client-secret.0123"])
def test_a_client_secret_that_the_login_service_sends_back(
    secret: str, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    proper = hostile.answer

    def echo(one: Seen) -> Any:
        said = f"AADSTS900144: cannot parse the request: {one.body}, where the secret is {secret}"
        refusal = {"error": "invalid_request", "error_description": said}
        return refusal if one.path.endswith("/token") else proper(one)

    monkeypatch.setattr(hostile, "answer", echo)
    for name, text in hostile.environment().items():
        monkeypatch.setenv(name, text)
    found = connected(
        TARGET,
        kind="secret",
        client_id=world.TARGET_CLIENT,
        secret=lambda: secret,
        cloud="public",
        metadata_host=hostile.host,
        clock=SettableClock(),
    )
    with pytest.raises(SignInError, match="cannot parse the request") as caught:
        found.claims()
    assert quote_plus(secret) in hostile.everything
    assert secret not in str(caught.value)
    assert quote_plus(secret) not in str(caught.value)


class Tokens:
    def token(self) -> str:
        return know(f"opaque-token-{'x' * 40}")

    def renew(self, _: str) -> None:
        pass


class Returning:
    """Sends the token back in every part of an answer."""

    def __init__(self, body: bytes = b"") -> None:
        self.body = body

    def send(self, request: Request) -> Response:
        bearer = request.headers["Authorization"]
        error = {"error": {"code": bearer, "message": f"what is {bearer}?", "innerError": {"request-id": bearer}}}
        headers = {"request-id": bearer, "client-request-id": bearer}
        return Response(400, headers, self.body + json.dumps(error).encode())


@pytest.mark.parametrize("before", [b"", b"<html>", b"<" + b"a" * 160])
def test_a_token_that_graph_sends_back(before: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Also where the text is cut within it."""
    client = GraphClient(SOURCE, CLOUDS["public"].endpoints, Tokens(), Returning(before))  # type: ignore[arg-type]
    with caplog.at_level(logging.DEBUG, "xtsync.graph"), pytest.raises(XtsyncError) as caught:
        client.operation(2).send(list_applications("x"))
    assert "Microsoft Graph answered 400" in str(caught.value)
    assert "opaque" not in str(caught.value) + caplog.text


# --- the log of calls ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"secrets": ["hidden"]},
        {"clientSecrets": [{"v": "hidden"}]},
        {"key": "SecretToken", "value": ["hidden"]},
        {"Key": "SecretToken", "Value": "hidden"},
        {"KEY": "BaseAddress", "VALUE": {"x": "hidden"}},
        {"name": "SecretToken", "value": "hidden"},
        {"Name": "apiKey", "Value": {"x": ["hidden"]}},
        {"accessKey": "hidden", "private_key": "hidden", "Authorization": "hidden", "credential": "hidden"},
        {"pwd": "hidden", "connectionString": "hidden", "Set-Cookie": "hidden", "sharedKey": "hidden"},
        {"password": {"value": "hidden"}, "token": 50_171_717},
        {"message": json.dumps({"client_secret": "hidden"})},
        {"message": json.dumps({"a": json.dumps([{"key": "Unheard", "value": "hidden"}])})},
        {"message": '{"client\\u005fsecret": "hidden"}'},
        {"message": 'cannot parse {"client_secret": "hidden"}'},
        {"message": json.dumps('cannot parse {"client_secret": "hidden"}')},
        {"message": "cannot parse client_secret=hidden&scope=x"},
        {"link": "https://example.com/?access_token=hidden"},
        {"message": "password: hidden"},
        {"message": "the Client-Secret = hidden"},
        {"message": "<request><password>hidden</password></request>"},
        {"message": "<request><password kind='x'>hidden</password></request>"},
        {"message": "&lt;password&gt;hidden&lt;/password&gt;"},
        {"message": "{&quot;password&quot; : &quot;hidden&quot;} {&#34;password&#034;:&#34;hidden&#34;}"},
        {"link": "https://example.com/?next=access_token%3Dhidden%26body=%7B%22password%22%3A%22hidden%22%7D"},
    ],
)
def test_the_log_of_calls_hides_what_is_below_a_secret_name(body: dict[str, Any]) -> None:
    shown = wire_text(json.dumps(body).encode())
    assert "hidden" not in shown
    assert "50171717" not in shown
    assert MASK in shown


def test_the_log_of_calls_shows_the_rest() -> None:
    body = {"key": "SyncAll", "value": "false", "message": "Invalid token, see: the documentation", "monkey": "x"}
    assert json.loads(wire_text(json.dumps(body).encode())) == body


# --- what a library says -----------------------------------------------------------------------------------------

PIPELINES = {
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ({"ACTIONS_ID_TOKEN_REQUEST_URL": "https://localhost:1/x"}, {}),
    "SYSTEM_ACCESSTOKEN": ({"SYSTEM_OIDCREQUESTURI": "https://localhost:1/x"}, {"service_connection_id": "c"}),
    "IDENTITY_HEADER": ({"IDENTITY_ENDPOINT": "http://localhost:1/x"}, {"kind": "managedIdentity"}),
    "MSI_SECRET": ({"MSI_ENDPOINT": "http://localhost:1/x"}, {"kind": "managedIdentity"}),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\nmore", "\r\nX-More: y", "\t", " ", "\N{EURO SIGN}"])
@pytest.mark.parametrize("variable", PIPELINES)
def test_what_cannot_be_in_a_header_is_told_unseen(variable: str, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, how = PIPELINES[variable]
    for name, text in {**environment, variable: f"p4t{end}"}.items():
        monkeypatch.setenv(name, text)
    given: dict[str, Any] = {"kind": "oidc", "client_id": world.TARGET_CLIENT, "cloud": "public", "metadata_host": ""}
    with pytest.raises(SignInError) as caught:
        connected(TARGET, secret=str, clock=SettableClock(), **{**given, **how}).claims()
    assert "p4t" not in str(caught.value)
    taken = not end.strip("\r\n")
    words = "the connection was refused" if taken else f"{variable} is not one line of plain text"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"Invalid leading whitespace, reserved character(s), or return character(s) in header value: '{SECRET}'",
        f"Failed to parse: http://ci:{SECRET}",
        f"{SECRET}",
        f"[SSL: {SECRET}]",
        f"Tunnel connection failed: {SECRET}",
    ],
)
def test_a_cause_that_is_not_known_is_told_by_its_kind(text: str) -> None:
    assert plain_cause(ValueError(text)) == "ValueError"


def test_no_cause_has_a_piece_of_the_text_but_a_code() -> None:
    assert {sign for sign, cause in CAUSES.items() if "{" in cause} == {
        r"Tunnel connection failed: (?P<code>\d{3})\b",
        r"\[SSL: (?P<code>[A-Z_]{1,60})\]",
    }
    assert plain_cause(OSError("[SSL: WRONG_VERSION_NUMBER] x")).endswith("(WRONG_VERSION_NUMBER)")
    assert plain_cause(OSError("Tunnel connection failed: 407 Auth")) == "the proxy refused it (407)"


def test_a_missing_file_of_certificates_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    with pytest.raises(TransportError, match="no file with certificates where REQUESTS_CA_BUNDLE") as caught:
        HttpsTransport().send(Request("GET", "https://graph.example/"))
    assert caught.value.unsent
    assert caught.value.permanent


@pytest.mark.parametrize("secret_ends_before", [39, 20, 1, 0, -1])
def test_no_piece_of_a_secret_comes_to_the_front_by_a_cut(secret_ends_before: int) -> None:
    """What looks like a token shrinks to a word, so that the place of the cut is among the first characters."""
    padding = "eyJ" + "A" * (FOREIGN_CHARACTERS - secret_ends_before - 8) + ".B.C "
    text = f"{padding}{know(SECRET)} end"
    shown = [
        str(SignInError("Failed", text, "run again")),
        parse_answer(502, {}, text.encode(), None).message,
    ]
    for one in shown:
        assert SECRET[:8] not in one
        assert len(one) < 3000
