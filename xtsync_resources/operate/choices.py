"""What can be chosen on the command line."""

from __future__ import annotations

from enum import StrEnum


class Wait(StrEnum):
    """What `status --wait` waits for."""

    FIRST_CYCLE = "first-cycle"
    STEADY = "steady"
    DRAINED = "drained"


class Side(StrEnum):
    """A side of the pair."""

    SOURCE = "source"
    TARGET = "target"


class Format(StrEnum):
    """What the report is written as."""

    HTML = "html"
    MARKDOWN = "markdown"
