"""A certificate's file says itself how long it takes to open: there is one limit, whatever it says."""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tests.patience import PATIENCE_SECONDS
from tests.proofs import self_signed
from xtsync_resources.graph import certificates, unlocking
from xtsync_resources.graph.certificates import CertificateError

PASSWORD = "the-password"
ORDINARY, OFTEN = b"\x02\x02\x08\x00", b"\x02\x04\x7f\xff\xff\xff"


def with_often(der: bytes, place: int) -> bytes:
    """The file with very many iterations at a place, and the lengths of all that is around it."""
    changed = bytearray(der[:place] + OFTEN + der[place + len(ORDINARY) :])
    start = 0
    while start < place:
        size = changed[start + 1]
        long = size & 127 if size > 127 else 0
        where = slice(start + 2, start + 2 + long) if long else slice(start + 1, start + 2)
        length = int.from_bytes(changed[where], "big")
        if start + 2 + long + length <= place:
            start += 2 + long + length
            continue
        changed[where] = (length + len(OFTEN) - len(ORDINARY)).to_bytes(len(changed[where]), "big")
        start += 2 + long
    return bytes(changed)


def slow_sum() -> bytes:
    """PKCS#12, whose sum is guarded by the last number in it."""
    ordinary = self_signed().pfx(PASSWORD)
    return with_often(ordinary, ordinary.rindex(ORDINARY))


def slow_key() -> bytes:
    """PEM, whose key's password is hashed."""
    proof = self_signed()
    der = proof.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode()))
    text = base64.encodebytes(with_often(der, der.index(ORDINARY))).decode()
    key = f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{text}-----END ENCRYPTED PRIVATE KEY-----\n"
    return key.encode() + proof.certificate.public_bytes(Encoding.PEM)


@pytest.mark.parametrize("make", [slow_sum, slow_key])
def test_a_file_that_takes_years_to_open_is_one_message(
    make: Callable[[], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "slow"
    path.write_bytes(make())
    monkeypatch.setattr(unlocking, "UNLOCK_SECONDS", 1.0)
    began = time.monotonic()
    with pytest.raises(CertificateError, match=r"takes more than .* s to open") as caught:
        certificates.read(str(path), PASSWORD, "PASSWORD")
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert "ordinary number of iterations" in caught.value.do


def test_who_opens_it_gets_the_password_by_a_pipe_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, seen = subprocess.run, list[tuple[Any, Any]]()

    def run(words: list[str], **options: Any) -> Any:
        seen.append((words, options["env"]))
        return real(words, **options)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("XTSYNC_SOURCE_CERTIFICATE_PASSWORD", PASSWORD)
    path = self_signed().write(tmp_path / "x.pfx", PASSWORD)
    assert b"PRIVATE KEY" in certificates.read(str(path), PASSWORD, "PASSWORD").pem
    ((words, environment),) = seen
    assert PASSWORD not in " ".join(words)
    assert {*environment} <= {"SYSTEMROOT"}
