"""Token issuers, pipelines and managed identities."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from lab.entra.login.models import Client
    from lab.entra.models import Tenant

TOKEN_SECONDS = 300


@cache
def issuer_key() -> rsa.RSAPrivateKey:
    """The key the issuers of this process sign with."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """Who makes tokens about workloads; Entra knows its keys, as by its JWKS."""

    url: str
    key: rsa.RSAPrivateKey = field(default_factory=issuer_key)

    def token(self, subject: str, audience: str, *, seconds: int = TOKEN_SECONDS, **more: Any) -> str:
        """A token about a workload, on real time."""
        now = int(time.time())
        claims = {"iss": self.url, "sub": subject, "aud": audience, "iat": now, "nbf": now, "exp": now + seconds}
        return jwt.encode({**claims, "jti": str(uuid.uuid4()), **more}, self.key, algorithm="RS256")


@dataclass
class Pipeline:
    """A running job that may ask for tokens about itself. `connections` are Azure DevOps' service connections."""

    issuer: Issuer
    subject: str
    request_token: str
    audience: str = "api://AzureADTokenExchange"
    connections: dict[str, str] = field(default_factory=dict)
    asked: int = 0


@dataclass
class ManagedIdentity:
    """An identity of the machine the caller runs on, in its home tenant."""

    tenant: Tenant
    client: Client


class Workloads:
    """What the emulated world knows of them."""

    def __init__(self) -> None:
        self.issuers: dict[str, Issuer] = {}
        self.github: Pipeline | None = None
        self.azure_devops: Pipeline | None = None
        self.identities: list[ManagedIdentity] = []
        self.identity_header = str(uuid.uuid4())

    def issuer(self, url: str) -> Issuer:
        """The issuer of this URL, made when first named."""
        return self.issuers.setdefault(url, Issuer(url))
