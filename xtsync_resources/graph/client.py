"""The Graph client: one tenant, one connection pool, one token source, shared by a provider's threads.

Sends a call once; how calls are repeated is `operation`'s.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Container, Mapping
from typing import Any

from .. import VERSION
from . import json_reader
from .audit import Audit
from .bounded import within
from .call import Call
from .clock import Clock, SystemClock
from .clouds import Endpoints
from .credentials import SIGN_IN_SECONDS, TokenSource
from .errors import (
    LONGER,
    Answer,
    NoAnswerError,
    NotFoundError,
    TenantName,
    UnusableAnswerError,
    graph_error,
    parse_answer,
    references,
)
from .headers import parse_retry_after
from .operation import Operation
from .token_claims import claims as read_claims
from .transport import Request, Response, Transport, TransportError
from .wire_log import Redacted, wire_text

Json = Mapping[str, Any]
NO_CONTENT = 204
USER_AGENT = f"xtsync/{VERSION}"
log = logging.getLogger("xtsync.graph")
log.addFilter(Redacted())


class GraphClient:
    """Makes calls to Graph in one tenant."""

    def __init__(
        self,
        tenant: TenantName,
        endpoints: Endpoints,
        tokens: TokenSource,
        transport: Transport,
        clock: Clock | None = None,
        audit: Audit | None = None,
    ) -> None:
        self.audit = audit
        self.tenant, self.endpoints = tenant, endpoints
        self.clock: Clock = clock or SystemClock()
        self._tokens, self._transport = tokens, transport

    def operation(
        self, seconds: float, status: Callable[[str], None] = lambda _: None, longer: str = LONGER
    ) -> Operation:
        """Begin an operation that may take so many seconds; `status` gets words for waiting people."""
        return Operation(self, self.clock.monotonic() + seconds, status, longer)

    def claims(self, seconds: float = SIGN_IN_SECONDS) -> Json:
        """Sign in within so many seconds and read what the token says of itself; it is not verified here.

        Raises:
            SignInError: no token, or one of another tenant.
        """
        with within(seconds):
            return read_claims(self._tokens.token())

    def discover(self) -> Response:
        """Ask the login service for the tenant's public OpenID configuration, without a token.

        Raises:
            TransportError: no answer.
        """
        url = f"{self.endpoints.login}/{self.tenant.id}/v2.0/.well-known/openid-configuration"
        return self._transport.send(Request("GET", url, {"User-Agent": USER_AGENT}))

    def exchange(self, call: Call, received: Callable[[Response], None] = lambda _: None) -> Json:
        """Send a call once, with a second token if the first is refused.

        Args:
            call: what to send.
            received: is given the answer before it is read, whatever its status.

        Raises:
            SignInError: no token.
            CallError: no answer, or an error answer.
            ConfigurationError: it is a write, and is to be recorded and cannot.
        """
        if self.audit is None:
            return self._exchange(call, received)
        with self.audit.of_call(call) as outcome:

            def keep(response: Response) -> None:
                outcome.response = response
                received(response)

            outcome.document = self._exchange(call, keep)
        return outcome.document

    def _exchange(self, call: Call, received: Callable[[Response], None]) -> Json:
        token = self._tokens.token()
        response = self._send(call, token)
        if response.status == 401:
            self._tokens.renew(token)
            response = self._send(call, self._tokens.token())
        received(response)
        if response.status >= 300:
            retry_after = parse_retry_after(response.headers.get("retry-after"), self.clock.now())
            answer = parse_answer(response.status, response.headers, response.body, retry_after)
            raise graph_error(call, self.tenant, answer)
        if call.none_has is not None and says_nothing(response, call.none_has):
            raise NotFoundError(call, self.tenant, Answer(response.status, message="there is none"))
        return self._parsed(call, response)

    def _send(self, call: Call, token: str) -> Response:
        body = None if call.body is None else json.dumps(call.body).encode()
        ours = str(uuid.uuid4())
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
            "client-request-id": ours,
            **dict(call.headers),
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
            if error.unusable:
                raise UnusableAnswerError(call, self.tenant, str(error), f"client-request-id {ours}") from None
            raise NoAnswerError(
                call,
                self.tenant,
                str(error),
                unsent=error.unsent,
                permanent=error.permanent,
                host=self.endpoints.graph,
            ) from None
        if not log.isEnabledFor(logging.DEBUG):
            return response
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
        try:
            document: Json = json_reader.read(response.body or b"{}", call.answer)
        except json_reader.ShapeError as error:
            if not response.body:  # lost on the way
                raise NoAnswerError(
                    call, self.tenant, f"{response.status}, but nothing with it", unsent=False
                ) from None
            ids = references(response.headers.get("request-id", ""), response.headers.get("client-request-id", ""))
            raise UnusableAnswerError(call, self.tenant, str(error), ids) from None
        except ValueError:
            why = f"{response.status}, but not the JSON it should carry"
            raise NoAnswerError(call, self.tenant, why, unsent=False) from None
        return document


def says_nothing(response: Response, none_has: Container[str]) -> bool:
    """Whether an answer is OData's for no object: no content, null, or an object of nulls."""
    if response.status == NO_CONTENT:
        return True
    try:
        document = json_reader.read(response.body, Any)
    except ValueError:
        return False
    if not isinstance(document, dict):
        return document is None
    return bool(document) and all(value is None or name in none_has or "@" in name for name, value in document.items())
