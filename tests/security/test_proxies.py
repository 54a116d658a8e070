"""A proxy is for other hosts, and its password is for it alone."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
import urllib3

from lab import world
from tests.security.hostile import Hostile
from tests.sign_ins import connected
from tests.stack_files import parsed, side
from tests.unit.graph_fakes import TARGET, TARGET_ID, SettableClock
from xtsync_resources.application.calls import list_applications
from xtsync_resources.config import ConfigurationProblems
from xtsync_resources.config.sign_in import check_proofs
from xtsync_resources.graph.bounded import check_proxy
from xtsync_resources.graph.errors import SignInError, XtsyncError
from xtsync_resources.graph.transport import HttpsTransport, Request, TransportError
from xtsync_resources.program.azuread_sign_in import sign_in_as

NOBODY = "http://127.0.0.1:1"
HEADER = "the-identity-header"
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def led_by(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, address)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def client(kind: str = "secret", **how: Any) -> Any:
    given = {"secret": lambda: "a-client-secret", "client_id": world.TARGET_CLIENT, "cloud": "public"}
    return connected(TARGET, kind=kind, clock=SettableClock(), **{"metadata_host": "", **given, **how})


def test_azuread_takes_this_computer_for_what_we_take_it_for() -> None:
    """Go asks no proxy about `localhost`, and one about `LOCALHOST`."""
    found = sign_in_as(parsed({"XTSYNC_SOURCE_CLIENT_SECRET": "s"}, metadataHost="LocalHost:8443"), {})
    assert found.arguments["metadata_host"] == "localhost:8443"


# --- a machine's own service, and this computer --------------------------------------------------------------------

MACHINES = {
    "a virtual machine": ({}, "169.254.169.254"),
    "App Service": ({"IDENTITY_ENDPOINT": "http://169.254.129.1:42/msi", "IDENTITY_HEADER": HEADER}, "169.254.129.1"),
    "Machine Learning": ({"MSI_ENDPOINT": "http://10.0.0.1:42/msi", "MSI_SECRET": HEADER}, "10.0.0.1"),
    "Service Fabric": (
        {"IDENTITY_ENDPOINT": "https://10.0.0.4:42/msi", "IDENTITY_HEADER": HEADER},
        "10.0.0.4",
    ),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machines_own_service_is_asked_directly(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would read the header in plain, and could answer with a token of its own."""
    led_by("http://proxy.example:3128", monkeypatch)
    environment, host = MACHINES[machine]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asked = []

    def refuse(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        asked.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(urllib3.util.connection, "create_connection", refuse)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(SignInError):
        client("managedIdentity").claims()
    assert set(asked) == {host}


def test_a_pods_identity_still_goes_to_the_login_service_by_the_proxy(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name, value in hostile.environment().items():
        monkeypatch.setenv(name, value)
    (tmp_path / "token").write_text("a-token")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/")
    monkeypatch.setenv("AZURE_TENANT_ID", TARGET.id)
    monkeypatch.setenv("AZURE_CLIENT_ID", world.TARGET_CLIENT)
    assert client("managedIdentity").claims()["tid"] == TARGET.id
    assert hostile.hosts == {"login.microsoftonline.com"}


def test_this_computers_own_service_is_asked_with_the_header(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    led_by(NOBODY, monkeypatch)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{hostile.proxy}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", f"{HEADER}\n")
    with pytest.raises(SignInError):  # it answers without the time of the token's end
        client("managedIdentity").claims()
    assert [one.headers["X-IDENTITY-HEADER"] for one in hostile.seen] == [HEADER]


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.10", "[::1]"])
def test_this_computer_is_not_a_proxys_to_answer_for(
    name: str, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs nobody's agreement, because it is this computer."""
    led_by(hostile.proxy, monkeypatch)
    with pytest.raises(XtsyncError):
        client(metadata_host=f"{name}:1")
    assert hostile.seen == []


def test_what_is_agreed_to_as_this_computer_is_this_computer(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in hostile.environment().items():
        monkeypatch.setenv(name, value)
    led_by(NOBODY, monkeypatch)
    client(metadata_host=hostile.host).operation(5).send(list_applications("x"))
    assert hostile.hosts == {hostile.host}
    assert {one.method for one in hostile.seen} == {"GET", "POST"}


# --- its password ----------------------------------------------------------------------------------------------------

PASSWORD = "S3cr3t"
UNREADABLE = [
    f"http://ci:{PASSWORD}/pw@proxy.example:3128",
    f"http://ci:{PASSWORD}#pw@proxy.example:3128",
    f"http://ci:{PASSWORD}?pw@proxy.example:3128",
    f"http://ci:12/{PASSWORD}@proxy.example:3128",
    f"http://{PASSWORD}/ci@proxy.example",
    f"http://ci:{PASSWORD}@proxy.example:99999",
    f"http://ci:{PASSWORD}@:3128",
    f"http://ci:{PASSWORD}@bad host:1",
    f"http://ci:{PASSWORD}[@proxy.example:1",
    f"http://ci:{PASSWORD}\N{EURO SIGN}@proxy.example:1",
    f"ftp://ci:{PASSWORD}@proxy.example:1",
    f"ci:{PASSWORD}@proxy.example:1",
    f"ci:{PASSWORD}/pw@proxy.example:1",
]
WORDS = "the proxy's address cannot be understood"


@pytest.mark.parametrize("address", UNREADABLE)
def test_no_piece_of_a_proxys_address_is_shown(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    led_by(address, monkeypatch)
    with pytest.raises(TransportError, match=WORDS) as caught:
        HttpsTransport().send(Request("GET", "https://graph.example/"))
    assert PASSWORD not in str(caught.value)
    assert caught.value.unsent
    assert caught.value.permanent


@pytest.mark.parametrize("address", UNREADABLE)
def test_nor_by_azure_identity(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    led_by(address, monkeypatch)
    with pytest.raises(SignInError, match=WORDS) as caught:
        client().claims()
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "http://proxy.example",
        "http://proxy.example:3128/",
        "https://ci:pw@proxy.example:3128",
        "http://ci:p%2Fw%23%3F%40@[2001:db8::1]:3128",
        "http://ci:p w@10.0.0.1:80",
        "socks5h://proxy.example",
    ],
)
def test_an_address_that_can_be_understood_is_taken(address: str) -> None:
    check_proxy(address)


# --- azuread's -------------------------------------------------------------------------------------------------------


def checked(auth: str, **environment: str) -> str:
    """What the program says before azuread starts."""
    settings = parsed({}, source=side(auth=auth), target=side(TARGET_ID, auth="cli"))
    try:
        check_proofs(settings, environment)
    except ConfigurationProblems as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", PROXIES[:4])
@pytest.mark.parametrize("address", UNREADABLE)
def test_azuread_is_not_given_an_address_that_it_would_show(name: str, address: str) -> None:
    said = checked("cli", **{name: address})
    assert f"{name}: {WORDS}" in said
    assert PASSWORD not in said
    assert checked("cli", **{name: "http://ci:p%2Fw@proxy.example:3128"}) == ""


@pytest.mark.parametrize(
    ("environment", "safe"),
    [
        ({"HTTP_PROXY": "http://proxy.example"}, False),
        ({"http_proxy": "http://proxy.example", "NO_PROXY": "localhost,169.254.169.25"}, False),
        ({"HTTP_PROXY": "http://proxy.example", "NO_PROXY": "localhost,169.254.169.254"}, True),
        ({"HTTP_PROXY": "http://proxy.example", "no_proxy": "169.254.0.0/16"}, True),
        ({"HTTPS_PROXY": "http://proxy.example"}, True),
        ({}, True),
    ],
)
def test_azuread_does_not_ask_a_proxy_for_the_machines_identity(
    environment: dict[str, str], safe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    said = checked("managedIdentity", **environment)
    assert ("Export NO_PROXY with 169.254.169.254 in it" in said) is not safe
    assert checked("cli", **environment) == ""
