"""Whatever a token endpoint, an OpenID document or metadata answer: in time, or told in one message."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.security.hostile_answers import FLOOD, MB, NOBODY_MEANS, SLOW, outcome
from tests.security.hostile_server import Hostile, says
from tests.unit.graph_fakes import SOURCE, SOURCE_ID, ScriptedTransport, jwt
from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clock import SystemClock
from xtsync_resources.graph.clouds import Endpoints
from xtsync_resources.graph.connect import fetch_endpoints
from xtsync_resources.graph.credentials import TokenSource, credential_for
from xtsync_resources.graph.errors import (
    ConfigurationError,
    SignInError,
    XtsyncError,
)
from xtsync_resources.graph.sign_in import Secrets, SignIn
from xtsync_resources.graph.token_claims import claims
from xtsync_resources.graph.transport import Response
from xtsync_resources.partner_policy.calls import get_partner


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
