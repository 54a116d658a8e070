"""The report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..untrusted import one_line
from .status import ago, next_words

if TYPE_CHECKING:
    from .report import Section
    from .status import Health

# What an entry of the log counts as, and the word for it.
KINDS = {
    "create": "created",
    "update": "updated",
    "disable": "disabled",
    "delete": "deleted",
    "other": "other",
    "failed": "failed",
}
FAILURE_HEAD = ("when (UTC)", "who", "error code", "reason", "recommended action")


# What those who show Markdown make a mention, a reference or a link of, whether it is escaped or not.
ALIVE = re.compile(r"""@|[#!$%^~&](?=[\w"])|://|www\.|\bGH-""", re.IGNORECASE)


def escaped(text: object) -> str:
    """Text that stays text in Markdown, and dead: nobody is mentioned, nothing is linked."""
    shown = one_line(str(text))
    if not ALIVE.search(shown):
        return re.sub(r"([\\`*_{}\[\]<>()#+!|~&])", r"\\\1", shown)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    # A table divides code into cells, too, and knows no escape for it that holds behind a backslash.
    return f"{fence}{space}{shown.replace('|', '¦')}{space}{fence}"


def quoted(problem: str) -> str:
    """A message of several lines."""
    return "\\\n".join(f"> {escaped(line.strip())}" for line in problem.splitlines())


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(map(escaped, head))} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(map(escaped, row))} |" for row in rows]
    return "\n".join(lines)


def render(sections: Sequence[Section], now: datetime) -> str:
    """The whole report."""
    parts = [f"# Cross-tenant synchronization, {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"]
    for section in sections:
        parts += pair(section, now)
    return "\n\n".join(parts) + "\n"


def pair(section: Section, now: datetime) -> list[str]:
    """One pair."""
    if not section.source[1]:
        return [f"## {escaped(section.stack)}", *map(quoted, section.problems)]
    (source, source_id), (target, target_id) = section.source, section.target
    health = section.health
    parts = [
        f"## {escaped(source)} → {escaped(target)} (stack {escaped(section.stack)})",
        f"`{source_id}` → `{target_id}`: **{escaped(health.headline) if health else 'could not be read'}**",
        *map(quoted, section.problems),
    ]
    if health:
        parts += ["### Health", table(("what", "state"), facts(health, now))]
    if section.entries is not None:
        parts += ["### Recent cycles", *([table(*cycle_table(section))] if section.cycles else []), extent(section)]
        parts += ["### Last failures", table(FAILURE_HEAD, failure_rows(section)) if section.failures else NO_FAILURES]
    parts += ["### Settings", table(("key", "value", "from"), [(s.key, s.value, s.origin) for s in section.settings])]
    return parts


def facts(health: Health, now: datetime) -> list[tuple[str, str]]:
    """How the job does, as rows."""
    last = ago(health.last_run, now) + (f", {health.last_result}" if health.last_result else "")
    return [
        ("Schedule", health.state or "unknown"),
        ("Last run", last),
        ("Next run", next_words(health, now)),
        ("People in the target", str(health.people)),
        *([("Do", health.remedy)] if health.remedy else []),
    ]


def cycle_table(section: Section) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """What each cycle did, as head and rows; kinds that never happened only where they are expected."""
    rare = {"disable", "other"}
    kinds = [kind for kind in KINDS if kind not in rare or any(one.counts.get(kind) for one in section.cycles)]
    rows = [(moment(one.when), *(one.counts.get(kind, 0) for kind in kinds)) for one in section.cycles]
    return ("cycle (UTC)", *(KINDS[kind] for kind in kinds)), rows


def extent(section: Section) -> str:
    """What the counts are of."""
    if not section.entries:
        return "The job has logged nothing yet; entries appear some minutes late."
    words = f"From the newest {section.entries} entries of the provisioning log; cycles that did nothing log none."
    return f"{words} Older ones were not read: the first cycle shown may not be all there." if section.cut else words


NO_FAILURES = "None among these entries."


def failure_rows(section: Section) -> list[tuple[str, ...]]:
    """Who could not be synchronized, and why."""
    return [
        (moment(one.when), one.source, one.code or "-", one.reason or "-", one.advice or "-")
        for one in section.failures
    ]


def moment(when: datetime | None) -> str:
    """A time as the report writes it."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}" if when else "?"
