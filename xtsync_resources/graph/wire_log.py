"""Calls as `XTSYNC_DEBUG=1` logs them: without what is or may be secret."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from ..untrusted import one_line
from . import answers
from .errors import without_tokens

WIRE_CHARACTERS = 2000
PLAIN_SETTINGS = ("CompanyId", "AuthenticationType", "SyncAll", "SyncNotificationSettings")
SECRET_NAME = re.compile(r"secret|password|token|assertion", re.IGNORECASE)
MASK = "***"


class WithoutTokens(logging.Filter):
    """Takes tokens out of what is logged, whatever part of a call they are in."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything pass, without tokens."""
        record.msg, record.args = without_tokens(record.getMessage()), ()
        return True


def wire_text(body: bytes | None) -> str:
    """A body for the log of XTSYNC_DEBUG: one line, not endless, without values that are or may be secret."""
    if not body:
        return ""
    try:
        text = without_tokens(json.dumps(without_secrets(answers.read(body, Any)), ensure_ascii=False))
    except ValueError:
        text = f"({len(body)} bytes that are not JSON)"
    return one_line(text if len(text) <= WIRE_CHARACTERS else f"{text[:WIRE_CHARACTERS]}... ({len(body)} bytes)")


def without_secrets(value: Any) -> Any:
    """The same JSON with `***` for all that is below a secret-looking name or an unknown synchronization setting.

    A text that is JSON itself is `***` as a whole if it has such a name.
    """
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, str):
        return MASK if value.lstrip().startswith(("{", "[")) and SECRET_NAME.search(value) else value
    if not isinstance(value, dict):
        return value
    unknown = set(value) >= {"key", "value"} and value["key"] not in PLAIN_SETTINGS
    return {
        name: MASK if SECRET_NAME.search(name) or (unknown and name == "value") else without_secrets(item)
        for name, item in value.items()
    }
