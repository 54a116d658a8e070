"""What reads untrusted text takes time in proportion to its length: nobody stops a command by a long name or answer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.graph_fakes import SOURCE, TARGET
from xtsync_resources import redaction, untrusted
from xtsync_resources.config import ConfigurationProblems, parse
from xtsync_resources.config.kinds import ADDRESSES
from xtsync_resources.graph.errors import graph_error, parse_answer
from xtsync_resources.graph.wire_log import text_without_secrets
from xtsync_resources.redaction import redacted
from xtsync_resources.sync_job.calls import get_job
from xtsync_resources.sync_schema.attributes import in_expression
from xtsync_resources.sync_schema.model import comparable

LONG, LONGER = 8_000, 64_000
# What is linear takes eight times as long, and what is quadratic sixty-four times.
BETWEEN = 24


def refused(key: str) -> None:
    with pytest.raises(ConfigurationProblems):
        parse({key: "x"}, {}, {})


def never_removed(text: str) -> None:
    names = json.dumps([f"u{number}@b.example" for number in range(len(text))])
    tenants = {side: json.dumps({"tenantId": tenant.id}) for side, tenant in (("source", SOURCE), ("target", TARGET))}
    parse({**tenants, "users": names, "neverRemove": names}, {}, {})


def answered(text: str) -> None:
    answer = parse_answer(400, {}, text.encode(), None)
    str(graph_error(get_job("a", "b"), SOURCE, answer))


READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "a token that does not come": (redacted, "eyJ"),
    "a token, the other way": (redacted, "eyA0123456789"),
    "a token in parts": (redacted, "a.eyJ"),
    "a name": (untrusted.one_line, "eyJ"),
    "a value": (untrusted.value, '"eyJ'),
    "secrets in a text": (text_without_secrets, "token"),
    "secrets and spaces": (text_without_secrets, "token  "),
    "secrets and backslashes": (text_without_secrets, "token\\"),
    "secrets and entities": (text_without_secrets, "token&#0"),
    "an address of many dots": (ADDRESSES.fullmatch, "a@."),
    "a domain of many dots": (lambda text: ADDRESSES.fullmatch(f"a@{text}@"), ".a"),
    "addresses": (lambda text: ADDRESSES.fullmatch(f"{text}@"), "a@b.c, "),
    "an expression": (comparable, '\\"'),
    "an expression that does not end": (lambda text: comparable(f'"{text}'), '\\"'),
    "attributes in an expression": (lambda text: in_expression(f'"{text}'), '\\"['),
    "a key of a stack file": (refused, "eyJ"),
    "who is never removed": (never_removed, "x" * 8),
    "an answer that is none of Graph": (answered, "eyJ"),
}


def cost(read: Callable[[str], Any], text: str) -> float:
    """Seconds of this process's own time: what else the machine does is not counted."""

    def once() -> float:
        began = time.process_time()
        read(text)
        return time.process_time() - began

    return min(once() for _ in range(3))


@pytest.mark.parametrize("name", READERS)
def test_eight_times_the_text_takes_about_eight_times_as_long(name: str) -> None:
    read, part = READERS[name]
    short, long = (part * (length // len(part)) for length in (LONG, LONGER))
    read(short)  # whatever is made once
    assert cost(read, long) < BETWEEN * max(cost(read, short), 0.001)


def test_a_long_secret_is_found_as_it_is_written() -> None:
    """One with each of its characters escaped would take seconds to look for."""
    secret = redaction.know("aB3-" * 8_000)
    redaction.escaped.cache_clear()
    assert redacted(f"100 % {secret}") == f"100 % {redaction.MASK}"
    assert redaction.escaped.cache_info().misses == 0


PLAIN = re.compile(r"(?:eyJ[\w-]+|(?:eyA|ewo|ew0)[\w-]{10,})(?:(?:\.|%2[Ee])[\w-]*){2,}")
PIECES = st.sampled_from(["eyJ", "eyA", "ewo", "a", "-", ".", "%2E", "%2e", "%", "0123456789", "€", "=", "\\n"])


@given(st.lists(PIECES, max_size=20).map("".join))
def test_it_finds_what_a_plain_search_would(text: str) -> None:
    assert redacted(text) == PLAIN.sub("[a token]", text)
