"""~/.netrc is for other programs: nothing of it is sent, and it takes no token's place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab import world
from tests.security.hostile import Hostile
from tests.sign_ins import connected
from tests.unit.graph_fakes import TARGET, SettableClock
from xtsync_resources.application.calls import list_applications

PASSWORD = "of-another-program"


@pytest.fixture(params=["machine", "default"])
def netrc(
    request: pytest.FixtureRequest, hostile: Hostile, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> Hostile:
    whom = "machine localhost" if request.param == "machine" else "default"
    (elsewhere / "netrc").write_text(f"{whom} login somebody password {PASSWORD}\n")
    (elsewhere / "netrc").chmod(0o600)
    for name, value in {**hostile.environment(), "NETRC": str(elsewhere / "netrc")}.items():
        monkeypatch.setenv(name, value)
    return hostile


def client(hostile: Hostile, kind: str = "secret", **how: Any) -> Any:
    more = {"secret": lambda: "a-secret", "client_id": world.TARGET_CLIENT, "cloud": "public", **how}
    return connected(TARGET, kind=kind, metadata_host=hostile.host, clock=SettableClock(), **more)


def test_our_calls_carry_our_token(netrc: Hostile) -> None:
    client(netrc).operation(5).send(list_applications("x"))
    (call,) = (one for one in netrc.seen if one.path.startswith("/v1.0"))
    assert call.headers["Authorization"].startswith("Bearer e30.")
    assert [one for one in netrc.seen if one.headers.get("Authorization", "Basic").startswith("Basic")] == [
        one for one in netrc.seen if "Authorization" not in one.headers
    ]


def test_azure_identity_sends_no_password_of_it(netrc: Hostile) -> None:
    client(netrc).claims()
    (asked,) = (one for one in netrc.seen if one.method == "POST")
    assert "client_secret=a-secret" in asked.body
    assert not [one for one in netrc.seen if "Authorization" in one.headers]


def test_a_pipelines_token_service_gets_the_pipelines_token(netrc: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"https://{netrc.host}/request")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-request-token")
    with pytest.raises(Exception, match="answered without one"):
        client(netrc, "oidc").claims()
    (asked,) = (one for one in netrc.seen if one.path.startswith("/request"))
    assert asked.headers["Authorization"] == "Bearer the-request-token"


def test_a_managed_identitys_service_gets_none(netrc: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"https://{netrc.host}/identity")
    monkeypatch.setenv("IDENTITY_HEADER", "the-header")
    with pytest.raises(Exception, match="Failed to sign in"):
        client(netrc, "managedIdentity").claims()
    (asked,) = (one for one in netrc.seen if one.path.startswith("/identity"))
    assert "Authorization" not in asked.headers


def test_proxies_are_still_the_environments(netrc: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XTSYNC_METADATA_HOST", "private.example")
    found = connected(
        TARGET, kind="secret", metadata_host="private.example", clock=SettableClock(), secret=lambda: "a-secret",
        client_id=world.TARGET_CLIENT, cloud="public",
    )  # fmt: skip
    found.operation(5).send(list_applications("x"))
    assert netrc.hosts == {"private.example"}
    assert {one.method for one in netrc.seen} == {"GET", "POST"}
    assert PASSWORD not in netrc.everything
