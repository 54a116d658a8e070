"""HTTP within bounds: an answer has so many bytes and so much time, whatever the server does with either.

The time limits of requests and urllib3 are for one read each; a server that sends a byte now and then is never too
late for them. Here the limit is one for the whole answer, its headers included. It is kept by the connection itself,
so that it holds for every library that uses a session of ours. So does which proxy is used: this computer's own
addresses are not a proxy's to answer for.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
import zlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy, should_bypass_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection

from .hosts import is_here

LARGEST_ANSWER = 16 * 2**20
# The sign-in libraries make objects of whatever they are answered.
LARGEST_SIGN_IN_ANSWER = 2**20
CONNECT_SECONDS = 15.0
# The synchronization service is slow at times: validateCredentials and on-demand can take half a minute.
ANSWER_SECONDS = 100.0
SENT_AT_ONCE = 16 * 2**10

PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")

_ends: ContextVar[float] = ContextVar("when the answer that is waited for has to be there")


class PlainError(requests.exceptions.RequestException):
    """An exchange failed; the text is ours, and nothing in it is anybody else's."""


class AnswerTooLargeError(PlainError):
    """An answer is larger than any that is expected, as sent or unpacked."""


class UnpackingError(PlainError, requests.exceptions.ContentDecodingError):
    """An answer cannot be unpacked."""


class UnreadableProxyError(PlainError, requests.exceptions.InvalidProxyURL):
    """A proxy's address is none, or one of which every reader takes another part for the password."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give every answer that is waited for inside this much time; an outer limit stays in force."""
    ends = time.monotonic() + seconds
    token = _ends.set(min(ends, _ends.get(ends)))
    try:
        yield
    finally:
        _ends.reset(token)


def seconds_left() -> float:
    """What is left of the time for the answer that is waited for.

    Raises:
        TimeoutError: nothing.
    """
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class BoundedAdapter(HTTPAdapter):
    """Sends requests, and reads their answers whole, within the bounds.

    Args:
        direct: whether no proxy is used, whatever the environment says.
        largest: how many bytes an answer may have, as sent and unpacked.
    """

    def __init__(self, *, direct: bool = False, largest: int = LARGEST_ANSWER, **options: Any) -> None:
        super().__init__(**options)
        self._direct, self._largest = direct, largest

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> Any:
        """The pool for a request, directly or by a proxy, with connections that keep the time."""
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        pool.ConnectionCls = TimedHTTPSConnection if pool.scheme == "https" else TimedHTTPConnection
        return pool

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - a stream would be read without bounds
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request; what comes back has been read.

        Raises:
            RequestException: there is no answer in time, or not a whole one.
            AnswerTooLargeError: it is too large.
            UnreadableProxyError: it would go by a proxy, but nobody can say which.
        """
        if self._direct or is_here(urlsplit(request.url or "").hostname or ""):
            proxies = None
        elif proxy := select_proxy(request.url or "", proxies):
            check_proxy(proxy)
        wanted = timeout[0] if isinstance(timeout, tuple) else timeout
        request.headers["Accept-Encoding"] = "gzip"
        with within(ANSWER_SECONDS):
            try:
                connect = min(wanted or CONNECT_SECONDS, CONNECT_SECONDS, seconds_left())
            except TimeoutError as error:
                raise requests.exceptions.ConnectTimeout(error, request=request) from error
            answer = super().send(request, True, (connect, ANSWER_SECONDS), verify, cert, proxies)
            try:
                answer._content = read_body(answer, self._largest)
            except requests.exceptions.RequestException:
                answer.close()
                raise
        return answer


def passes_by_proxies(host: str, no_proxy: str) -> bool:
    """Whether what is sent to a host in plain goes past the proxies.

    Args:
        host: where to.
        no_proxy: the hosts that do, as the environment names them.
    """
    return bool(should_bypass_proxies(f"http://{host}/", no_proxy))


def check_proxy(address: str) -> None:
    """Refuse a proxy's address that cannot be understood, without showing any of it.

    An unencoded `/`, `#` or `?` ends what is before the host: half of a password is then taken for a host, which
    messages and name servers are told.

    Raises:
        UnreadableProxyError: it cannot.
    """
    try:
        parts = urllib3.util.parse_url(address)
        urlsplit(address)  # requests reads it so, too
        unquote(parts.auth or "").encode("latin1")  # as it is sent
    except (urllib3.exceptions.LocationValueError, ValueError):
        parts = urllib3.util.Url()
    if parts.scheme not in PROXY_SCHEMES or not parts.host or parts.path not in (None, "/") or parts.query:
        raise UnreadableProxyError(
            "the proxy's address cannot be understood: it should be http://HOST:PORT or "
            "http://USER:PASSWORD@HOST:PORT, with signs such as / # ? @ of a password written as %2F %23 %3F %40"
        )


def read_body(answer: requests.Response, largest: int) -> bytes:
    """The body of an answer, unpacked.

    Raises:
        RequestException: it does not come whole or in time, or cannot be unpacked.
        AnswerTooLargeError: it is too large.
    """
    try:
        body: bytes = answer.raw.read(largest + 1, decode_content=False)
    except urllib3.exceptions.HTTPError as error:
        raise requests.exceptions.ConnectionError(error, request=answer.request) from error
    packing = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("identity", "gzip"):
        raise UnpackingError("the answer is packed in a way that was not asked for")
    if packing == "gzip" and 0 < len(body) <= largest:
        body = unpacked(body, largest)
    if len(body) > largest:
        raise AnswerTooLargeError(f"the answer is larger than {largest // 2**20} MB", request=answer.request)
    return body


def unpacked(body: bytes, largest: int) -> bytes:
    """What gzip packed, or one byte more of it than is allowed.

    Raises:
        RequestException: it was not packed by gzip, or is not whole.
    """
    unpacking = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        found = unpacking.decompress(body, largest + 1)
    except zlib.error as error:
        raise UnpackingError("the answer cannot be unpacked") from error
    if not unpacking.eof and len(found) <= largest:
        raise UnpackingError("the answer cannot be unpacked: it ends too early")
    return found


class TimedReader(io.RawIOBase):
    """Reads from a connection; a read may take as long as is left for the whole answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._file = connection, connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, or wait for something."""
        self._connection.settimeout(seconds_left())
        return self._file.readinto(buffer)

    def close(self) -> None:
        """Let go of the connection."""
        self._file.close()
        super().close()


class TimedResponse(http.client.HTTPResponse):
    """An answer whose status, headers and body are read in time."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(TimedReader(sock))


class TimedHTTPConnection(HTTPConnection):
    """A connection in plain, as to a managed identity's address or to a proxy."""

    response_class = TimedResponse

    def send(self, data: Any) -> None:
        """Send some of a request; whoever takes it slowly has no more time for that."""
        for start in range(0, len(data), SENT_AT_ONCE):
            if self.sock is not None:
                self.sock.settimeout(seconds_left())
            super().send(data[start : start + SENT_AT_ONCE])


class TimedHTTPSConnection(TimedHTTPConnection, HTTPSConnection):
    """A connection by TLS."""
