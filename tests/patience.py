"""How long a test waits for what comes at once unless it is broken: far longer than the slowest machine needs."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 300.0


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait until it holds; whether it does."""
    ends = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < ends:
        time.sleep(0.01)
    return holds
