"""The two pictures of the README, made from what `make lab` and `xtsync report` print: SVG, so that they are text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.text import Text

from xtsync_resources.operate.report.style import LIGHT, SCREEN

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
LAB, REPORT = FOLDER / "lab.svg", FOLDER / "report.svg"
COLUMNS = 100
# What makes programs print in colours and in lines of that width where nobody sits at a terminal.
TERMINAL = {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "0", "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
# The chapters of `make lab` that are shown, and where a part of one begins that is left out, until the next.
CHAPTERS = (2, 4, 7)
LEFT_OUT, NEXT = ("Diagnostics:", "Outputs:"), ("Resources:", "Duration:")
# What is another in each run: ids, names with a part of one, times, durations, ports.
CHANCE = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "(id)"),
    (re.compile(r"-[0-9a-f]{8}\b"), "-(id)"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"), "(time)"),
    (re.compile(r"\b\d\d-\d\d \d\d:\d\d"), "(time)"),
    (re.compile(r" \(\d+ s\)"), ""),
    (re.compile(r"\blocalhost:\d+"), "(host)"),
    (re.compile(r"\b\d+ ?s\b"), "(duration)"),
)
# As wide as a page of GitHub is, and as high as the report is there: what is folded is not seen.
WIDE, HIGH = 860, 1160
SVG = 'xmlns="http://www.w3.org/2000/svg"'


def masked(text: str) -> str:
    """A text without what is another in each run."""
    for pattern, instead in CHANCE:
        text = pattern.sub(instead, text)
    return text.strip()


# --- the terminal ------------------------------------------------------------------------------------------------


def shown(said: str) -> Iterator[Text]:
    """The lines of what `make lab` has said that are in the picture."""
    chapter, left_out = 0, False
    for line in said.splitlines():
        text = Text.from_ansi(line)
        if found := re.match(r"(\d+)\. ", text.plain):
            chapter, left_out = int(found[1]), False
        if text.plain.startswith(LEFT_OUT) and not left_out:
            left_out = True
            if chapter in CHAPTERS:
                yield Text(" ...", style="dim")
        left_out = left_out and not text.plain.startswith(NEXT)
        if chapter in CHAPTERS and not left_out and text.plain:
            if found:
                yield Text()
            yield text


def terminal(said: str) -> str:
    """A terminal with what `make lab` has said, shortened. Nothing is fetched: a browser takes its own font."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    for line in shown(said):
        console.print(line, soft_wrap=False)
    svg = console.export_svg(title="make lab", unique_id="lab")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def lines(svg: str) -> list[str]:
    """What a terminal in a picture says, line by line: rows that are made side by side come in any order."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for one in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        rows.setdefault(float(one.get("y", 0)), []).append((float(one.get("x", 0)), one.text or ""))
    return sorted(masked("".join(text for _, text in sorted(row)).replace("\xa0", " ")) for row in rows.values())


# --- the report --------------------------------------------------------------------------------------------------


def page(html: str) -> str:
    """The report's own HTML, with its own style as it is in a light room, as a picture."""
    body = html[html.index("<body>") : html.index("</html>")]
    # HTML lets write what XML does not.
    for as_html, as_xml in (("<br>", "<br/>"), ("&nbsp;", "&#160;"), ("<svg ", f"<svg {SVG} ")):
        body = body.replace(as_html, as_xml)
    return (
        f'<svg {SVG} viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}">\n'
        f"<style>:root {{ {LIGHT} }}\nhtml {{ background: var(--paper); min-height: {HIGH}px; }}\n{SCREEN}</style>\n"
        f'<foreignObject width="{WIDE}" height="{HIGH}"><html xmlns="http://www.w3.org/1999/xhtml">\n{body}</html>'
        "</foreignObject>\n</svg>\n"
    )


def texts(svg: str) -> list[str]:
    """Every text of a page in a picture, seen or told to who cannot see."""
    found = ElementTree.fromstring(svg)
    style = found.find("{http://www.w3.org/2000/svg}style")
    assert style is not None
    found.remove(style)
    return [text for one in found.itertext() if (text := masked(" ".join(one.split())))]
