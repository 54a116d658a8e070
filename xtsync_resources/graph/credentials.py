"""Signing in: a token for Graph, of the right tenant or none.

Source: https://learn.microsoft.com/python/api/azure-identity
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import AzureCliCredential, ClientSecretCredential, CredentialUnavailableError

from .clouds import Endpoints
from .errors import SignInError, TenantName, WrongTenantError
from .transport import network_cause, plain_cause, trusted_certificates


@dataclass(frozen=True)
class SignIn:
    """How to sign in to a tenant: the kind and what that kind needs. The secret stays out of every text."""

    kind: str
    client_id: str = ""
    secret: Callable[[], str] = lambda: ""
    known_authority: bool = True


def credential_for(tenant: TenantName, sign_in: SignIn, endpoints: Endpoints) -> TokenCredential:
    """The azure-identity credential of a sign-in kind.

    Raises:
        SignInError: the secret is missing, or the kind is not one of `cli` and `secret`.
    """
    if sign_in.kind == "cli":
        return AzureCliCredential(tenant_id=tenant.id)
    if sign_in.kind != "secret":
        raise SignInError(
            f"Failed to sign in to {tenant}",
            f"the sign-in kind {sign_in.kind!r} is unknown",
            f"set xtsync:{tenant.side}.auth to cli or secret",
        )
    secret = sign_in.secret()
    if not secret:
        raise SignInError(
            f"Failed to sign in to {tenant}",
            "there is no client secret",
            f"export XTSYNC_{tenant.side.upper()}_CLIENT_SECRET, or run "
            f"`pulumi config set --secret xtsync:{tenant.side}ClientSecret` and `pulumi up`",
        )
    return ClientSecretCredential(
        tenant.id,
        sign_in.client_id,
        secret,
        authority=endpoints.login,
        # A private login host is known to us by its metadata document, not to Microsoft's list of hosts.
        disable_instance_discovery=not sign_in.known_authority,
        connection_verify=trusted_certificates(),
        # The tenant is configured; a challenge must not lead a secret to another one.
        additionally_allowed_tenants=[],
    )


class TokenSource:
    """Gives tokens of one tenant to many threads, and a fresh one after Graph refused the last."""

    def __init__(self, tenant: TenantName, scope: str, make: Callable[[], TokenCredential]) -> None:
        self._tenant, self._scope, self._make = tenant, scope, make
        self._lock = threading.Lock()
        self._credential: TokenCredential | None = None
        self._checked = ""

    def token(self) -> str:
        """A token that is valid now.

        Raises:
            SignInError: no token could be had.
            WrongTenantError: the token is not the configured tenant's.
        """
        with self._lock:
            if self._credential is None:
                self._credential = self._make()
            try:
                token = self._credential.get_token(self._scope).token
            except AzureError as error:
                self._credential = None
                raise explain(self._tenant, error) from None
            if token != self._checked:
                check_tenant(self._tenant, token)
                self._checked = token
            return token

    def renew(self, refused: str) -> None:
        """Forget a token that Graph refused; azure-identity would hand out the same one from its cache."""
        with self._lock:
            if refused == self._checked:
                self._credential, self._checked = None, ""


def check_tenant(tenant: TenantName, token: str) -> None:
    """Refuse a token of another tenant before it is used for anything.

    Raises:
        WrongTenantError: the token's `tid` is not the configured tenant's id, or cannot be read.
    """
    found = str(claims(token).get("tid") or "")
    if found.lower() == tenant.id.lower():
        return
    raise WrongTenantError(
        f"Failed to sign in to {tenant}",
        f"the token is for tenant {found}" if found else "the token does not say which tenant it is for",
        f"sign in to the right tenant (`az login --tenant {tenant.id}`), or correct "
        f"xtsync:{tenant.side}.tenantId; no call was made",
    )


def claims(token: str) -> Mapping[str, Any]:
    """The payload of a JWT, unverified: the token is Graph's to verify, we only read whose it is."""
    try:
        payload = token.split(".")[1]
        decoded = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


REFUSALS: tuple[tuple[str, str, str], ...] = (
    (
        "AADSTS7000222",
        "the client secret has expired",
        "create a new client secret for the application {client} and export it as {variable}",
    ),
    (
        "AADSTS7000215",
        "the client secret is wrong",
        "export the secret's value (not its id) of the application {client} as {variable}",
    ),
    (
        "AADSTS700016",
        "this tenant does not know the application",
        "check xtsync:{side}.clientId, and that an administrator consented to the application in this tenant",
    ),
    (
        "AADSTS65001",
        "nobody has consented to the application in this tenant",
        "let an administrator consent to the application {client} with its permissions",
    ),
    (
        "AADSTS90002",
        "there is no such tenant in this cloud",
        "check xtsync:{side}.tenantId and xtsync:cloud",
    ),
    (
        "Unable to get authority configuration",
        "there is no such tenant in this cloud",
        "check xtsync:{side}.tenantId and xtsync:cloud",
    ),
    (
        "AADSTS700024",
        "the sign-in was outside its time range: this computer's clock is wrong",
        "set this computer's clock",
    ),
)


def explain(tenant: TenantName, error: AzureError) -> SignInError:
    """Turn azure-identity's error into one message without its troubleshooting links."""
    text = str(error.message if hasattr(error, "message") else error).strip()
    side = tenant.side
    words = {
        "side": side,
        "client": f"of xtsync:{side}.clientId",
        "variable": f"XTSYNC_{side.upper()}_CLIENT_SECRET",
    }
    what = f"Failed to sign in to {tenant}"
    for code, why, do in REFUSALS:
        if code in text:
            code = f" ({code})" if code.startswith("AADSTS") else ""  # noqa: PLW2901
            return SignInError(what, f"{why}{code}", do.format(**words), trace_id(text))
    if isinstance(error, CredentialUnavailableError):
        return SignInError(what, first_line(text), f"run `az login --tenant {tenant.id}`")
    # azure-identity also calls it a refusal when the login service could not be asked.
    if isinstance(error, ClientAuthenticationError) and ("AADSTS" in text or not network_cause(text)):
        return SignInError(what, first_line(text), f"check xtsync:{side}.auth and its values", trace_id(text))
    return SignInError(
        what,
        f"the login service cannot be reached: {plain_cause(error)}",
        "check the network, proxy and (for private endpoints) REQUESTS_CA_BUNDLE",
    )


def first_line(text: str) -> str:
    """The first line of a message that may have many."""
    return text.splitlines()[0] if text else "no reason given"


def trace_id(text: str) -> str:
    """Microsoft's trace id in a sign-in refusal, for support."""
    _, found, rest = text.partition("Trace ID: ")
    return f"trace id {rest.split()[0]}" if found and rest.split() else ""
