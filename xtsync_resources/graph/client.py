"""The Graph client: one tenant, one connection pool, one token source, shared by a provider's threads.

Retries belong to the client, their policy to the call (`calls.Repeat`): what was certainly not carried out
is sent again; what may have been carried out is sent again only where that is harmless. `Retry-After` is
honoured in full. Everything is bounded by the operation's deadline, not by a count.

Source: https://learn.microsoft.com/graph/throttling and https://learn.microsoft.com/graph/best-practices-concept
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import random
import re
import uuid
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

import tenacity

from .calls import Call, Patience, Repeat
from .clock import Clock, SystemClock
from .clouds import Endpoints
from .credentials import TokenSource
from .credentials import claims as read_claims
from .errors import (
    CONCURRENCY_CODE,
    LONGER,
    Answer,
    CallError,
    DeadlineError,
    GraphError,
    NoAnswerError,
    NotFoundError,
    TenantName,
    ThrottledError,
    UnavailableError,
    graph_error,
    parse_answer,
    printable,
)
from .remedies import REPEATED_PAGE
from .transport import Request, Response, Transport, TransportError

T = TypeVar("T")
Json = Mapping[str, Any]
USER_AGENT = "xtsync/0.1"
# A host that cannot be reached at all is not worth the whole deadline.
UNREACHABLE_SECONDS = 60.0
LONGEST_PAUSE = 30.0
GONE_PAUSES = (0.5, 1.0, 2.0)
WIRE_CHARACTERS = 2000
PLAIN_SETTINGS = ("CompanyId", "AuthenticationType", "SyncAll", "SyncNotificationSettings")
SECRET_NAME = re.compile(r"secret|password|token|assertion", re.IGNORECASE)
log = logging.getLogger("xtsync.graph")


class GraphClient:
    """Makes calls to Graph in one tenant."""

    def __init__(
        self,
        tenant: TenantName,
        endpoints: Endpoints,
        tokens: TokenSource,
        transport: Transport,
        clock: Clock | None = None,
    ) -> None:
        self.tenant, self.endpoints = tenant, endpoints
        self.clock: Clock = clock or SystemClock()
        self._tokens, self._transport = tokens, transport
        self._made: set[str] = set()

    def operation(
        self, seconds: float, status: Callable[[str], None] = lambda _: None, longer: str = LONGER
    ) -> Operation:
        """Begin an operation that may take so many seconds; `status` gets words for waiting people."""
        return Operation(self, self.clock.monotonic() + seconds, status, longer)

    def remember_made(self, key: str) -> None:
        """Note that this process itself made an object, so that its first state needs no look."""
        self._made.add(key)

    def made_here(self, key: str) -> bool:
        """Whether this very process made an object; after a crash it did not, and a look is due."""
        return key in self._made

    def claims(self) -> Json:
        """Sign in and read what the token says of itself; it is not verified here.

        Raises:
            SignInError: no token, or one of another tenant.
        """
        return read_claims(self._tokens.token())

    def discover(self) -> Response:
        """Ask the login service for the tenant's public OpenID configuration, without a token.

        Raises:
            TransportError: no answer.
        """
        url = f"{self.endpoints.login}/{self.tenant.id}/v2.0/.well-known/openid-configuration"
        return self._transport.send(Request("GET", url, {"User-Agent": USER_AGENT}))

    def exchange(self, call: Call) -> Json:
        """Send a call once, with a second token if the first is refused.

        Raises:
            SignInError: no token.
            CallError: no answer, or an error answer.
        """
        token = self._tokens.token()
        response = self._send(call, token)
        if response.status == 401:
            self._tokens.renew(token)
            response = self._send(call, self._tokens.token())
        if response.status >= 300:
            retry_after = parse_retry_after(response.headers.get("retry-after"), self.clock.now())
            answer = parse_answer(response.status, response.headers, response.body, retry_after)
            raise graph_error(call, self.tenant, answer)
        return self._parsed(call, response)

    def _send(self, call: Call, token: str) -> Response:
        body = None if call.body is None else json.dumps(call.body).encode()
        ours = str(uuid.uuid4())
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            "client-request-id": ours,
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        began = self.clock.monotonic()
        try:
            response = self._transport.send(
                Request(call.method, f"{self.endpoints.graph}{call.url_path}", headers, body)
            )
        except TransportError as error:
            log.debug("%s %s: no answer: %s, client-request-id %s", call.method, call.url_path, error, ours)
            raise NoAnswerError(call, self.tenant, str(error), unsent=error.unsent, host=self.endpoints.graph) from None
        log.debug(
            "%s %s %s: %s in %.0f ms %s, request-id %s, client-request-id %s",
            call.method,
            call.url_path,
            wire_text(body),
            response.status,
            1000 * (self.clock.monotonic() - began),
            wire_text(response.body),
            response.headers.get("request-id", ""),
            ours,
        )
        return response

    def _parsed(self, call: Call, response: Response) -> Json:
        if not response.body:
            return {}
        try:
            document = json.loads(response.body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise NoAnswerError(call, self.tenant, f"{response.status}, but not the JSON it should carry", unsent=False)
        return document


class Operation:
    """Calls that belong together and share one deadline: a create, an update, a delete, a read."""

    def __init__(
        self, client: GraphClient, deadline: float, status: Callable[[str], None], longer: str = LONGER
    ) -> None:
        self.client, self._deadline, self.status, self._longer = client, deadline, status, longer

    @property
    def tenant(self) -> TenantName:
        """The tenant the calls go to."""
        return self.client.tenant

    @property
    def remaining(self) -> float:
        """Seconds left before the deadline."""
        return self._deadline - self.client.clock.monotonic()

    def send(self, call: Call, *patience: Patience) -> Json:
        """Make a call, repeating it as it allows.

        Args:
            call: what to send.
            patience: answers that mean "not there yet" after our own write.

        Returns:
            The JSON object of the answer; empty for an empty answer.

        Raises:
            SignInError: no token.
            CallError: it failed for good, or the deadline passed.
        """
        started = self.client.clock.monotonic()

        def worth_repeating(error: BaseException) -> bool:
            waits_for = covering(patience, error)
            if waits_for is not None:
                waited = self.client.clock.monotonic() - started
                return waits_for.seconds is None or waited < waits_for.seconds
            if isinstance(error, NoAnswerError) and error.unsent:
                return self._unreachable_worth_repeating(error, started)
            return may_repeat(call, error)

        try:
            return self._retrying(tenacity.retry_if_exception(worth_repeating), call)(self.client.exchange, call)
        except GraphError as error:
            waits_for = covering(patience, error)
            if waits_for is None:
                raise
            waited = self.client.clock.monotonic() - started
            why = f"{waits_for.why}: after {waited:.0f} s Graph still answers {error.answer}"
            raise DeadlineError(call, self.tenant, why, error, longer=self._longer) from None

    def _unreachable_worth_repeating(self, error: NoAnswerError, started: float) -> bool:
        if "certificate" in error.why:
            return False
        return self.client.clock.monotonic() - started < UNREACHABLE_SECONDS

    def make(
        self,
        call: Call,
        look: Callable[[], T | None],
        *patience: Patience,
        settle_seconds: float = 0,
    ) -> Json | T:
        """Make a call that must not be carried out twice: after a lost answer, look before sending again.

        Args:
            call: a call with `Repeat.LOOK_FIRST`.
            look: gives what the call makes if it is there, else None.
            patience: as for `send`.
            settle_seconds: how long to go on looking before concluding that it was not carried out, where
                a second one could come to exist.

        Returns:
            The answer's JSON object, or what `look` found.
        """
        for attempt in itertools.count():
            try:
                return self.send(call, *patience)
            except (NoAnswerError, UnavailableError) as error:
                lost = error
            asked = lost.answer.retry_after or 0.0 if isinstance(lost, UnavailableError) else 0.0
            if asked >= self.remaining or (isinstance(lost, UnavailableError) and lost.answer.status == 501):
                raise lost
            self.status(f"no clear answer when trying to {call.purpose}; looking whether it was done")
            self.client.clock.sleep(asked)
            found = self.look_for(look, settle_seconds)
            if found is not None:
                return found
            seconds = random.uniform(0, min(LONGEST_PAUSE, 0.5 * 2**attempt))  # noqa: S311
            if seconds >= self.remaining:
                raise lost
            self.client.clock.sleep(seconds)
        raise AssertionError("unreachable: the count has no end")

    def look_for(self, look: Callable[[], T | None], settle_seconds: float) -> T | None:
        """Look for something that may be there, for as long as a replica may not know it yet."""
        ends = self.client.clock.monotonic() + min(settle_seconds, max(self.remaining, 0))
        pause = 0.5
        while True:
            found = look()
            left = ends - self.client.clock.monotonic()
            if found is not None or left <= 0:
                return found
            self.client.clock.sleep(min(pause, left))
            pause *= 2

    def read(self, call: Call, *patience: Patience) -> Json | None:
        """Make a read; None where the object is not there.

        Raises:
            SignInError, CallError: as for `send`, but for "not found".
        """
        try:
            return self.send(call, *patience)
        except NotFoundError:
            return None

    def pages(self, call: Call, wait: Callable[[], None] = lambda: None) -> Iterator[Json]:
        """Make a read of a collection: its entries, page after page, fetched as they are needed.

        Args:
            call: the read of the first page.
            wait: called before each page, where their rate is bounded.

        Raises:
            SignInError, CallError: as for `send`; also for a next page that is not at Graph, as it would get
                the token, for one that was read already, as that would never end, and at the deadline.
        """
        read: set[str] = set()
        while True:
            wait()
            if read and self.remaining <= 0:
                why = f"{len(read)} pages were read in the time allowed, and there are more"
                raise DeadlineError(call, self.tenant, why, longer=self._longer)
            page = self.send(call)
            read.add(call.path)
            yield from page.get("value") or ()
            link = page.get("@odata.nextLink")
            if not link:
                return
            call = self._next_page(call, str(link), read)

    def _next_page(self, call: Call, link: str, read: Container[str]) -> Call:
        start = f"{self.client.endpoints.graph}/{call.version}/"
        if not link.startswith(start):
            raise NoAnswerError(call, self.tenant, f"the next page is not at Graph but at {link}", unsent=False)
        path = link[len(start) - 1 :]
        if path in read:
            raise GraphError(call, self.tenant, Answer(200, message=f"{REPEATED_PAGE}: {link}"))
        return replace(call, path=path)

    def read_surely(self, call: Call) -> Json | None:
        """Make a read whose None makes the engine forget an object, and create it again.

        A replica that lags may not know a new object yet, so None is believed only if it stays so for some
        seconds. An object that is there costs one read.
        """
        found = self.read(call)
        for pause in GONE_PAUSES:
            if found is not None or pause >= self.remaining:
                break
            self.client.clock.sleep(pause)
            found = self.read(call)
        return found

    def poll(self, attempt: Callable[[], T | None], call: Call, why: str) -> T:
        """Try until there is a result: at once, then at growing distances, to the deadline.

        Args:
            attempt: gives None while the wait goes on.
            call: the call this is about, for the message.
            why: what is waited for, as messages say it.

        Raises:
            DeadlineError: there was no result in time.
        """
        retrying = self._retrying(tenacity.retry_if_result(lambda result: result is None), call, why, reraise=False)
        try:
            return cast(T, retrying(attempt))
        except tenacity.RetryError:
            why = f"{why}, to the end of the time allowed"
            raise DeadlineError(call, self.tenant, why, longer=self._longer) from None

    def wait_until(self, call: Call, done: Callable[[Json | None], bool], why: str, *patience: Patience) -> Json | None:
        """Read until a predicate holds of the answer, None standing for 404.

        Raises:
            DeadlineError: it did not come to hold in time.
        """

        def attempt() -> tuple[Json | None] | None:
            seen = self.read(call, *patience)
            return (seen,) if done(seen) else None

        return self.poll(attempt, call, why)[0]

    def _retrying(
        self, retry: tenacity.retry_base, call: Call, why: str = "", *, reraise: bool = True
    ) -> tenacity.Retrying:
        def announce(state: tenacity.RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            reason = why or (str(error.why) if isinstance(error, CallError) else "")
            self.status(f"{call.purpose}: {reason}; again in {state.upcoming_sleep:.0f} s")

        return tenacity.Retrying(
            sleep=self.client.clock.sleep,
            retry=retry,
            wait=pause_before_repeat,
            stop=lambda state: state.upcoming_sleep >= self.remaining,
            before_sleep=announce,
            reraise=reraise,
        )


_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_PAUSE)
_POLL = tenacity.wait_exponential(multiplier=0.2, exp_base=1.6, max=10)


def wire_text(body: bytes | None) -> str:
    """A body for the log of XTSYNC_DEBUG: one line, not endless, without values that are or may be secret."""
    if not body:
        return ""
    try:
        text = json.dumps(without_secrets(json.loads(body)), ensure_ascii=False)
    except ValueError:
        text = f"({len(body)} bytes that are not JSON)"
    return printable(text if len(text) <= WIRE_CHARACTERS else f"{text[:WIRE_CHARACTERS]}... ({len(body)} bytes)")


def without_secrets(value: Any) -> Any:
    """The same JSON with values of secret-looking names, and of unknown synchronization settings, as `***`."""
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) >= {"key", "value"} and isinstance(value["value"], str) and value["key"] not in PLAIN_SETTINGS:
        return {**value, "value": "***"}
    return {
        name: "***" if SECRET_NAME.search(name) and isinstance(item, str) else without_secrets(item)
        for name, item in value.items()
    }


def covering(patience: Sequence[Patience], error: BaseException) -> Patience | None:
    """The patience by which an error means "not there yet", if any."""
    if not isinstance(error, GraphError):
        return None
    answer = error.answer
    return next(
        (
            waits_for
            for waits_for in patience
            if answer.status in waits_for.statuses
            and (not waits_for.texts or any(answer.mentions(text) for text in waits_for.texts))
        ),
        None,
    )


def may_repeat(call: Call, error: BaseException) -> bool:
    """Whether a failed call may simply be sent again: it was not carried out, or twice is as good as once."""
    if isinstance(error, ThrottledError):
        return True
    if isinstance(error, GraphError) and error.answer.code == CONCURRENCY_CODE:
        return True
    if call.repeat is not Repeat.SAFE:
        return False
    if isinstance(error, UnavailableError):
        return error.answer.status != 501
    return isinstance(error, NoAnswerError)


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


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from seconds or an HTTP date; None where there is nothing usable."""
    if not value:
        return None
    try:
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())
