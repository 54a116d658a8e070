"""The provider's own properties: credentials, endpoints, trust."""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from azuread_client import APPLICATION, Plugin, refused, running  # type: ignore[import-not-found]
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pulumi.runtime.proto import provider_pb2

from lab.azuread.configuration import read_configuration
from lab.azuread.http import Http, Timing
from lab.azuread.sign_in import find_endpoints
from lab.azuread.values import UNKNOWN, from_struct, to_struct
from lab.world import SOURCE_CLIENT, SOURCE_SECRET, SOURCE_TENANT

SECRET_MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    with running(monkeypatch, configured=False) as found:
        yield found


def signed_in(plugin: Plugin) -> str:
    client: str = plugin.invoke("getClientConfig")["clientId"]
    return client


def test_secrets_are_accepted_and_unwrapped(plugin: Plugin) -> None:
    properties = plugin.properties(clientSecret={**SECRET_MARK, "value": SOURCE_SECRET})
    answer = plugin.configure(properties)
    assert (answer.acceptSecrets, answer.supportsPreview) == (True, True)
    assert signed_in(plugin) == SOURCE_CLIENT


def test_what_is_not_a_property_comes_from_the_environment(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARM_CLIENT_SECRET", SOURCE_SECRET)
    monkeypatch.setenv("ARM_CLIENT_ID", SOURCE_CLIENT)
    monkeypatch.setenv("ARM_TENANT_ID", SOURCE_TENANT)
    monkeypatch.setenv("ARM_METADATA_HOSTNAME", plugin.server.host)
    monkeypatch.setenv("ARM_USE_CLI", "false")
    plugin.configure({})
    assert signed_in(plugin) == SOURCE_CLIENT


def test_a_wrong_secret_shows_at_once(plugin: Plugin) -> None:
    with refused() as texts:
        plugin.configure(plugin.properties(clientSecret="no"))
    assert "clientCredentialsToken: received HTTP status 401 with response: " in texts[0]
    assert "AADSTS7000215" in texts[0]


def test_an_oidc_token_is_a_client_assertion(plugin: Plugin) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    plugin.tenant.login.clients[SOURCE_CLIENT].keys.append(public)
    assertion = jwt.encode({"exp": int(time.time()) + 300}, key, algorithm="RS256")
    plugin.configure(plugin.properties(clientSecret=None, oidcToken=assertion, useOidc="true"))
    assert signed_in(plugin) == SOURCE_CLIENT


def test_the_azure_cli_gives_a_token(plugin: Plugin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    client = plugin.tenant.login.clients[SOURCE_CLIENT]
    token = plugin.tenant.login.issue(client, plugin.server.url, plugin.server.url)
    az = tmp_path / "az"
    az.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho \'{{"accessToken": "{token}"}}\'\n')
    az.chmod(az.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    plugin.configure(plugin.properties(clientSecret=None, useCli=True))
    assert signed_in(plugin) == SOURCE_CLIENT
    asked = (tmp_path / "asked").read_text()
    assert f"--tenant {SOURCE_TENANT} --resource {plugin.server.url}" in asked


def test_an_azure_cli_that_fails_is_quoted(plugin: Plugin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\necho 'Please run az login' >&2\nexit 1\n")
    az.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with refused() as texts:
        plugin.configure(plugin.properties(clientSecret=None, useCli="true"))
    assert "running Azure CLI: exit status 1: Please run az login" in texts[0]


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({}, "no Authorizer could be configured, please check your configuration"),
        ({"useMsi": "true"}, "does not sign in with a managed identity (useMsi)"),
        ({"clientCertificatePath": "x.pfx"}, "does not sign in with a client certificate"),
        ({"useOidc": "true", "oidcRequestUrl": "https://x"}, "a token requested from a pipeline"),
        ({"useCli": "perhaps"}, "the property useCli must be true or false"),
        ({"environment": "moon", "metadataHost": None}, "'moon' is not known"),
    ],
)
def test_other_kinds_are_refused_by_name(plugin: Plugin, properties: dict[str, Any], words: str) -> None:
    with refused() as texts:
        plugin.configure(plugin.properties(clientSecret=None, **properties))
    assert words in texts[0]


@pytest.mark.parametrize(
    ("name", "graph"),
    [
        ("public", "https://graph.microsoft.com"),
        ("usgovernment", "https://graph.microsoft.us"),
        ("usgovernmentl5", "https://dod-graph.microsoft.us"),
        ("china", "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_an_environment_has_its_own_graph(name: str, graph: str) -> None:
    configuration = read_configuration({"environment": name}, {})
    assert find_endpoints(configuration, Http(Timing(), threading.Event())).graph == graph


def test_only_the_named_authority_is_trusted(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(plugin.server.ca_file))
    monkeypatch.delenv("SSL_CERT_FILE")
    with refused() as texts:
        plugin.configure(plugin.properties())
    assert "CERTIFICATE_VERIFY_FAILED" in texts[0]


def test_calls_before_credentials_are_known_are_refused(plugin: Plugin) -> None:
    plugin.configure(plugin.properties(clientSecret=UNKNOWN))
    with refused() as texts:
        plugin.call("Delete", APPLICATION, id="x")
    assert "the provider is not configured" in texts[0]


def test_a_property_the_provider_does_not_have_is_refused(plugin: Plugin) -> None:
    request = provider_pb2.CheckRequest(news=to_struct(plugin.properties(tenant="x", version="6.11.1")))
    (failure,) = plugin.stub.CheckConfig(request).failures
    assert failure.property == "tenant"


def test_a_changed_property_updates_the_provider_and_replaces_nothing(plugin: Plugin) -> None:
    olds, news = to_struct(plugin.properties()), to_struct(plugin.properties(useCli="true"))
    answer = plugin.stub.DiffConfig(provider_pb2.DiffRequest(olds=olds, news=news))
    assert (answer.changes, list(answer.diffs)) == (provider_pb2.DiffResponse.DIFF_SOME, ["useCli"])
    assert not answer.replaces
    same = plugin.stub.DiffConfig(provider_pb2.DiffRequest(olds=olds, news=olds))
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert from_struct(plugin.stub.CheckConfig(provider_pb2.CheckRequest(news=news)).inputs)["useCli"] == "true"
