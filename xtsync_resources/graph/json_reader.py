"""The one reader of JSON that somebody else wrote: strict, of bounded depth, and of the shape that is expected.

What is indexed into later has been looked at here, so that a strange answer ends in a message and not in a traceback.
Shapes are `TypedDict`s that name what is read; what they do not name may be there and is passed on untouched.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from typing import Any, Never, NewType, TypeAlias, get_args, get_origin, get_type_hints, is_typeddict

DEPTH = 64
LARGEST_INTEGER = 2**63
# A part of two bytes takes a hundred in memory: bytes alone do not bound it. A thousand people have some thousands.
MOST_PARTS = 1_000_000
MakeObject: TypeAlias = Callable[[list[tuple[str, Any]]], dict[str, Any]]
# A text that stands in a path later: one part of it, which nothing and a relative step are not.
Id = NewType("Id", str)
NO_IDS = ("", ".", "..")
WORDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a whole number"}


class ShapeError(ValueError):
    """It is JSON, but not what it should be; the text says where and how, and nothing of what is there but names."""


def read(text: bytes | str, shape: Any = dict, make_object: MakeObject | None = None) -> Any:
    """Read JSON of a certain shape.

    Args:
        text: what somebody sent.
        shape: a `TypedDict`, or what may stand in one: list[...], dict, str, Id, int, bool, X | None, Any.
        make_object: makes each object of its members; without it the last of two with one name counts.

    Raises:
        ShapeError: it is not of this shape, or nobody would mean it so.
        ValueError: it is no JSON.
    """
    if count_parts(text) > MOST_PARTS:
        raise ShapeError(f"it has more than {MOST_PARTS:,} parts")
    try:
        value = json.loads(
            text,
            parse_constant=refuse_number,
            parse_int=whole_number,
            parse_float=number,
            object_pairs_hook=make_object,
        )
    except RecursionError:
        raise ShapeError(TOO_DEEP) from None
    refuse_strange(value)
    check(value, shape, "answer")
    return value


def count_parts(text: bytes | str) -> int:
    """At least as many objects, lists, members and entries as JSON has, found out without making them."""
    if isinstance(text, bytes):
        return sum(map(text.count, (b",", b":", b"[", b"{")))
    return sum(map(text.count, (",", ":", "[", "{")))


TOO_DEEP = f"it is nested more than {DEPTH} times"


def refuse_number(name: str) -> Never:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ShapeError(f"it has a number that is none: {name}")


def whole_number(text: str) -> int:
    """A whole number of a size that anything has."""
    if len(text) > len(str(LARGEST_INTEGER)) or abs(int(text)) > LARGEST_INTEGER:
        raise ShapeError("it has a number that is too large")
    return int(text)


def number(text: str) -> float:
    """A number that is finite."""
    found = float(text)
    if not math.isfinite(found):
        raise ShapeError("it has a number that is too large")
    return found


def unambiguous(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that every reader reads alike: Go takes a member whatever the case of its name, and the last of them.

    Raises:
        ShapeError: two names are equal, or but for case.
    """
    names: set[str] = set()
    for name, _ in members:
        if name.casefold() in names:
            raise ShapeError(
                f"it has the name {name!r} twice, whatever the case, so not everybody reads the same in it"
            )
        names.add(name.casefold())
    return dict(members)


def refuse_strange(value: Any) -> None:
    """Refuse what is nested too deep, and text that cannot be written anywhere.

    Raises:
        ShapeError: it is.
    """
    level, depth = [value], 0
    while level:
        if depth > DEPTH:
            raise ShapeError(TOO_DEEP)
        for text in (text for one in level for text in texts_of(one) if not text.isascii()):
            try:
                text.encode()
            except UnicodeEncodeError:
                raise ShapeError("it has a text with half a character (a lone surrogate)") from None
        level = [part for one in level for part in parts_of(one)]
        depth += 1


def texts_of(value: Any) -> list[str]:
    """The texts of a value itself."""
    return [value] if isinstance(value, str) else list(value) if isinstance(value, dict) else []


def parts_of(value: Any) -> list[Any]:
    """What a value is made of."""
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


# --- shapes ------------------------------------------------------------------------------------------------


def check(value: Any, shape: Any, where: str) -> None:
    """Refuse a value that is not of a shape.

    Raises:
        ShapeError: it is not.
    """
    if shape is Any:
        return
    if shape is Id:
        expect(value, str, where)
        if value in NO_IDS:
            raise ShapeError(f"{where} should be an id, and is {value!r}")
    elif is_typeddict(shape):
        check_object(value, shape, where)
    elif get_origin(shape) is list:
        expect(value, list, where)
        for index, item in enumerate(value):
            check(item, get_args(shape)[0], f"{where}[{index}]")
    elif type(None) in get_args(shape):
        if value is not None:
            check(value, get_args(shape)[0], where)
    else:
        expect(value, get_origin(shape) or shape, where)


def check_object(value: Any, shape: Any, where: str) -> None:
    """Refuse a value that is no object with the members a shape names.

    Raises:
        ShapeError: it is not.
    """
    expect(value, dict, where)
    for name in sorted(shape.__required_keys__ - value.keys()):
        raise ShapeError(f"{where} has no {name}")
    for name, inner in members_of(shape).items():
        if name in value:
            check(value[name], inner, f"{where}.{name}")


def expect(value: Any, kind: type, where: str) -> None:
    """Refuse a value of another kind.

    Raises:
        ShapeError: it is.
    """
    if type(value) is not kind:
        found = "null" if value is None else WORDS.get(type(value), "a number")
        raise ShapeError(f"{where} should be {WORDS[kind]}, and is {found}")


@functools.cache
def members_of(shape: Any) -> dict[str, Any]:
    """The members of a shape; each of their kinds, evaluated once."""
    return get_type_hints(shape)
