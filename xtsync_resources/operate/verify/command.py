"""`xtsync verify`: whether Graph answers in this pair's tenants as the program expects, for a first live tenant.

It reads only. Its record says how answers are made and nothing of what they say, so that it can go into a report of a
fault: no name, no id, no address, no secret.

Calls: those of `reads.py`, with the least permission of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ... import VERSION
from ...untrusted import json_text
from ..checks.finding import counted, listed
from ..doctor import looks_at
from ..files import write_private
from ..recorded import Remembered, outputs_of
from ..screen import Rows, document_of, line
from .facts import Heard, facts
from .reads import SIGN_IN, no_sign_in, read_tenant
from .record import WELL, Difference, Fact, Outcome, Read, Record, What

if TYPE_CHECKING:
    from ..screen import Screen
    from ..stack import Stack

COLOURS = {Outcome.EXPECTED: "green", Outcome.NOT_THERE: "green"}
SAYS_NOTHING = "It holds no name, id, address or secret, and can go into a report of a fault"


# --- words -----------------------------------------------------------------------------------------------------


def as_table(reads: Sequence[Read]) -> Rows:
    """The reads for people, with what differs below each."""
    table = Rows("tenant", "read", "", "found")
    for read in reads:
        outcome = line((read.outcome.value, COLOURS.get(read.outcome, "bold red")))
        table.add(read.side, read.name, outcome, [line(text) for text in told(read)])
    return table


def told(read: Read) -> list[str]:
    """What is said of a read, line by line."""
    answered = f"{read.status} {read.error_code}".strip() if read.status is not None else ""
    if read.outcome in (Outcome.NOT_READ, Outcome.GONE):
        do = [f"Do: give the sign-in {read.permission}, or the person the role {read.role}"] if read.permission else []
        return [f"{read.problem}{f' ({answered})' if answered else ''}", *do]
    if read.outcome is Outcome.NOT_THERE:
        return [answered]
    return [f"{answered}, {counted(len(read.members), 'member')}", *map(in_words, read.differences)]


def in_words(one: Difference) -> str:
    """A difference in one line."""
    times = f", {one.count} times" if one.count > 1 else ""
    if one.what is What.ANOTHER_KIND:
        return f"{one.path} should be {one.expected}, and is {one.found}{times}"
    if one.what is What.MISSING_MEMBER:
        return f"{one.path} is missing{times}"
    if one.what is What.UNKNOWN_VALUE:
        return f"{one.path} has a value that the program does not know{times}"
    return f"{one.path} ({one.found}) is not known{times}"


def questions(seen: Sequence[Fact]) -> Rows:
    """What was seen of open questions."""
    table = Rows("open question", "seen")
    for fact in seen:
        lines = [line(", ".join(f"{name}: {shown(value)}" for name, value in one.items())) for one in fact.seen]
        table.add(fact.question, lines or "nothing")
    return table


def shown(value: object) -> str:
    """A part of what was seen."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return listed([f"{name} ({count})" for name, count in value.items()]) or "none"
    return (listed([*map(str, value)]) or "none") if isinstance(value, list) else str(value or "none")


def summary(record: Record) -> str:
    """The verdict in one line."""
    count = Counter(read.outcome for read in record.reads)
    parts = [f"{count[outcome]} {outcome.value}" for outcome in Outcome if count[outcome]]
    found = f"Of {counted(len(record.reads), 'read')} {', '.join(parts)}"
    if record.as_expected:
        found = f"All is as the program expects, in {counted(len(record.reads), 'read')}"
    not_yet = (
        "" if record.set_up else " The stack has no outputs: its configuration, job and assignments were not read."
    )
    return f"{found}.{not_yet} Nothing was changed."


def clocks(reads: Sequence[Read]) -> list[str]:
    """How far this computer's clock is from Graph's, where an answer says."""
    skews = [read.clock_skew_seconds for read in reads if read.clock_skew_seconds is not None]
    if not skews:
        return []
    most = max(skews, key=abs)
    way = "ahead of" if most > 0 else "behind"
    return [f"This computer's clock is {counted(abs(most), 'second')} {way} Graph's."]


# --- the command -----------------------------------------------------------------------------------------------


def made(stack: Stack, set_up: bool, heard: Sequence[Heard]) -> Record:
    """The record of what was heard."""
    reads = [one.read for one in heard]
    as_expected = all(read.outcome in WELL for read in reads)
    return Record(VERSION, stack.settings.cloud.name, set_up, as_expected, reads, facts(heard))


def command(stack: Stack, screen: Screen, output: Path | None) -> int:
    """Read both tenants and say how the answers are made; 0 if all are as expected, 1 if not."""
    found, failed = looks_at(stack, Remembered(outputs_of(stack)))
    heard = [no_sign_in(side) for side in failed]
    with ThreadPoolExecutor(len(found)) as threads:
        for tenant in threads.map(lambda look: read_tenant(look, screen.status), found):
            heard += tenant
    record = made(stack, found[0].set_up, heard)
    if output is not None:
        write_private(output, json_text(document_of(record)) + "\n", replace=True)
    if screen.as_json:
        screen.json(record)
    else:
        screen.print(as_table(record.reads), "", questions(record.facts), "", *clocks(record.reads), summary(record))
        if output is not None:
            screen.print(f"Wrote {output}. {SAYS_NOTHING}.")
    if any(read.name == SIGN_IN for read in record.reads):
        screen.tell("`xtsync doctor` says why there is no sign-in.")
    return 0 if record.as_expected else 1
