"""What may be sent as a federated token: one JWT that is meant for the login service.

Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
"""

from __future__ import annotations

import re

from .clouds import CLOUDS
from .files import FileError, read_small
from .token_claims import claims

JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
OTHER_FORM = "does not hold one token (a JWT) and nothing else"
AUDIENCES = frozenset(cloud.token_audience for cloud in CLOUDS.values())


def read_token(path: str) -> str:
    """The token in a file.

    Raises:
        FileError: it cannot be read, or holds anything else; then it must not be sent anywhere.
    """
    try:
        token = read_small(path).decode("ascii").strip()
    except UnicodeDecodeError:
        raise FileError(OTHER_FORM) from None
    if not JWT.fullmatch(token):
        raise FileError(OTHER_FORM)
    given = claims(token).get("aud")
    audiences = [str(one) for one in (given if isinstance(given, list) else [given]) if one]
    if not audiences or not AUDIENCES.issuperset(audiences):
        shown = " and ".join(audiences) or "nobody"
        raise FileError(f"has a token for {shown}, not for {' or '.join(sorted(AUDIENCES))}")
    return token
