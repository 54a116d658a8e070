"""One HTTPS exchange: the seam below the client. Tests put their own transport here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import requests

from .bounded import LARGEST_ANSWER, AnswerTooLargeError, BoundedAdapter, PlainError, UnreadableProxyError

WORKERS = 4
# Signs in an error text that the request has certainly not left: no address, no connection, no trust.
BEFORE_SENDING = ("Failed to establish", "Failed to resolve", "CERTIFICATE_VERIFY_FAILED", "suitable TLS CA")


@dataclass(frozen=True)
class Request:
    """What goes out."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Response:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """No whole answer came back.

    Attributes:
        unsent: whether the request certainly never left.
        unusable: whether an answer came that nobody can use, and will not be another one next time.
    """

    def __init__(self, cause: str, *, unsent: bool, unusable: bool = False) -> None:
        super().__init__(cause)
        self.unsent, self.unusable = unsent, unusable

    @property
    def permanent(self) -> bool:
        """Whether trying again is no use."""
        return self.unusable or lasting(str(self))


# Signs of a cause that the next try would meet as well: an untrusted certificate stays untrusted.
LASTING = ("certificate", "proxy's address", "SOCKS", "leads to another host", "answer is larger")


def lasting(cause: str) -> bool:
    """Whether trying again is no use after a cause, as `plain_cause` tells it."""
    return any(sign in cause for sign in LASTING)


class Transport(Protocol):
    """Sends one request and gives the answer, whatever its status; raises TransportError without one."""

    def send(self, request: Request) -> Response:
        """Send one request."""
        ...


def trusted_certificates() -> str | bool:
    """The certificate bundle to verify servers with; verification itself cannot be switched off."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True


ANYWHERE = ("https://",)


class Session(requests.Session):
    """Follows no redirect, and does not look where one would lead: an address that is none would be a traceback."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere."""


def bounded_session(
    reach: Sequence[str] = ANYWHERE, direct: Sequence[str] = (), largest: int = LARGEST_ANSWER
) -> requests.Session:
    """A session in which every answer is bounded in size and time.

    No password of ~/.netrc leaves with it, and none takes our token's place; proxies are still the environment's, but
    for this computer's own addresses.

    Args:
        reach: what the addresses it sends to begin with; it refuses all others.
        direct: the same for addresses to which it never goes by a proxy; the longest beginning counts.
        largest: how many bytes an answer may have.
    """
    session = Session()
    session.auth = lambda request: request
    session.adapters.clear()
    for beginning in (*reach, *direct):
        adapter = BoundedAdapter(direct=beginning in direct, largest=largest, pool_connections=2, pool_maxsize=WORKERS)
        session.mount(beginning, adapter)
    return session


class HttpsTransport:
    """Keeps connections open and is shared by the provider's worker threads."""

    def __init__(self) -> None:
        self._session = bounded_session()
        self._verify = trusted_certificates()

    def send(self, request: Request) -> Response:
        """Send one request; redirects are answers, not instructions. Size and time of the answer are bounded."""
        try:
            answer = self._session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body,
                verify=self._verify,
                allow_redirects=False,
            )
        except (requests.exceptions.ConnectTimeout, UnreadableProxyError) as error:
            raise TransportError(plain_cause(error), unsent=True) from error
        except AnswerTooLargeError as error:
            raise TransportError(str(error), unsent=False, unusable=True) from error
        except OSError as error:  # RequestException is one, and requests has others for a missing file
            unsent = any(sign in str(error) for sign in BEFORE_SENDING)
            raise TransportError(plain_cause(error), unsent=unsent) from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content)


# What an error text says, by a sign in it that is nobody's secret; the whole of such a text may quote one.
CAUSES: Mapping[str, str] = {
    "certificate is not yet valid|certificate has expired": "the server's certificate is not valid at the time of this "
    "computer's clock, which may be wrong",
    "CERTIFICATE_VERIFY_FAILED": "the server's certificate is not trusted (CERTIFICATE_VERIFY_FAILED)",
    "suitable TLS CA certificate bundle": "there is no file with certificates where REQUESTS_CA_BUNDLE or "
    "SSL_CERT_FILE says",
    "Name or service not known|NameResolution|getaddrinfo": "the host name cannot be resolved",
    "Connection refused": "the connection was refused",
    "No connection adapters": "the login host leads to another host, and nobody has agreed to that",
    "timed out": "it took too long",
    "Network is unreachable|No route to host": "there is no way to it in the network",
    r"Tunnel connection failed: (?P<code>\d{3})\b": "the proxy refused it ({code})",
    "SOCKS support": "a proxy of the kind SOCKS needs the Python package PySocks",
    r"\[SSL: (?P<code>[A-Z_]{1,60})\]": "no connection by TLS came about ({code})",
    "reset by peer|aborted|without response|IncompleteRead|EOF occurred": "the connection was cut",
}


def plain_cause(error: BaseException) -> str:
    """The reason of a network error where it is one we know, else no more than its kind: its text may quote secrets."""
    chain = [*chain_of(error)]
    ours = next((str(one) for one in chain if isinstance(one, PlainError)), "")
    return ours or network_cause(str(error)) or type(chain[-1]).__name__


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those it was made of; azure-core has a way of its own to say so."""
    while error is not None:
        yield error
        error = error.__cause__ or getattr(error, "inner_exception", None) or error.__context__


def network_cause(text: str) -> str:
    """What an error text says of the network; "" where it is about something else."""
    for sign, cause in CAUSES.items():
        if found := re.search(sign, text, re.IGNORECASE):
            return cause.format(**found.groupdict())
    return ""
