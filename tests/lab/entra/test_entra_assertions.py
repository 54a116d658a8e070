"""Proofs without a secret: what the token endpoint takes from a certificate's key or another issuer, and what not."""

from __future__ import annotations

import base64
import time
import uuid
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes

from lab.entra.login.assertions import FederatedCredential
from lab.world import SOURCE_CLIENT, SOURCE_TENANT, TARGET_CLIENT
from tests.proofs import Proof, rsa_key, self_signed

ISSUER, SUBJECT, AUDIENCE = "https://issuer.example", "repo:example/tenants:environment:x", "api://AzureADTokenExchange"


def signed(world: Any, proof: Proof, header: str = "x5t", number: int | None = None, **changes: Any) -> str:
    """An assertion as client libraries make it, with changes; None leaves a claim out."""
    now = int(time.time())
    claims = {
        "aud": f"{world.server.url}/{SOURCE_TENANT}/oauth2/v2.0/token",
        "exp": now + 300,
        "iss": SOURCE_CLIENT,
        "jti": str(uuid.uuid4()),
        "nbf": now,
        "sub": SOURCE_CLIENT,
        **changes,
    }
    algorithm = hashes.SHA256() if header == "x5t#S256" else hashes.SHA1()
    thumbprint = base64.urlsafe_b64encode(proof.certificate.fingerprint(algorithm)).decode().rstrip("=")
    kept = {name: value for name, value in claims.items() if value is not None}
    key = proof.key if number is None else rsa_key(number)
    kind = "PS256" if header == "x5t#S256" else "RS256"
    return jwt.encode(kept, key, algorithm=kind, headers={header: thumbprint})


def refusal(world: Any, assertion: str) -> tuple[int, list[int]]:
    form = {
        "client_id": SOURCE_CLIENT,
        "client_assertion": assertion,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    answer = world.fetch_token(SOURCE_TENANT, **form)
    return answer.status_code, answer.json().get("error_codes", [])


@pytest.fixture
def proof(world: Any) -> Proof:
    made = self_signed()
    world.source_tenant.login.clients[SOURCE_CLIENT].certificates.append(made.certificate)
    return made


@pytest.mark.parametrize("header", ["x5t", "x5t#S256"])
def test_a_registered_certificate_proves_the_application(world: Any, proof: Proof, header: str) -> None:
    assert refusal(world, signed(world, proof, header)) == (200, [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"aud": "https://elsewhere.example/token"}, 50027),
        ({"exp": int(time.time()) - 60}, 700024),
        ({"nbf": int(time.time()) + 86400}, 700024),
        ({"exp": None}, 50027),
        ({"jti": None}, 50027),
        ({"sub": TARGET_CLIENT}, 700021),
        ({"number": 7}, 700027),
    ],
)
def test_an_assertion_must_hold_in_every_part(world: Any, proof: Proof, changes: dict[str, Any], code: int) -> None:
    assert refusal(world, signed(world, proof, **changes)) == (401, [code])


def test_an_unknown_an_expired_and_no_certificate_are_refused(world: Any, proof: Proof) -> None:
    assert refusal(world, signed(world, self_signed(1))) == (401, [700027])
    old = self_signed(2, begins=-20, days=-10)
    world.source_tenant.login.clients[SOURCE_CLIENT].certificates.append(old.certificate)
    assert refusal(world, signed(world, old)) == (401, [700027])
    assert refusal(world, "no.token.really") == (401, [50027])


@pytest.fixture
def issuer(world: Any) -> Any:
    world.source_tenant.login.clients[SOURCE_CLIENT].federated.append(FederatedCredential(ISSUER, SUBJECT, AUDIENCE))
    return world.entra.workloads.issuer(ISSUER)


def test_a_federated_token_proves_the_application(world: Any, issuer: Any) -> None:
    assert refusal(world, issuer.token(SUBJECT, AUDIENCE)) == (200, [])


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ({"subject": "repo:example/tenants:environment:X"}, 700213),
        ({"audience": "https://github.com/example"}, 700212),
        ({"iss": f"{ISSUER}/"}, 700211),
        ({"seconds": -60}, 700024),
    ],
)
def test_a_federated_token_must_be_the_one_that_was_configured(
    world: Any, issuer: Any, token: dict[str, Any], code: int
) -> None:
    assert refusal(world, issuer.token(**{"subject": SUBJECT, "audience": AUDIENCE, **token})) == (401, [code])


def test_a_federated_token_is_verified_with_its_issuers_key(world: Any, issuer: Any) -> None:
    token = issuer.token(SUBJECT, AUDIENCE)
    issuer.key = rsa_key(8)
    assert refusal(world, token) == (401, [50027])
    world.source_tenant.login.clients[SOURCE_CLIENT].federated.clear()
    assert refusal(world, token) == (401, [70025])
