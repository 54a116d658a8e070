"""Bodies as `XTSYNC_DEBUG=1` logs them: without what is or may be secret."""

from __future__ import annotations

import json
import re
from typing import Any

from ..untrusted import one_line
from . import answers

WIRE_CHARACTERS = 2000
PLAIN_SETTINGS = ("CompanyId", "AuthenticationType", "SyncAll", "SyncNotificationSettings")
SECRET_NAME = re.compile(r"secret|password|token|assertion", re.IGNORECASE)


def wire_text(body: bytes | None) -> str:
    """A body for the log of XTSYNC_DEBUG: one line, not endless, without values that are or may be secret."""
    if not body:
        return ""
    try:
        text = json.dumps(without_secrets(answers.read(body, Any)), ensure_ascii=False)
    except ValueError:
        text = f"({len(body)} bytes that are not JSON)"
    return one_line(text if len(text) <= WIRE_CHARACTERS else f"{text[:WIRE_CHARACTERS]}... ({len(body)} bytes)")


def without_secrets(value: Any) -> Any:
    """The same JSON with values of secret-looking names, and of unknown synchronization settings, as `***`."""
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) >= {"key", "value"} and isinstance(value["value"], str) and value["key"] not in PLAIN_SETTINGS:
        return {**value, "value": "***"}
    return {
        name: "***" if SECRET_NAME.search(name) and isinstance(item, str) else without_secrets(item)
        for name, item in value.items()
    }
