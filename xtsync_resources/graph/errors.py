"""What can go wrong, as a small tree. Every leaf prints as one message for an administrator.

XtsyncError
  ConfigurationError       something in the stack's settings cannot be used
  SignInError              no token for the tenant
    SignInRefusedError     the login service has refused it
    SignInUnansweredError  nobody knows whether it would
    WrongTenantError       a token, but of another tenant
  RefusedError             we refuse, to protect something
  CallError                a call to Graph failed; carries the call
    NoAnswerError          no answer came back
      UnusableAnswerError  something came back, but not what Graph answers
    GraphError             Graph answered with an error; carries status, code, message, request id
      NotFoundError  ConflictError  ForbiddenError  ThrottledError  UnavailableError
    DeadlineError          Graph answered, but what was waited for did not happen in time
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from ..redaction import redacted
from ..untrusted import one_line
from . import json_reader
from .nested import said_in, unwrapped
from .remedies import remedy_for

if TYPE_CHECKING:
    from .call import Call

# What a service answers to a way of asking that it does not offer, such as an expansion or beta.
NOT_OFFERED = (400, 405, 501)


@dataclass(frozen=True)
class TenantName:
    """How messages name a tenant: the side it plays, its name and its id."""

    side: str
    name: str
    id: str

    def __str__(self) -> str:
        label = self.name if self.name == self.id else f"{self.name} ({self.id})"
        return f"the {self.side} tenant {label}"


class XtsyncError(Exception):
    """The root: `what` failed, `why`, and what to `do`; `reference` helps support find the call."""

    def __init_subclass__(cls) -> None:
        # Where the engine cannot be told the message itself (`attach_message`), it shows the class before it: then
        # without a module path.
        cls.__module__ = "builtins"

    def __init__(self, what: str, why: str, do: str = "", reference: str = "") -> None:
        self.what, self.why, self.do, self.reference = map(shortened, (what, why, do, reference))
        lines = [f"{self.what}.", f"  Why: {self.why}"]
        lines += [f"  Do:  {self.do}"] if do else []
        lines += [f"  Ref: {self.reference}"] if reference else []
        super().__init__("\n".join(map(one_line, lines)))


class ConfigurationError(XtsyncError):
    """A setting cannot be used as it is."""


class SignInError(XtsyncError):
    """No token could be had for a tenant."""


class SignInRefusedError(SignInError):
    """The login service has answered, and gives no token."""


class SignInUnansweredError(SignInError):
    """The login service could not be asked, or did not say whether it gives a token."""


class WrongTenantError(SignInError):
    """The token belongs to another tenant than the configured one."""


class RefusedError(XtsyncError):
    """The program refuses to go on, because going on could harm something."""


@dataclass(frozen=True)
class Answer:
    """The parts of an error answer that matter."""

    status: int
    code: str = ""
    message: str = ""
    details: tuple[str, ...] = ()
    request_id: str = ""
    client_request_id: str = ""
    retry_after: float | None = field(default=None, compare=False)

    def mentions(self, text: str) -> bool:
        """Whether a code or text appears anywhere in the answer, whatever its case."""
        return text.lower() in " ".join((self.code, self.message, *self.details)).lower()

    def __str__(self) -> str:
        return ": ".join(p for p in (f"{self.status} {self.code}".strip(), self.message) if p)


class CallError(XtsyncError):
    """A call did not lead to what it was made for."""

    def __init__(self, call: Call, tenant: TenantName, why: str, do: str, reference: str) -> None:
        self.call, self.tenant = call, tenant
        where = f"{call.method} {call.url_path}"
        super().__init__(
            f"Failed to {call.purpose} in {tenant}", why, do, ", ".join(p for p in (where, reference) if p)
        )


class NoAnswerError(CallError):
    """No answer came back: the call may or may not have been carried out, unless `unsent`.

    Where it is `permanent`, none comes to the next try either.
    """

    def __init__(
        self,
        call: Call,
        tenant: TenantName,
        cause: str,
        *,
        unsent: bool,
        permanent: bool = False,
        host: str = "",
    ) -> None:
        self.unsent, self.permanent = unsent, permanent
        why = f"no answer from Microsoft Graph{f' at {host}' if host else ''}: {cause}"
        do = (
            "check the network, proxy and (for private endpoints) REQUESTS_CA_BUNDLE, then run the command "
            "again; nothing is done twice"
        )
        super().__init__(call, tenant, why, do, "")


class UnusableAnswerError(NoAnswerError):
    """Something came back, but not what Graph answers: whether the call was carried out is not known either."""

    def __init__(self, call: Call, tenant: TenantName, cause: str, reference: str = "") -> None:
        self.unsent, self.permanent = False, True
        why = f"the answer of Microsoft Graph cannot be used: {cause}"
        do = (
            "check that nothing between here and Graph answers in its place, and run the command again; if it "
            "persists, give the reference to Microsoft's support. Nothing is done twice"
        )
        CallError.__init__(self, call, tenant, why, do, reference)


class GraphError(CallError):
    """Graph answered with an error status."""

    def __init__(self, call: Call, tenant: TenantName, answer: Answer) -> None:
        self.answer = answer
        ids = references(answer.request_id, answer.client_request_id)
        why = f"Microsoft Graph answered {answer}"
        super().__init__(call, tenant, why, remedy_for(call, answer.status, answer.mentions), ids)


class NotFoundError(GraphError):
    """404: the object is not there, or not there yet."""


class ConflictError(GraphError):
    """An object with this key exists already."""


class ForbiddenError(GraphError):
    """401 or 403: the token lacks a permission or role."""


class ThrottledError(GraphError):
    """429: not carried out; come back later."""


class UnavailableError(GraphError):
    """5xx or 408: may or may not have been carried out."""


LONGER = "raise xtsync:deadlineMinutes (XTSYNC_DEADLINE_MINUTES=60 for `destroy` and `refresh`)"


class DeadlineError(CallError):
    """What a call waits for did not happen before the operation's deadline.

    `first` says what to do before anything else, `longer` how to allow more time, where there is something.
    """

    def __init__(
        self,
        call: Call,
        tenant: TenantName,
        why: str,
        last: CallError | None = None,
        *,
        first: str = "",
        longer: str = LONGER,
    ) -> None:
        do = f"run the command again to go on waiting{f', or {longer}' if longer else ''}"
        if last is not None and last.do and not isinstance(last, NotFoundError):
            first = last.do
        do = f"{first}; {do}" if first else do
        super().__init__(call, tenant, why, do, last.reference.partition(", ")[2] if last else "")


CONFLICT_CODE = "Request_MultipleObjectsWithSameKeyValue"
CONCURRENCY_CODE = "Directory_ConcurrencyViolation"
MISSING_CODE = "Directory_ObjectNotFound"


def graph_error(call: Call, tenant: TenantName, answer: Answer) -> GraphError:
    """The right class for an error answer; status and code decide, never the text."""
    kind: type[GraphError] = GraphError
    if answer.status == 404 or answer.code == MISSING_CODE:
        kind = NotFoundError
    elif answer.code == CONFLICT_CODE or (answer.status == 409 and answer.code != CONCURRENCY_CODE):
        # The code is documented with 409, but was seen with 400 as well.
        kind = ConflictError
    elif answer.status in (401, 403):
        kind = ForbiddenError
    elif answer.status == 429:
        kind = ThrottledError
    elif answer.status >= 500 or answer.status == 408:
        kind = UnavailableError
    return kind(call, tenant, answer)


class ErrorEnvelope(TypedDict):
    """What Graph answers in place of what was asked for."""

    error: dict[str, Any]


FOREIGN_CHARACTERS = 64 * 2**10
# A secret that a cut goes through is not known for one, and would come to the front where what is before it shrinks.
AROUND_A_CUT = 8 * 2**10


def parse_answer(status: int, headers: Mapping[str, str], body: bytes, retry_after: float | None) -> Answer:
    """Read Graph's error envelope, or make do with what an intermediary sent instead.

    The synchronization service often puts its own JSON into `message`, which is unwrapped. The codes and messages in
    `details`, in `innerError` and in that JSON are kept beside the message.
    """
    error: Mapping[str, Any] = {}
    with contextlib.suppress(ValueError):
        error = json_reader.read(body, ErrorEnvelope)["error"]
    inner = next((v for k, v in error.items() if k.lower() == "innererror" and isinstance(v, dict)), {})
    message = unwrapped(str(error.get("message") or ""))
    if not error:
        text = beginning(body[: FOREIGN_CHARACTERS + 1].decode("utf-8", "replace"))
        message = f"(not a Graph answer) {text[:200]}" if body else "(empty answer)"
    return Answer(
        status,
        str(error.get("code") or ""),
        message,
        tuple(said_in(error)),
        headers.get("request-id") or str(inner.get("request-id") or ""),
        headers.get("client-request-id") or str(inner.get("client-request-id") or ""),
        retry_after,
    )


def references(request_id: str, client_request_id: str) -> str:
    """What support finds a call by, as messages say it."""
    named = (("request-id", request_id), ("client-request-id", client_request_id))
    return ", ".join(f"{name} {value}" for name, value in named if value)


LONGEST_LINE = 2000


def beginning(text: str) -> str:
    """The beginning of a text, without secrets; of a long one without what is before the cut."""
    if len(text) <= FOREIGN_CHARACTERS:
        return redacted(text)
    return redacted(text[:FOREIGN_CHARACTERS])[:-AROUND_A_CUT]


def shortened(text: str) -> str:
    """A part of a message, without secrets, and not as long as whoever answers would like it to be."""
    shown = beginning(text)
    whole = len(text) <= FOREIGN_CHARACTERS and len(shown) <= LONGEST_LINE
    return shown if whole else f"{shown[:LONGEST_LINE]}... ({len(text)} characters)"


def lines_of(error: BaseException) -> list[str]:
    """An error as lines: ours are put together from lines, others may quote a name that has several."""
    return str(error).split("\n") if isinstance(error, XtsyncError) else [str(error)]
