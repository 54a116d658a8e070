"""Time that has passed, told by this computer's clock: what has happened lies longer ago, in place of a clock ahead.

Whoever looks at the served tenants tells times by the clock of this computer. A moment that the tenants reached by
`pass_time` would lie ahead of it: a cycle would be done in an hour.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from lab.entra.clock import Clock, wire_time
from lab.entra.models import Entra

ON_THE_WIRE = re.compile(r"(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def age(entra: Entra, by: timedelta) -> None:
    """Put the clock back, and all that the tenants remember with it: between two moments nothing changes."""
    with entra.lock:
        aged(entra.tenants, by, set())
        entra.clock.advance(seconds=-by.total_seconds())


def aged(value: Any, by: timedelta, seen: set[int]) -> Any:
    """A value with every moment in it that much earlier; what holds others is changed where it is."""
    if isinstance(value, datetime):
        return value - by
    if isinstance(value, str):
        return wire_time(datetime.fromisoformat(value) - by) if ON_THE_WIRE.fullmatch(value) else value
    if isinstance(value, tuple):
        return type(value)(aged(one, by, seen) for one in value) if type(value) is tuple else value
    if id(value) in seen or isinstance(value, (Entra, Clock)):
        return value
    seen.add(id(value))
    if isinstance(value, dict):
        for key in value:
            value[key] = aged(value[key], by, seen)
    elif isinstance(value, list):
        value[:] = [aged(one, by, seen) for one in value]
    elif type(value).__module__.startswith("lab.entra."):
        names = [one.name for one in fields(value)] if is_dataclass(value) else [*vars(value)]
        for name in names:
            old = getattr(value, name)
            new = aged(old, by, seen)
            if new is not old:
                object.__setattr__(value, name, new)
    return value
