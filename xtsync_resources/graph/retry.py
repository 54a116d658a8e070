"""Retries: when a failed call is sent again, and after how long.

What was certainly not carried out is sent again; what may have been carried out is sent again only where that is
harmless, by what the call says of itself (`Repeat`). `Retry-After` is honoured in full. Everything is bounded by the
deadline of the operation, not by a count.

Source: https://learn.microsoft.com/graph/throttling and https://learn.microsoft.com/graph/best-practices-concept
"""

from __future__ import annotations

import random

import tenacity

from .call import Repeat
from .errors import (
    CONCURRENCY_CODE,
    GraphError,
    NoAnswerError,
    ThrottledError,
    UnavailableError,
)

# A host that cannot be reached at all is not worth the whole deadline.
UNREACHABLE_SECONDS = 60.0
LONGEST_PAUSE = 30.0


_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_PAUSE)
_POLL = tenacity.wait_exponential(multiplier=0.2, exp_base=1.6, max=10)


def may_repeat(repeat: Repeat, error: BaseException) -> bool:
    """Whether a failed call may simply be sent again: it was not carried out, or twice is as good as once."""
    if isinstance(error, ThrottledError):
        return True
    if isinstance(error, GraphError) and error.answer.code == CONCURRENCY_CODE:
        return True
    if repeat is not Repeat.SAFE:
        return False
    if isinstance(error, UnavailableError):
        return error.answer.status != 501
    return isinstance(error, NoAnswerError) and not error.permanent


def pause_before_repeat(state: tenacity.RetryCallState) -> float:
    """Seconds before the next try: what Graph asks for in full, else exponential with full jitter.

    Polls (no error) keep their pace without jitter: nothing is being throttled.
    """
    error = state.outcome.exception() if state.outcome else None
    if error is None:
        return _POLL(state)
    asked = error.answer.retry_after if isinstance(error, GraphError) else None
    if not asked:
        return _BACKOFF(state)
    return asked + random.uniform(0, min(1.0, asked / 10))  # noqa: S311 - spreads load, guards nothing


def jittered(attempt: int) -> float:
    """Seconds before a further try that Graph says nothing about, at random below what doubles with each."""
    return random.uniform(0, min(LONGEST_PAUSE, 0.5 * 2**attempt))  # noqa: S311 - spreads load, guards nothing
