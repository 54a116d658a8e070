"""Whether texts match a pattern, found out by a process of its own that can be ended.

A pattern such as `(.+)+!` has Python try every way to divide a text, for longer than anybody lives, and Ctrl-C is not
heard meanwhile. The process is given neither the environment nor anything but the pattern and the texts.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence

# For all texts together: thousands of people take a fraction of it.
MATCH_SECONDS = 5.0
# Without it no program starts on Windows.
NEEDED = ("SYSTEMROOT",)


def matches(pattern: str, texts: Sequence[str]) -> list[bool | None]:
    """Whether each text matches; None where only a part of it does, and for all where that cannot be found out."""
    try:
        done = subprocess.run(  # noqa: S603 - ourselves; the pattern is data
            [sys.executable, "-I", "-S", __file__],
            input=json.dumps([pattern, list(texts)]),
            capture_output=True,
            text=True,
            env={name: os.environ[name] for name in NEEDED if name in os.environ},
            timeout=MATCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [None] * len(texts)
    found: list[bool | None] = json.loads(done.stdout) if done.returncode == 0 else [None] * len(texts)
    return found


def match(pattern: re.Pattern[str], text: str) -> bool | None:
    """The same of one text, here and now."""
    if pattern.fullmatch(text):
        return True
    return None if pattern.search(text) else False


if __name__ == "__main__":
    given, several = json.load(sys.stdin)
    compiled = re.compile(given)
    json.dump([match(compiled, one) for one in several], sys.stdout)
