"""Pipelines' token endpoints, and the endpoints of managed identities."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
import requests
from azure.identity import ManagedIdentityCredential

from lab.entra.workload import urls
from lab.entra.workload.models import ManagedIdentity, Pipeline
from lab.world import SOURCE_CLIENT, SOURCE_TENANT, TARGET_CLIENT
from tests.patience import PATIENCE_SECONDS


def call(world: Any, method: str, path: str, headers: dict[str, str], **query: str) -> requests.Response:
    return requests.request(
        method,
        f"{world.server.url}{path}",
        params=query,
        headers=headers,
        verify=world.server.ca_file,
        timeout=PATIENCE_SECONDS,
    )


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def test_a_github_job_gets_a_token_for_the_audience_it_names(world: Any) -> None:
    issuer = world.entra.workloads.issuer("https://github.example")
    world.entra.workloads.github = Pipeline(issuer, "repo:example/x", "request-token")
    allowed = {"Authorization": "Bearer request-token"}
    token = call(world, "GET", urls.GITHUB, allowed, audience="api://x").json()["value"]
    assert (claims(token)["aud"], claims(token)["sub"]) == ("api://x", "repo:example/x")
    assert claims(call(world, "GET", urls.GITHUB, allowed).json()["value"])["aud"] == "https://github.com/example"
    assert call(world, "GET", urls.GITHUB, {}).status_code == 401


def test_an_azure_devops_job_gets_a_token_for_a_connection_it_may_use(world: Any) -> None:
    issuer = world.entra.workloads.issuer("https://azure-devops.example")
    pipeline = Pipeline(issuer, "", "request-token", connections={"one": "sc://one"})
    world.entra.workloads.azure_devops = pipeline
    allowed = {"Authorization": "Bearer request-token"}
    path, version = urls.AZURE_DEVOPS, {"api-version": "7.1"}
    token = call(world, "POST", path, allowed, **version, serviceConnectionId="one").json()["oidcToken"]
    assert claims(token)["sub"] == "sc://one"
    assert call(world, "POST", path, allowed, **version, serviceConnectionId="two").status_code == 404
    assert call(world, "POST", path, allowed, serviceConnectionId="one").status_code == 400
    assert call(world, "POST", path, {}, **version, serviceConnectionId="one").status_code == 401
    assert "eyJ" not in "".join(map(repr, world.entra.traffic))


@pytest.mark.parametrize("app_service", [True, False])
def test_azure_identity_takes_a_managed_identity(
    world: Any, monkeypatch: pytest.MonkeyPatch, app_service: bool
) -> None:
    known = world.entra.workloads
    known.identities = [ManagedIdentity(world.source_tenant, world.source_tenant.login.clients[SOURCE_CLIENT])]
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET"):
        monkeypatch.delenv(name, raising=False)
    if app_service:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{world.server.url}{urls.APP_SERVICE}")
        monkeypatch.setenv("IDENTITY_HEADER", known.identity_header)
    else:
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", world.server.url)
    credential = ManagedIdentityCredential(connection_verify=str(world.server.ca_file))
    token = credential.get_token(f"{world.server.url}/.default").token
    assert claims(token)["tid"] == SOURCE_TENANT
    world.source.session.headers["Authorization"] = f"Bearer {token}"
    assert world.source("GET", "/policies/crossTenantAccessPolicy/partners").status_code == 200
    assert known.identity_header not in "".join(map(repr, world.entra.traffic))


def test_managed_identity_endpoints_want_their_header_and_a_known_identity(world: Any) -> None:
    known = world.entra.workloads
    known.identities = [ManagedIdentity(world.source_tenant, world.source_tenant.login.clients[SOURCE_CLIENT])]
    wanted = {"resource": world.server.url, "api-version": "2019-08-01"}
    header = {"X-IDENTITY-HEADER": known.identity_header}
    assert call(world, "GET", urls.APP_SERVICE, header, **wanted).status_code == 200
    assert call(world, "GET", urls.APP_SERVICE, {}, **wanted).status_code == 401
    assert call(world, "GET", urls.APP_SERVICE, header, **wanted, client_id=TARGET_CLIENT).status_code == 400
    assert call(world, "GET", urls.VIRTUAL_MACHINE, {}, **wanted).status_code == 400
