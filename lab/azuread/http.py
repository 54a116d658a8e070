"""HTTP as azuread's client does it: 429 and 5xx are repeated, a reset only where repeating changes nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from lab.azuread.exceptions import GraphError, ProviderError

USER_AGENT = "terraform-provider-azuread/3.7.0 (lab stand-in)"
# How long one of the real plugin's seconds lasts here.
_SECOND = 0.004
_USUAL_SECONDS = 300
_CALL_SECONDS = (60, 120)
_CONNECTIONS = 16
# As many as the real one makes in the ten minutes of a create.
_RETRIES = 14
_LONGEST_PAUSE = 61
_REPEATED = frozenset({408, 424, 429})
_WRITES = frozenset({"POST", "PATCH"})


@dataclass(frozen=True)
class Answer:
    """What came back. The body of a success that came empty or was cut off is an empty object."""

    status: int
    body: Any
    text: str
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return 200 <= self.status < 300

    def mentions(self, words: str) -> bool:
        """Whether it is an error with these words."""
        return words in str(self.body.get("error", "")) if isinstance(self.body, dict) else False

    def complaint(self) -> str:
        """An answer that was not expected, in words."""
        reason = HTTPStatus(self.status).phrase if self.status in HTTPStatus._value2member_map_ else ""
        status = f"unexpected status {self.status} ({self.status} {reason})"
        error = self.body.get("error") if isinstance(self.body, dict) else None
        if isinstance(error, dict) and (error.get("code") or error.get("message")):
            said = ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
            return f"{status} with error: {said}"
        return f"{status} with response: {self.text}" if self.text else f"{status} received with no body"


class Deadline:
    """The end of one operation, in the real plugin's seconds. Pauses bring it nearer, and nothing else does."""

    def __init__(self, seconds: float, second: float, stopping: threading.Event) -> None:
        self._left, self._second, self._stopping = seconds, second, stopping

    def pause(self, seconds: float) -> bool:
        """Wait; False without waiting when the end comes before that.

        Raises:
            ProviderError: the provider is being stopped.
        """
        self._left -= seconds
        if self._left < 0:
            return False
        if self._stopping.wait(seconds * self._second):
            raise ProviderError("the operation was cancelled")
        return True


Retry = Callable[[Answer], bool]


class Http:
    """Calls with pauses and repetitions. It trusts what Go's variable SSL_CERT_FILE names, and nothing else's."""

    def __init__(self, stopping: threading.Event) -> None:
        self._second = float(os.environ.get("LAB_AZUREAD_SECOND") or _SECOND)
        self._stopping = stopping
        self._verify = os.environ.get("SSL_CERT_FILE") or DEFAULT_CA_BUNDLE_PATH
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        self._session.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))

    def deadline(self, seconds: float = 0) -> Deadline:
        """The end of an operation that begins now; 0 is the usual time."""
        return Deadline(seconds or _USUAL_SECONDS, self._second, self._stopping)

    def once(self, method: str, url: str, **options: Any) -> requests.Response:
        """One call, whatever comes of it."""
        return self._session.request(
            method, url, verify=self._verify, timeout=_CALL_SECONDS, stream=True, allow_redirects=False, **options
        )

    def call(
        self,
        method: str,
        url: str,
        *,
        token: str = "",
        json: Any = None,
        form: Any = None,
        retry: Retry | None = None,
        deadline: Deadline | None = None,
    ) -> Answer:
        """Call until there is an answer worth having.

        Raises:
            GraphError: there was no answer.
        """
        deadline = deadline or self.deadline()
        for attempt in range(_RETRIES + 1):
            answer = self._attempt(method, url, token, json, form, last=attempt == _RETRIES)
            if answer and not (_worth_repeating(answer) or (retry and retry(answer))):
                return answer
            if attempt == _RETRIES or not deadline.pause(self._pause(attempt, answer)):
                break
        if answer is None:
            raise _no_answer(method, url)
        return answer

    def _attempt(self, method: str, url: str, token: str, json: Any, form: Any, *, last: bool) -> Answer | None:
        """An answer, or nothing where repeating the call is harmless."""
        try:
            response = self.once(method, url, json=json, data=form, auth=_Bearer(token))
        except requests.exceptions.SSLError as error:
            raise GraphError(f'{method.capitalize()} "{url}": {error}') from error
        except requests.ConnectionError as error:
            if last or method in _WRITES:
                raise _no_answer(method, url) from error
            return None
        except requests.RequestException as error:
            raise GraphError(f'{method.capitalize()} "{url}": {error}') from error
        with response:
            return _answer(response)

    def _pause(self, attempt: int, answer: Answer | None) -> float:
        asked = answer.headers.get("Retry-After", "") if answer else ""
        if asked.isdigit():
            return float(asked)
        return float(min(2**attempt, _LONGEST_PAUSE))


class _Bearer(requests.auth.AuthBase):
    """The access token; being there at all, it keeps requests from looking for credentials in a .netrc."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _answer(response: requests.Response) -> Answer:
    try:
        text = response.text
    except requests.RequestException:
        text = ""  # cut off
    kind = response.headers.get("Content-Type", "")
    if text and response.ok and "json" not in kind:
        raise GraphError(f'internal-error: unimplemented unmarshal function for content type "{kind}"')
    try:
        body = response.json() if text else {}
    except ValueError:
        body = {}
    return Answer(response.status_code, body, text, response.headers)


def _worth_repeating(answer: Answer) -> bool:
    return answer.status in _REPEATED or (answer.status >= 500 and answer.status != HTTPStatus.NOT_IMPLEMENTED)


def _no_answer(method: str, url: str) -> GraphError:
    return GraphError(f'{method.capitalize()} "{url}": HTTP response was nil; connection may have been reset')
