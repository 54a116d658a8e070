"""Calls as `XTSYNC_DEBUG=1` logs them: without what is or may be secret."""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Mapping
from typing import Any, TextIO

from ..redaction import MASK, redacted
from ..untrusted import one_line
from . import json_reader

DEBUG = "XTSYNC_DEBUG"
WIRE_CHARACTERS = 2000
PLAIN_SETTINGS = ("CompanyId", "AuthenticationType", "SyncAll", "SyncNotificationSettings")
SECRET_NAME = re.compile(
    r"secret|passw|pwd|passphrase|token|assertion|credential|authorization|signature|cookie|connection_?string|"
    r"(access|account|api|encryption|master|private|shared|signing|symmetric)[_-]?key",
    re.IGNORECASE,
)
# The words of a text behind which there is a value: in JSON, a form, an address, YAML, XML, and as those are escaped.
BEFORE_A_VALUE = re.compile(
    r"(?<![\w-])([\w-]++)(?:\\*[\"']|&quot;|&apos;|&#0*3[49];)?\s*+(?:[:=>]|&gt;|%3[AaDd]|%22%3[Aa])"
)


class Redacted(logging.Filter):
    """Takes secrets out of what is logged, whatever part of a call they are in."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything pass, without tokens and secrets."""
        record.msg, record.args = redacted(record.getMessage()), ()
        return True


def log_calls(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Log calls to a stream, where the environment asks for it; gives whether it does."""
    asked = bool(environment.get(DEBUG))
    if asked:
        logging.basicConfig(stream=stream, format="%(name)s: %(message)s")
        logging.getLogger("xtsync").setLevel(logging.DEBUG)
    return asked


def wire_text(body: bytes | None) -> str:
    """A body for the log of XTSYNC_DEBUG: one line, not endless, without values that are or may be secret."""
    if not body:
        return ""
    try:
        text = redacted(json.dumps(without_secrets(json_reader.read(body, Any)), ensure_ascii=False))
    except ValueError:
        text = f"({len(body)} bytes that are not JSON)"
    return one_line(text if len(text) <= WIRE_CHARACTERS else f"{text[:WIRE_CHARACTERS]}... ({len(body)} bytes)")


def without_secrets(value: Any) -> Any:
    """The same JSON with `***` for all that is below a secret-looking name or an unknown synchronization setting.

    A text that is JSON is looked at in the same way; any other is `***` if it says such a name with a value.
    """
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, str):
        return text_without_secrets(value)
    if not isinstance(value, dict):
        return value
    hides = is_secret_pair({name.lower(): item for name, item in value.items()})
    return {
        name: MASK if SECRET_NAME.search(name) or (hides and name.lower() == "value") else without_secrets(item)
        for name, item in value.items()
    }


def text_without_secrets(text: str) -> str:
    """A text in the same way."""
    if text.lstrip().startswith(("{", "[", '"')):
        with contextlib.suppress(ValueError):
            return json.dumps(without_secrets(json_reader.read(text, Any)), ensure_ascii=False)
    return MASK if any(map(SECRET_NAME.search, BEFORE_A_VALUE.findall(text))) else text


def is_secret_pair(members: dict[str, Any]) -> bool:
    """Whether an object is a name with a value, and that is or may be secret."""
    if "value" not in members:
        return False
    if "key" in members and members["key"] not in PLAIN_SETTINGS:
        return True
    return bool(SECRET_NAME.search(str(members.get("name", ""))))
