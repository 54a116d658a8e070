"""What is drawn on the HTML page: the two tenants, and what each cycle did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from html import escape
from typing import TYPE_CHECKING

from ...sync_job.held_back import STAGED
from ...untrusted import one_line
from .section import KINDS
from .words import moment, people, verdict

if TYPE_CHECKING:
    from .section import Cycle, Section

COLOURS = {
    "create": "#2a9d5c",
    "update": "#3b7dd8",
    "disable": "#8a63d2",
    "delete": "#d98324",
    STAGED: "#b8a13a",
    "other": "#7d8794",
    "failed": "#cf3b3b",
}
# As wide as a phone, so that nothing in a chart has to shrink to be seen.
WIDTH = 340


def text(value: object) -> str:
    """Text that stays text in HTML."""
    return escape(one_line(str(value)))


# --- the pair ----------------------------------------------------------------------------------------------------


def picture(section: Section) -> str:
    """The two tenants and the way people go; names of any length are wrapped by the browser, and never cut."""
    found = verdict(section)
    names = f"{text(section.source[0])} to {text(section.target[0])}"
    return (
        f'<div class="picture">\n{tenant("source", *section.source)}\n'
        f'<div class="way {"good" if found.well else "bad"}">'
        f'<svg viewBox="0 0 40 40" role="img" width="40"><title>{names}</title>'
        f"<desc>From the source {text(section.source[0])} to the target {text(section.target[0])}: "
        f"{text(found.reason)}; {people(section)}.</desc>"
        '<path d="M2 20 H37 m-10 -10 l10 10 l-10 10" fill="none" stroke="currentColor" stroke-width="3"/></svg>'
        f"{people(section)}</div>\n{tenant('target', *section.target)}\n</div>"
    )


def tenant(side: str, name: str, tenant_id: str) -> str:
    """A tenant."""
    return (
        f'<div class="tenant"><strong>{text(name)}</strong><span>{side}</span>'
        f"<span><small>{text(tenant_id)}</small></span></div>"
    )


# --- cycles ------------------------------------------------------------------------------------------------------


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
