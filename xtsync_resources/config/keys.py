"""Keys: declared once, as fields of dataclasses.

A dataclass declares its keys with `key`; `read_keys` makes an instance of it. The name, kind, default and meaning of
a key are those of the field, for the reader, the JSON Schema and the documentation alike.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from ..graph import json_reader
from .kinds import Guid, Kind, Schema, refuse
from .problems import Problems

Read = TypeVar("Read")


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
        return json_reader.read(text, Any)
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
