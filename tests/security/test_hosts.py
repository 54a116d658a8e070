"""Where credentials go is not for whoever writes a stack file, or the state, to say."""

from __future__ import annotations

from typing import Any

import pytest

from lab import world
from tests.scenarios.stacks import Command, Lab, changed, messages
from tests.security.hostile import Hostile
from tests.sign_ins import connected
from tests.stack_files import parsed
from tests.unit.graph_fakes import TARGET, ScriptedTransport, SettableClock
from xtsync_resources.config import ConfigurationProblems
from xtsync_resources.graph.clouds import CLOUDS, endpoints_from_metadata
from xtsync_resources.graph.connect import fetch_endpoints
from xtsync_resources.graph.errors import ConfigurationError, XtsyncError
from xtsync_resources.graph.hosts import agreed, may_get_credentials
from xtsync_resources.graph.transport import Response

EVIL = "evil.example"
SECRETS = (world.SOURCE_SECRET, world.TARGET_SECRET)
REFUSED = "whoever supplies the credentials has not"

LOOKALIKES = [
    EVIL,
    f"login.microsoftonline.com.{EVIL}",
    "login-microsoftonline.com",
    "microsoftonline.com",
    f"login.microsoftonline.com@{EVIL}",
    f"login.microsoftonline.com:443@{EVIL}",
    f"{EVIL}/login.microsoftonline.com",
    f"{EVIL}?login.microsoftonline.com",
    f"{EVIL}#login.microsoftonline.com",
    f"{EVIL}\\@login.microsoftonline.com",
    "login.microsoftonline.com:8443",
    "login.microsoftonline.com.",
    "l\N{CYRILLIC SMALL LETTER O}gin.microsoftonline.com",
    "login\N{IDEOGRAPHIC FULL STOP}microsoftonline.com",
    "login.microsoftonline.com\n",
    "login.microsoftonline.com\0",
    f"localhost.{EVIL}",
    f"127.0.0.1.{EVIL}",
    "localhost.",
    "localhost:0",
    "localhost:99999",
    f"localhost:1@{EVIL}",
    "0.0.0.0",
    "127.1",
    "0177.0.0.1",
    "2130706433",
    "[::]",
    "[::2]",
    "[::ffff:203.0.113.1]",
    "[fe80::1%25lo]",
    "::1",
    "",
]


@pytest.mark.parametrize("host", LOOKALIKES)
def test_what_only_looks_like_a_known_host_is_none(host: str) -> None:
    assert not may_get_credentials(host, agreed({}))


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LocalHost:8443", "127.0.0.1", "127.8.8.8:1", "[::1]:8443", "[0:0:0:0:0:0:0:1]",
        "login.microsoftonline.com", "LOGIN.MicrosoftOnline.com", "graph.microsoft.com:443", "login.chinacloudapi.cn",
        "dod-graph.microsoft.us",
    ],
)  # fmt: skip
def test_loopback_and_the_known_clouds_need_no_agreement(host: str) -> None:
    assert may_get_credentials(host, agreed({}))


@pytest.mark.parametrize(
    ("said", "host", "allowed"),
    [
        (EVIL, EVIL, True),
        ("EVIL.example", EVIL, True),
        (f"a.example, {EVIL}:443;", EVIL, False),
        (f"a.example, {EVIL}:443", EVIL, True),
        (f"a.example {EVIL}", EVIL, True),
        (EVIL, f"{EVIL}:8443", False),
        (EVIL, f"login.{EVIL}", False),
        (f"https://{EVIL}", EVIL, False),
        ("*", EVIL, False),
        (f"*.{EVIL}", f"login.{EVIL}", False),
    ],
)
def test_an_agreement_is_for_the_host_it_names(said: str, host: str, allowed: bool) -> None:
    assert may_get_credentials(host, agreed({"XTSYNC_METADATA_HOST": said})) is allowed


@pytest.mark.parametrize("host", [one for one in LOOKALIKES if one and one == one.strip()])
def test_a_configuration_with_any_of_them_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationProblems, match="xtsync:metadataHost"):
        parsed(metadataHost=host)


@pytest.mark.parametrize(
    "url",
    [
        f"https://login.microsoftonline.com@{EVIL}",
        f"https://{EVIL}\\@login.microsoftonline.com",
        f"https://{EVIL}#@login.microsoftonline.com",
        f"https://{EVIL}?x",
        "http://login.microsoftonline.com",
        "https:login.microsoftonline.com",
        "https://",
        "https://l\N{CYRILLIC SMALL LETTER O}gin.microsoftonline.com",
        " https://login.microsoftonline.com",
    ],
)
def test_an_endpoint_that_can_be_read_in_two_ways_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="the endpoint"):
        endpoints_from_metadata({"authentication": {"loginEndpoint": url}, "microsoftGraphResourceId": "https://g"})


LOGIN, ELSEWHERE = '"https://login.microsoftonline.com"', f'"https://{EVIL}"'
GRAPH = '"microsoftGraphResourceId": "https://graph.microsoft.com"'
TWO_READINGS = [
    f'{{"authentication": {{"loginEndpoint": {LOGIN}, "LoginEndpoint": {ELSEWHERE}}}, {GRAPH}}}',
    f'{{"authentication": {{"loginEndpoint": {LOGIN}, "lo\\u0067inEndpoint": {LOGIN}}}, {GRAPH}}}',
    f'{{"authentication": {{"loginEndpoint": {ELSEWHERE}, "loginEndpoint": {LOGIN}}}, {GRAPH}}}',
    f'{{"authentication": {{"loginEndpoint": {LOGIN}}}, "AUTHENTICATION": {{"loginEndpoint": {ELSEWHERE}}}, {GRAPH}}}',
    f'{{"authentication": {{"loginEndpoint": {LOGIN}}}, "authentication": {{"loginEndpoint": {LOGIN}}}, {GRAPH}}}',
    f'{{"authentication": {{"loginEndpoint": {LOGIN}}}, {GRAPH}, "MicrosoftGraphResourceID": {ELSEWHERE}}}',
    # Go takes letters for equal that only look like others: a long s, and the sign of Kelvin.
    f'{{"authentication": {{"loginEndpoint": {LOGIN}}}, {GRAPH}, "micro\\u017foftGraphResourceId": {ELSEWHERE}}}',
    f'{{"authentication": {{"loginEndpoint": {LOGIN}, "x": [{{"k": 1, "\\u212a": 1}}]}}, {GRAPH}}}',
]


@pytest.mark.parametrize("document", TWO_READINGS)
def test_a_document_in_which_azuread_may_read_other_hosts_is_refused(document: str) -> None:
    transport = ScriptedTransport(Response(200, {}, document.encode()))
    with pytest.raises(ConfigurationError, match="twice, whatever the case") as caught:
        fetch_endpoints("localhost", transport, SettableClock())
    assert str(caught.value).startswith("Failed to read the endpoints from https://localhost/metadata")
    assert len(transport.requests) == 1


def test_a_document_of_the_same_names_at_different_places_is_read() -> None:
    names = '"name": "a", "tenants": [{"name": "b"}, {"name": "c"}]'
    document = f'{{"authentication": {{"loginEndpoint": {LOGIN}, "name": "d"}}, {GRAPH}, {names}}}'
    transport = ScriptedTransport(Response(200, {}, document.encode()))
    assert fetch_endpoints("localhost", transport, SettableClock()) == CLOUDS["public"].endpoints


# --- the program -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_a_line_in_a_stack_file_leads_no_secret_away(surrounded: Lab, hostile: Hostile, operation: str) -> None:
    surrounded.stack.config["xtsync:metadataHost"] = EVIL
    text = "\n".join(messages(surrounded.stack.run(operation, fails=True)))
    assert f'xtsync:metadataHost = "{EVIL}": credentials would go where it says' in text
    assert f"export XTSYNC_METADATA_HOST={EVIL}" in text
    assert hostile.seen == []


def test_a_document_leads_no_secret_away(surrounded: Lab, hostile: Hostile) -> None:
    hostile.leads_to = EVIL
    surrounded.stack.config["xtsync:metadataHost"] = hostile.host
    text = "\n".join(messages(surrounded.stack.run("preview", fails=True)))
    assert f"Refused to send credentials to {EVIL}: https://{hostile.host}/metadata" in text
    assert REFUSED in text
    assert hostile.hosts == {hostile.host}
    assert {one.method for one in hostile.seen} == {"GET"}


def test_a_host_that_the_environment_names_gets_its_chance(surrounded: Lab, hostile: Hostile) -> None:
    """The other half of the promise: a private cloud works, through a proxy as well."""
    surrounded.stack.config["xtsync:metadataHost"] = "management.private.example"
    hostile.leads_to = "login.private.example:8443"
    agreement = "management.private.example,login.private.example:8443"
    surrounded.stack.environment["XTSYNC_METADATA_HOST"] = agreement
    surrounded.stack.run("preview", fails=True)
    assert {"management.private.example", "login.private.example:8443"} <= hostile.hosts
    assert f"client_secret={world.SOURCE_SECRET}" in hostile.everything


def test_azuread_takes_no_host_from_the_environment(surrounded: Lab, hostile: Hostile) -> None:
    """Whatever else is set up on a machine: it is another program's, and a leftover."""
    surrounded.stack.config["xtsync:metadataHost"] = ""
    surrounded.stack.environment |= {"ARM_METADATA_HOSTNAME": EVIL, "ARM_ENVIRONMENT": "china"}
    surrounded.stack.run("preview", fails=True)
    assert hostile.hosts <= {"login.microsoftonline.com", "graph.microsoft.com"}
    assert f"client_secret={world.SOURCE_SECRET}" in hostile.everything, "nobody tried to sign in"


# --- provider processes: refresh and destroy run no program ------------------------------------------------------


def tamper(lab: Lab, host: str) -> None:
    """Change where our provider processes sign in, as somebody who may write the state."""

    def change(resources: list[dict[str, Any]]) -> None:
        for resource in resources:
            if resource["type"] == "pulumi:providers:pulumi-python":
                for properties in (resource["inputs"], resource["outputs"]):
                    properties["xtsync:metadataHost"] = host

    lab.stack.rewrite(change)


@pytest.mark.parametrize("operation", ["refresh", "destroy"])
def test_a_host_in_the_state_leads_no_secret_away(surrounded: Lab, hostile: Hostile, operation: str) -> None:
    surrounded.stack.run("up")
    tamper(surrounded, EVIL)
    text = "\n".join(messages(surrounded.stack.run(operation, fails=True)))
    assert f"Refused to send credentials to {EVIL}" in text
    assert hostile.seen == []


def test_a_host_in_the_state_that_nobody_could_configure_is_refused_as_well(surrounded: Lab, hostile: Hostile) -> None:
    surrounded.stack.run("up")
    tamper(surrounded, f"localhost:1@{EVIL}/x?")
    text = "\n".join(messages(surrounded.stack.run("refresh", fails=True)))
    assert "Refused to send credentials" in text
    assert hostile.seen == []


def sign_in_at(hostile: Hostile) -> None:
    client = connected(
        TARGET,
        kind="secret",
        client_id=world.TARGET_CLIENT,
        secret=lambda: "canary",
        cloud="public",
        metadata_host=hostile.host,
        clock=SettableClock(),
    )
    client.claims()


@pytest.mark.parametrize("leads_to", [EVIL, f"login.microsoftonline.com@{EVIL}", "login.microsoftonline.com:8443"])
def test_a_document_leads_no_provider_process_away(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch, leads_to: str
) -> None:
    for name, value in hostile.environment().items():
        monkeypatch.setenv(name, value)
    hostile.leads_to = leads_to
    with pytest.raises(XtsyncError, match=r"Refused to send credentials|is not https://HOST"):
        sign_in_at(hostile)
    assert hostile.hosts == {hostile.host}
    assert "canary" not in hostile.everything


@pytest.mark.parametrize("place", [EVIL, "localhost:1", "LOGIN_HOST.evil.example", "LOGIN_HOST@evil.example"])
def test_a_login_host_leads_to_no_other(hostile: Hostile, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    for name, value in hostile.environment().items():
        monkeypatch.setenv(name, value)
    hostile.signs_in_at = place.replace("LOGIN_HOST", hostile.host.replace("localhost", "LocalHost"))
    with pytest.raises(XtsyncError) as caught:
        sign_in_at(hostile)
    assert "Failed to sign in" in str(caught.value)
    assert "canary" not in hostile.everything
    assert hostile.hosts == {hostile.host}


# --- xtsync --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["doctor", "status", "pause", "logs"])
def test_xtsync_is_not_led_away_by_a_stack_file(
    surrounded: Lab, xtsync: Command, hostile: Hostile, command: str
) -> None:
    surrounded.stack.config["xtsync:metadataHost"] = EVIL
    said = xtsync(command, "-s", "dev")
    assert said.exit_code != 0
    assert EVIL in said.errors + said.out
    assert hostile.seen == []


def test_xtsync_is_not_led_away_by_what_is_typed(surrounded: Lab, xtsync: Command, hostile: Hostile) -> None:
    tenants = ("--source", world.SOURCE_TENANT, "--target", world.TARGET_TENANT, "--auth", "secret")
    applications = ("--source-client-id", world.SOURCE_CLIENT, "--target-client-id", world.TARGET_CLIENT)
    said = xtsync("export", *tenants, *applications, "--metadata-host", EVIL)
    assert said.exit_code == 2
    assert f"export XTSYNC_METADATA_HOST={EVIL}" in " ".join(said.errors.split())
    assert hostile.seen == []


def test_a_pair_of_the_lab_needs_no_agreement(lab: Lab) -> None:
    assert changed(lab.stack.run("up"))
