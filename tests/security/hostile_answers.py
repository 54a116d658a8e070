"""Answers that nobody sends by mistake alone: slow, without an end, and of a form that nobody means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.security.hostile_server import Conversation, drips, floods
from xtsync_resources.graph.errors import XtsyncError

MB = 2**20
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DEEP = b'{"a":' * 100_000
# Each takes longer than a test waits: only a deadline ends it.
SLOW: dict[str, Conversation] = {
    "a body": drips(b" " * 2000, 0.25, HEAD + b"Content-Length: 2000\r\n\r\n"),
    "a body in chunks": drips(b"1\r\n \r\n" * 400, 0.25, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
    "a body without length": drips(b" " * 2000, 0.25, HEAD + b"Connection: close\r\n\r\n"),
    "headers": drips(b"X-Slow: " + b"a" * 2000, 0.25, HEAD),
    "a status": drips(b"HTTP/1.1 " + b" " * 2000, 0.25),
    "answers before the answer": drips(b"HTTP/1.1 100 Continue\r\n\r\n" * 80, 0.25),
    "nothing": drips(b"", 0, b""),
}
FLOOD = floods(HEAD + b"Connection: close\r\n\r\n", b'{"a": "' + b"a" * MB, 64)
NOBODY_MEANS = {
    "deep": DEEP,
    "deep and whole": b'{"a":' * 70 + b"1" + b"}" * 70,
    "not a number": b'{"a": NaN}',
    "infinite": b'{"a": -Infinity}',
    "beyond all numbers": b'{"a": 1e999}',
    "a long number": b'{"a": ' + b"9" * 5000 + b"}",
    "a large number": b'{"a": 99999999999999999999}',
    "half a character": b'{"a": "\\ud800"}',
    "half a character as a name": b'{"\\udfff": 1}',
    "half a character, raw": b'{"a": "\xed\xa0\x80"}',
    "a list": b"[]",
    "a text": b'"text"',
    "null": b"null",
}


def outcome(act: Callable[[], Any]) -> Any:
    """What an act gives, or the error of ours it ends with; any other error is the test's failure."""
    try:
        return act()
    except XtsyncError as error:
        return error
