"""An operation: calls that belong together and share one deadline.

When a call is repeated: `retry.py`. When a read is not believed yet: `consistency.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import tenacity

from . import json_reader
from .bounded import within
from .call import Call
from .consistency import GONE, LOST_ANSWER, Propagation, StaleRead, covering
from .errors import (
    LONGER,
    Answer,
    CallError,
    DeadlineError,
    GraphError,
    NoAnswerError,
    NotFoundError,
    TenantName,
    UnavailableError,
    UnusableAnswerError,
)
from .remedies import REPEATED_PAGE
from .retry import UNREACHABLE_SECONDS, jittered, may_repeat, pause_before_repeat

if TYPE_CHECKING:
    from .client import GraphClient
    from .transport import Response

T = TypeVar("T")
Json = Mapping[str, Any]
NEXT_PAGE = "@odata.nextLink"
# A sequence is not broken off half-way because its time is over, but its last answers are not waited for.
LEAST_SECONDS = 2.0
# Each answer is bounded; these bound them together, in memory to less than 1 GB: a hundred thousand people in the
# scope take half of it.
MOST_ENTRIES = 1_000_000
MOST_BYTES = 64 * 2**20
MOST_PARTS = 5_000_000


def may_be_done(error: CallError) -> bool:
    """Whether what failed may have been carried out all the same."""
    if isinstance(error, NoAnswerError):
        return not error.unsent
    return isinstance(error, UnavailableError)


class Operation:
    """Calls that belong together and share one deadline: a create, an update, a delete, a read."""

    def __init__(
        self, client: GraphClient, deadline: float, status: Callable[[str], None], longer: str = LONGER
    ) -> None:
        self.client, self._deadline, self.status, self._longer = client, deadline, status, longer
        self._bytes = self._parts = 0
        # Whether anything that changes something was carried out, or may have been.
        self.has_written = False
        # Status and headers of the last answer, whatever it said; None where none came yet.
        self.answered: Response | None = None

    @property
    def tenant(self) -> TenantName:
        """The tenant the calls go to."""
        return self.client.tenant

    @property
    def remaining(self) -> float:
        """Seconds left before the deadline."""
        return self._deadline - self.client.clock.monotonic()

    def send(self, call: Call, *propagation: Propagation) -> Json:
        """Make a call, repeating it as it allows.

        Args:
            call: what to send.
            propagation: answers that mean "not there yet" after our own write.

        Returns:
            The JSON object of the answer; empty for an empty answer.

        Raises:
            SignInError: no token.
            CallError: it failed for good, or the deadline passed.
        """
        clock, started = self.client.clock, self.client.clock.monotonic()
        first_seen: dict[Propagation, float] = {}

        def worth_repeating(error: BaseException) -> bool:
            waits_for = covering(propagation, error)
            if waits_for is not None:
                waited = clock.monotonic() - first_seen.setdefault(waits_for, clock.monotonic())
                return waits_for.seconds is None or waited < waits_for.seconds
            if isinstance(error, NoAnswerError) and error.unsent:
                return not error.permanent and clock.monotonic() - started < UNREACHABLE_SECONDS
            return may_repeat(call.repeat, error)

        try:
            answer = self._retrying(tenacity.retry_if_exception(worth_repeating), call)(self._exchange, call)
        except GraphError as error:
            waits_for = covering(propagation, error)
            if waits_for is None:
                raise
            waited = clock.monotonic() - first_seen[waits_for]
            why = f"{waits_for.why}: after {waited:.0f} s Graph still answers {error.answer}"
            # Where we give up by ourselves, more time does not help.
            gave_up = waits_for.seconds is not None and waited >= waits_for.seconds
            longer = "" if gave_up else self._longer
            raise DeadlineError(call, self.tenant, why, error, longer=longer) from None
        return self.with_all_pages(call, answer, *propagation)

    def claims(self) -> Json:
        """Sign in, and read what the token says of itself.

        Raises:
            SignInError: no token.
        """
        return self.client.claims(max(self.remaining, LEAST_SECONDS))

    def _exchange(self, call: Call) -> Json:
        """Send it once; the answer may take what is left of the time."""
        try:
            with within(max(self.remaining, LEAST_SECONDS)):
                document = self.client.exchange(call, self._received)
        except CallError as error:
            self.has_written |= call.writes and may_be_done(error)
            raise
        self.has_written |= call.writes
        if self._bytes > MOST_BYTES or self._parts > MOST_PARTS:
            most = f"{MOST_BYTES // 2**20} MB" if self._bytes > MOST_BYTES else f"{MOST_PARTS:,} parts"
            raise UnusableAnswerError(call, self.tenant, f"more than {most} came for what is one operation")
        return document

    def _received(self, response: Response) -> None:
        self.answered = replace(response, body=b"")
        self._bytes += len(response.body)
        self._parts += json_reader.count_parts(response.body)

    def make(
        self,
        call: Call,
        look: Callable[[], T | None],
        *propagation: Propagation,
        lost: StaleRead = LOST_ANSWER,
    ) -> Json | T:
        """Make a call that must not be carried out twice: after a lost answer, look before sending again.

        Args:
            call: a call with `Repeat.CHECK_IF_DONE`.
            look: gives what the call makes if it is there, else None.
            propagation: as for `send`.
            lost: how often to look before concluding that it was not carried out.

        Returns:
            The answer's JSON object, or what `look` found.
        """
        for attempt in itertools.count():
            try:
                return self.send(call, *propagation)
            except (NoAnswerError, UnavailableError) as error:
                failure = error
            asked = failure.answer.retry_after or 0.0 if isinstance(failure, UnavailableError) else 0.0
            if asked >= self.remaining or (isinstance(failure, UnavailableError) and failure.answer.status == 501):
                raise failure
            self.status(f"no clear answer when trying to {call.purpose}; looking whether it was done")
            self.client.clock.sleep(asked)
            found = self.look_again(lost, look)
            if found is not None:
                return found
            pause = jittered(attempt)
            if pause >= self.remaining:
                raise failure
            self.client.clock.sleep(pause)
        raise AssertionError("unreachable: the count has no end")

    def look_again(self, stale: StaleRead, look: Callable[[], T | None], *, at_once: bool = True) -> T | None:
        """Look until there is something, as often as a stale read may hide it.

        Args:
            stale: how often.
            look: gives None where it sees nothing.
            at_once: whether the first look comes before the first pause; not where it has been made already.
        """
        before = self._bytes, self._parts
        found = look() if at_once else None
        for pause in stale.pauses:
            left = self.remaining
            if found is not None or (left <= 0 and not stale.to_the_end):
                break
            self.client.clock.sleep(pause if stale.to_the_end else min(pause, left))
            self._bytes, self._parts = before  # what an earlier look has read is not kept
            found = look()
        return found

    def read(self, call: Call, *propagation: Propagation) -> Json | None:
        """Make a read; None where the object is not there.

        Raises:
            SignInError, CallError: as for `send`, but for "not found".
        """
        try:
            return self.send(call, *propagation)
        except NotFoundError:
            return None

    def remove(self, call: Call, *propagation: Propagation) -> bool:
        """Make a removal; False where there was nothing to remove any more.

        Raises:
            SignInError, CallError: as for `send`, but for "not found".
        """
        return self.read(call, *propagation) is not None

    def pages(
        self, call: Call, wait: Callable[[], None] = lambda: None, propagation: Sequence[Propagation] = ()
    ) -> Iterator[Json]:
        """Make a read of a collection: its entries, page after page, fetched as they are needed.

        Args:
            call: the read of the first page.
            wait: called before each page, where their rate is bounded.
            propagation: as for `send`.

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
            page = self.send(call, *propagation)
            read.add(call.path)
            entries += len(page["value"])
            if entries > MOST_ENTRIES:
                why = f"it has more than {MOST_ENTRIES:,} entries in {len(read)} pages"
                raise UnusableAnswerError(call, self.tenant, why)
            yield from page["value"]
            link = page.get(NEXT_PAGE)
            if not link:
                return
            call = self._next_page(call, str(link), read)

    def with_all_pages(self, call: Call, first: Json, *propagation: Propagation) -> Json:
        """The answer of a call with the entries of all its pages, where it asks for the whole and there are more.

        Raises:
            SignInError, CallError: as for `pages`; a later page that is not found does not mean that nothing is there.
        """
        if not call.whole or not first.get(NEXT_PAGE):
            return first
        rest = self._next_page(replace(call, whole=False), str(first[NEXT_PAGE]), read=(call.path,))
        try:
            return {"value": [*first["value"], *self.pages(rest, propagation=propagation)]}
        except NotFoundError as error:
            raise UnusableAnswerError(rest, self.tenant, f"a later page of it is not there: {error.answer}") from None

    def _next_page(self, call: Call, link: str, read: Container[str]) -> Call:
        start = f"{self.client.endpoints.graph}/{call.version}/"
        if not link.startswith(start):
            raise UnusableAnswerError(call, self.tenant, f"the next page is not at Graph but at {link}")
        path = link[len(start) - 1 :]
        if path in read:
            raise GraphError(call, self.tenant, Answer(200, message=f"{REPEATED_PAGE}: {link}"))
        return replace(call, path=path)

    def read_settled(self, call: Call) -> Json | None:
        """Make a read whose None makes the engine forget an object, and create it again.

        An object that is there costs one read; None is believed only where several looks give it (`consistency.GONE`).
        """
        return self.look_again(GONE, lambda: self.read(call))

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

    def wait_until(
        self, call: Call, done: Callable[[Json | None], bool], why: str, *propagation: Propagation
    ) -> Json | None:
        """Read until a predicate holds of the answer, None standing for 404.

        Raises:
            DeadlineError: it did not come to hold in time.
        """

        def attempt() -> tuple[Json | None] | None:
            seen = self.read(call, *propagation)
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
