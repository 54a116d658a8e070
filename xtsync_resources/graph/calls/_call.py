"""What a call to Graph is, how it may be repeated and waited for, and the names of permissions and roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote

from ..answers import NO_IDS

Body = Mapping[str, Any]

POLICY_ROLE = "Security Administrator"
JOB_ROLE = "Hybrid Identity Administrator or Cloud Application Administrator"
POLICY_READ = "Policy.Read.All"
POLICY_WRITE = "Policy.ReadWrite.CrossTenantAccess"
APPLICATION = "Application.ReadWrite.OwnedBy"
READ_APPLICATION = "Application.Read.All"
ASSIGNMENT = "AppRoleAssignment.ReadWrite.All"
APPLICATION_ROLE = "Cloud Application Administrator"
SYNCHRONIZATION = "Synchronization.ReadWrite.All"


class Repeat(Enum):
    """What may be done when it is unknown whether a call was carried out."""

    SAFE = "carrying it out twice is the same as once"
    LOOK_FIRST = "it makes or starts something: look whether it is there, then send it again"


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
    # What the answer has to look like (`_answers`); of most writes it is not read.
    answer: Any = dict

    @property
    def url_path(self) -> str:
        """The path below the Graph host, with the API version."""
        return f"/{self.version}{self.path}"


@dataclass(frozen=True)
class Patience:
    """Answers that mean "not there yet" right after our own write, and for how long to believe that.

    Attributes:
        why: what is being waited for, as messages say it.
        statuses: the HTTP statuses concerned.
        texts: only answers that mention one of these, where given.
        seconds: how long; None is as long as the operation may take.
    """

    why: str
    statuses: frozenset[int]
    texts: tuple[str, ...] = ()
    seconds: float | None = None


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
