"""What a resource type is, and how its inputs are checked and compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pulumi.runtime.proto import provider_pb2

from lab.azuread.graph import Graph
from lab.azuread.http import Deadline
from lab.azuread.values import DEFAULTS, UNKNOWN, Properties

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
Kinds = provider_pb2.PropertyDiff


@dataclass(frozen=True)
class Input:
    """A text the program must give. `wrong` says what is wrong with a value, given the name azuread has for it."""

    name: str
    wrong: Callable[[str, Any], str]
    replaces: bool = False

    @property
    def snake(self) -> str:
        """The name in azuread's own words."""
        return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", self.name)


class ResourceType(Protocol):
    """One resource type. A creation is `make`, after which the object has an id, `settle` and `read`."""

    @property
    def create_seconds(self) -> float:
        """How long a creation may take if the program sets no timeout."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What the program gives."""

    @property
    def computed(self) -> tuple[str, ...]:
        """What is known only after the creation."""

    def make(self, graph: Graph, inputs: Properties, deadline: Deadline) -> str:
        """Create the object; its id."""

    def settle(self, graph: Graph, object_id: str, deadline: Deadline) -> None:
        """Wait for it, where the real one does."""

    def read(self, graph: Graph, object_id: str) -> Properties | None:
        """All properties; nothing if it is gone."""

    def update(self, graph: Graph, object_id: str, news: Properties, deadline: Deadline) -> None:
        """Change it in place."""

    def delete(self, graph: Graph, object_id: str, deadline: Deadline) -> None:
        """Delete it."""


def is_uuid(name: str, value: Any) -> str:
    """What is wrong with an object id."""
    good = isinstance(value, str) and _UUID.fullmatch(value)
    return "" if good else f'expected "{name}" to be a valid UUID, got {value}'


def is_not_empty(name: str, value: Any) -> str:
    """What is wrong with a text that must be there."""
    return "" if isinstance(value, str) and value else f'expected "{name}" to not be an empty string'


def complaints(kind: ResourceType, resource_name: str, news: Properties) -> list[str]:
    """What is wrong with inputs, as the bridge words it."""
    where = f"Examine values at '{resource_name}."
    found = []
    for wanted in kind.inputs:
        value = news.get(wanted.name)
        if value is None:
            found.append(
                f'Missing required argument. The argument "{wanted.snake}" is required, but no definition was '
                f"found.. {where}{wanted.name}'."
            )
        elif value is not UNKNOWN and (wrong := wanted.wrong(wanted.snake, value)):
            found.append(f"{wrong}. {where}{wanted.name}'.")
    extra = set(news) - {wanted.name for wanted in kind.inputs} - {DEFAULTS}
    return found + [f"Invalid or unknown key. {where}{name}'." for name in sorted(extra)]


def differences(
    kind: ResourceType, olds: Mapping[str, Any], news: Mapping[str, Any], ignored: Iterable[str]
) -> dict[str, Kinds]:
    """The inputs that differ, with what that means for the object."""
    found = {}
    for wanted in kind.inputs:
        old, new = olds.get(wanted.name), news.get(wanted.name)
        if old == new or wanted.name in ignored:
            continue
        operation = "ADD" if old is None else "DELETE" if new is None else "UPDATE"
        found[wanted.name] = Kinds(kind=Kinds.Kind.Value(operation + ("_REPLACE" if wanted.replaces else "")))
    return found


def inputs_of(kind: ResourceType, properties: Mapping[str, Any]) -> Properties:
    """The inputs among an object's properties, as the engine keeps them."""
    return {wanted.name: properties[wanted.name] for wanted in kind.inputs if wanted.name in properties} | {
        DEFAULTS: []
    }
