"""How the HTML page looks: on a telephone, in the dark, on paper. Nothing is fetched from anywhere."""

from __future__ import annotations

LIGHT = "--ink: #1d2430; --paper: #fff; --soft: #eef1f5; --line: #c9d1dc; --quiet: #55606f; --good: #1f7a45; \
--bad: #b3261e;"
DARK = "--ink: #e6eaf0; --paper: #14181f; --soft: #1e242e; --line: #3a4352; --quiet: #a3aebd; --good: #63c98f; \
--bad: #ff8a80;"
SCREEN = """
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
  padding: 1rem; max-width: 60rem; overflow-wrap: break-word; }
h2 { border-top: 1px solid var(--line); padding-top: 1.5rem; }
a { color: inherit; }
code { font: .9em ui-monospace, monospace; background: var(--soft); padding: .1em .3em; border-radius: .2rem; }
.verdict { font-size: 1.5rem; line-height: 1.3; border-left: .4rem solid; padding-left: .8rem; }
.verdict code { color: var(--ink); }
.good { color: var(--good); } .bad { color: var(--bad); }
.problem { border-left: .2rem solid var(--line); background: var(--soft); padding: .6rem; white-space: pre-wrap; }
.picture { display: flex; align-items: center; gap: .8rem; }
.tenant { flex: 1 1 0; min-width: 0; padding: .8rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--soft); }
.tenant span, .tenant strong { display: block; }
.way { flex: 0 0 auto; max-width: 9rem; text-align: center; }
.way svg { display: block; margin: 0 auto; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: currentColor; font: 13px system-ui, sans-serif; }
.wide { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.numbers thead th + th { text-align: right; }
.numbers tbody th { white-space: nowrap; } .many tbody th { min-width: 7rem; }
summary { cursor: pointer; } summary h3 { display: inline; }
"""


# A table of texts becomes one block a row, each value under its heading, one of many columns before one of few; words
# break nowhere unless they alone are wider than the page. A table of numbers keeps its columns, closer to each other,
# and scrolls in its box.
def as_blocks(tables: str) -> str:
    """The rules that show each row of these tables as a block."""
    parts = ", ".join([tables, *(f"{tables} {part}" for part in ("tbody", "tr", "th", "td"))])
    return f"""
  {parts} {{ display: block; }}
  {tables} thead {{ position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }}
  {tables} tr {{ border-bottom: 1px solid var(--line); padding: .6rem 0; }}
  {tables} tbody th, {tables} td {{ border: 0; padding: .1rem 0; white-space: normal; }}
  {tables} td::before {{ content: attr(data-label); display: block; font-size: .8rem; color: var(--quiet); }}
"""


NARROW = f"""
  .picture {{ flex-direction: column; align-items: stretch; }}
  .tenant {{ flex: none; }} .way {{ max-width: none; }} .way svg {{ transform: rotate(90deg); }}
  .numbers {{ font-size: .75rem; }} .numbers th, .numbers td {{ padding: .3rem .2rem; }}
{as_blocks(".texts")}"""
# What is folded is opened: by the name that newer browsers have for it, and for others by what is in it. Nobody follows
# a link on paper, so its address is there. What stands first in a row of few columns is a short word of ours, and stays
# whole.
PAPER = """
  body { max-width: none; padding: 0; }
  .wide { overflow: visible; } td { overflow-wrap: anywhere; } th { overflow-wrap: normal; }
  .many th { overflow-wrap: anywhere; }
  a:not([href^="#"])::after { content: " (" attr(href) ")"; overflow-wrap: anywhere; }
  .problem, .tenant, code { background: none; }
  h2, h3 { break-after: avoid; } tr, svg, .picture { break-inside: avoid; }
  details > :not(summary) { display: block; }
  details::details-content { display: block; content-visibility: visible; block-size: auto; }
  summary { list-style: none; }
"""
# Paper is white, whatever the screen was.
STYLE = f"""
:root {{ color-scheme: light dark; {LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}
@media print {{ :root {{ color-scheme: light; {LIGHT} }} }}
{SCREEN}
@media screen and (max-width: 60rem) {{ {as_blocks(".many")} }}
@media screen and (max-width: 40rem) {{ {NARROW} }}
@media print {{ {PAPER} }}
"""
