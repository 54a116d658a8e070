"""The emulator's clock: what lags, ends, falls due or is throttled does so by this clock, and nothing sleeps on it.

It stands still until it is told to move, so that no answer depends on how fast a machine is. Sign-in alone is also on
this computer's time: clients date their proofs, and believe a token, by the clock they have.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

NEVER = "0001-01-01T00:00:00Z"


def wire_time(moment: datetime | None) -> str:
    """Write a moment the way Graph does; `None` is Graph's year 1."""
    return NEVER if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock:
    """A moment that stands still; at first the one this computer has, unless another is given."""

    def __init__(self, moment: datetime | None = None) -> None:
        self._moment = moment or datetime.now(UTC)

    def now(self) -> datetime:
        """The emulator's present."""
        return self._moment

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the present forward."""
        self._moment += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)


class RunningClock(Clock):
    """A clock that runs by itself, for people at a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The emulator's present."""
        return self._moment + timedelta(seconds=time.monotonic() - self._began)
