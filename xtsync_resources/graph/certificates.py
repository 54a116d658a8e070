"""Reading a certificate with its private key, and saying in words what is wrong with it.

Source: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from .files import FileError, read_small
from .unlocking import UNLOCK_SECONDS, Unlocked, unlocked

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
    found = _opened(data, password.encode(), path, password_variable, is_pem=is_pem)
    if not found.key or not found.certificates:
        what = "certificate" if found.key else "private key"
        raise CertificateError(f"the certificate {path} has no {what} in it", WRITE_BOTH)
    # The process that opened the file has looked at the key, and that may take long.
    key = load_pem_private_key(found.key.encode(), None, unsafe_skip_rsa_key_validation=True)
    certificates = [x509.load_pem_x509_certificate(one.encode()) for one in found.certificates]
    certificate = next((one for one in certificates if one.public_key() == key.public_key()), certificates[0])
    _check(key, certificate, path, now() if now else datetime.now(UTC))
    pem = found.key.encode() + certificate.public_bytes(Encoding.PEM)
    return KeyPair(pem, not is_pem, certificate.not_valid_after_utc)


def _opened(data: bytes, password: bytes, path: str, variable: str, *, is_pem: bool) -> Unlocked:
    encrypted = b"ENCRYPTED" in data if is_pem else bool(password)
    if is_pem and (b"PRIVATE KEY-----" not in data or b"-----BEGIN CERTIFICATE-----" not in data):
        what = "private key" if b"PRIVATE KEY-----" not in data else "certificate"
        raise CertificateError(f"the certificate {path} has no {what} in it", WRITE_BOTH)
    if is_pem and encrypted and not password:
        raise CertificateError(f"the certificate {path} has a password", f"export {variable}")
    try:
        return unlocked(data, password if encrypted else None, is_pem=is_pem)
    except TimeoutError:
        why = f"the certificate {path} takes more than {UNLOCK_SECONDS:.0f} s to open"
        raise CertificateError(why, f"{WRITE_BOTH} anew, with an ordinary number of iterations and size") from None
    except ValueError:
        if not is_pem and not password:
            why = f"the certificate {path} has a password, or is no PKCS#12 file"
            raise CertificateError(why, f"export {variable}, or check the file") from None
        raise _unreadable(path, variable, encrypted) from None


def _unreadable(path: str, variable: str, encrypted: bool) -> CertificateError:
    if encrypted:
        return CertificateError(
            f"the certificate {path}: the password is wrong, or the file damaged", f"check {variable}"
        )
    return CertificateError(f"the certificate {path} cannot be understood", WRITE_BOTH)


def _check(key: PrivateKeyTypes, certificate: x509.Certificate, path: str, now: datetime) -> None:
    if not isinstance(key, RSAPrivateKey):
        raise CertificateError(f"the key of the certificate {path} is not RSA", "make a certificate with an RSA key")
    if certificate.public_key() != key.public_key():
        raise CertificateError(f"the private key in {path} is not the certificate's", WRITE_BOTH)
    day = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    if certificate.not_valid_after_utc <= now:
        do = "make a new certificate, register it with the application, and put it in this file's place"
        raise CertificateError(f"the certificate {path} expired on {day}", do)
    if certificate.not_valid_before_utc > now:
        begins = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        raise CertificateError(f"the certificate {path} is not valid before {begins}", "check this computer's clock")
