"""The gate for untrusted text: what a tenant, a stack file or a server says is data in every place it is shown.

Whoever may name a user, a group or a policy writes into our messages. Their text must not steer a terminal (control
characters), deceive a reader (what cannot be seen, or turns the direction of writing), command a pipeline (GitHub
takes `::` at the start of a line, others take `##[` and `##vso[` anywhere in one), or command Pulumi, which takes
`<{%...%}>` for a colour in every message and value and panics at one it does not know.

Every way out passes one of these: `one_line`, `message`, `value`, `json_text`, `Stream`. All leave plain text as it is,
and what they have made.

Source: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs,
https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands and
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/diag/colors/colors.go
"""

from __future__ import annotations

import functools
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, TextIO, cast

from .namespace import named
from .redaction import redacted

# NaN is not equal to itself, and would look changed.
DECODER = json.JSONDecoder(parse_int=float, parse_constant=lambda _: None)
REPLACED = "\N{REPLACEMENT CHARACTER}"
# Nobody sees them, and some readers skip them when they compare, though Unicode has them among letters and signs; what
# they are called tells. (Others that nobody sees are not printable to Python.)
UNSEEN = re.compile(
    r"(?<!GAP )(?<!LINE )FILLER|(PATTERN|FULL|HALF) BLANK|FILL SPACE|NULL NOTEHEAD|VARIATION SELECTOR|JOINER|"
    r"VOWEL INHERENT|OBJECT REPLACEMENT"
)
# What each is broken by: a space behind its first character.
COMMANDS = re.compile(r"#(?=#\w*\[)|<(?=\{%)|^\s*:(?=:)")


def one_line(text: str) -> str:
    """Text that is one line: a name, an id, a reason, a sentence of ours with such in it. Secrets are taken out."""
    return _one_line(redacted(named(text)))


def _one_line(text: str) -> str:
    return without_commands(visible(text).replace("\n", " "))


def message(text: str) -> str:
    """Text of several lines, each as `one_line`: for what we have put together from lines."""
    return "\n".join(map(one_line, text.split("\n")))


def visible(text: str) -> str:
    """Text without what steers or cannot be seen; line breaks stay."""
    return text if text.isascii() and text.isprintable() else "".join(map(_visible_character, text))


@functools.lru_cache(maxsize=4096)
def _visible_character(character: str) -> str:
    if character == "\n":
        return character
    if character.isprintable():
        return REPLACED if UNSEEN.search(unicodedata.name(character, "")) else character
    return " " if character.isspace() else REPLACED


def without_commands(line: str) -> str:
    """One line without what a pipeline or Pulumi takes for a command."""
    return COMMANDS.sub(r"\g<0> ", line)


def value(untrusted: Any) -> Any:
    """A value for the engine, which shows it: texts at any depth, keys too, as one line.

    What looks like a secret stays: Graph gets the value back. A text that is JSON is shown decoded, each key on a line
    of its own, so it may not hold there what it may not hold in clear: such a text is made to be no JSON.
    """
    if isinstance(untrusted, str):
        text = _one_line(untrusted)
        if _harmless_json(text):
            return text
        without_escapes = text.replace("\\", REPLACED)
        return without_escapes if _harmless_json(without_escapes) else REPLACED + without_escapes
    if isinstance(untrusted, Mapping):
        return {value(key): value(item) for key, item in untrusted.items()}
    if isinstance(untrusted, (list, tuple)):
        return [value(item) for item in untrusted]
    return untrusted


def is_plain(text: str) -> bool:
    """Whether a text is shown everywhere as it is."""
    return bool(value(text) == text)


def _harmless_json(text: str) -> bool:
    """Whether a text is no JSON, or JSON that may be shown; what follows it does not keep Pulumi from decoding it."""
    try:
        found, _ = DECODER.raw_decode(text.strip())
        return bool(value(found) == found)
    except RecursionError:
        return False
    except ValueError:
        return True


def json_text(document: Any) -> str:
    """A document as JSON for machines: ASCII, and the same to whoever decodes it."""
    text = json.dumps(document, indent=2, ensure_ascii=True, default=str).replace("\x7f", "\\u007f")
    return escape_commands(text, "\\u{:04x}")


def escape_commands(text: str, escape: str) -> str:
    """A document whose readers know escapes, with one in each command; `escape` is the form of it."""
    return COMMANDS.sub(lambda found: escape.format(ord(found[0])), text)


class Stream:
    """A file that is a gate: whatever is written to it, in whatever pieces, comes out as `message`.

    Args:
        file: where to.
        styled: whether control characters pass, because who writes makes them, as colours on a terminal, and has
            taken those of others out. Commands never pass.
    """

    def __init__(self, file: TextIO, *, styled: bool = False) -> None:
        self._file, self.styled, self._line = file, styled, ""

    def write(self, text: str) -> int:
        """Write it, as far as it is harmless with what is on the line already."""
        clean: Callable[[str], str] = _commandless if self.styled else message
        shown = clean(self._line + text)
        if not shown.startswith(self._line):  # the rest of a command whose beginning was harmless alone
            shown = clean(f"{self._line} {text}")
        self._file.write(shown[len(self._line) :])
        self._line = re.split(r"[\r\n]", shown)[-1]
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _commandless(text: str) -> str:
    return re.sub(r"[^\r\n]+", lambda line: without_commands(line[0]), text)


def gated(file: TextIO, *, styled: bool = False) -> TextIO:
    """A file behind the gate."""
    return cast(TextIO, Stream(file, styled=styled))


def gate_output() -> None:
    """Put what this process prints behind the gate: the engine shows every line of it."""
    if not isinstance(sys.stdout, Stream):
        sys.stdout, sys.stderr = gated(sys.stdout), gated(sys.stderr)
