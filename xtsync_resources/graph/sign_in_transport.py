"""How the sign-in libraries send: as we do, with the same bounds, and with no pause that is longer than the time left.

azure-identity would wait in silence for as long as a server asks it to, be it a day; so its repeating is switched off
(`ONCE`), and done here.

Source: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import requests
import tenacity
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport

from .bounded import seconds_left
from .clock import Clock
from .errors import SignInUnansweredError, TenantName
from .headers import parse_retry_after
from .outside import TRIES
from .transport import lasting, plain_cause

ONCE: dict[str, Any] = {"retry_total": 0}
PASSING = frozenset({408, 429, *range(500, 600)})
# What a machine's own service answers while it is made ready.
BEING_MADE_READY = frozenset({404, 410})

_BACKOFF = tenacity.wait_exponential(multiplier=0.8)
# Microsoft says that the machine's service is back within 70 seconds.
_LONG_BACKOFF = tenacity.wait_exponential(multiplier=5)


class SignInTransport(RequestsTransport):  # type: ignore[misc]  # loaded late, so without types
    """Sends what a sign-in asks, and again where the answer is one that passes; says so."""

    def __init__(
        self,
        session: requests.Session,
        tenant: TenantName,
        clock: Clock,
        status: Callable[[str], None],
        passing: Container[int] = PASSING,
    ) -> None:
        super().__init__(session=session, session_owner=False)
        self._tenant, self._clock, self._status, self._passing = tenant, clock, status, passing

    def send(self, request: Any, **options: Any) -> Any:
        """Send a request of a sign-in: it changes nothing, so it may be repeated.

        Raises:
            SignInError: the service goes on to answer that it cannot now, or asks for more time than there is.
        """
        tries = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda answer: answer.status_code in self._passing)
            | tenacity.retry_if_exception(may_pass),
            wait=self._pause,
            stop=lambda state: state.attempt_number >= TRIES or is_too_long(state),
            sleep=self._clock.sleep,
            before_sleep=self._announce,
            retry_error_callback=self._give_up,
        )
        return tries(super().send, request, **options)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        answer = answer_of(state)
        asked = parse_retry_after(answer.headers.get("Retry-After"), self._clock.now()) if answer else None
        return asked or (_LONG_BACKOFF if answer and answer.status_code == 410 else _BACKOFF)(state)

    def _announce(self, state: tenacity.RetryCallState) -> None:
        self._status(f"sign in to {self._tenant}: {cause_of(state)}; again in {state.upcoming_sleep:.0f} s")

    def _give_up(self, state: tenacity.RetryCallState) -> Any:
        answer = answer_of(state)
        if answer is None or answer.status_code not in PASSING:  # its cause is told as it is
            return state.outcome.result() if state.outcome else None
        why = cause_of(state)
        if asked := parse_retry_after(answer.headers.get("Retry-After"), self._clock.now()):
            why += f" and asks for {asked:.0f} s"
            why += ", longer than a sign-in may take" if is_too_long(state) else " each time"
        do = "run the command again later; check that nothing between here and the login service answers in its place"
        raise SignInUnansweredError(f"Failed to sign in to {self._tenant}", why, do)


def answer_of(state: tenacity.RetryCallState) -> Any:
    """The answer of a try; None where there was none."""
    return None if state.outcome is None or state.outcome.failed else state.outcome.result()


def cause_of(state: tenacity.RetryCallState) -> str:
    """Why a try was none, in words."""
    if (answer := answer_of(state)) is not None:
        return f"the service that signs in answers {answer.status_code}"
    error = state.outcome.exception() if state.outcome else None
    return plain_cause(error) if error else ""


def may_pass(error: BaseException) -> bool:
    """Whether it is worth asking again after no answer came."""
    return isinstance(error, (ServiceRequestError, ServiceResponseError)) and not lasting(plain_cause(error))


def is_too_long(state: tenacity.RetryCallState) -> bool:
    """Whether the pause before the next try would take all the time that is left."""
    try:
        return state.upcoming_sleep >= seconds_left()
    except TimeoutError:
        return True
