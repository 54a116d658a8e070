"""The report as one self-contained HTML page: no script, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from ..graph.errors import printable
from .report_markdown import KINDS, moment
from .status import ago, next_words

if TYPE_CHECKING:
    from .report import Cycle, Section

COLOURS = {"create": "#2a9d5c", "update": "#3b7dd8", "disable": "#8a63d2", "delete": "#d98324", "failed": "#cf3b3b"}
STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fff; --soft: #eef1f5; --line: #c9d1dc; --good: #1f7a45;
  --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #14181f; --soft: #1e242e; --line: #3a4352;
  --good: #63c98f; --bad: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  padding: 1rem; max-width: 60rem; }
h2 { border-top: 1px solid var(--line); padding-top: 1.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
.good { color: var(--good); } .bad { color: var(--bad); } .problem { background: var(--soft); padding: .6rem;
  white-space: pre-wrap; }
svg { max-width: 100%; height: auto; } svg text { fill: currentColor; font: 14px system-ui, sans-serif; }
@media print { body { max-width: none; } }
"""


def text(value: object) -> str:
    """Text that stays text in HTML."""
    return escape(printable(str(value)))


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
        parts.append(health(section, now))
    if section.cycles:
        parts += ["<h3>Recent cycles</h3>", chart(section.cycles), legend()]
    if section.failures:
        rows = [(moment(one.when), one.source, one.code, one.reason, one.advice) for one in section.failures]
        parts += ["<h3>Last failures</h3>", table(("when", "who", "code", "why", "advice"), rows)]
    settings = [(setting.key, setting.value, setting.origin) for setting in section.settings]
    parts += ["<h3>Settings</h3>", table(("key", "value", "from"), settings), "</section>"]
    return "\n".join(part for part in parts if part)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with column headers."""
    top = "".join(f'<th scope="col">{text(cell)}</th>' for cell in head)
    rendered = "\n".join(f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{rendered}\n</tbody>\n</table></div>'


def health(section: Section, now: datetime) -> str:
    """How the job does."""
    found = section.health
    assert found is not None
    rows = [
        ("Schedule", found.state),
        ("Last run", f"{ago(found.last_run, now)} {found.last_result}"),
        ("Next run", next_words(found, now)),
        ("People in the target", str(found.people)),
        *([("Do", found.remedy)] if found.remedy else []),
    ]
    rendered = "\n".join(f'<tr><th scope="row">{text(label)}</th><td>{text(value)}</td></tr>' for label, value in rows)
    state = "good" if found.healthy else "bad"
    return (
        f'<h3>Health</h3>\n<p class="{state}">{text(found.headline)}</p>\n<table><tbody>\n{rendered}\n</tbody></table>'
    )


def picture(section: Section) -> str:
    """The two tenants and the way people go."""
    found = section.health
    colour = "var(--good)" if found and found.healthy else "var(--bad)"
    boxes = "".join(
        f'<rect x="{x}" y="10" width="250" height="90" rx="10" fill="var(--soft)" stroke="var(--line)"/>'
        f'<text x="{x + 15}" y="38" font-weight="bold">{text(shortened(name))}</text>'
        f'<text x="{x + 15}" y="62">{kind}</text><text x="{x + 15}" y="86" style="font-size:10px">{text(id_)}</text>'
        for x, kind, (name, id_) in ((5, "source", section.source), (445, "target", section.target))
    )
    people = f"{found.people} people" if found else "not known"
    return (
        '<svg viewBox="0 0 700 110" role="img" width="700">'
        f"<title>{text(section.source[0])} to {text(section.target[0])}</title>"
        f"<desc>{text(found.headline if found else 'the job could not be read')}</desc>{boxes}"
        f'<path d="M260 60 H430 m-12 -8 l12 8 l-12 8" fill="none" stroke="{colour}" stroke-width="3"/>'
        f'<text x="347" y="45" text-anchor="middle">{people}</text></svg>'
    )


def chart(cycles: Sequence[Cycle]) -> str:
    """Bars: what each cycle did."""
    highest = max((sum(cycle.counts.values()) for cycle in cycles), default=0) or 1
    bars = []
    for index, cycle in enumerate(cycles):
        top, x = 110.0, 20 + 55 * index
        for kind in KINDS:
            size = 100 * cycle.counts.get(kind, 0) / highest
            if size:
                top -= size
                bars.append(f'<rect x="{x}" y="{top:.1f}" width="38" height="{size:.1f}" fill="{COLOURS[kind]}"/>')
        when = f"{cycle.when.astimezone(UTC):%d %H:%M}" if cycle.when else "?"
        bars.append(f'<text x="{x + 19}" y="128" text-anchor="middle" style="font-size:10px">{when}</text>')
    words = "; ".join(
        f"{moment(cycle.when)}: {', '.join(f'{n} {kind}' for kind, n in cycle.counts.items()) or 'nothing'}"
        for cycle in cycles
    )
    width = 30 + 55 * len(cycles)
    return (
        f'<svg viewBox="0 0 {width} 135" role="img" width="{width}"><title>What recent cycles did</title>'
        f"<desc>{text(words)}</desc>{''.join(bars)}</svg>"
    )


def legend() -> str:
    """The colours of the chart."""
    items = "".join(f'<span style="color:{COLOURS[kind]}">■</span> {kind} &nbsp; ' for kind in KINDS)
    return f"<p>{items}</p>"


def shortened(name: str) -> str:
    """A name that fits its box."""
    return name if len(name) <= 28 else f"{name[:27]}…"
