"""The report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..graph.errors import printable
from .status import ago, next_words

if TYPE_CHECKING:
    from .report import Section

KINDS = ("create", "update", "disable", "delete", "failed")


def escaped(text: object) -> str:
    """Text that stays text in Markdown, also in a table."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~])", r"\\\1", printable(str(text)))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(escaped(cell) for cell in row)} |" for row in rows]
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
        return [f"## {escaped(section.stack)}", *(f"> {escaped(problem)}" for problem in section.problems)]
    (source, source_id), (target, target_id) = section.source, section.target
    health = section.health
    parts = [
        f"## {escaped(source)} → {escaped(target)} (stack {escaped(section.stack)})",
        f"`{source_id}` → `{target_id}`: **{escaped(health.headline) if health else 'could not be read'}**",
        *(f"> {escaped(problem)}" for problem in section.problems),
    ]
    if health:
        facts = [
            ("Schedule", health.state),
            ("Last run", f"{ago(health.last_run, now)} {health.last_result}"),
            ("Next run", next_words(health, now)),
            ("People in the target", health.people),
            *([("Do", health.remedy)] if health.remedy else []),
        ]
        parts += ["### Health", table(("", ""), facts)]
    if section.cycles:
        cycles = [(moment(one.when), *(one.counts.get(kind, 0) for kind in KINDS)) for one in section.cycles]
        parts += ["### Recent cycles", table(("when", *KINDS), cycles)]
    if section.failures:
        failures = [(moment(one.when), one.source, one.code, one.reason, one.advice) for one in section.failures]
        parts += ["### Last failures", table(("when", "who", "code", "why", "advice"), failures)]
    parts += ["### Settings", table(("key", "value", "from"), [(s.key, s.value, s.origin) for s in section.settings])]
    return parts


def moment(when: datetime | None) -> str:
    """A time as the report writes it."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}" if when else "?"
