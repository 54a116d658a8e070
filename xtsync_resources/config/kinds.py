"""The kinds of values a key can have: how each is read and checked, and how a JSON Schema and a table tell it.

A dataclass declares its keys with `key`; `read_keys` makes an instance of it. So a key is said once: its name, kind,
default and meaning are those of the field, for the reader, the schema and the documentation alike.
"""

from __future__ import annotations

import dataclasses
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from .problems import Problems

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
EMAIL = re.compile(r"[^@\s\"\\]+@[^@\s\"\\]+\.[^@\s\"\\]+")
MOST = 1_000_000
Schema = dict[str, Any]
Read = TypeVar("Read")


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
        if isinstance(value, str) and value.isprintable():
            return value.strip()
        problems.add(where, value, "not one line of text", "Give a text without line breaks")
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
        if isinstance(value, str) and self.form.fullmatch(value.strip()):
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
            text = item.strip() if isinstance(item, str) and item.isprintable() else ""
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


@dataclass(frozen=True)
class Object(Kind):
    """An object whose keys a dataclass declares.

    Attributes:
        type: the dataclass.
        shown: such as "an object with tenantId".
    """

    type: type
    shown: str

    def read(self, problems: Problems, where: str, value: Any) -> Any:
        """An instance of the dataclass."""
        if isinstance(value, dict):
            return read_keys(self.type, problems, value, f"{where}.")
        refuse(self, problems, where, value, self.shown)
        return read_keys(self.type, Problems(), {})

    def schema(self) -> Schema:
        """As JSON Schema."""
        return object_schema(self.type)

    def __str__(self) -> str:
        return "object"


@dataclass(frozen=True)
class Items(Kind):
    """A list of values of one kind."""

    item: Kind
    blank = ()

    def read(self, problems: Problems, where: str, value: Any) -> tuple[Any, ...]:
        """In their order."""
        if not isinstance(value, list):
            return tuple(refuse(self, problems, where, value, "a list"))
        return tuple(self.item.read(problems, f"{where}[{index}]", item) for index, item in enumerate(value))

    def schema(self) -> Schema:
        """As JSON Schema."""
        return {"type": "array", "items": self.item.schema()}

    def __str__(self) -> str:
        return "list of objects" if isinstance(self.item, Object) else f"list of {self.item}"


# --- keys ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A key, as its field declares it.

    Attributes:
        name: in the configuration.
        field: of the dataclass.
        kind: of its value.
        meaning: for the table and for editors; Markdown.
        required: whether it must be there.
        default: what it is where it is absent, as the table tells it.
    """

    name: str
    field: str
    kind: Kind
    meaning: str
    required: bool
    default: str


def key(kind: Kind, meaning: str, *, name: str = "", default: Any = MISSING, shown: str = "") -> Any:
    """Declare a field that is a key; without a default it is required.

    Args:
        kind: of its value.
        meaning: one line of Markdown.
        name: the key, where it is not the field's name in camel case.
        default: the value where it is absent.
        shown: the default as the table tells it, where it is not the value itself.
    """
    metadata = {"key": (kind, meaning, name, shown)}
    factory = {"default_factory": dict} if default == {} else {"default": default}
    return dataclasses.field(metadata=metadata, **factory)


@runtime_checkable
class Checked(Protocol):
    """A dataclass of keys whose values have to fit together."""

    def check(self, problems: Problems, where: str) -> None:
        """Note what does not fit; `where` is the key that holds the object."""


def camel_case(field: str) -> str:
    """`deletion_threshold` -> `deletionThreshold`."""
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), field)


def keys_of(declared: type) -> dict[str, Key]:
    """The keys a dataclass declares, by name, in order."""
    found = {}
    for field in dataclasses.fields(declared):
        if "key" in field.metadata:
            kind, meaning, name, shown = field.metadata["key"]
            name = name or camel_case(field.name)
            required = field.default is MISSING and field.default_factory is MISSING
            default = shown or ("" if field.default in (MISSING, None, "", ()) else json.dumps(field.default))
            found[name] = Key(name, field.name, kind, meaning, required, default.strip('"'))
    return found


def read_keys(declared: type[Read], problems: Problems, values: Mapping[str, Any], parent: str = "") -> Read:
    """Make an instance of a dataclass from the values of its keys.

    Args:
        declared: the dataclass; its fields that are no keys have defaults.
        problems: takes what is wrong.
        values: by key. What is None or "" counts as absent.
        parent: what to put before a key in a problem.
    """
    keys = keys_of(declared)
    problems.unknown_keys(values, tuple(keys), parent)
    read: dict[str, Any] = {}
    for name, one in keys.items():
        value = values.get(name)
        if value not in (None, ""):
            read[one.field] = one.kind.read(problems, f"{parent}{name}", value)
        elif one.required and isinstance(one.kind, Object):
            read[one.field] = one.kind.read(problems, f"{parent}{name}", {})
        elif one.required:
            example = "the id from the Entra admin center, as in 00000000-0000-0000-0000-000000000000"
            problems.add(f"{parent}{name}", None, "missing", f"Give {example if isinstance(one.kind, Guid) else 'it'}")
            read[one.field] = one.kind.blank
    made = declared(**read)
    if isinstance(made, Checked):
        made.check(problems, parent.rstrip("."))
    return made


def decoded(declared: type, values: Mapping[str, str]) -> dict[str, Any]:
    """Pulumi's values as they were written: objects, lists, numbers and booleans come as JSON text."""
    keys = keys_of(declared)
    return {
        name: text if name in keys and keys[name].kind.textual else from_json(text) for name, text in values.items()
    }


def from_json(text: str) -> Any:
    """The value of a JSON text, or the text where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def object_schema(declared: type) -> Schema:
    """A dataclass's keys as JSON Schema."""
    keys = keys_of(declared)
    required = [name for name, one in keys.items() if one.required]
    return {
        "type": "object",
        "properties": {name: {"description": one.meaning, **one.kind.schema()} for name, one in keys.items()},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }
