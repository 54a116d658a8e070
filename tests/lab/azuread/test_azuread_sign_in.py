"""The provider's own properties: credentials, endpoints, trust."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from lab.azuread.configuration import read_configuration
from lab.azuread.http import Http
from lab.azuread.sign_in import find_endpoints
from lab.azuread.values import UNKNOWN, from_struct, to_struct
from lab.entra.login.assertions import FederatedCredential
from lab.entra.workload import urls
from lab.entra.workload.models import Issuer, ManagedIdentity, Pipeline
from lab.world import SOURCE_CLIENT, SOURCE_SECRET, SOURCE_TENANT, TARGET_CLIENT
from tests.lab.azuread.azuread_client import APPLICATION, Plugin, refused, running
from tests.proofs import self_signed

AUDIENCE = "api://AzureADTokenExchange"

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
    assert (answer.acceptSecrets, answer.supportsPreview) == (False, True)
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


def federated(plugin: Plugin, subject: str) -> Issuer:
    issuer = plugin.entra.workloads.issuer("https://issuer.example")
    plugin.tenant.login.clients[SOURCE_CLIENT].federated = [FederatedCredential(issuer.url, subject)]
    return issuer


def test_an_oidc_token_is_a_client_assertion(plugin: Plugin, tmp_path: Path) -> None:
    token = federated(plugin, "us").token("us", AUDIENCE)
    plugin.configure(plugin.properties(clientSecret=None, oidcToken=token, useOidc="true"))
    assert signed_in(plugin) == SOURCE_CLIENT
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    plugin.configure(plugin.properties(clientSecret=None, oidcTokenFilePath=str(file), useOidc="true"))
    assert signed_in(plugin) == SOURCE_CLIENT
    with refused() as texts:
        other = token.replace("e", "f", 1)
        plugin.configure(
            plugin.properties(clientSecret=None, oidcTokenFilePath=str(file), oidcToken=other, useOidc="true")
        )
    assert "mismatch between supplied OIDC token" in texts[0]


def test_a_pipeline_gives_tokens(plugin: Plugin) -> None:
    issuer = federated(plugin, "us")
    plugin.entra.workloads.github = Pipeline(issuer, "us", "request-token")
    plugin.entra.workloads.azure_devops = Pipeline(issuer, "", "request-token", connections={"connection": "us"})
    asking = {"clientSecret": None, "useOidc": "true", "oidcRequestToken": "request-token"}
    plugin.configure(plugin.properties(**asking, oidcRequestUrl=f"{plugin.server.url}{urls.GITHUB}"))
    assert signed_in(plugin) == SOURCE_CLIENT
    azure_devops = {"oidcRequestUrl": f"{plugin.server.url}{urls.AZURE_DEVOPS}"}
    plugin.configure(plugin.properties(**asking, **azure_devops, adoPipelineServiceConnectionId="connection"))
    assert signed_in(plugin) == SOURCE_CLIENT
    with refused() as texts:
        plugin.configure(plugin.properties(**asking, **azure_devops, adoPipelineServiceConnectionId="other"))
    assert "adoPipelineAssertion: received HTTP status 404" in texts[0]


def test_a_certificate_is_pkcs12_and_goes_before_a_secret(plugin: Plugin, tmp_path: Path) -> None:
    proof = self_signed()
    plugin.tenant.login.clients[SOURCE_CLIENT].certificates = [proof.certificate]
    path = str(proof.write(tmp_path / "proof.pfx", "password"))
    how = {"clientCertificatePath": path, "clientCertificatePassword": "password", "clientSecret": "wrong"}
    plugin.configure(plugin.properties(**how))
    assert signed_in(plugin) == SOURCE_CLIENT
    for changed, words in (
        ({"clientCertificatePassword": "wrong"}, "decryption password incorrect"),
        ({"clientCertificatePath": str(proof.write(tmp_path / "proof.pem"))}, "could not decode PKCS#12 archive"),
        ({"clientCertificatePath": "x.pfx"}, "could not read PKCS#12 archive at 'x.pfx'"),
    ):
        with refused() as texts:
            plugin.configure(plugin.properties(**{**how, **changed}))
        assert words in texts[0]


@pytest.mark.parametrize("app_service", [True, False])
def test_a_managed_identity_gives_a_token(plugin: Plugin, monkeypatch: pytest.MonkeyPatch, app_service: bool) -> None:
    known = plugin.entra.workloads
    known.identities = [ManagedIdentity(plugin.tenant, plugin.tenant.login.clients[SOURCE_CLIENT])]
    how = {"clientSecret": None, "useMsi": "true"}
    if app_service:
        monkeypatch.setenv("MSI_ENDPOINT", f"{plugin.server.url}{urls.APP_SERVICE}")
        monkeypatch.setenv("MSI_SECRET", known.identity_header)
        monkeypatch.setenv("IDENTITY_HEADER", known.identity_header)
    else:
        how["msiEndpoint"] = f"{plugin.server.url}{urls.VIRTUAL_MACHINE}"
    plugin.configure(plugin.properties(**how))
    assert signed_in(plugin) == SOURCE_CLIENT
    with refused() as texts:
        plugin.configure(plugin.properties(**how, clientId=TARGET_CLIENT))
    assert "Identity not found" in texts[0]


def test_an_empty_argument_keeps_the_environment_out(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARM_CLIENT_CERTIFICATE_PATH", "/nowhere/other.pfx")
    with refused():
        plugin.configure(plugin.properties())
    plugin.configure(plugin.properties(clientCertificatePath=""))
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
        ({"useOidc": "true", "oidcRequestUrl": "https://x"}, "no Authorizer could be configured"),
        ({"useCli": "perhaps"}, "the property useCli must be true or false"),
        ({"environment": "moon", "metadataHost": None}, "'moon' is not known"),
    ],
)
def test_what_cannot_sign_in_is_refused(plugin: Plugin, properties: dict[str, Any], words: str) -> None:
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
    assert find_endpoints(configuration, Http(threading.Event())).graph == graph


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
