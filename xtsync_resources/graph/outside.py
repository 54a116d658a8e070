"""Calls outside of Graph: metadata, a pipeline's token service. Harmless to repeat, and repeated a few times."""

from __future__ import annotations

import tenacity

from .bounded import ANSWER_SECONDS, within
from .clock import Clock
from .transport import Request, Response, Transport, TransportError

TRIES = 5


def ask(transport: Transport, clock: Clock, request: Request) -> Response:
    """Send a request that changes nothing, and again after a lost or throttled answer.

    Returns:
        The last answer, whatever its status.

    Raises:
        TransportError: there was none.
    """
    tries = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, TransportError) and not error.permanent)
        | tenacity.retry_if_result(lambda answer: answer.status == 429 or answer.status >= 500),
        stop=tenacity.stop_after_attempt(TRIES),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
        sleep=clock.sleep,
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    with within(ANSWER_SECONDS):
        return tries(transport.send, request)
