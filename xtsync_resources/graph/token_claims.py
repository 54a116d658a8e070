"""What a token says of itself."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, TypedDict

from . import json_reader


class Claims(TypedDict, total=False):
    """What is read of a token."""

    aud: Any
    tid: str | None
    roles: list[str] | None
    scp: str | None


def claims(token: str) -> Mapping[str, Any]:
    """The payload of a JWT, unverified: it is for somebody else to verify, we only read whose it is and for whom."""
    try:
        payload = token.split(".")[1]
        text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        decoded: Mapping[str, Any] = json_reader.read(text, Claims)
    except (IndexError, ValueError):
        return {}
    return decoded
