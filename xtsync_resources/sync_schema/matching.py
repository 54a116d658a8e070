"""What is wrong with patterns and what they match, found out by a process of its own that can be ended.

A pattern such as `(.+)+!` has Python try every way to divide a text, for longer than anybody lives, and Ctrl-C is not
heard meanwhile; and a few kilobytes of large classes without case take minutes to be understood. The process is given
neither the environment nor anything but the patterns and the texts.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# For all patterns and texts together: thousands of people take a fraction of it.
MATCH_SECONDS = 5.0
# Without it no program starts on Windows.
NEEDED = ("SYSTEMROOT",)
# Of Python's messages those that hold for .NET's regular expressions, which the service uses, as well.
SURELY_WRONG = ("missing )", "unbalanced", "unterminated", "nothing to repeat", "multiple repeat", "bad escape (end")


class Tried(NamedTuple):
    """What was found out about a pattern.

    Attributes:
        error: what is wrong with it; "" also where only the service's regular expressions may know it.
        holds: whether it matches each of its texts; None where only a part of one does, or that cannot be told.
    """

    error: str
    holds: list[bool | None]


def tried(patterns: Mapping[str, Sequence[str]]) -> dict[str, Tried]:
    """What can be found out in time about patterns with their texts; where one takes too long, so do all behind it."""
    if not patterns:
        return {}
    try:
        found = subprocess.run(  # noqa: S603 - ourselves; the patterns are data
            [sys.executable, "-I", "-S", __file__],
            input=json.dumps([[pattern, [*texts]] for pattern, texts in patterns.items()]).encode(),
            capture_output=True,
            env={name: os.environ[name] for name in NEEDED if name in os.environ},
            timeout=MATCH_SECONDS,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as late:
        found = late.stdout or b""
    whole = found.splitlines(keepends=True)
    told = [Tried(*json.loads(line)) for line in whole if line.endswith(b"\n")]
    unknown = [Tried("", [None] * len(texts)) for texts in [*patterns.values()][len(told) :]]
    return dict(zip(patterns, [*told, *unknown], strict=True))


def attempt(pattern: str, texts: Sequence[str]) -> Tried:
    """The same of one pattern, here and now."""
    unknown: list[bool | None] = [None] * len(texts)
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return Tried(str(error) if error.msg.startswith(SURELY_WRONG) else "", unknown)
    except (RecursionError, OverflowError):
        return Tried("it is nested too deep, or repeats something too often", unknown)
    return Tried("", [match(compiled, text) for text in texts])


def match(pattern: re.Pattern[str], text: str) -> bool | None:
    """Whether a text matches; None where only a part of it does."""
    if pattern.fullmatch(text):
        return True
    return None if pattern.search(text) else False


if __name__ == "__main__":
    for given, several in json.load(sys.stdin):
        sys.stdout.write(f"{json.dumps(attempt(given, several))}\n")
        sys.stdout.flush()
