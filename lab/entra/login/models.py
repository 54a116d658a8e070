"""Sign-in clients of one tenant and the tokens they hold."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options

from lab.entra.context import Context
from lab.entra.exceptions import invalid_token
from lab.entra.login.assertions import FederatedCredential
from lab.entra.login.exceptions import expired_secret, wrong_secret

TOKEN_SECONDS = 3599


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """The key all emulated tenants of this process sign with."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def key_id() -> str:
    """The name of the key in the key set and in tokens."""
    number = signing_key().public_key().public_numbers().n
    digest = hashlib.sha256(number.to_bytes(256, "big")).digest()
    return base64.urlsafe_b64encode(digest[:20]).decode().rstrip("=")


@dataclass
class Client:
    """An application that signs in to this tenant, and how it may prove itself."""

    client_id: str
    object_id: str
    secret: str
    permissions: frozenset[str]
    secret_expired: bool = False
    certificates: list[x509.Certificate] = field(default_factory=list)
    federated: list[FederatedCredential] = field(default_factory=list)

    def check_secret(self, secret: str) -> None:
        """Refuse a wrong or expired secret."""
        if secret != self.secret:
            raise wrong_secret(self.client_id)
        if self.secret_expired:
            raise expired_secret(self.client_id)


class LoginBackend:
    """The clients and tokens of one tenant."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.clients: dict[str, Client] = {}
        self._valid_until: dict[str, datetime] = {}

    def add(self, client: Client) -> Client:
        """Register a client."""
        self.clients[client.client_id] = client
        return client

    def issue(self, client: Client, host_url: str, audience: str) -> str:
        """A token that ends by the emulator's clock; its claims are on real time, so that clients believe it."""
        now = int(time.time())
        token_id = str(uuid.uuid4())
        self._valid_until[token_id] = self._context.now() + timedelta(seconds=TOKEN_SECONDS)
        claims = {
            "aud": audience,
            "iss": f"{host_url}/{self._context.tenant_id}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
            "appid": client.client_id,
            "azp": client.client_id,
            "idtyp": "app",
            "oid": client.object_id,
            "sub": client.object_id,
            "tid": self._context.tenant_id,
            "roles": sorted(client.permissions),
            "uti": token_id,
            "ver": "1.0",
        }
        return jwt.encode(claims, signing_key(), algorithm="RS256", headers={"kid": key_id()})

    def revoke_tokens(self) -> None:
        """Make every token issued so far invalid."""
        self._valid_until.clear()

    def holder(self, claims: Mapping[str, Any]) -> Client:
        """The client a token of this tenant belongs to."""
        ends = self._valid_until.get(str(claims.get("uti")))
        if ends is None or ends <= self._context.now():
            raise invalid_token("Access token has expired or is not yet valid.")
        client = self.clients.get(str(claims.get("appid")))
        if client is None:
            raise invalid_token("The application of the access token does not exist in the tenant.")
        return client


@lru_cache(maxsize=1000)
def claims_of(token: str, audiences: tuple[str, ...]) -> Mapping[str, Any]:
    """The claims of a token that is signed by us and meant for Graph; whether it has ended, its tenant says."""
    options: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    try:
        claims: dict[str, Any] = jwt.decode(
            token, signing_key().public_key(), algorithms=["RS256"], audience=audiences, options=options
        )
    except jwt.InvalidAudienceError as error:
        raise invalid_token("Access token validation failure. Invalid audience.") from error
    except jwt.InvalidTokenError as error:
        raise invalid_token("CompactToken parsing failed with error code: 80049217") from error
    return claims
