"""Opens a file with a certificate and its key, by a process of its own that can be ended.

Such a file says itself how often its password is to be hashed, with how much memory, and how large its key is; so
opening it may take years, and Ctrl-C is not heard meanwhile. The process is given neither the environment nor anything
but the file's content and the password, and both by a pipe.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
from typing import NamedTuple

# The usual files take a fraction of a second.
UNLOCK_SECONDS = 20.0
MOST_MEMORY = 2**30
# Without it no program starts on Windows.
NEEDED = ("SYSTEMROOT",)


class Unlocked(NamedTuple):
    """What is in a file, as PEM without password: it must stay in memory. The key is "" where there is none."""

    key: str
    certificates: list[str]


def unlocked(data: bytes, password: bytes | None, *, is_pem: bool) -> Unlocked:
    """What is in a file.

    Raises:
        ValueError: it cannot be opened: it is damaged, or the password another one.
        TimeoutError: it takes too long.
    """
    secret = None if password is None else base64.b64encode(password).decode()
    given = [sys.path, base64.b64encode(data).decode(), secret, is_pem]
    try:
        done = subprocess.run(  # noqa: S603 - ourselves; the file is data
            [sys.executable, "-I", "-S", __file__],
            input=json.dumps(given).encode(),
            capture_output=True,
            env={name: os.environ[name] for name in NEEDED if name in os.environ},
            timeout=UNLOCK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    if done.returncode:
        raise ValueError
    return Unlocked(*json.loads(done.stdout))


def unlock(data: bytes, password: bytes | None, *, is_pem: bool) -> Unlocked:
    """The same, here and now."""
    from cryptography import x509  # noqa: PLC0415 - only the process that opens needs all of them
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
        pkcs12,
    )

    found = None if is_pem else pkcs12.load_pkcs12(data, password)
    if found is None:
        certificates = x509.load_pem_x509_certificates(data)
    else:
        certificates = [found.cert.certificate] if found.cert else []
    key = found.key if found else load_pem_private_key(data, password)
    shown = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode() if key else ""
    return Unlocked(shown, [one.public_bytes(Encoding.PEM).decode() for one in certificates])


def bound_itself() -> None:
    """Take no more memory than a file should need, nor go on with nobody left to end it; where the system can do so."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - Windows has none

        resource.setrlimit(resource.RLIMIT_CPU, (2 * int(UNLOCK_SECONDS),) * 2)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY,) * 2)


if __name__ == "__main__":
    bound_itself()
    sys.path[:], content, encoded, pem = json.load(sys.stdin)
    decoded = None if encoded is None else base64.b64decode(encoded)
    json.dump(unlock(base64.b64decode(content), decoded, is_pem=pem), sys.stdout)
