"""Published rates that are too low to find out by being refused."""

from __future__ import annotations

import threading
from collections import deque

from .clock import Clock

# Provisioning on demand, and the provisioning logs: 5 requests in 10 seconds for an application in a tenant. Over all
# tenants an application has 122 for the logs, which only whoever reads dozens of pairs at once will meet.
# Source: https://learn.microsoft.com/graph/throttling-limits
REQUESTS, SECONDS = 5, 10.0


class Pace:
    """Lets so many requests through in a span of time; a further one waits for no longer than it has to."""

    def __init__(self, clock: Clock, requests: int = REQUESTS, seconds: float = SECONDS) -> None:
        self._clock, self._seconds = clock, seconds
        self._sent: deque[float] = deque(maxlen=requests)
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait for the next turn; the first ones come at once."""
        with self._lock:
            if len(self._sent) == self._sent.maxlen:
                left = self._sent[0] + self._seconds - self._clock.monotonic()
                if left > 0:
                    self._clock.sleep(left)
            self._sent.append(self._clock.monotonic())
