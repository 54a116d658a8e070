"""A walk through an answer beside its shape: where the two differ, and what is there, without an end at the first.

The shapes are those of `json_reader`, and so is what they mean: what `check` refuses is here a part with one of the
verdicts `REFUSED`. Nothing is said of a value but its kind, though the part carries it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args, get_origin, is_typeddict

from .json_reader import NO_IDS, WORDS, Id, members_of

ANYTHING, AN_ID, ABSENT = "anything", "an id", ""


class Verdict(StrEnum):
    """What a part of an answer is, seen from its shape."""

    EXPECTED = "as expected"
    ANOTHER_KIND = "another kind"
    MISSING = "missing"
    LEFT_OUT = "left out"
    NOT_NAMED = "not named"


REFUSED = (Verdict.ANOTHER_KIND, Verdict.MISSING)


@dataclass(frozen=True)
class Part:
    """A member of an answer, an entry of a list in it, or a member that the shape names and the answer has not.

    Attributes:
        where: the object it is a member of; of names that shapes have, with [] for the entries of a list.
        name: its own name, of which a NOT_NAMED one is untrusted; [] for an entry, "" for the answer itself.
        owner: the shape of the object it is a member of; None for entries and the answer itself.
        verdict: what it is, seen from the shape.
        expected: the kind that the shape wants.
        found: the kind that it is; ABSENT where it is not there.
        value: the value itself, untrusted; None where it is not there.
    """

    where: str
    name: str
    owner: Any
    verdict: Verdict
    expected: str
    found: str
    value: Any = None


def parts(value: Any, shape: Any, where: str = "", name: str = "", owner: Any = None) -> Iterator[Part]:
    """Every part of an answer that its shape leads to, each after what it is a part of.

    What the shape does not name is a part, and what is inside of it is none.
    """
    fits = is_of(value, shape)
    verdict = Verdict.EXPECTED if fits else Verdict.ANOTHER_KIND
    yield Part(where, name, owner, verdict, expected(shape), kind(value), value)
    if not fits or value is None:
        return
    inner, here = without_null(shape), where_inside(where, name)
    if is_typeddict(inner):
        yield from members(value, inner, here)
    elif get_origin(inner) is list:
        for entry in value:
            yield from parts(entry, get_args(inner)[0], here, "[]")


def members(value: dict[str, Any], shape: Any, where: str) -> Iterator[Part]:
    """The members of an object: those its shape names, in their order there, then all others."""
    named = members_of(shape)
    for name, inner in named.items():
        if name in value:
            yield from parts(value[name], inner, where, name, shape)
        else:
            verdict = Verdict.MISSING if name in shape.__required_keys__ else Verdict.LEFT_OUT
            yield Part(where, name, shape, verdict, expected(inner), ABSENT)
    for name, other in value.items():
        if name not in named:
            yield Part(where, name, shape, Verdict.NOT_NAMED, ABSENT, kind(other), other)


def where_inside(where: str, name: str) -> str:
    """The place of what is in a part: a.b[].c."""
    return f"{where}{'' if name == '[]' or not where else '.'}{name}"


# --- kinds -----------------------------------------------------------------------------------------------------


def without_null(shape: Any) -> Any:
    """A shape without that it may be null."""
    return get_args(shape)[0] if type(None) in get_args(shape) else shape


def kind_of(shape: Any) -> type:
    """The kind of value that a shape, which is neither Any nor null, wants."""
    if shape is Id:
        return str
    return dict if is_typeddict(shape) else get_origin(shape) or shape


def is_of(value: Any, shape: Any) -> bool:
    """Whether a value is of the kind that a shape wants; what is in it is not looked at."""
    if shape is Any or (value is None and type(None) in get_args(shape)):
        return True
    inner = without_null(shape)
    return type(value) is kind_of(inner) and not (inner is Id and value in NO_IDS)


def expected(shape: Any) -> str:
    """What a shape wants, in words."""
    if shape is Any:
        return ANYTHING
    inner = without_null(shape)
    words = AN_ID if inner is Id else WORDS[kind_of(inner)]
    return words if inner is shape else f"{words} or null"


def kind(value: Any) -> str:
    """What a value is, in words."""
    return "null" if value is None else WORDS.get(type(value), "a number")
