"""An operation: calls that belong together, how each is repeated and waited for, and the deadline they share.

Retries belong to the client, their policy to the call (`calls.Repeat`): what was certainly not carried out
is sent again; what may have been carried out is sent again only where that is harmless. `Retry-After` is
honoured in full. Everything is bounded by the operation's deadline, not by a count.

Source: https://learn.microsoft.com/graph/throttling and https://learn.microsoft.com/graph/best-practices-concept
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import tenacity

from . import answers
from .bounded import within
from .calls import Call, Patience, Repeat
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
    UnusableAnswerError,
)
from .remedies import REPEATED_PAGE

if TYPE_CHECKING:
    from .client import GraphClient

T = TypeVar("T")
Json = Mapping[str, Any]
# A host that cannot be reached at all is not worth the whole deadline.
UNREACHABLE_SECONDS = 60.0
LONGEST_PAUSE = 30.0
LONGEST_LOOK_PAUSE = 5.0
# A sequence is not broken off half-way because its time is over, but its last answers are not waited for.
LEAST_SECONDS = 2.0
GONE_PAUSES = (0.5, 1.0, 2.0)
# Each answer is bounded; these bound them together, in memory to less than 1 GB: a hundred thousand people in the
# scope take half of it.
MOST_ENTRIES = 1_000_000
MOST_BYTES = 64 * 2**20
MOST_PARTS = 5_000_000


class Operation:
    """Calls that belong together and share one deadline: a create, an update, a delete, a read."""

    def __init__(
        self, client: GraphClient, deadline: float, status: Callable[[str], None], longer: str = LONGER
    ) -> None:
        self.client, self._deadline, self.status, self._longer = client, deadline, status, longer
        self._bytes = self._parts = 0

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
        clock, started = self.client.clock, self.client.clock.monotonic()
        first_seen: dict[Patience, float] = {}

        def worth_repeating(error: BaseException) -> bool:
            waits_for = covering(patience, error)
            if waits_for is not None:
                waited = clock.monotonic() - first_seen.setdefault(waits_for, clock.monotonic())
                return waits_for.seconds is None or waited < waits_for.seconds
            if isinstance(error, NoAnswerError) and error.unsent:
                return self._unreachable_worth_repeating(error, started)
            return may_repeat(call, error)

        try:
            return self._retrying(tenacity.retry_if_exception(worth_repeating), call)(self._exchange, call)
        except GraphError as error:
            waits_for = covering(patience, error)
            if waits_for is None:
                raise
            waited = clock.monotonic() - first_seen[waits_for]
            why = f"{waits_for.why}: after {waited:.0f} s Graph still answers {error.answer}"
            # Where we give up by ourselves, more time does not help.
            gave_up = waits_for.seconds is not None and waited >= waits_for.seconds
            longer = "" if gave_up else self._longer
            raise DeadlineError(call, self.tenant, why, error, longer=longer) from None

    def claims(self) -> Json:
        """Sign in, and read what the token says of itself.

        Raises:
            SignInError: no token.
        """
        return self.client.claims(max(self.remaining, LEAST_SECONDS))

    def _exchange(self, call: Call) -> Json:
        """Send it once; the answer may take what is left of the time."""
        with within(max(self.remaining, LEAST_SECONDS)):
            document = self.client.exchange(call, self._count)
        if self._bytes > MOST_BYTES or self._parts > MOST_PARTS:
            most = f"{MOST_BYTES // 2**20} MB" if self._bytes > MOST_BYTES else f"{MOST_PARTS:,} parts"
            raise UnusableAnswerError(call, self.tenant, f"more than {most} came for what is one operation")
        return document

    def _count(self, body: bytes) -> None:
        self._bytes += len(body)
        self._parts += answers.count_parts(body)

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
            pause = min(2 * pause, LONGEST_LOOK_PAUSE)

    def read(self, call: Call, *patience: Patience) -> Json | None:
        """Make a read; None where the object is not there.

        Raises:
            SignInError, CallError: as for `send`, but for "not found".
        """
        try:
            return self.send(call, *patience)
        except NotFoundError:
            return None

    def remove(self, call: Call, *patience: Patience) -> bool:
        """Make a removal; False where there was nothing to remove any more.

        Raises:
            SignInError, CallError: as for `send`, but for "not found".
        """
        return self.read(call, *patience) is not None

    def pages(self, call: Call, wait: Callable[[], None] = lambda: None) -> Iterator[Json]:
        """Make a read of a collection: its entries, page after page, fetched as they are needed.

        Args:
            call: the read of the first page.
            wait: called before each page, where their rate is bounded.

        Raises:
            SignInError, CallError: as for `send`; also for a next page that is not at Graph, as it would get
                the token, for one that was read already, as that would never end, for more entries than any
                collection has, and at the deadline.
        """
        read: set[str] = set()
        entries = 0
        while True:
            wait()
            if read and self.remaining <= 0:
                why = f"{len(read)} pages were read in the time allowed, and there are more"
                raise DeadlineError(call, self.tenant, why, longer=self._longer)
            page = self.send(call)
            read.add(call.path)
            entries += len(page["value"])
            if entries > MOST_ENTRIES:
                why = f"it has more than {MOST_ENTRIES:,} entries in {len(read)} pages"
                raise UnusableAnswerError(call, self.tenant, why)
            yield from page["value"]
            link = page.get("@odata.nextLink")
            if not link:
                return
            call = self._next_page(call, str(link), read)

    def _next_page(self, call: Call, link: str, read: Container[str]) -> Call:
        start = f"{self.client.endpoints.graph}/{call.version}/"
        if not link.startswith(start):
            raise UnusableAnswerError(call, self.tenant, f"the next page is not at Graph but at {link}")
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

    def poll(self, attempt: Callable[[], T | None], call: Call, why: str, do: str = "") -> T:
        """Try until there is a result: at once, then at growing distances, to the deadline.

        Args:
            attempt: gives None while the wait goes on.
            call: the call this is about, for the message.
            why: what is waited for, as messages say it.
            do: what to do where it does not happen by itself.

        Raises:
            DeadlineError: there was no result in time.
        """
        retrying = self._retrying(tenacity.retry_if_result(lambda result: result is None), call, why, reraise=False)
        before = self._bytes, self._parts

        def look() -> T | None:
            self._bytes, self._parts = before  # what an earlier look has read is not kept
            return attempt()

        try:
            return cast(T, retrying(look))
        except tenacity.RetryError:
            why = f"{why}, to the end of the time allowed"
            raise DeadlineError(call, self.tenant, why, longer=self._longer, first=do) from None

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
    return isinstance(error, NoAnswerError) and not isinstance(error, UnusableAnswerError)


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
