"""What the engine finds different between old and new inputs, key by key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lab.engine.values import UNKNOWN, Secret, has, plain

Detail = dict[str, dict[str, Any]]
SIMPLE = re.compile(r"[A-Za-z_$][\w$]*")


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Detail:
    """The differing paths, each with its kind: add, delete or update."""
    return {path: {"diffKind": kind, "inputDiff": True} for path, kind in differences(old, new, "")}


def differences(old: Any, new: Any, path: str) -> Iterator[tuple[str, str]]:
    """The differing paths below a path."""
    if isinstance(old, Secret) and isinstance(new, Secret) and not has(new, type(UNKNOWN)):
        old, new = plain(old), plain(new)
        if old != new:
            yield path, "update"
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({**old, **new}):
            yield from _member(old, new, key, join(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        pairs = (dict(enumerate(old)), dict(enumerate(new)))
        for index in range(max(len(old), len(new))):
            yield from _member(*pairs, index, f"{path}[{index}]")
    elif new is UNKNOWN or plain(old) != plain(new):
        yield path, "update"


def _member(old: Mapping[Any, Any], new: Mapping[Any, Any], key: Any, path: str) -> Iterator[tuple[str, str]]:
    was, now = old.get(key), new.get(key)
    if was is None or now is None:
        if was is not now:
            yield path, "add" if was is None else "delete"
    else:
        yield from differences(was, now, path)


def join(path: str, key: str) -> str:
    """A member's path."""
    if not SIMPLE.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def top_level(paths: Mapping[str, Any]) -> tuple[str, ...]:
    """The top-level keys of paths."""
    return tuple(sorted({re.split(r"[.\[]", path, maxsplit=1)[0] for path in paths}))
