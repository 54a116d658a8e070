"""The kinds of values a key can have: how each is read and checked, and how a JSON Schema and a table tell it."""

from __future__ import annotations

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..untrusted import is_plain
from .problems import Problems

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
EMAIL = r"[^@\s\"\\,;]+@[^@.\s\"\\,;]+(\.[^@.\s\"\\,;]+)+"
# One or more, with commas or semicolons between.
ADDRESSES = re.compile(rf"{EMAIL}(\s*[,;]\s*{EMAIL})*")
MOST = 1_000_000
NOT_PLAIN = "not one line of plain text"
PLAIN = (
    "Give a text without line breaks and characters that cannot be seen, and without what Pulumi and pipelines take "
    "for a command: <{% and ##[ anywhere, :: at the start"
)
Schema = dict[str, Any]


class Kind(ABC):
    """A kind of value.

    Attributes:
        textual: whether the text Pulumi hands over is the value itself rather than JSON.
        blank: stands for a value that was refused, until the problems are told.
    """

    textual: ClassVar[bool] = False
    blank: Any = ""

    @abstractmethod
    def read(self, problems: Problems, where: str, value: Any) -> Any:
        """The value as the program uses it; `blank` where it was refused."""

    @abstractmethod
    def schema(self) -> Schema:
        """As JSON Schema."""

    @abstractmethod
    def __str__(self) -> str:
        """In the table of keys."""


def refuse(kind: Kind, problems: Problems, where: str, value: Any, shown: str) -> Any:
    """Note that a value is not of its kind."""
    problems.add(where, value, f"not {shown}", f"Give {shown}")
    return kind.blank


class Text(Kind):
    """One line of text."""

    textual = True

    def read(self, problems: Problems, where: str, value: Any) -> str:
        """Without the space around it."""
        if isinstance(value, str) and is_plain(value):
            return value.strip()
        problems.add(where, value, NOT_PLAIN, PLAIN)
        return ""

    def schema(self) -> Schema:
        """As JSON Schema."""
        return {"type": "string", "pattern": r"^[^\r\n]*$"}

    def __str__(self) -> str:
        return "text"


class Secret(Kind):
    """A secret: never looked at here, handed on as the SDK gives it."""

    textual = True
    blank = None

    def read(self, problems: Problems, where: str, value: Any) -> None:
        """Nothing: it is not to be had in clear."""

    def schema(self) -> Schema:
        """As JSON Schema: how Pulumi writes an encrypted value."""
        return {"type": "object", "properties": {"secure": {"type": "string"}}, "required": ["secure"]}

    def __str__(self) -> str:
        return "secret"


class Guid(Kind):
    """A GUID, in lower case."""

    textual = True

    def read(self, problems: Problems, where: str, value: Any) -> str:
        """In lower case."""
        if isinstance(value, str) and GUID.fullmatch(value.strip()):
            return value.strip().lower()
        problems.add(where, value, "not a GUID", "Give the id from the Entra admin center, not a name or domain")
        return ""

    def schema(self) -> Schema:
        """As JSON Schema."""
        return {"type": "string", "pattern": f"^{GUID.pattern}$"}

    def __str__(self) -> str:
        return "GUID"


@dataclass(frozen=True)
class Pattern(Kind):
    """A text of a certain form.

    Attributes:
        form: what the whole of it matches.
        shown: in the table.
        why: that it is not one.
        do: what to give.
    """

    form: re.Pattern[str]
    shown: str
    why: str
    do: str
    textual = True

    def read(self, problems: Problems, where: str, value: Any) -> str:
        """Without the space around it."""
        if isinstance(value, str) and self.form.fullmatch(value.strip()) and is_plain(value.strip()):
            return value.strip()
        problems.add(where, value, self.why, self.do)
        return ""

    def schema(self) -> Schema:
        """As JSON Schema."""
        return {"type": "string", "pattern": f"^(?:{self.form.pattern})$"}

    def __str__(self) -> str:
        return self.shown


@dataclass(frozen=True)
class Choice(Kind):
    """One of some words, each of which stands for a value."""

    values: Mapping[str, Any]
    textual = True

    @classmethod
    def of(cls, *words: str) -> Choice:
        """Words that stand for themselves."""
        return cls({word: word for word in words})

    def read(self, problems: Problems, where: str, value: Any) -> Any:
        """What the word stands for."""
        words = list(self.values)
        if isinstance(value, str) and value in words:
            return self.values[value]
        problems.add(where, value, "not a choice", f"Choose {', '.join(words[:-1])} or {words[-1]}")
        return self.values[words[0]]

    def schema(self) -> Schema:
        """As JSON Schema."""
        return {"enum": list(self.values)}

    def __str__(self) -> str:
        return ", ".join(f"`{word}`" for word in self.values)


class Boolean(Kind):
    """True or false."""

    blank = False

    def read(self, problems: Problems, where: str, value: Any) -> bool:
        """As it is."""
        return value if isinstance(value, bool) else bool(refuse(self, problems, where, value, "true or false"))

    def schema(self) -> Schema:
        """As JSON Schema."""
        return {"type": "boolean"}

    def __str__(self) -> str:
        return "bool"


@dataclass(frozen=True)
class Number(Kind):
    """A number of at least `least`."""

    least: float
    whole: bool = True
    blank = 0

    def read(self, problems: Problems, where: str, value: Any) -> float:
        """As it is."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return float(refuse(self, problems, where, value, "a whole number" if self.whole else "a number"))
        if not self.least <= value <= MOST:
            problems.add(where, value, "out of range", f"Give a number from {self.least} to {MOST}")
        return value

    def schema(self) -> Schema:
        """As JSON Schema."""
        return {"type": "integer" if self.whole else "number", "minimum": self.least, "maximum": MOST}

    def __str__(self) -> str:
        return "whole number" if self.whole else "number"


@dataclass(frozen=True)
class Names(Kind):
    """A list of names, each once.

    Attributes:
        shown: what a name is.
        valid: whether a text can be one.
        table: in the table.
    """

    shown: str
    valid: Callable[[str], bool]
    table: str = "list"
    blank = ()

    def read(self, problems: Problems, where: str, value: Any) -> tuple[str, ...]:
        """In their order."""
        if not isinstance(value, list):
            return tuple(refuse(self, problems, where, value, "a list"))
        found: dict[str, str] = {}
        for index, item in enumerate(value):
            text = item.strip() if isinstance(item, str) and is_plain(item) else ""
            if not text or not self.valid(text):
                refuse(self, problems, f"{where}[{index}]", item, self.shown)
            elif text.lower() in found:
                problems.add(f"{where}[{index}]", item, "listed twice", "Remove one of the two")
            else:
                found[text.lower()] = text
        return tuple(found.values())

    def schema(self) -> Schema:
        """As JSON Schema."""
        return {"type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": True}

    def __str__(self) -> str:
        return self.table


@dataclass(frozen=True)
class Flags(Kind):
    """An object of true and false, each by its key; what is not named is not touched."""

    names: Mapping[str, str]
    blank: Any = dataclasses.field(default_factory=dict, init=False)

    def read(self, problems: Problems, where: str, value: Any) -> dict[str, bool]:
        """By Graph's names."""
        if not isinstance(value, dict):
            return dict(refuse(self, problems, where, value, f"an object such as {{{next(iter(self.names))}: true}}"))
        problems.unknown_keys(value, tuple(self.names), f"{where}.")
        for name, flag in value.items():
            if name in self.names and not isinstance(flag, bool):
                refuse(self, problems, f"{where}.{name}", flag, "true or false")
        return {self.names[n]: flag for n, flag in value.items() if n in self.names and isinstance(flag, bool)}

    def schema(self) -> Schema:
        """As JSON Schema."""
        members = {name: {"type": "boolean"} for name in self.names}
        return {"type": "object", "properties": members, "additionalProperties": False}

    def __str__(self) -> str:
        return "object of " + ", ".join(f"`{name}`" for name in self.names)
