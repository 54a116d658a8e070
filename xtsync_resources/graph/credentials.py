"""Signing in: a token for Graph, of the right tenant or none.

Source: https://learn.microsoft.com/python/api/azure-identity
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import threading
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.identity import (
    AzureCliCredential,
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)

from ..redaction import know
from .bounded import ANSWER_SECONDS, LARGEST_SIGN_IN_ANSWER, seconds_left, within
from .clock import Clock, SystemClock
from .clouds import CLOUDS, Endpoints
from .errors import SignInError, SignInUnansweredError, TenantName, WrongTenantError, XtsyncError
from .federated import FederatedTokens
from .refusals import explain, first_line
from .secret_origin import COMMAND, FILE, SecretError, in_header, password_variable, secret_variable
from .sign_in import Secrets, SignIn, az_login
from .sign_in_transport import BEING_MADE_READY, ONCE, PASSING, SignInTransport
from .token_claims import claims
from .transport import ANYWHERE, HttpsTransport, Transport, bounded_session, chain_of, trusted_certificates

# They log refusals that our one message explains; without a handler Python would print them beside it.
for _library in ("azure", "msal"):
    logging.getLogger(_library).addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Means:
    """What making a credential may use: where to sign in, and how to reach what is not the login service."""

    sign_in: SignIn
    secrets: Secrets
    endpoints: Endpoints
    transport: Transport
    clock: Clock
    status: Callable[[str], None]

    @property
    def tenant(self) -> TenantName:
        """The tenant to sign in to."""
        return self.sign_in.tenant

    @property
    def options(self) -> dict[str, Any]:
        """Options of every credential that goes to the login host itself."""
        return {
            "authority": self.endpoints.login,
            "connection_verify": trusted_certificates(),
            # The tenant is configured; a challenge must not lead a secret to another one.
            "additionally_allowed_tenants": [],
            # What a private login host says of its addresses must not lead a secret to another host.
            "transport": self.sending(ANYWHERE if self.sign_in.known_authority else [f"{self.endpoints.login}/"]),
            **ONCE,
        }

    @property
    def discovery(self) -> dict[str, Any]:
        """A private login host is known to us by its metadata document, not to Microsoft's list of hosts."""
        return {"disable_instance_discovery": not self.sign_in.known_authority}

    def sending(
        self, reach: Sequence[str], direct: Sequence[str] = (), passing: Container[int] = PASSING
    ) -> SignInTransport:
        """How the sign-in libraries send, and to where."""
        session = bounded_session(reach, direct, LARGEST_SIGN_IN_ANSWER)
        return SignInTransport(session, self.tenant, self.clock, self.status, passing)

    def secret(self, read: Callable[[], str]) -> str:
        """A secret.

        Raises:
            SignInError: it is named, but cannot be had.
        """
        try:
            return know(read())
        except SecretError as error:
            raise self.failure(error.why, error.do) from None

    def failure(self, why: str, do: str) -> SignInError:
        """The error of a sign-in that cannot begin."""
        return SignInError(f"Failed to sign in to {self.tenant}", why, do)


def credential_for(
    sign_in: SignIn,
    secrets: Secrets,
    endpoints: Endpoints,
    transport: Transport | None = None,
    clock: Clock | None = None,
    status: Callable[[str], None] = lambda _: None,
) -> TokenCredential:
    """The azure-identity credential of a sign-in kind.

    Raises:
        SignInError: what the kind needs is missing or unusable, or there is no such kind.
    """
    means = Means(sign_in, secrets, endpoints, transport or HttpsTransport(), clock or SystemClock(), status)
    if sign_in.kind not in KINDS:
        why = f"the sign-in kind {sign_in.kind!r} is unknown"
        kinds = [*KINDS]
        do = f"set xtsync:{sign_in.tenant.side}.auth to {', '.join(kinds[:-1])} or {kinds[-1]}"
        raise means.failure(why, do)
    return KINDS[sign_in.kind](means)


def by_cli(means: Means) -> TokenCredential:
    """As the person of `az login`."""
    return AzureCliCredential(tenant_id=means.tenant.id)


def by_secret(means: Means) -> TokenCredential:
    """As an application with a client secret."""
    side, secret = means.tenant.side, means.secret(means.secrets.secret)
    if not secret:
        raise means.failure(
            "there is no client secret",
            f"export {secret_variable(side)} (or with {FILE} or {COMMAND} where to get it), or run "
            f"`pulumi config set --secret xtsync:{side}ClientSecret` and `pulumi up`",
        )
    client_id = means.sign_in.client_id
    return ClientSecretCredential(means.tenant.id, client_id, secret, **means.options, **means.discovery)


def by_certificate(means: Means) -> TokenCredential:
    """As an application with a certificate; the file is read when the credential is made."""
    from .certificates import CertificateError, read  # noqa: PLC0415 - only this kind needs it

    sign_in, side = means.sign_in, means.tenant.side
    try:
        pair = read(sign_in.certificate_path, means.secret(means.secrets.password), password_variable(side))
    except CertificateError as error:
        do = f"{error.do}. `pulumi refresh` and `destroy` use the path of the last `pulumi up`"
        raise means.failure(error.why, do) from None
    return CertificateCredential(
        means.tenant.id, sign_in.client_id, certificate_data=pair.pem, **means.options, **means.discovery
    )


def by_federated_token(means: Means) -> TokenCredential:
    """As an application that takes the tokens of another issuer for its own; each is got when it is needed."""
    sign_in = means.sign_in
    tokens = FederatedTokens(
        means.tenant,
        sign_in.token_file,
        sign_in.service_connection_id,
        sign_in.audience,
        os.environ,
        means.transport,
        means.clock,
    )
    return ClientAssertionCredential(means.tenant.id, sign_in.client_id, tokens.current, **means.options)


# What a machine's own service wants to see, in a header.
IDENTITY_SECRETS = ("IDENTITY_HEADER", "MSI_SECRET")


def by_managed_identity(means: Means) -> TokenCredential:
    """As the identity of the Azure resource this runs on; which tenant that is, the token tells.

    The machine's own service is asked directly: a proxy would read what is sent in plain, and could answer for it.
    """
    client_id = means.sign_in.client_id or None
    for name in filter(os.environ.get, IDENTITY_SECRETS):  # azure-identity reads them for itself
        os.environ[name] = means.secret(functools.partial(in_header, name, os.environ))
    login_hosts = {f"{cloud.endpoints.login}/" for cloud in CLOUDS.values()}  # where a Kubernetes pod's identity goes
    try:
        return ManagedIdentityCredential(
            client_id=client_id,
            connection_verify=trusted_certificates(),
            # The machine's own service has no certificate.
            transport=means.sending([*login_hosts], [*ANYWHERE, "http://"], PASSING | BEING_MADE_READY),
            **ONCE,
        )
    except ValueError as error:  # as in a Kubernetes pod, whose identity has to be named
        raise means.failure(first_line(str(error)), f"set xtsync:{means.tenant.side}.clientId") from None


KINDS: Mapping[str, Callable[[Means], TokenCredential]] = {
    "cli": by_cli,
    "secret": by_secret,
    "certificate": by_certificate,
    "oidc": by_federated_token,
    "managedIdentity": by_managed_identity,
}


IN_HEADER = re.compile(r"[!-~]+")
# A token is not used to its last second: it would end under a call.
SPARE_SECONDS = 300
# For all that a sign-in asks and waits for, the turns of other threads included.
SIGN_IN_SECONDS = ANSWER_SECONDS


class TokenSource:
    """Gives tokens of one tenant to many threads, and a fresh one after Graph refused the last.

    A token is kept for its life: not every credential does that (the Azure CLI's starts a process each time).
    """

    def __init__(
        self,
        tenant: TenantName,
        scope: str,
        make: Callable[[], TokenCredential],
        kind: str = "",
        clock: Clock | None = None,
    ) -> None:
        self._tenant, self._scope, self._make, self._kind = tenant, scope, make, kind
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._credential: TokenCredential | None = None
        self._token, self._usable_until = "", 0.0

    def token(self) -> str:
        """A token that is valid now.

        Raises:
            SignInError: no token could be had.
            WrongTenantError: the token is not the configured tenant's.
        """
        with within(SIGN_IN_SECONDS), self._turn():
            if self._token and self._clock.now().timestamp() < self._usable_until:
                return self._token
            if self._credential is None:
                self._credential = self._make()
            try:
                given = self._credential.get_token(self._scope)
            except AzureError as error:
                self._credential = None
                ours = next((one for one in chain_of(error) if isinstance(one, XtsyncError)), None)
                raise (ours or explain(self._tenant, error, self._kind)) from None
            except XtsyncError:  # from what we hand to a credential
                raise
            except Exception as error:  # whatever the libraries stumble over in an answer they trusted
                self._credential = None
                raise strange_answer(self._tenant, type(error).__name__) from None
            if not isinstance(given.token, str) or not IN_HEADER.fullmatch(given.token):
                self._credential = None
                raise strange_answer(self._tenant, "it holds no token, or one that no header can have")
            check_tenant(self._tenant, know(given.token), self._kind)
            self._token, self._usable_until = given.token, given.expires_on - SPARE_SECONDS
            return given.token

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """One thread signs in at a time, and none waits for it longer than its own time."""
        taken = False
        with contextlib.suppress(TimeoutError):
            taken = self._lock.acquire(timeout=seconds_left())
        if not taken:
            why = "another call was signing in for as long as this one may take"
            raise SignInUnansweredError(f"Failed to sign in to {self._tenant}", why, "run the command again")
        try:
            yield
        finally:
            self._lock.release()

    def renew(self, refused: str) -> None:
        """Forget a token that Graph refused; azure-identity would hand out the same one from its cache."""
        with within(SIGN_IN_SECONDS), self._turn():
            if refused == self._token:
                self._credential, self._token = None, ""


RIGHT_TENANT: Mapping[str, str] = {
    "cli": "sign in to the right tenant (`{az_login}`)",
    "managedIdentity": "a managed identity exists in its home tenant only: set xtsync:{side}.auth to oidc",
}


def strange_answer(tenant: TenantName, why: str) -> SignInError:
    """The error of a login service that answers, but not what it should."""
    return SignInUnansweredError(
        f"Failed to sign in to {tenant}",
        f"the login service's answer cannot be used: {why}",
        "check that nothing between here and the login service answers in its place, and run the command again",
    )


def check_tenant(tenant: TenantName, token: str, kind: str = "") -> None:
    """Refuse a token of another tenant before it is used for anything.

    Raises:
        WrongTenantError: the token's `tid` is not the configured tenant's id, or cannot be read.
    """
    found = str(claims(token).get("tid") or "")
    if found and found.lower() == tenant.id.lower():
        return
    right = RIGHT_TENANT.get(kind, RIGHT_TENANT["cli"]).format(az_login=az_login(tenant.id), side=tenant.side)
    raise WrongTenantError(
        f"Failed to sign in to {tenant}",
        f"the token is for tenant {found}" if found else "the token does not say which tenant it is for",
        f"{right}, or correct xtsync:{tenant.side}.tenantId; no call was made",
    )
