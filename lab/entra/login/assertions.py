"""Client assertions: an application proves itself with a certificate's key, or with a token of another issuer.

Sources: https://learn.microsoft.com/entra/identity-platform/certificate-credentials,
https://learn.microsoft.com/entra/workload-id/workload-identity-federation and
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lab.entra.login.exceptions import (
    LoginError,
    malformed_assertion,
    no_federation,
    outside_its_time,
    unknown_part,
    wrong_assertion,
    wrong_client,
)
from lab.entra.workload.models import Issuer

ALGORITHMS = ["RS256", "PS256"]
REQUIRED = ["aud", "exp", "iss", "jti", "sub"]


@dataclass(frozen=True)
class FederatedCredential:
    """Whose tokens an application takes for its own."""

    issuer: str
    subject: str
    audience: str = "api://AzureADTokenExchange"


def check_assertion(
    assertion: str,
    client_id: str,
    certificates: Collection[x509.Certificate],
    federated: Collection[FederatedCredential],
    issuers: Mapping[str, Issuer],
    audiences: Collection[str],
) -> None:
    """Refuse an assertion that proves nothing.

    Args:
        assertion: a JWT.
        client_id: of the application it is for.
        certificates: the application's.
        federated: the application's.
        issuers: whose keys are known, by URL.
        audiences: the addresses of the token endpoint.

    Raises:
        LoginError: with Microsoft's code for what is wrong.
    """
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise malformed_assertion() from error
    if claims.get("iss") == client_id:
        _check_own(assertion, header, claims, client_id, certificates, audiences)
    else:
        _check_federated(assertion, claims, federated, issuers)


def _check_own(
    assertion: str,
    header: Mapping[str, Any],
    claims: Mapping[str, Any],
    client_id: str,
    certificates: Collection[x509.Certificate],
    audiences: Collection[str],
) -> None:
    named = header.get("x5t#S256") or header.get("x5t")
    # Some libraries leave the padding in.
    found = [one for one in certificates if named and named.rstrip("=") in thumbprints(one)]
    if not found:
        raise wrong_assertion(f"The key was not found., Thumbprint of key used by client: '{named}'")
    if claims.get("sub") != client_id:
        raise wrong_client()
    if not found[0].not_valid_before_utc <= datetime.now(UTC) < found[0].not_valid_after_utc:
        raise wrong_assertion("The key used is expired.")
    _verify(assertion, found[0].public_key(), list(audiences), REQUIRED)


def _check_federated(
    assertion: str,
    claims: Mapping[str, Any],
    federated: Collection[FederatedCredential],
    issuers: Mapping[str, Issuer],
) -> None:
    if not federated:
        raise no_federation()
    remaining = list(federated)
    # In the order the real one tells them apart.
    for part, code in (("issuer", 700211), ("subject", 700213), ("audience", 700212)):
        presented = str(claims.get({"issuer": "iss", "subject": "sub", "audience": "aud"}[part]))
        remaining = [one for one in remaining if getattr(one, part) == presented]
        if not remaining:
            raise unknown_part(part, presented, code)
    issuer = issuers.get(remaining[0].issuer)
    if issuer is None:
        raise malformed_assertion()
    _verify(assertion, issuer.key.public_key(), [remaining[0].audience], ["aud", "exp", "iss", "sub"])


def _verify(assertion: str, key: Any, audiences: list[str], required: list[str]) -> None:
    try:
        jwt.decode(assertion, key, algorithms=ALGORITHMS, audience=audiences, options={"require": required})
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise outside_its_time() from error
    except jwt.InvalidSignatureError as error:
        raise _invalid_signature(required) from error
    except jwt.InvalidTokenError as error:
        raise malformed_assertion() from error


def _invalid_signature(required: list[str]) -> LoginError:
    return wrong_assertion("The signature is invalid.") if "jti" in required else malformed_assertion()


def thumbprints(certificate: x509.Certificate) -> set[str]:
    """How a JWT header may name a certificate: x5t and x5t#S256."""
    digests = (certificate.fingerprint(hashes.SHA1()), certificate.fingerprint(hashes.SHA256()))
    return {base64.urlsafe_b64encode(digest).decode().rstrip("=") for digest in digests}
