"""A login service that asks for time gets what a sign-in may take, and no more, however long it asks for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest

from lab import world
from lab.entra import Fault
from tests.patience import PATIENCE_SECONDS
from tests.scenarios.stacks import Command, Lab, messages
from tests.security.hostile_server import Conversation, Hostile, hostile, says, silence
from tests.sign_ins import connected
from tests.unit.graph_fakes import SOURCE, SOURCE_ID, ScriptedTransport, SettableClock, answer, jwt
from xtsync_resources.graph import outside
from xtsync_resources.graph.clouds import Endpoints
from xtsync_resources.graph.credentials import SIGN_IN_SECONDS, TokenSource, credential_for
from xtsync_resources.graph.errors import SignInError
from xtsync_resources.graph.sign_in import Secrets, SignIn
from xtsync_resources.graph.sign_in_transport import BEING_MADE_READY
from xtsync_resources.graph.transport import Request

DAY = "Retry-After: 86400"
WORDS = {429: "429 Too Many Requests", 503: "503 Service Unavailable"}
TOKEN = json.dumps({"access_token": jwt(SOURCE_ID), "token_type": "Bearer", "expires_in": 3600}).encode()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    with hostile(tmp_path) as found:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", found.certificate)
        monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE", raising=False)
        yield found


def in_turn(*turns: Conversation) -> Conversation:
    """Each answer once; the last goes on."""
    left = list(turns)

    def act(connection: socket) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection)

    return act


class SignedIn:
    """A sign-in at a server, on a clock that sleeping moves."""

    def __init__(self, server: Hostile, where: str, *troubles: Conversation) -> None:
        login = f"https://{server.host}/{SOURCE_ID}/oauth2/v2.0"
        document = {"issuer": f"https://{server.host}/{SOURCE_ID}/v2.0", "authorization_endpoint": f"{login}/a"}
        calm = {
            "openid-configuration": says(json.dumps({**document, "token_endpoint": f"{login}/token"}).encode()),
            "/token": says(TOKEN),
        }
        server.conversations = {**calm, where: in_turn(*troubles, calm[where])}
        self.clock, self.said = SettableClock(), list[str]()
        how, secrets = SignIn(SOURCE, "secret", "c", metadata_host=server.host), Secrets(lambda: "s3cr3t")
        endpoints = Endpoints(f"https://{server.host}", f"https://{server.host}")
        make = lambda: credential_for(how, secrets, endpoints, None, self.clock, self.said.append)  # noqa: E731
        self.tokens = TokenSource(SOURCE, endpoints.scope, make, "secret", self.clock)


@pytest.mark.parametrize("status", WORDS)
@pytest.mark.parametrize("where", ["openid-configuration", "/token"])
def test_a_short_pause_is_kept_and_said(server: Hostile, where: str, status: int) -> None:
    found = SignedIn(
        server, where, says(b"{}", "Retry-After: 7", status=WORDS[status]), says(b"", status=WORDS[status])
    )
    assert found.tokens.token() == jwt(SOURCE_ID)
    assert found.clock.slept == [7, 1.6]
    why = f"sign in to the source tenant Contoso ({SOURCE_ID}): the service that signs in answers {status}"
    assert found.said == [f"{why}; again in 7 s", f"{why}; again in 2 s"]


@pytest.mark.parametrize("asked", [DAY, "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", "Retry-After: 100"])
@pytest.mark.parametrize("status", WORDS)
@pytest.mark.parametrize("where", ["openid-configuration", "/token"])
def test_a_long_pause_is_one_message(server: Hostile, where: str, status: int, asked: str) -> None:
    found = SignedIn(server, where, *[says(b"{}", asked, status=WORDS[status])] * 9)
    with pytest.raises(SignInError, match=rf"answers {status} and asks for \d+ s, longer than a sign-in may take"):
        found.tokens.token()
    assert found.clock.slept == []
    assert found.said == []


@pytest.mark.parametrize("asked", ["Retry-After: nan", "Retry-After: inf", "Retry-After: -5", "Retry-After: 1", "X: y"])
@pytest.mark.parametrize("status", WORDS)
@pytest.mark.parametrize("where", ["openid-configuration", "/token"])
def test_many_pauses_have_an_end(server: Hostile, where: str, status: int, asked: str) -> None:
    found = SignedIn(server, where, *[says(b"{}", asked, status=WORDS[status])] * 9)
    with pytest.raises(SignInError, match=f"the service that signs in answers {status}"):
        found.tokens.token()
    assert len(found.clock.slept) == outside.TRIES - 1
    assert sum(found.clock.slept) < SIGN_IN_SECONDS


@pytest.mark.parametrize("status", [*BEING_MADE_READY, 429])
def test_a_machines_own_service_has_no_more_time(server: Hostile, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"https://{server.host}")
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET"):
        monkeypatch.delenv(name, raising=False)
    clock = SettableClock()
    client = connected(
        SOURCE, kind="managedIdentity", client_id="", secret=str, cloud="public", metadata_host="", clock=clock
    )
    server.conversations[""] = says(b"{}", DAY, status=f"{status} X")
    began = time.monotonic()
    with pytest.raises(SignInError):
        client.claims()
    assert clock.slept == []
    assert time.monotonic() - began < PATIENCE_SECONDS
    token = {"access_token": jwt(SOURCE_ID), "expires_in": "3600", "resource": "r", "token_type": "Bearer"}
    server.conversations[""] = in_turn(says(b"{}", status=f"{status} X"), says(json.dumps(token).encode()))
    assert client.claims()["tid"] == SOURCE_ID
    assert clock.slept == [5 if status == 410 else 0.8]


def test_nobody_waits_for_anothers_sign_in_longer_than_for_an_own_one() -> None:
    signing_in, ends = threading.Event(), threading.Event()

    def make() -> object:
        signing_in.set()
        ends.wait(PATIENCE_SECONDS)
        raise SignInError("x", "y")

    transport = ScriptedTransport(answer(200))
    client = connected(
        SOURCE, kind="secret", client_id="c", secret=str, cloud="public", metadata_host="", transport=transport
    )
    client._tokens._make = make  # type: ignore[assignment]

    def sign_in() -> None:
        with pytest.raises(SignInError, match="Why: y"):
            client.claims()

    other = threading.Thread(target=sign_in, daemon=True)
    other.start()
    signing_in.wait(PATIENCE_SECONDS)
    with pytest.raises(SignInError, match="another call was signing in"):
        client.claims(0.2)
    ends.set()
    other.join(PATIENCE_SECONDS)


def test_what_is_asked_outside_of_graph_ends_as_a_whole(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    from xtsync_resources.graph.transport import HttpsTransport, TransportError

    monkeypatch.setattr(outside, "ANSWER_SECONDS", 1.0)
    server.conversations[""] = silence
    with pytest.raises(TransportError, match="it took too long"):
        outside.ask(HttpsTransport(), SettableClock(), Request("GET", f"https://{server.host}/"))
    assert len(server.requests) == 1


@pytest.mark.parametrize("where", ["openid-configuration", "oauth2/v2.0/token"])
def test_preview_and_doctor_end_with_a_message(lab: Lab, xtsync: Command, where: str) -> None:
    fault = Fault(path=where, status=429, headers={"Retry-After": "86400"}, times=1000)
    lab.entra.faults.add(fault)
    lab.stack.config["xtsync:deadlineMinutes"] = 0.1
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "answers 429 and asks for 86400 s, longer than a sign-in may take" in text
    said = xtsync("doctor", "-s", "dev")
    assert said.exit_code != 0
    assert "answers 429 and asks for 86400 s" in " ".join(said.out.split())


def test_a_preview_waits_for_a_moment_and_says_so(lab: Lab) -> None:
    lab.entra.faults.add(
        Fault(path="oauth2/v2.0/token", tenant=world.SOURCE_TENANT, status=429, headers={"Retry-After": "1"})
    )
    lab.stack.run("preview")
    assert "the service that signs in answers 429; again in 1 s" in "\n".join(lab.texts)
