"""The emulator's clock: tests set it and move it, and nothing ever sleeps on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NEVER = "0001-01-01T00:00:00Z"


def wire_time(moment: datetime | None) -> str:
    """Write a moment the way Graph does; `None` is Graph's year 1."""
    return NEVER if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock:
    """Real time plus an offset, or a frozen moment."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._frozen_at = frozen_at
        self._offset = timedelta()

    def now(self) -> datetime:
        """The emulator's present."""
        return (self._frozen_at or datetime.now(UTC)) + self._offset

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the present forward."""
        self._offset += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)

    def freeze(self) -> None:
        """Stop the clock at the present moment; `advance` still moves it."""
        self._frozen_at, self._offset = self.now(), timedelta()
