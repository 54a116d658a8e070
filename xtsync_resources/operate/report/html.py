"""The report as one self-contained HTML page: no script, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from . import words
from .picture import chart, legend, picture, text
from .style import STYLE
from .writing import Writing

if TYPE_CHECKING:
    from .section import Section


# Texts in more columns than this need a wide screen.
MANY = 4


def code(command: str) -> str:
    """A command."""
    return f"<code>{text(command)}</code>"


HTML = Writing(text, code)


def lines(value: str) -> str:
    """A message of several lines, as text."""
    return "\n".join(
        HTML.advice_with_names(line) if line.strip().startswith("Do:") else text(line) for line in value.splitlines()
    )


def render(sections: Sequence[Section], now: datetime) -> str:
    """The whole page."""
    when = f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    body = "\n".join(pair(place, section, now) for place, section in enumerate(sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Cross-tenant synchronization, {when}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Cross-tenant synchronization</h1>\n<p>As of {when}.</p>\n{overview(sections)}{body}\n</body>\n</html>\n"
    )


def overview(sections: Sequence[Section]) -> str:
    """Of several pairs, which need somebody."""
    if len(sections) < 2:
        return ""
    told, needy = words.overview(sections)
    links = ", ".join(f'<a href="#pair-{place}">{text(sections[place].stack)}</a>' for place in needy)
    return f'<p class="verdict {"bad" if needy else "good"}">{told}{f": {links}." if needy else ""}</p>\n'


def pair(place: int, section: Section, now: datetime) -> str:
    """One pair, the most urgent first."""
    opening = f'<section id="pair-{place}">'
    if not section.source[1]:
        parts = [opening, f"<h2>{text(section.stack)}</h2>", *first(section), *writes(section), "</section>"]
        return "\n".join(parts)
    title = f"{text(section.source[0])} → {text(section.target[0])}"
    parts = [opening, f"<h2>{title} <small>(stack {text(section.stack)})</small></h2>", *first(section)]
    parts += [picture(section), *portal(section)]
    if section.health:
        parts += ["<h3>People</h3>", table("People", ("what", "state"), words.facts(section.health, now))]
    if section.findings:
        parts += ["<h3>What was found</h3>"]
        parts += [table("What was found", words.FINDING_HEAD, words.finding_rows(section), last=HTML.advice_with_names)]
    if section.entries is not None:
        parts += ["<h3>Recent cycles</h3>", *cycles(section), f"<p>{words.extent(section)}</p>"]
    failures = table("Last failures", words.FAILURE_HEAD, words.failure_rows(section)) if section.failures else ""
    parts += ["<h3>Last failures</h3>", failures or f"<p>{text(words.no_failures(section))}</p>"]
    settings = [(setting.key, setting.value, setting.origin) for setting in section.settings]
    parts += ["<details>", "<summary><h3>Settings</h3></summary>"]
    parts += [table("Settings", ("key", "value", "from"), settings), "</details>", *writes(section), "</section>"]
    return "\n".join(parts)


def first(section: Section) -> list[str]:
    """Whether all is well and what to do, in large; then what could not be read."""
    found = words.verdict(section)
    state = "good" if found.well else "bad"
    told = f"<strong>{found.word}</strong>: {text(found.reason)}{HTML.end_of_headline(found)}"
    parts = [f'<p class="verdict {state}">{told}</p>']
    if remedy := words.remedy(section):
        parts.append(f"<p>{HTML.advice(remedy)}</p>")
    return [*parts, *(f'<p class="problem">{lines(problem)}</p>' for problem in section.problems)]


def portal(section: Section) -> list[str]:
    """A link to the configuration in the portal."""
    url = words.portal(section)
    return [f'<p><a href="{text(url)}">The configuration in the portal</a></p>'] if url.startswith("https://") else []


def cycles(section: Section) -> list[str]:
    """What each cycle did, as bars and, for who cannot tell colours or see, as numbers."""
    if not section.cycles:
        return []
    numbers = table("Numbers of recent cycles", *words.cycle_table(section.cycles), "numbers")
    return [chart(section.cycles), legend(section.cycles), numbers]


def writes(section: Section) -> list[str]:
    """The last writes, where an audit was given."""
    written = section.written
    if written is None:
        return []
    rows = [table("Last writes", words.WRITE_HEAD, words.write_rows(written))] if written.newest else []
    return ["<h3>Last writes</h3>", f"<p>{words.write_extent(written)}</p>", *rows]


# --- tables ------------------------------------------------------------------------------------------------------


def table(
    name: str,
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    kind: str = "texts",
    last: Callable[[object], str] = text,
) -> str:
    """A table with headers of columns and rows; `last` shows the last column.

    Where it is too wide, one of `texts` becomes a block a row, and one of `numbers` scrolls by itself, by keyboard too.
    """
    top = "".join(f'<th scope="col">{text(cell)}</th>' for cell in head)
    shows = [*[text] * (len(head) - 2), last]
    rendered = "\n".join(
        f'<tr><th scope="row">{text(first)}</th>{"".join(map(data_cell, shows, head[1:], others))}</tr>'
        for first, *others in rows
    )
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(name)}">'
        f'<table class="{kind}{" many" if kind == "texts" and len(head) > MANY else ""}">\n'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{rendered}\n</tbody>\n</table></div>"
    )


def data_cell(show: Callable[[object], str], label: str, value: object) -> str:
    """A cell, which knows its heading; numbers stand under each other, and several texts too."""
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    shown = "<br>".join(map(show, value)) if isinstance(value, tuple) else show(value)
    return f'<td data-label="{text(label)}">{shown}</td>'
