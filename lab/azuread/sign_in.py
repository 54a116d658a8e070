"""Endpoints, and access tokens by every kind of proof azuread documents."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from lab.azuread.configuration import Configuration
from lab.azuread.exceptions import ProviderError
from lab.azuread.http import Http
from lab.azuread.proofs import azure_devops_token, certificate_assertion, github_token, managed_identity_token

_GLOBAL = ("https://login.microsoftonline.com", "https://graph.microsoft.com")
_GOVERNMENT = ("https://login.microsoftonline.us", "https://graph.microsoft.us")
_DEFENSE = ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us")
_CHINA = ("https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn")
_ENVIRONMENTS = {
    "": _GLOBAL,
    "global": _GLOBAL,
    "public": _GLOBAL,
    "usgovernment": _GOVERNMENT,
    "usgovernmentl4": _GOVERNMENT,
    "dod": _DEFENSE,
    "usgovernmentl5": _DEFENSE,
    "china": _CHINA,
}
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CLI_SECONDS = 60
_RENEW_SECONDS = 300


@dataclass(frozen=True)
class Endpoints:
    """Where to sign in and where Graph is."""

    login: str
    graph: str


def find_endpoints(configuration: Configuration, http: Http) -> Endpoints:
    """Endpoints from the metadata host, else from the name of the environment.

    Raises:
        ProviderError: there are none.
    """
    host, name = configuration.text("metadataHost"), configuration.text("environment").lower()
    if not host:
        if name not in _ENVIRONMENTS:
            raise ProviderError(f"unable to determine environment by name: {name!r} is not known")
        return Endpoints(*_ENVIRONMENTS[name])
    url = f"https://{host}/metadata/endpoints?api-version=2022-09-01"
    try:
        response = http.once("GET", url)
        response.raise_for_status()
        document = response.json()
        login = document["authentication"]["loginEndpoint"]
        return Endpoints(login.rstrip("/"), document["microsoftGraphResourceId"].rstrip("/"))
    except (requests.RequestException, KeyError, TypeError) as error:
        raise ProviderError(f"retrieving endpoints from metadata host {host!r}: {error!r}") from error


class Tokens:
    """Access tokens for Graph, renewed before they end."""

    def __init__(self, get: Callable[[], str]) -> None:
        self._get = get
        self._lock = threading.Lock()
        self._token = ""
        self._claims: Mapping[str, Any] = {}

    def current(self) -> str:
        """A token that is good for a while."""
        with self._lock:
            if not self._token or self._claims.get("exp", 0) - _RENEW_SECONDS < time.time():
                self._token = self._get()
                self._claims = claims_of(self._token)
            return self._token

    def claims(self) -> Mapping[str, Any]:
        """What the token says about us."""
        self.current()
        return self._claims


def claims_of(token: str) -> Mapping[str, Any]:
    """The claims of a token.

    Raises:
        ProviderError: it is not a JWT.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise ProviderError("parsing claims from access token: ParseClaims: token does not have 3 segments")
    try:
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError as error:
        raise ProviderError(f"parsing claims from access token: {error}") from error
    return claims


def sign_in(configuration: Configuration, endpoints: Endpoints, http: Http) -> Tokens:
    """Choose the kind of credentials in azuread's order.

    Raises:
        ProviderError: there is none.
    """
    named = bool(configuration.tenant_id and configuration.client_id)
    assertion = _assertion_of(configuration, endpoints, http) if named else None
    if assertion is not None:
        return Tokens(lambda: _by_form(http, configuration, endpoints, _proof(assertion())))
    if named and configuration.client_secret:
        return Tokens(lambda: _by_form(http, configuration, endpoints, {"client_secret": configuration.client_secret}))
    if configuration.flags["useMsi"]:
        return Tokens(lambda: managed_identity_token(http, configuration, endpoints.graph))
    if configuration.flags["useCli"]:
        if not configuration.tenant_id:
            raise ProviderError("building client: azure-cli could not determine tenant ID to use")
        return Tokens(lambda: _by_cli(configuration.tenant_id, endpoints))
    raise ProviderError(
        "building client: unable to build authorizer for Microsoft Graph API: "
        "no Authorizer could be configured, please check your configuration"
    )


def _assertion_of(configuration: Configuration, endpoints: Endpoints, http: Http) -> Callable[[], str] | None:
    """What gives client assertions: a certificate goes before a secret, and a secret before federated tokens."""
    if configuration.text("clientCertificate") or configuration.text("clientCertificatePath"):
        return lambda: certificate_assertion(configuration, _token_url(configuration, endpoints))
    federated = configuration.flags["useOidc"] or configuration.flags["useAksWorkloadIdentity"]
    if configuration.client_secret or not federated:
        return None
    if token := configuration.oidc_token:
        return lambda: token
    if configuration.text("oidcRequestUrl") and configuration.text("oidcRequestToken"):
        if configuration.text("adoPipelineServiceConnectionId"):
            return lambda: azure_devops_token(http, configuration)
        return lambda: github_token(http, configuration)
    return None


def _proof(assertion: str) -> dict[str, str]:
    return {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion}


def _token_url(configuration: Configuration, endpoints: Endpoints) -> str:
    return f"{endpoints.login}/{configuration.tenant_id}/oauth2/v2.0/token"


def _by_form(http: Http, configuration: Configuration, endpoints: Endpoints, proof: Mapping[str, str]) -> str:
    url = _token_url(configuration, endpoints)
    form = {
        "grant_type": "client_credentials",
        "client_id": configuration.client_id,
        "scope": f"{endpoints.graph}/.default",
        **proof,
    }
    answer = http.call("POST", url, form=form)
    if not answer.ok or not isinstance(answer.body, dict) or not answer.body.get("access_token"):
        raise ProviderError(
            "building client: could not acquire access token to parse claims: clientCredentialsToken: "
            f"received HTTP status {answer.status} with response: {answer.text}"
        )
    return str(answer.body["access_token"])


def _by_cli(tenant: str, endpoints: Endpoints) -> str:
    command = ["az", "account", "get-access-token", "--output", "json"]
    command += ["--tenant", tenant, "--resource", endpoints.graph]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CLI_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProviderError(f"building client: running Azure CLI: {error}") from error
    if done.returncode:
        raise ProviderError(f"building client: running Azure CLI: exit status {done.returncode}: {done.stderr.strip()}")
    try:
        return str(json.loads(done.stdout)["accessToken"])
    except (ValueError, KeyError) as error:
        raise ProviderError("building client: the Azure CLI gave no access token") from error
