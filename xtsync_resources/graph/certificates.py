"""Reading a certificate with its private key, and saying in words what is wrong with it.

Source: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates

from .files import FileError, read_small

PEM = b"-----BEGIN "
DER_SEQUENCE = b"\x30"
WRITE_BOTH = "write the certificate and its RSA private key into one PEM or PKCS#12 (.pfx) file"


class CertificateError(Exception):
    """A certificate cannot be used; `why` and what to `do` about it."""

    def __init__(self, why: str, do: str) -> None:
        super().__init__(why)
        self.why, self.do = why, do


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its private key. `pem` has both without password: it must stay in memory."""

    pem: bytes
    is_pkcs12: bool
    ends: datetime


def read(path: str, password: str, password_variable: str, now: Callable[[], datetime] | None = None) -> KeyPair:
    """Read a PEM or PKCS#12 file.

    Args:
        path: where it is.
        password: of the key; "" for none.
        password_variable: names the password in remedies.
        now: the time; this computer's if not given.

    Raises:
        CertificateError: it cannot be used to sign in.
    """
    try:
        data = read_small(path)
    except FileError as error:
        raise CertificateError(f"the certificate {path} {error}", "check the path, from the program's folder") from None
    is_pem = PEM in data
    if not is_pem and not data.startswith(DER_SEQUENCE):
        raise CertificateError(f"the certificate {path} is neither PEM nor PKCS#12", WRITE_BOTH)
    found = (_from_pem if is_pem else _from_pkcs12)(data, password.encode(), path, password_variable)
    _check(found, path, now() if now else datetime.now(UTC))
    assert isinstance(found.key, RSAPrivateKey)
    assert found.cert is not None
    key = found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate = found.cert.certificate
    return KeyPair(key + certificate.public_bytes(Encoding.PEM), not is_pem, certificate.not_valid_after_utc)


def _from_pem(data: bytes, password: bytes, path: str, variable: str) -> PKCS12KeyAndCertificates:
    if b"PRIVATE KEY-----" not in data or b"-----BEGIN CERTIFICATE-----" not in data:
        what = "private key" if b"PRIVATE KEY-----" not in data else "certificate"
        raise CertificateError(f"the certificate {path} has no {what} in it", WRITE_BOTH)
    encrypted = b"ENCRYPTED" in data
    if encrypted and not password:
        raise CertificateError(f"the certificate {path} has a password", f"export {variable}")
    try:
        key = load_pem_private_key(data, password if encrypted else None)
        certificates = x509.load_pem_x509_certificates(data)
    except (ValueError, TypeError) as error:
        raise _unreadable(path, variable, encrypted) from error
    public = key.public_key()
    own = next((one for one in certificates if one.public_key() == public), None)
    return PKCS12KeyAndCertificates(
        key,
        pkcs12.PKCS12Certificate(own or certificates[0], None),
        [],
    )


def _from_pkcs12(data: bytes, password: bytes, path: str, variable: str) -> PKCS12KeyAndCertificates:
    try:
        return pkcs12.load_pkcs12(data, password or None)
    except ValueError as error:
        if not password:
            why = f"the certificate {path} has a password, or is no PKCS#12 file"
            raise CertificateError(why, f"export {variable}, or check the file") from None
        raise _unreadable(path, variable, encrypted=True) from error


def _unreadable(path: str, variable: str, encrypted: bool) -> CertificateError:
    if encrypted:
        return CertificateError(
            f"the certificate {path}: the password is wrong, or the file damaged", f"check {variable}"
        )
    return CertificateError(f"the certificate {path} cannot be understood", WRITE_BOTH)


def _check(found: PKCS12KeyAndCertificates, path: str, now: datetime) -> None:
    if found.key is None or found.cert is None:
        what = "private key" if found.key is None else "certificate"
        raise CertificateError(f"the certificate {path} has no {what} in it", WRITE_BOTH)
    if not isinstance(found.key, RSAPrivateKey):
        raise CertificateError(f"the key of the certificate {path} is not RSA", "make a certificate with an RSA key")
    certificate = found.cert.certificate
    if certificate.public_key() != found.key.public_key():
        raise CertificateError(f"the private key in {path} is not the certificate's", WRITE_BOTH)
    day = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    if certificate.not_valid_after_utc <= now:
        do = "make a new certificate, register it with the application, and put it in this file's place"
        raise CertificateError(f"the certificate {path} expired on {day}", do)
    if certificate.not_valid_before_utc > now:
        begins = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        raise CertificateError(f"the certificate {path} is not valid before {begins}", "check this computer's clock")
