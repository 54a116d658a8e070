"""What all lookups share."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from lab.azuread.exceptions import GraphError, ProviderError
from lab.azuread.graph import Entity, Graph
from lab.azuread.values import Properties

Lookup = Callable[[Graph, Properties], Properties]
Result = TypeVar("Result")


def exactly_one(arguments: Mapping[str, Any], *names: str) -> tuple[str, Any]:
    """The one argument of these that was given.

    Raises:
        ProviderError: none was, or several.
    """
    given = [name for name in names if arguments.get(name)]
    if len(given) == 1:
        return given[0], arguments[given[0]]
    choice = ",".join(names)
    if given:
        raise ProviderError(f'Invalid combination of arguments. "{given[0]}": only one of `{choice}` can be specified')
    raise ProviderError(f'Invalid combination of arguments. "{names[0]}": one of `{choice}` must be specified')


def texts(entity: Mapping[str, Any], members: Mapping[str, str]) -> Properties:
    """Text members by their names here; what is null reads as empty."""
    return {name: entity.get(member) or "" for name, member in members.items()}


def flags(entity: Mapping[str, Any], members: Mapping[str, str]) -> Properties:
    """Boolean members by their names here; what is null reads as false."""
    return {name: bool(entity.get(member)) for name, member in members.items()}


def lists(entity: Mapping[str, Any], members: Mapping[str, str]) -> Properties:
    """List members by their names here; what is null reads as empty."""
    return {name: entity.get(member) or [] for name, member in members.items()}


def same(names: str) -> dict[str, str]:
    """Names that are the same here and in Graph."""
    return {name: name for name in names.split()}


def hashed(kind: str, texts: Iterable[str], separator: str) -> str:
    """The id of a list of objects."""
    digest = hashlib.sha1(separator.join(texts).encode(), usedforsecurity=False).digest()
    return f"{kind}#{base64.urlsafe_b64encode(digest).decode()}"


def asked(words: str, call: Callable[[], Result]) -> Result:
    """Call, and say of a failure what it was about.

    Raises:
        ProviderError: it failed.
    """
    try:
        return call()
    except GraphError as error:
        raise ProviderError(f"{words}: {error}") from error


def only(found: list[Entity], none: str, several: str) -> Entity | None:
    """The one object that was found; nothing where there is none and `none` is empty.

    Raises:
        ProviderError: there is none, or there are several.
    """
    if len(found) > 1:
        raise ProviderError(several)
    if not found and none:
        raise ProviderError(none)
    return found[0] if found else None
