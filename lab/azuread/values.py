"""Property values on the wire: secrets are unwrapped, unknowns kept as one object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format, struct_pb2

Properties = dict[str, Any]
DEFAULTS = "__defaults"

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value that is known only after the update."""

    def __repr__(self) -> str:
        return "[unknown]"


UNKNOWN = Unknown()


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Read properties.

    Raises:
        ValueError: a value of a kind that was not announced.
    """
    return {key: _read(value) for key, value in json_format.MessageToDict(struct).items()}


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Write properties."""
    struct = struct_pb2.Struct()
    json_format.ParseDict({key: _write(value) for key, value in properties.items()}, struct)
    return struct


def _read(value: Any) -> Any:
    if value == _UNKNOWN_TEXT:
        return UNKNOWN
    if isinstance(value, list):
        return [_read(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _SIGNATURE not in value:
        return {key: _read(item) for key, item in value.items()}
    if value[_SIGNATURE] != _SECRET:
        raise ValueError(f"property values of kind {value[_SIGNATURE]} are not accepted")
    return _read(value.get("value"))


def _write(value: Any) -> Any:
    if value is UNKNOWN:
        return _UNKNOWN_TEXT
    if isinstance(value, Mapping):
        return {key: _write(item) for key, item in value.items()}
    return [_write(item) for item in value] if isinstance(value, list) else value
