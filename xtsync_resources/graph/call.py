"""What a call to Graph is, and how ids and texts get into its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote

from .json_reader import NO_IDS

Body = Mapping[str, Any]


class Repeat(Enum):
    """What may be done when it is unknown whether a call was carried out."""

    SAFE = "carrying it out twice is the same as once"
    CHECK_IF_DONE = "it makes or starts something: look whether it is there, then send it again"


@dataclass(frozen=True)
class Call:
    """One request to Graph, and how to treat it."""

    method: str
    path: str
    purpose: str
    permission: str
    role: str
    body: Body | None = None
    repeat: Repeat = Repeat.SAFE
    version: str = "v1.0"
    # Beside those of every call.
    headers: tuple[tuple[str, str], ...] = ()
    # Whether it asks for something only, though it is no GET.
    read_only: bool = False
    # The calls that it makes, where it is a batch.
    parts: tuple[Call, ...] = ()
    # Whether the answer is a collection that is read to its last page at once.
    whole: bool = False
    # Where there may be no such object, for which OData has more answers than 404: what an answer has even then.
    none_has: tuple[str, ...] | None = None
    # What the answer has to look like (a type of `graph_types.py`); of most writes it is not read.
    answer: Any = dict

    @property
    def writes(self) -> bool:
        """Whether it changes something in the tenant."""
        return any(part.writes for part in self.parts) if self.parts else self.method != "GET" and not self.read_only

    @property
    def url_path(self) -> str:
        """The path below the Graph host, with the API version."""
        return f"/{self.version}{self.path}"


def segment(value: str) -> str:
    """One path segment; nothing in an id can leave its place in the URL.

    Raises:
        ValueError: the value is empty or a relative step, which no escaping makes a segment. Ids that others give are
            looked at where they come in, so that this is no message for a user.
    """
    if value in NO_IDS:
        raise ValueError(f"{value!r} is not an id")
    return quote(value, safe="@")


def literal(value: str) -> str:
    """A text inside a filter; a quote in it cannot end it."""
    return "'" + value.replace("'", "''") + "'"
