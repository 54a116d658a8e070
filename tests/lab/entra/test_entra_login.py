"""Signing in: the errors of the token endpoint, the documents client libraries read, the tokens Graph takes."""

from __future__ import annotations

import time
from typing import Any

import jwt
import msal
import pytest
import requests
from azure.identity import ClientSecretCredential

from lab.entra.login.models import TOKEN_SECONDS
from lab.world import SOURCE_CLIENT, SOURCE_PERMISSIONS, SOURCE_SECRET, SOURCE_TENANT, TARGET_CLIENT
from tests.patience import PATIENCE_SECONDS

PARTNERS = "/policies/crossTenantAccessPolicy/partners"


def expire_secret(world: Any) -> None:
    world.source_tenant.login.clients[SOURCE_CLIENT].secret_expired = True


@pytest.mark.parametrize(
    ("tenant", "form", "status", "error", "code"),
    [
        (SOURCE_TENANT, {"client_id": SOURCE_CLIENT, "client_secret": "no"}, 401, "invalid_client", 7000215),
        (SOURCE_TENANT, {"client_id": TARGET_CLIENT, "client_secret": "no"}, 400, "unauthorized_client", 700016),
        ("nowhere.example", {"client_id": SOURCE_CLIENT, "client_secret": "no"}, 400, "invalid_request", 90002),
        (SOURCE_TENANT, {"client_id": SOURCE_CLIENT}, 400, "invalid_request", 900144),
        (SOURCE_TENANT, {"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
def test_refusals_carry_microsofts_codes(
    world: Any, tenant: str, form: dict[str, str], status: int, error: str, code: int
) -> None:
    answer = world.fetch_token(tenant, **form)
    assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (status, error, [code])
    assert answer.json()["error_description"].startswith(f"AADSTS{code}: ")


def test_an_expired_secret_is_told_from_a_wrong_one(world: Any) -> None:
    expire_secret(world)
    answer = world.fetch_token(SOURCE_TENANT, client_id=SOURCE_CLIENT, client_secret=SOURCE_SECRET)
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [7000222])


def test_a_token_says_who_where_and_what(world: Any) -> None:
    token = world.source.session.headers["Authorization"].removeprefix("Bearer ")
    key_set = world.source("GET", f"{world.server.url}/{SOURCE_TENANT}/discovery/v2.0/keys").json()
    key = jwt.PyJWKSet.from_dict(key_set)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key.key, algorithms=["RS256"], audience=world.server.url)
    assert (claims["tid"], claims["appid"]) == (SOURCE_TENANT, SOURCE_CLIENT)
    assert claims["roles"] == sorted(SOURCE_PERMISSIONS)
    assert claims["oid"] == world.source_tenant.login.clients[SOURCE_CLIENT].object_id
    assert claims["exp"] > time.time()


def test_azure_identity_signs_in(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in world.server.environment().items():
        monkeypatch.setenv(name, value)
    credential = ClientSecretCredential(
        SOURCE_TENANT,
        SOURCE_CLIENT,
        SOURCE_SECRET,
        authority=world.server.url,
        disable_instance_discovery=True,
    )
    token = credential.get_token(f"{world.server.url}/.default").token
    world.source.session.headers["Authorization"] = f"Bearer {token}"
    assert world.source("GET", PARTNERS).status_code == 200


def test_msal_finds_the_tenant_by_instance_discovery(world: Any) -> None:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(world.server.ca_file)
    application = msal.ConfidentialClientApplication(
        SOURCE_CLIENT,
        SOURCE_SECRET,
        authority=f"{world.server.url}/{SOURCE_TENANT}",
        instance_discovery=f"{world.server.url}/common/discovery/instance",
        http_client=session,
    )
    answer = application.acquire_token_for_client([f"{world.server.url}/.default"])
    assert answer["token_type"] == "Bearer"
    assert any(exchange.path == "/common/discovery/instance" for exchange in world.entra.traffic)


def test_the_metadata_document_leads_back_here(world: Any) -> None:
    answer = world.source("GET", f"{world.server.url}/metadata/endpoints?api-version=2022-09-01").json()
    assert answer["authentication"]["loginEndpoint"] == answer["microsoftGraphResourceId"] == world.server.url
    assert answer["resourceManager"].startswith(world.server.url)
    assert answer["authentication"]["identityProvider"] == "AAD"


def test_everybody_may_ask_in_which_cloud_a_tenant_is(world: Any) -> None:
    host, path = world.server.host, "v2.0/.well-known/openid-configuration"
    document = world.source("GET", f"{world.server.url}/{SOURCE_TENANT}/{path}").json()
    assert (document["tenant_region_scope"], document["cloud_instance_name"]) == ("WW", host)
    assert document["msgraph_host"] == host
    assert world.source("GET", f"{world.server.url}/common/{path}").json()["tenant_region_scope"] is None
    assert world.source("GET", f"{world.server.url}/{TARGET_CLIENT}/{path}").status_code == 400


def test_tls_is_verified_by_the_labs_own_authority_only(world: Any) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{world.server.url}/metadata/endpoints", timeout=PATIENCE_SECONDS)


def unauthorized(answer: requests.Response) -> bool:
    return answer.status_code == 401 and answer.json()["error"]["code"] == "InvalidAuthenticationToken"


def test_graph_refuses_missing_broken_and_revoked_tokens(world: Any) -> None:
    good = world.source.session.headers["Authorization"]
    for header in ("", "Bearer nonsense", good + "x", "Basic abc"):
        world.source.session.headers["Authorization"] = header
        assert unauthorized(world.source("GET", PARTNERS)), header
    world.source.session.headers["Authorization"] = good
    world.source_tenant.login.revoke_tokens()
    assert unauthorized(world.source("GET", PARTNERS))
    world.source.sign_in()
    assert world.source("GET", PARTNERS).status_code == 200


def test_a_token_ends_by_the_emulators_clock(world: Any) -> None:
    world.entra.clock.advance(seconds=TOKEN_SECONDS - 1)
    assert world.source("GET", PARTNERS).status_code == 200
    world.entra.clock.advance(seconds=1)
    assert unauthorized(world.source("GET", PARTNERS))


def test_graph_refuses_tokens_for_others(world: Any) -> None:
    form = {"client_id": SOURCE_CLIENT, "client_secret": SOURCE_SECRET, "scope": "https://elsewhere.example/.default"}
    answer = world.fetch_token(SOURCE_TENANT, **form)
    world.source.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    assert unauthorized(world.source("GET", PARTNERS))


def test_graph_refuses_tokens_of_tenants_that_are_gone(world: Any) -> None:
    del world.entra.tenants[SOURCE_TENANT]
    assert unauthorized(world.source("GET", PARTNERS))
