"""The record of `xtsync verify`: answers of a tenant against what the program expects of them, without what they say.

Everything here is pure. What comes out of an answer is the place of a member, its kind, how often it is there, and
values that the program itself knows. A name or an error code is shown only where it looks like one that is documented.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ...graph.shape_walk import REFUSED, Part, Verdict, parts, where_inside
from . import known

# Names of others in one answer; what has more is no object of Graph.
MOST_NAMES = 50
UNSHOWN, FURTHER, WHOLE = "(not an identifier)", "(further names)", "(the answer)"


class Outcome(StrEnum):
    """What came of a read."""

    EXPECTED = "as expected"
    DIFFERS = "differs"
    NOT_THERE = "not there"
    GONE = "gone"
    NOT_READ = "could not be read"


WELL = (Outcome.EXPECTED, Outcome.NOT_THERE)


class What(StrEnum):
    """In what an answer differs."""

    UNKNOWN_MEMBER = "unknown member"
    MISSING_MEMBER = "missing member"
    ANOTHER_KIND = "another kind"
    UNKNOWN_VALUE = "unknown value"


@dataclass(frozen=True)
class Member:
    """A member that an answer has.

    Attributes:
        path: its place, with [] for the entries of a list.
        kinds: what its values are, and how often.
        values: those of its values that the program knows, and how often.
    """

    path: str
    kinds: Mapping[str, int]
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """Something that is not as the program expects it; of a value only what kind it is."""

    what: What
    path: str
    expected: str
    found: str
    count: int = 1


@dataclass(frozen=True)
class Read:
    """One read, and what came of it.

    Attributes:
        side: the source or the target.
        name: what was read.
        request: the request, with a word in the place of each id.
        version: the version of Graph's API.
        outcome: what came of it.
        status: the HTTP status; None where there was no answer.
        error_code: Graph's; "" where there is none, or none that may be shown.
        problem: why it could not be read; "" where it could.
        permission: the least one for it, where it is refused for want of a permission; "" otherwise.
        role: the same for a person who signs in.
        clock_skew_seconds: how far this computer's clock is ahead of the answer's; None where the answer has no date.
        differences: in what it differs.
        left_out: members that the program reads where they are there, and that are nowhere in the answer.
        members: what is in the answer.
    """

    side: str
    name: str
    request: str
    version: str
    outcome: Outcome
    status: int | None = None
    error_code: str = ""
    problem: str = ""
    permission: str = ""
    role: str = ""
    clock_skew_seconds: int | None = None
    differences: Sequence[Difference] = ()
    left_out: Sequence[str] = ()
    members: Sequence[Member] = ()


@dataclass(frozen=True)
class Fact:
    """Something that no page of Microsoft says, and what was seen of it; nothing where the reads did not show it."""

    name: str
    question: str
    seen: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Record:
    """All of it.

    Attributes:
        program_version: of this program.
        cloud: as the configuration names it.
        set_up: whether the stack has been set up, as its outputs say.
        as_expected: whether every read was made, and is as expected.
        reads: what was read.
        facts: what the reads show of open questions.
    """

    program_version: str
    cloud: str
    set_up: bool
    as_expected: bool
    reads: Sequence[Read]
    facts: Sequence[Fact]


# --- comparing -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """An answer beside its shape."""

    differences: tuple[Difference, ...]
    left_out: tuple[str, ...]
    members: tuple[Member, ...]


def compare(answer: Any, shape: Any) -> Compared:
    """Compare an answer with the shape that its call declares."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    values: dict[str, Counter[str]] = defaultdict(Counter)
    different: Counter[tuple[What, str, str, str]] = Counter()
    left_out: dict[str, None] = {}
    names = Names()
    for part in parts(answer, shape):
        path = where_inside(part.where, names.shown(part)) or WHOLE
        if part.verdict is Verdict.LEFT_OUT:
            left_out[path] = None
        elif part.verdict is not Verdict.MISSING:
            kinds[path][part.found] += 1
        if part.verdict in REFUSED:
            what = What.MISSING_MEMBER if part.verdict is Verdict.MISSING else What.ANOTHER_KIND
            different[what, path, part.expected, part.found] += 1
        elif part.verdict is Verdict.NOT_NAMED and not known.is_known(part.owner, part.name):
            different[What.UNKNOWN_MEMBER, path, "", part.found] += 1
        for word in words_in(part):
            if word:
                values[path][word] += 1
            else:
                different[What.UNKNOWN_VALUE, path, "a value that is known", part.found] += 1
    return Compared(
        tuple(Difference(*one, count) for one, count in different.items()),
        tuple(path for path in left_out if path not in kinds),
        tuple(Member(path, kinds[path], values.get(path, {})) for path in kinds),
    )


class Names:
    """The names of one answer, as they may be shown."""

    def __init__(self) -> None:
        self._foreign: set[str] = set()

    def shown(self, part: Part) -> str:
        """The name of a part: its own where a shape has it, else as far as it looks like a documented one."""
        if part.verdict is not Verdict.NOT_NAMED or part.name in known.NOT_READ.get(part.owner, ()):
            return part.name
        if not known.is_identifier(part.name):
            return UNSHOWN
        if len(self._foreign) >= MOST_NAMES and part.name not in self._foreign:
            return FURTHER
        self._foreign.add(part.name)
        return part.name


def words_in(part: Part) -> list[str]:
    """The values of a part that may have certain ones only: as the program writes them, "" for one it does not know."""
    words = known.WORDS_OF.get((part.owner, part.name))
    return words.read(part.value) if words is not None and isinstance(part.value, str) else []


def shown_code(code: str) -> str:
    """An error code of an answer, where it looks like one."""
    return code if known.is_identifier(code) else UNSHOWN if code else ""


def unknown_members(reads: Iterable[Read]) -> dict[tuple[str, str], list[str]]:
    """The members that the program does not know, by side and by what was read."""
    found: dict[tuple[str, str], list[str]] = {}
    for read in reads:
        for one in read.differences:
            if one.what is What.UNKNOWN_MEMBER:
                found.setdefault((read.side, read.name), []).append(one.path)
    return found
