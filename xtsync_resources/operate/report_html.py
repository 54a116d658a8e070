"""The report as one self-contained HTML page: no script, nothing fetched from anywhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from ..untrusted import one_line
from .report_markdown import FAILURE_HEAD, KINDS, NO_FAILURES, cycle_table, extent, facts, failure_rows, moment

if TYPE_CHECKING:
    from .report import Cycle, Section

COLOURS = {
    "create": "#2a9d5c",
    "update": "#3b7dd8",
    "disable": "#8a63d2",
    "delete": "#d98324",
    "other": "#7d8794",
    "failed": "#cf3b3b",
}
LIGHT = "--ink: #1d2430; --paper: #fff; --soft: #eef1f5; --line: #c9d1dc; --good: #1f7a45; --bad: #b3261e;"
DARK = "--ink: #e6eaf0; --paper: #14181f; --soft: #1e242e; --line: #3a4352; --good: #63c98f; --bad: #ff8a80;"
# Paper is white, whatever the screen was.
STYLE = f"""
:root {{ color-scheme: light dark; {LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}
@media print {{ :root {{ color-scheme: light; {LIGHT} }} }}
body {{ font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  padding: 1rem; max-width: 60rem; }}
h2 {{ border-top: 1px solid var(--line); padding-top: 1.5rem; overflow-wrap: anywhere; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; }}
.many {{ min-width: 40rem; }}
caption {{ text-align: left; color: var(--ink); padding: .3rem 0; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
.good {{ color: var(--good); }} .bad {{ color: var(--bad); }}
.problem {{ background: var(--soft); padding: .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }}
svg {{ display: block; max-width: 100%; height: auto; }}
svg text {{ fill: currentColor; font: 13px system-ui, sans-serif; }}
@media print {{ body {{ max-width: none; padding: 0; }} .wide {{ overflow: visible; }} .many {{ min-width: 0; }}
  h2, h3 {{ break-after: avoid; }} tr, svg {{ break-inside: avoid; }} }}
"""
# As wide as a phone, so that nothing in a picture has to shrink to be seen.
WIDTH = 340


def text(value: object) -> str:
    """Text that stays text in HTML."""
    return escape(one_line(str(value)))


def lines(value: str) -> str:
    """The same for a message of several lines."""
    return "\n".join(text(line) for line in value.splitlines())


def render(sections: Sequence[Section], now: datetime) -> str:
    """The whole page."""
    when = f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    body = "\n".join(pair(section, now) for section in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Cross-tenant synchronization, {when}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>Cross-tenant synchronization</h1>\n<p>As of {when}.</p>\n{body}\n</body>\n</html>\n"
    )


def pair(section: Section, now: datetime) -> str:
    """One pair."""
    problems = "".join(f'<p class="problem">{lines(problem)}</p>\n' for problem in section.problems)
    if not section.source[1]:
        return f"<section>\n<h2>{text(section.stack)}</h2>\n{problems}</section>"
    title = f"{text(section.source[0])} → {text(section.target[0])}"
    parts = [f"<section>\n<h2>{title} <small>(stack {text(section.stack)})</small></h2>", picture(section), problems]
    if section.health:
        state = "good" if section.health.healthy else "bad"
        parts.append(f'<h3>Health</h3>\n<p class="{state}">{text(section.health.headline)}</p>')
        parts.append(table("Health", ("what", "state"), facts(section.health, now)))
    if section.entries is not None:
        parts += ["<h3>Recent cycles</h3>", *cycles(section), f"<p>{extent(section)}</p>", "<h3>Last failures</h3>"]
        failures = table("Last failures", FAILURE_HEAD, failure_rows(section), "many") if section.failures else ""
        parts.append(failures or f"<p>{NO_FAILURES}</p>")
    settings = [(setting.key, setting.value, setting.origin) for setting in section.settings]
    parts += ["<h3>Settings</h3>", table("Settings", ("key", "value", "from"), settings), "</section>"]
    return "\n".join(part for part in parts if part)


def table(name: str, head: Sequence[str], rows: Iterable[Sequence[object]], kind: str = "plain") -> str:
    """A table with headers of columns and rows, which scrolls by itself, by keyboard too, where it is too wide."""
    top = "".join(f'<th scope="col">{text(cell)}</th>' for cell in head)
    rendered = "\n".join(
        f'<tr><th scope="row">{text(first)}</th>{"".join(map(data_cell, others))}</tr>' for first, *others in rows
    )
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{text(name)}">'
        f'<table class="{kind}">\n'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{rendered}\n</tbody>\n</table></div>"
    )


def data_cell(value: object) -> str:
    """A cell; numbers stand under each other."""
    return f'<td class="number">{value}</td>' if isinstance(value, int) else f"<td>{text(value)}</td>"


def picture(section: Section) -> str:
    """The two tenants, one above the other, and the way people go."""
    found = section.health
    colour = "var(--good)" if found and found.healthy else "var(--bad)"
    headline = found.headline if found else "the state could not be read"
    people = f"{found.people} people in the target" if found else "people: not known"
    names = f"{text(section.source[0])} to {text(section.target[0])}"
    return (
        f'<svg viewBox="0 0 {WIDTH} 232" role="img" width="{WIDTH}"><title>{names}</title>'
        f"<desc>From the source {text(section.source[0])} to the target {text(section.target[0])}: "
        f"{text(headline)}; {people}.</desc>"
        f"{box(1, 'source', *section.source)}{box(151, 'target', *section.target)}"
        f'<path d="M30 84 V148 m-8 -12 l8 12 l8 -12" fill="none" stroke="{colour}" stroke-width="3"/>'
        f'<text x="50" y="110">{text(shortened(headline, 44))}</text><text x="50" y="130">{people}</text></svg>'
    )


def box(top: int, side: str, name: str, tenant_id: str) -> str:
    """A tenant."""
    return (
        f'<rect x="1" y="{top}" width="{WIDTH - 2}" height="80" rx="10" fill="var(--soft)" stroke="var(--line)"/>'
        f'<text x="14" y="{top + 24}" style="font-weight:bold">{text(shortened(name, 40))}</text>'
        f'<text x="14" y="{top + 46}">{side}</text><text x="14" y="{top + 68}">{text(tenant_id)}</text>'
    )


def cycles(section: Section) -> list[str]:
    """What each cycle did, as bars and, for who cannot tell colours or see, as numbers."""
    if not section.cycles:
        return []
    return [chart(section.cycles), legend(section.cycles), table("Recent cycles", *cycle_table(section))]


def chart(cycles: Sequence[Cycle]) -> str:
    """One bar a cycle, the newest last."""
    highest = max((sum(cycle.counts.values()) for cycle in cycles), default=0) or 1
    parts: list[str] = []
    for index, cycle in enumerate(cycles):
        top, x = 4 + 24 * index, 86.0
        when = f"{cycle.when.astimezone(UTC):%m-%d %H:%M}" if cycle.when else "?"
        parts.append(f'<text x="0" y="{top + 14}">{when}</text>')
        for kind in KINDS:
            size = 205 * cycle.counts.get(kind, 0) / highest
            if size:
                parts.append(f'<rect x="{x:.1f}" y="{top}" width="{size:.1f}" height="18" fill="{COLOURS[kind]}"/>')
                x += size
        parts.append(f'<text x="{x + 6:.1f}" y="{top + 14}">{sum(cycle.counts.values())}</text>')
    described = "; ".join(f"{moment(cycle.when)}: {in_words(cycle)}" for cycle in cycles)
    return (
        f'<svg viewBox="0 0 {WIDTH} {8 + 24 * len(cycles)}" role="img" width="{WIDTH}">'
        f"<title>What recent cycles did</title><desc>{text(described)}</desc>{''.join(parts)}</svg>"
    )


def in_words(cycle: Cycle) -> str:
    """What a cycle did."""
    return ", ".join(f"{count} {KINDS[kind]}" for kind, count in cycle.counts.items()) or "nothing"


def legend(cycles: Sequence[Cycle]) -> str:
    """The colours that occur in the chart."""
    there = [kind for kind in KINDS if any(cycle.counts.get(kind) for cycle in cycles)]
    items = (f'<span style="color:{COLOURS[kind]}" aria-hidden="true">■</span> {KINDS[kind]}' for kind in there)
    return f"<p>{' &nbsp; '.join(items)}</p>" if there else ""


def shortened(name: str, most: int) -> str:
    """A text that fits, where wide characters count as two."""
    widths = [2 if east_asian_width(letter) in "WF" else 1 for letter in name]
    if sum(widths) <= most:
        return name
    fits = sum(1 for total in itertools.accumulate(widths) if total < most)
    return f"{name[:fits]}…"
