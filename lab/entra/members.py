"""Checks of JSON bodies: names exactly as Graph spells them, values of the right kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.entra.exceptions import GraphError, bad_request, invalid_property

# A type, a tuple of allowed words, a nested shape, or a list holding the shape of its entries.
Shape = Mapping[str, Any]


def check_members(body: Any, shape: Shape, *, where: str = "") -> dict[str, Any]:
    """Refuse unknown names and wrong kinds; null is always a value."""
    if not isinstance(body, dict) and where:
        raise bad_request(f"Cannot convert the value of property '{where}' to the expected type.")
    if not isinstance(body, dict):
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload: an object is expected.")
    members: dict[str, Any] = {}
    for name, value in body.items():
        if name.startswith("@odata."):
            if where:
                raise bad_request(f"A type annotation is not accepted on '{where}'.")
            continue  # typed clients annotate the outermost object
        if name not in shape:
            raise invalid_property(name)
        _check_value(name, value, shape[name])
        members[name] = value
    return members


def require(body: Mapping[str, Any], *names: str) -> None:
    """Refuse a body without a member that must be there."""
    for name in names:
        if body.get(name) in (None, ""):
            raise bad_request(f"A value is required for property '{name}' of resource.")


def _check_value(name: str, value: Any, kind: Any) -> None:
    if value is None or kind is object:
        return
    if isinstance(kind, Mapping):
        check_members(value, kind, where=name)
    elif isinstance(kind, list):
        if not isinstance(value, list):
            raise bad_request(f"Invalid value specified for property '{name}' of resource.")
        for entry in value:
            _check_value(name, entry, kind[0])
    elif isinstance(kind, tuple):
        if value not in kind:
            raise bad_request(f"Invalid value specified for property '{name}' of resource.")
    elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise bad_request(f"Cannot convert the value of property '{name}' to the expected type.")
