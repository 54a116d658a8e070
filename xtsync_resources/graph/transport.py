"""One HTTPS exchange: the seam below the client. Tests put their own transport here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import requests

from .bounded import AnswerTooLargeError, BoundedAdapter

WORKERS = 4
# Signs in an error text that the request has certainly not left: no address, no connection, no trust.
BEFORE_SENDING = ("Failed to establish", "Failed to resolve", "CERTIFICATE_VERIFY_FAILED")


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
        """Whether trying again is no use: an untrusted certificate stays untrusted."""
        return self.unusable or "certificate" in str(self)


class Transport(Protocol):
    """Sends one request and gives the answer, whatever its status; raises TransportError without one."""

    def send(self, request: Request) -> Response:
        """Send one request."""
        ...


def trusted_certificates() -> str | bool:
    """The certificate bundle to verify servers with; verification itself cannot be switched off."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True


ANYWHERE = ("https://",)


def bounded_session(reach: Sequence[str] = ANYWHERE) -> requests.Session:
    """A session in which every answer is bounded in size and time.

    No password of ~/.netrc leaves with it, and none takes our token's place; proxies are still the environment's.

    Args:
        reach: what the addresses it sends to begin with; it refuses all others.
    """
    session = requests.Session()
    session.auth = lambda request: request
    session.adapters.clear()
    for beginning in reach:
        session.mount(beginning, BoundedAdapter(pool_connections=2, pool_maxsize=WORKERS))
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
        except requests.exceptions.ConnectTimeout as error:
            raise TransportError(plain_cause(error), unsent=True) from error
        except AnswerTooLargeError as error:
            raise TransportError(str(error), unsent=False, unusable=True) from error
        except requests.exceptions.RequestException as error:
            unsent = any(sign in str(error) for sign in BEFORE_SENDING)
            raise TransportError(plain_cause(error), unsent=unsent) from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.content)


def plain_cause(error: BaseException) -> str:
    """The innermost reason of a network error, in a few words."""
    text = str(error)
    return network_cause(text) or text.rsplit(":", 1)[-1].strip(" ')\"") or type(error).__name__


def network_cause(text: str) -> str:
    """What an error text says of the network; "" where it is about something else."""
    if "certificate is not yet valid" in text or "certificate has expired" in text:
        return "the server's certificate is not valid at the time of this computer's clock, which may be wrong"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "the server's certificate is not trusted (CERTIFICATE_VERIFY_FAILED)"
    if "Name or service not known" in text or "NameResolution" in text or "getaddrinfo" in text:
        return "the host name cannot be resolved"
    if "Connection refused" in text:
        return "the connection was refused"
    if "No connection adapters" in text:
        return "the login host leads to another host, and nobody has agreed to that"
    if "timed out" in text.lower():
        return "it took too long"
    if "reset by peer" in text.lower() or "aborted" in text.lower() or "without response" in text.lower():
        return "the connection was cut"
    return ""
