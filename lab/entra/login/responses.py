"""Discovery, keys and tokens on the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jwt.algorithms import RSAAlgorithm

from lab.entra.login.assertions import check_assertion
from lab.entra.login.exceptions import bad_token_request, unknown_client, unknown_tenant, unsupported_grant
from lab.entra.login.models import TOKEN_SECONDS, Client, key_id, signing_key

if TYPE_CHECKING:
    from lab.entra.models import Entra, Tenant

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def metadata(host_url: str) -> dict[str, Any]:
    """The endpoints document of a private cloud: everything is on this host."""
    return {
        "portal": host_url,
        "authentication": {
            "loginEndpoint": host_url,
            "audiences": [host_url],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "media": host_url,
        "graphAudience": f"{host_url}/",
        "graph": f"{host_url}/",
        "name": "Lab",
        "suffixes": {
            "storage": "core.lab.invalid",
            "keyVaultDns": "vault.lab.invalid",
            "sqlServerHostname": "database.lab.invalid",
        },
        "batch": host_url,
        "resourceManager": f"{host_url}/",
        "activeDirectoryDataLake": host_url,
        "sqlManagement": host_url,
        "microsoftGraphResourceId": host_url,
        "appInsightsResourceId": host_url,
        "attestationResourceId": host_url,
        "synapseAnalyticsResourceId": host_url,
        "logAnalyticsResourceId": host_url,
        "ossrDbmsResourceId": host_url,
    }


def instance_discovery(host_url: str, tenant: str) -> dict[str, Any]:
    """What a client asks to learn whether an authority is to be trusted."""
    host = host_url.removeprefix("https://")
    alias = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
    return {
        "tenant_discovery_endpoint": f"{host_url}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [alias],
    }


def find_tenant(entra: Entra, name: str) -> Tenant:
    """A tenant by id or by domain, if it was not deleted."""
    for tenant in entra.tenants.values():
        if name.lower() in (tenant.tenant_id, tenant.domain) and not tenant.deleted:
            return tenant
    raise unknown_tenant(name)


def openid_configuration(entra: Entra, host_url: str, name: str) -> dict[str, Any]:
    """The discovery document of a tenant."""
    tenant_id = "{tenantid}" if name in ("common", "organizations") else find_tenant(entra, name).tenant_id
    host = host_url.removeprefix("https://")
    base = f"{host_url}/{name if tenant_id == '{tenantid}' else tenant_id}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_types_supported": ["code", "id_token"],
        "scopes_supported": ["openid"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": f"{host_url}/{tenant_id}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "tenant_region_scope": None if tenant_id == "{tenantid}" else "WW",
        "cloud_instance_name": host,
        "cloud_graph_host_name": host,
        "msgraph_host": host,
    }


def keys() -> dict[str, Any]:
    """The public keys of tokens."""
    key = RSAAlgorithm.to_jwk(signing_key().public_key(), as_dict=True)
    return {"keys": [{**key, "use": "sig", "kid": key_id(), "alg": "RS256"}]}


def token(entra: Entra, host_url: str, name: str, form: Mapping[str, str]) -> dict[str, Any]:
    """A token for a client that proves who it is."""
    tenant = find_tenant(entra, name)
    if (grant := form.get("grant_type", "")) != "client_credentials":
        raise unsupported_grant(grant)
    client_id = form.get("client_id", "")
    client = tenant.login.clients.get(client_id)
    if client is None:
        raise unknown_client(client_id, tenant.display_name)
    _prove(entra, client, form, token_endpoints(host_url, name, tenant.tenant_id))
    audience = _audience(form.get("scope") or form.get("resource") or "")
    return {
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "ext_expires_in": TOKEN_SECONDS,
        "access_token": tenant.login.issue(client, host_url, audience),
    }


def token_endpoints(host_url: str, *names: str) -> list[str]:
    """What a client assertion may be for."""
    endings = ("oauth2/v2.0/token", "oauth2/token", "v2.0", "")
    return [f"{host_url}/{name}/{ending}".rstrip("/") for name in names for ending in endings]


def _prove(entra: Entra, client: Client, form: Mapping[str, str], endpoints: list[str]) -> None:
    if form.get("client_assertion"):
        if form.get("client_assertion_type") != ASSERTION:
            raise bad_token_request("The client_assertion_type must be the JWT bearer.")
        check_assertion(
            form["client_assertion"],
            client.client_id,
            client.certificates,
            client.federated,
            entra.workloads.issuers,
            endpoints,
        )
    elif form.get("client_secret"):
        client.check_secret(form["client_secret"])
    else:
        raise bad_token_request("The request body must contain 'client_assertion' or 'client_secret'.")


def _audience(scope: str) -> str:
    if not scope:
        raise bad_token_request("The request body must contain the following parameter: 'scope'.")
    return re.sub(r"/*(\.default)?$", "", scope.split(maxsplit=1)[0])
