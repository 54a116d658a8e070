"""A message that is JSON again: the synchronization service puts its own error, as text, into the one around it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from . import json_reader

DEPTH = 5


def unwrapped(text: str) -> str:
    """What a message says in the end, with the innermost code in front; a text that is none of it stays as it is."""
    code = ""
    for _ in range(DEPTH):
        found = object_in(text)
        inner = said_by(found)
        if not inner.get("message"):
            break
        code, text = inner.get("code") or code, inner["message"]
    return text if not code or code in text else f"{code}: {text}"


def object_in(value: Any) -> Mapping[str, Any]:
    """The JSON object in a text, or the first of a list; empty where there is none."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = json_reader.read(value, Any)
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, dict) else {}


def said_by(found: Mapping[str, Any]) -> dict[str, str]:
    """Code and message of an error, whatever the case of their names, also where it is the member `error`."""
    members = {name.lower(): value for name, value in found.items()}
    inner = members.get("error")
    if isinstance(inner, dict):
        return said_by(inner)
    message = members.get("message", inner)
    return {
        name: value
        for name, value in (("code", members.get("code")), ("message", message))
        if isinstance(value, str) and value
    }


def said_in(part: Any, depth: int = DEPTH) -> Iterator[str]:
    """The codes and messages in a part of an error answer, at any depth, and in JSON that is a text in it."""
    if isinstance(part, list):
        for item in part:
            yield from said_in(item, depth)
    elif isinstance(part, dict):
        for key, value in part.items():
            if isinstance(value, str) and key.lower() in ("code", "message"):
                yield value
                if depth:
                    yield from said_in(object_in(value), depth - 1)
            else:
                yield from said_in(value, depth)
