"""Certificates and federated tokens for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID


@cache
def rsa_key(number: int = 0) -> rsa.RSAPrivateKey:
    """A key; another one for another number."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Proof:
    """A certificate and its key."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def pem(self, password: str = "") -> bytes:
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption(password))
        return key + self.certificate.public_bytes(Encoding.PEM)

    def pfx(self, password: str = "") -> bytes:
        return pkcs12.serialize_key_and_certificates(b"xtsync", self.key, self.certificate, None, encryption(password))

    def write(self, path: Path, password: str = "") -> Path:
        path.write_bytes(self.pfx(password) if path.suffix == ".pfx" else self.pem(password))
        return path


def encryption(password: str) -> KeySerializationEncryption:
    return BestAvailableEncryption(password.encode()) if password else NoEncryption()


def self_signed(
    number: int = 0, *, begins: float = -1, days: float = 365, key: ec.EllipticCurvePrivateKey | None = None
) -> Proof:
    """A certificate that begins and ends so many days from now."""
    private = key or rsa_key(number)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"xtsync {number}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins))
        .not_valid_after(now + timedelta(days=days))
        .sign(private, hashes.SHA256())
    )
    return Proof(private, certificate)
