"""Graph as azuread calls it: v1.0, with its own retries."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

RETRIED = (429, 500, 502, 503, 504)
TRIES = 16
ENVIRONMENTS = {
    "public": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "global": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "usgovernment": ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "usgovernmentl4": ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "usgovernmentl5": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    "china": ("https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
}


class Refused(Exception):  # noqa: N818 - an answer, not an accident
    """Graph or the login service answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Directory:
    """One tenant's Graph, signed in as the provider's properties say."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._properties = properties
        self._session = requests.Session()
        self._verify = os.environ.get("SSL_CERT_FILE") or True
        self._token = ""
        self._login, self._graph = self._endpoints()

    def _setting(self, name: str, variable: str) -> str:
        value = self._properties.get(name)
        return str(os.environ.get(variable, "") if value in (None, "") else value)

    def _endpoints(self) -> tuple[str, str]:
        host = self._setting("metadataHost", "ARM_METADATA_HOSTNAME")
        if not host:
            name = self._setting("environment", "ARM_ENVIRONMENT") or "public"
            return ENVIRONMENTS[name]
        answer = self._session.get(
            f"https://{host}/metadata/endpoints?api-version=2022-09-01", verify=self._verify, timeout=30
        )
        answer.raise_for_status()
        document = answer.json()
        login = document["authentication"]["loginEndpoint"].rstrip("/")
        return login, document["microsoftGraphResourceId"].rstrip("/")

    def _sign_in(self) -> str:
        tenant = self._setting("tenantId", "ARM_TENANT_ID")
        secret = self._setting("clientSecret", "ARM_CLIENT_SECRET")
        if secret:
            return self._sign_in_with_secret(tenant, secret)
        if str(self._setting("useCli", "ARM_USE_CLI") or "true").lower() == "true":
            return self._sign_in_with_cli(tenant)
        raise Refused(401, "building client: could not configure an authorizer: no supported credentials were given")

    def _sign_in_with_secret(self, tenant: str, secret: str) -> str:
        answer = self._session.post(
            f"{self._login}/{tenant}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self._setting("clientId", "ARM_CLIENT_ID"),
                "client_secret": secret,
                "scope": f"{self._graph}/.default",
            },
            verify=self._verify,
            timeout=30,
        )
        document = answer.json()
        if answer.status_code != 200:
            text = document.get("error_description", document)
            raise Refused(answer.status_code, f"building client: unable to obtain access token: {text}")
        return str(document["access_token"])

    def _sign_in_with_cli(self, tenant: str) -> str:
        command = ["az", "account", "get-access-token", "--tenant", tenant, "--resource", self._graph, "-o", "json"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except FileNotFoundError:
            raise Refused(401, "building client: please ensure you have installed Azure CLI") from None
        if done.returncode:
            raise Refused(401, f"building client: running Azure CLI: {done.stderr.strip()}")
        return str(json.loads(done.stdout)["accessToken"])

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Make a call; 429 and 5xx are repeated whatever the method, as the real one does.

        Raises:
            Refused: with Graph's answer.
        """
        self._token = self._token or self._sign_in()
        for attempt in range(1, TRIES + 1):
            answer = self._session.request(
                method,
                f"{self._graph}/v1.0{path}",
                json=body,
                headers={"Authorization": f"Bearer {self._token}", "User-Agent": "azuread-stand-in"},
                verify=self._verify,
                timeout=120,
            )
            if answer.status_code not in RETRIED or attempt == TRIES:
                break
            time.sleep(float(answer.headers.get("Retry-After") or 0.2 * attempt))
        if answer.status_code >= 400:
            raise Refused(answer.status_code, f"unexpected status {answer.status_code} with error: {words(answer)}")
        return answer.json() if answer.content else None

    def find(self, path: str) -> Any | None:
        """A GET; None for 404."""
        try:
            return self.call("GET", path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise


def words(answer: requests.Response) -> str:
    """Graph's error, as azuread prints it."""
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError):
        return answer.text[:200]
    return f"{error.get('code')}: {error.get('message')}"


def equals(name: str, value: str) -> str:
    """A filter for one value."""
    return quote(f"{name} eq '{value.replace(chr(39), chr(39) * 2)}'", safe="")
