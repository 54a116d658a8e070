"""Hostile text, and who would obey it: written from what the readers take, not from what the gate does."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

ATTACKS = {
    "GitHub, at the start": "::add-mask::x",
    "GitHub, behind space": " \u2003::add-mask::x",
    "GitHub, on a line of its own": "N\n::add-mask::x",
    "GitHub, behind a carriage return": "N\r::add-mask::x",
    "GitHub, behind another line break": "N\x85::add-mask::x\u2028::add-mask::y\x0b::add-mask::z",
    "GitHub, as a key that Pulumi puts on a line of its own": '{"::add-mask::x": 1}',
    "GitHub, as a key in JSON in JSON": json.dumps({"name": json.dumps({"::add-mask::x": [1]})}),
    "GitHub, the former form": "N ##[add-mask]x",
    "Azure Pipelines": "N ##vso[task.prependpath]/evil",
    "Azure Pipelines, behind more": "N ####vso[task.prependpath]/evil##vso[task.complete]",
    "Azure Pipelines, for who skips what nobody sees": "N #\ufe0f#v\u200bs\u034fo[task.prependpath]/evil",
    "TeamCity": "##teamcity[buildNumber '1']",
    "Pulumi": "N <{%boom%}>",
    "Pulumi, twice": "N <{%fg 1%}> <<{%boom%}>",
    "Pulumi, by an escape of JSON": '"<\\u007b%boom%}>"',
    "Pulumi, by an escape with more behind": '["\\u003c{%boom%}>"]]',
    "Pulumi, by an escape in JSON in JSON": json.dumps([json.dumps("\n::add-mask::x <{%boom%}>\\")]),
    "Pulumi, by JSON deeper than anybody reads": "[" * 9000 + '"<\\u007b%boom%}>"' + "]" * 9000,
    "terminal, colours": "N\x1b[31mred",
    "terminal, title": "N\x1b]0;title\x07",
    "terminal, one character": "N\x9b31mred\x9d0;title\x9c",
    "terminal, erasing": "N\b\b\r\x7f\x00",
    "reader, direction": "N \u202egnp.exe\u2066\u061c",
    "reader, unseen": "N\u200b\u2060\ufeff\u00ad\u3164\U000e0041\U000e0100",
    "reader, blank": "N\u2800\ufffc\U0001d159\U00016fe4\u17b4",
    "encoder": "N\ud800 \udfff",
    "rich": "[red]N[/red] :boom: [link=https://evil.example]x[/link]",
    "Markdown": "@everyone <img src=x> https://evil.example www.evil.example #1 GH-1 a|b `c` \\` !1 ~l",
}
# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties, and what looks like a space or like nothing.
IGNORABLE = (
    "AD 34F 61C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF FFA0 FFF0-FFF8 "
    "1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
BLANK = "2800 303F FFFC 16FE4 1D159 13441-13442"
UNSEEN = frozenset(
    chr(code)
    for first, _, last in (part.partition("-") for part in f"{IGNORABLE} {BLANK}".split())
    for code in range(int(first, 16), int(last or first, 16) + 1)
)
HOSTILE = "\n".join(text for text in ATTACKS.values() if len(text) < 1000)
# What Graph can say, and what can be typed: an answer with half a character is refused as a whole.
NAME = "".join(character for character in HOSTILE if not "\ud800" <= character <= "\udfff")


def obeyed_by(text: str, *, engine: bool = False, lines: bool = False) -> list[str]:
    """Who obeys a text, or is deceived by it.

    Args:
        text: as it is shown.
        engine: whether Pulumi shows it.
        lines: whether it may be several lines.
    """
    steering = {
        c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and not (lines and c == "\n")
    }
    found = [f"the terminal, or its reader: {c!a}" for c in steering]
    found += [f"the reader: {c!a}" for c in text if c in UNSEEN]
    for line in text.split("\n"):
        found += ["GitHub"] if line.lstrip().startswith("::") else []
        found += ["a pipeline"] if re.search(r"##(vso|teamcity)?\[", line, re.IGNORECASE) else []
    return found + (["Pulumi"] if engine and "<{%" in text else [])


def texts_in(value: Any) -> Iterator[str]:
    """All texts of a value as Pulumi shows it: at any depth, and of texts that are JSON those in there, too."""
    if isinstance(value, str):
        yield value
        try:
            decoded, _ = json.JSONDecoder().raw_decode(value.strip())
        except (ValueError, RecursionError):
            return
        if not isinstance(decoded, str) or decoded != value:
            yield from texts_in(decoded)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
