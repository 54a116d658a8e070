"""The report as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...untrusted import one_line
from . import words
from .writing import Writing

if TYPE_CHECKING:
    from .section import Section

# What those who show Markdown make a mention, a reference or a link of, whether it is escaped or not.
ALIVE = re.compile(r"""@|[#!$%^~&](?=[\w"])|://|www\.|\bGH-""", re.IGNORECASE)


# --- text --------------------------------------------------------------------------------------------------------


def escaped(text: object) -> str:
    """Text that stays text in Markdown, and dead: nobody is mentioned, nothing is linked."""
    shown = one_line(str(text))
    return code(shown) if ALIVE.search(shown) else re.sub(r"([\\`*_{}\[\]<>()#+!|~&])", r"\\\1", shown)


def code(text: str) -> str:
    """Text as code."""
    shown = one_line(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    # A table divides code into cells, too, and knows no escape for it that holds behind a backslash.
    return f"{fence}{space}{shown.replace('|', '¦')}{space}{fence}"


# Where text has to be code, all of it is.
MARKDOWN = Writing(escaped, code, lambda piece: bool(ALIVE.search(one_line(piece))))


def quoted(problem: str) -> str:
    """A message of several lines."""
    return "\\\n".join(f"> {of_problem(line.strip())}" for line in problem.splitlines())


def of_problem(line: str) -> str:
    """A line of a message: what to do, or what was wrong with whom."""
    return MARKDOWN.advice_with_names(line) if line.startswith("Do:") else escaped(line)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], last: Callable[[object], str] = escaped) -> str:
    """A table; `last` shows the last column."""
    lines = [f"| {' | '.join(map(escaped, head))} |", f"|{'---|' * len(head)}"]
    for row in rows:
        cells = [*(cell(one, escaped) for one in row[:-1]), cell(row[-1], last)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(value: object, show: Callable[[object], str]) -> str:
    """What stands in a cell; several texts under each other."""
    return "<br>".join(map(show, value)) if isinstance(value, tuple) else show(value)


# --- the page ----------------------------------------------------------------------------------------------------


def render(sections: Sequence[Section], now: datetime) -> str:
    """The whole report."""
    parts = [f"# Cross-tenant synchronization, {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"]
    if len(sections) > 1:
        text, needy = words.overview(sections)
        parts.append(f"**{text}: {', '.join(escaped(sections[place].stack) for place in needy)}.**" if needy else text)
    for section in sections:
        parts += pair(section, now)
    return "\n\n".join(parts) + "\n"


def pair(section: Section, now: datetime) -> list[str]:
    """One pair, the most urgent first."""
    if not section.source[1]:
        return [f"## {escaped(section.stack)}", *first(section), *writes(section)]
    health, cycles = section.health, section.cycles
    parts = [title(section), *first(section), picture(section)]
    if health:
        parts += ["### People", table(("what", "state"), words.facts(health, now))]
    if section.findings:
        parts += [
            "### What was found",
            table(words.FINDING_HEAD, words.finding_rows(section), MARKDOWN.advice_with_names),
        ]
    if section.entries is not None:
        parts += ["### Recent cycles", *([table(*words.cycle_table(cycles))] if cycles else []), words.extent(section)]
    failures = table(words.FAILURE_HEAD, words.failure_rows(section)) if section.failures else ""
    settings = table(("key", "value", "from"), [(one.key, one.value, one.origin) for one in section.settings])
    parts += ["### Last failures", failures or escaped(words.no_failures(section))]
    return [*parts, "<details>\n<summary>Settings</summary>", settings, "</details>", *writes(section)]


def title(section: Section) -> str:
    """Which pair it is."""
    source, target = escaped(section.source[0]), escaped(section.target[0])
    return f"## {source} → {target} (stack {escaped(section.stack)})"


def first(section: Section) -> list[str]:
    """Whether all is well and what to do, then what could not be read."""
    found = words.verdict(section)
    parts = [f"### {found.word}: {escaped(found.reason)}{MARKDOWN.end_of_headline(found)}"]
    if told := words.remedy(section):
        parts.append(MARKDOWN.advice(told))
    return [*parts, *map(quoted, section.problems)]


def picture(section: Section) -> str:
    """The two tenants, and the way people go."""
    (source, source_id), (target, target_id) = section.source, section.target
    return (
        f"{escaped(source)} (source, {code(source_id)}) → {escaped(target)} (target, {code(target_id)}): "
        f"{words.people(section)}{f'. In the portal: {code(url)}' if (url := words.portal(section)) else ''}"
    )


def writes(section: Section) -> list[str]:
    """The last writes, where an audit was given."""
    written = section.written
    if written is None:
        return []
    rows = [table(words.WRITE_HEAD, words.write_rows(written))] if written.newest else []
    return ["### Last writes", words.write_extent(written), *rows]
