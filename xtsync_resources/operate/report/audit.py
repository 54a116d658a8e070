"""The last writes of a stack, from the file that `XTSYNC_AUDIT` named when they were made.

Whoever may write to the file, or to a tenant, writes into it: what a line says is data, and is shown as text only.
"""

# Not with postponed annotations: `Required` in a text is not seen.
import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Required, TypedDict

from ...graph import json_reader
from ...graph.errors import ConfigurationError
from ...graph.files import EmptyFileError, FileError, read_lines
from ...sync_job.model import moment

WRITES = 50
# The program writes 500 changes in a line at most.
LONGEST_LINE = 4 * 1024 * 1024
MOST_CHANGES = 20
LONGEST_WORD = len("\\u0000")
# Every line begins with its time.
BEGINNING = b'{"time": "'
LONGEST_VALUE = 300


# --- what a line is ----------------------------------------------------------------------------------------------


class Place(TypedDict, total=False):
    """Where something was written."""

    name: Required[str]
    side: Required[str]


class Change(TypedDict, total=False):
    """A field that was changed; without `old` nobody had read it, without `new` it is gone."""

    field: Required[str]
    old: Any
    new: Any


class Answer(TypedDict, total=False):
    """How a write was answered; without this line nobody knows."""

    time: Required[str]
    write: Required[str]
    status: Required[int | None]
    requestId: str


class Line(TypedDict, total=False):
    """What was about to be written, as far as it is read; what says nothing is left out of one."""

    time: Required[str]
    write: Required[str]
    tenant: Required[Place]
    action: Required[str]
    method: Required[str]
    object: Required[str]
    changes: Required[list[Change]]
    stack: str
    furtherChanges: int


@dataclass(frozen=True)
class Write:
    """One write.

    Attributes:
        when: the time.
        tenant: its name, and which side it is.
        action: what was done.
        object: method and address.
        changes: each field with its value before and after, in words.
        status: how Graph answered, in words.
        request_id: of the answer; "" where none is known.
    """

    when: datetime
    tenant: str
    action: str
    object: str
    changes: tuple[str, ...]
    status: str
    request_id: str


@dataclass(frozen=True)
class Written:
    """The writes of one stack.

    Attributes:
        total: how many are in the file.
        newest: the last of them, newest first.
        torn: lines of the file, whoever's, that are cut off, as a run was killed while it wrote them.
    """

    total: int = 0
    newest: tuple[Write, ...] = ()
    torn: int = 0


# --- reading -----------------------------------------------------------------------------------------------------


def last_writes(path: Path, stacks: set[str]) -> dict[str, Written]:
    """The last writes of some stacks; what other stacks have written is left out.

    Args:
        path: the file.
        stacks: their names.

    Raises:
        ConfigurationError: the file cannot be read, or a line of it, whoever's, is none of the audit.
    """
    totals = dict.fromkeys(stacks, 0)
    newest: dict[str, list[tuple[datetime, int, Line]]] = {name: [] for name in stacks}
    answers: dict[str, Answer] = {}
    torn = 0
    for number, raw in lines_of(path):
        if is_torn(raw):
            torn += 1
            continue
        line, when = read_line(path, number, raw)
        if "status" in line:
            answers[line["write"]] = line
            continue
        name = line.get("stack", "")
        if name not in stacks:
            continue
        totals[name] += 1
        # Several processes append at once, so that the last line need not be the newest.
        heapq.heappush(newest[name], (when, number, line))
        if len(newest[name]) > WRITES:
            heapq.heappop(newest[name])
    return {
        name: Written(
            totals[name],
            tuple(
                read_write(when, line, answers.get(line["write"])) for when, _, line in sorted(found, key=order)[::-1]
            ),
            torn,
        )
        for name, found in newest.items()
    }


def order(entry: tuple[datetime, int, Line]) -> tuple[datetime, int]:
    """By time, and of one time as they stand in the file."""
    return entry[:2]


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of the file, with their numbers.

    Raises:
        ConfigurationError: it cannot be read, or has a line that is longer than any of the audit.
    """
    try:
        yield from enumerate(read_lines(str(path), LONGEST_LINE), 1)
    except EmptyFileError:
        return  # as it is made before the first write
    except FileError as error:
        raise unusable(path, f"it {error}") from None


def is_torn(raw: bytes) -> bool:
    """Whether a line is the beginning of one of the audit, which the next write has ended where there was one."""
    written = raw.rstrip(b"\n")
    if not written.startswith(BEGINNING):
        return bool(written) and BEGINNING.startswith(written)
    try:
        json.loads(written)
    except json.JSONDecodeError as error:
        # An unfinished text is told by where it begins, an unfinished escape or word shortly before the end.
        return error.pos >= len(written) - LONGEST_WORD or error.msg.startswith("Unterminated string")
    except (ValueError, RecursionError):
        return False
    return False


def read_line(path: Path, number: int, raw: bytes) -> tuple[Any, datetime]:
    """A line, and its time.

    Raises:
        ConfigurationError: it is none of the audit.
    """
    try:
        line = json_reader.read(raw.decode("utf-8"), Any)
        answers = isinstance(line, dict) and "status" in line
        json_reader.check(line, Answer if answers else Line, "it")
    except json_reader.ShapeError as error:
        raise unusable(path, f"line {number} is no line of the audit: {error}") from None
    except ValueError:
        raise unusable(path, f"line {number} is no JSON") from None
    when = moment(line["time"])
    if when is None:
        raise unusable(path, f"line {number} is no line of the audit: its time is none")
    return line, when


def unusable(path: Path, why: str) -> ConfigurationError:
    """What to say of a file that cannot be used."""
    do = "give the file that XTSYNC_AUDIT has named with --audit, mend the line, or leave --audit out"
    return ConfigurationError(f"Cannot show the writes of {path}", why, do)


def read_write(when: datetime, line: Line, answer: Answer | None) -> Write:
    """A write, from its lines."""
    status, changes = None if answer is None else answer["status"], line["changes"]
    further = len(changes[MOST_CHANGES:]) + line.get("furtherChanges", 0)
    return Write(
        when=when,
        tenant=f"{line['tenant']['name']} ({line['tenant']['side']})",
        action=line["action"],
        object=f"{line['method']} {line['object']}",
        changes=(*map(change_in_words, changes[:MOST_CHANGES]), *([f"and {further} more"] if further else [])),
        status="not known" if status is None else str(status),
        request_id="" if answer is None else answer.get("requestId", ""),
    )


def change_in_words(change: Change) -> str:
    """A field, its value before, where it was read, and after."""
    old = f" {value_in_words(change['old'])}" if "old" in change else ""
    return f"{change['field']}:{old} → {value_in_words(change['new']) if 'new' in change else '(gone)'}"


def value_in_words(value: Any) -> str:
    """A value as JSON has it, so that none can be taken for words of ours; the end of a long one is left out."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text)} characters)"
