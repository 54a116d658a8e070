"""How an application proves itself without a secret: a certificate, a pipeline's token, a managed identity.

As github.com/hashicorp/go-azure-sdk, which the real plugin signs in with, does it.
"""

from __future__ import annotations

import base64
import os
import time
import uuid
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12

from lab.azuread.configuration import Configuration
from lab.azuread.exceptions import ProviderError
from lab.azuread.http import Http

_VIRTUAL_MACHINE = "http://169.254.169.254/metadata/identity/oauth2/token"
_PUBLIC_AUDIENCE = "api://AzureADTokenExchange"


def certificate_assertion(configuration: Configuration, token_url: str) -> str:
    """An assertion signed with the key of a PKCS#12 file; the argument with its content goes before the path.

    Raises:
        ProviderError: it cannot be read.
    """
    data, path = configuration.text("clientCertificate"), configuration.text("clientCertificatePath")
    try:
        content = base64.b64decode(data) if data else Path(path).read_bytes()
    except OSError as error:
        reason = f"could not read PKCS#12 archive at {path!r}: {error.strerror}"
        raise _unusable(reason) from error
    password = configuration.text("clientCertificatePassword").encode()
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(content, password or None)
    except ValueError as error:
        raise _unusable("could not decode PKCS#12 archive: pkcs12: decryption password incorrect") from error
    if not isinstance(key, RSAPrivateKey) or certificate is None:
        raise _unusable("could not decode PKCS#12 archive: no key and certificate in it")
    now = int(time.time())
    claims = {
        "aud": token_url,
        "exp": now + 3600,
        "iss": configuration.client_id,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "sub": configuration.client_id,
    }
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA1())).decode().rstrip("=")
    return jwt.encode(claims, key, algorithm="RS256", headers={"x5t": thumbprint})


def _unusable(reason: str) -> ProviderError:
    return ProviderError(f"building client: could not configure ClientCertificate Authorizer: {reason}")


def github_token(http: Http, configuration: Configuration) -> str:
    """A GitHub job's token, for the public cloud's audience unless the URL names one."""
    url = _with_query(configuration.text("oidcRequestUrl"), audience=_PUBLIC_AUDIENCE)
    return _asked(http, "GET", url, configuration.text("oidcRequestToken"), "value", "githubAssertion")


def azure_devops_token(http: Http, configuration: Configuration) -> str:
    """An Azure DevOps job's token for a service connection."""
    connection = configuration.text("adoPipelineServiceConnectionId")
    query = {"api-version": "7.1", "serviceConnectionId": connection}
    url = _with_query(configuration.text("oidcRequestUrl"), **query)
    return _asked(http, "POST", url, configuration.text("oidcRequestToken"), "oidcToken", "adoPipelineAssertion")


def _with_query(url: str, **wanted: str) -> str:
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    return parts._replace(query=urlencode({**wanted, **given})).geturl()


def _asked(http: Http, method: str, url: str, bearer: str, member: str, who: str) -> str:
    answer = http.call(method, url, token=bearer)
    if not answer.ok:
        raise ProviderError(f"building client: {who}: received HTTP status {answer.status}")
    token = answer.body.get(member) if isinstance(answer.body, dict) else None
    if not token:
        raise ProviderError(f"building client: {who}: nil JWT assertion received")
    return str(token)


def managed_identity_token(http: Http, configuration: Configuration, resource: str) -> str:
    """The token of the machine's identity: App Service's endpoint if its variables are there, else the machine's.

    Raises:
        ProviderError: there is none.
    """
    app_service = os.environ.get("MSI_ENDPOINT", "") if os.environ.get("MSI_SECRET") else ""
    url = app_service or configuration.text("msiEndpoint") or _VIRTUAL_MACHINE
    query = {"api-version": "2019-08-01" if app_service else "2018-02-01", "resource": resource}
    if configuration.client_id:
        query["client_id"] = configuration.client_id
    headers = {"Metadata": "true"}
    if identity_header := os.environ.get("IDENTITY_HEADER"):
        headers["X-IDENTITY-HEADER"] = identity_header
    what = "building client: ManagedIdentityAuthorizer: failed to request token from metadata endpoint"
    try:
        answer = http.once("GET", url, params=query, headers=headers)
        body = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise ProviderError(f"{what}: {error}") from error
    if answer.status_code != 200:
        raise ProviderError(f"{what}: received HTTP status {answer.status_code} with body: {answer.text}")
    return str(body["access_token"])
