"""Replication lag: after a write, a number of reads or a stretch of time still see the state before it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

Value = TypeVar("Value")


@dataclass
class _Stale:
    old: Any
    reads_left: int
    until: datetime


class Replica:
    """What readers see of the objects of one tenant."""

    def __init__(self, now: Callable[[], datetime], lag: Callable[[str], tuple[int, float]]) -> None:
        self._now = now
        self._lag = lag
        self._stale: dict[tuple[str, str], _Stale] = {}

    def before_write(self, kind: str, key: str, current: object | None) -> None:
        """Keep the state that laggards go on seeing; `None` when the object is about to be created."""
        reads, seconds = self._lag(kind.split(" ", 1)[0])
        if not reads and not seconds:
            return
        held = self._held(kind, key)
        old = held.old if held else copy.deepcopy(current)
        self._stale[kind, key] = _Stale(old, reads, self._now() + timedelta(seconds=seconds))

    def see(self, kind: str, key: str, current: Value | None) -> Value | None:
        """The object as this read finds it; each call counts as one read."""
        held = self._held(kind, key)
        if held is None:
            return current
        held.reads_left -= 1
        old: Value | None = held.old
        return old

    def see_all(self, kind: str, current: Mapping[str, Value]) -> list[Value]:
        """A whole collection as this read finds it."""
        keys = list(current) + [k for held_kind, k in self._stale if held_kind == kind and k not in current]
        seen = [self.see(kind, key, current.get(key)) for key in keys]
        return [value for value in seen if value is not None]

    def _held(self, kind: str, key: str) -> _Stale | None:
        held = self._stale.get((kind, key))
        if held and held.reads_left <= 0 and held.until <= self._now():
            del self._stale[kind, key]
            return None
        return held
