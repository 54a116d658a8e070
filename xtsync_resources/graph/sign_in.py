"""How to sign in to a tenant: one value, from the stack file through the provider's properties to the credential.

It holds no secret: those are read from the environment when they are needed, or are the stack's, which the environment
overrules.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from .clouds import CLOUDS
from .errors import TenantName
from .secret_origin import certificate_password, client_secret


def az_login(tenant: str) -> str:
    """The command that signs in to a tenant, which need not have a subscription."""
    return f"az login --tenant {shlex.quote(tenant)} --allow-no-subscriptions"


@dataclass(frozen=True)
class SignIn:
    """A way to sign in to a tenant.

    Attributes:
        tenant: whom to talk to.
        kind: `cli`, `secret`, `certificate`, `oidc` or `managedIdentity`.
        client_id: of the application or the user-assigned identity; "" for `cli`.
        cloud: the name of the cloud.
        metadata_host: HOST or HOST:PORT whose metadata document names the endpoints instead, or "".
        certificate_path: of the file with certificate and key.
        token_file: of a federated token.
        service_connection_id: of Azure DevOps.
    """

    tenant: TenantName
    kind: str
    client_id: str = ""
    cloud: str = "public"
    metadata_host: str = ""
    certificate_path: str = ""
    token_file: str = ""
    service_connection_id: str = ""

    @property
    def known_authority(self) -> bool:
        """Whether the login host is one of Microsoft's."""
        return not self.metadata_host

    @property
    def audience(self) -> str:
        """Whom a federated token must be for."""
        return CLOUDS[self.cloud or "public"].token_audience

    def seen_from_here(self, folder: Path | None) -> SignIn:
        """The same, with its files as seen from the current folder; they are named from another, unless it is None."""
        if folder is None:
            return self
        certificate_path, token_file = (
            str(folder / path) if path else "" for path in (self.certificate_path, self.token_file)
        )
        return replace(self, certificate_path=certificate_path, token_file=token_file)


@dataclass(frozen=True)
class Secrets:
    """Where the secrets of a sign-in are had when they are needed; they stay out of every text.

    Attributes:
        secret: gives the client secret.
        password: gives the password of the certificate's file.
    """

    secret: Callable[[], str] = str
    password: Callable[[], str] = str

    @classmethod
    def of(cls, side: str, of_stack: str = "") -> Secrets:
        """Those of a side: the environment's, which is read at each call, or else the client secret of the stack."""
        origin = client_secret(side, os.environ)
        return cls(lambda: origin.read() or of_stack, certificate_password(side, os.environ).read)
