"""The record of every exchange, without anything secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TextIO

SECRET_MEMBERS = re.compile(
    r"secret|password|assertion|access_token|refresh_token|secrettoken|oidctoken", re.IGNORECASE
)
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.")
HEADERS = ("authorization", "x-identity-header")
REDACTED = "[redacted]"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `status` 0 means the connection was reset. Calls of a batch are recorded as well."""

    number: int
    time: str
    tenant_id: str | None
    method: str
    version: str | None
    path: str
    query: Mapping[str, str]
    request_headers: Mapping[str, str]
    request_body: Any
    status: int
    response_body: Any
    client: str
    request_id: str
    client_request_id: str
    known: bool
    in_batch: bool = False

    def line(self) -> str:
        """One line for a terminal."""
        mark = "" if self.known else "  UNKNOWN CALL"
        return f"{self.status or 'reset'} {self.method} /{self.version or ''}{self.path} {self.client}{mark}"


def redacted(value: Any, name: str = "") -> Any:
    """A copy with every secret member's value replaced; a `{key, value}` pair is judged by its key."""
    if isinstance(value, dict):
        pair_key = str(value.get("key", "")) if "value" in value else ""
        return {member: redacted(inner, pair_key if member == "value" else member) for member, inner in value.items()}
    if isinstance(value, str) and TOKEN.match(value):
        return REDACTED
    if isinstance(value, list):
        return [redacted(inner, name) for inner in value]
    return REDACTED if isinstance(value, str) and SECRET_MEMBERS.search(name) else value


def redacted_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without the token."""
    return {name: REDACTED if name.lower() in HEADERS else value for name, value in headers.items()}


def write_line(exchange: Exchange, file: TextIO) -> None:
    """Append one exchange as a JSON line."""
    file.write(json.dumps(asdict(exchange)) + "\n")
    file.flush()
