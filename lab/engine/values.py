"""Property values: JSON plus secrets and unknowns, and their wire forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format, struct_pb2

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
MASK = "[secret]"
Properties = dict[str, Any]


class Unknown:
    """A value that is known only after the update."""

    def __repr__(self) -> str:
        return "[unknown]"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value to be encrypted in the state and masked everywhere else."""

    value: Any

    def __repr__(self) -> str:
        return MASK


def mapped(value: Any, leaf: Callable[[Any], Any], secret: Callable[[Any], Any]) -> Any:
    """Rebuild a value: `secret` receives the bare value inside a secret, `leaf` everything that is no container."""
    if isinstance(value, Secret):
        return secret(value.value)
    if isinstance(value, Mapping):
        return {key: mapped(item, leaf, secret) for key, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, leaf, secret) for item in value]
    return leaf(value)


def plain(value: Any) -> Any:
    """Without secret marks."""
    return mapped(value, lambda leaf: leaf, plain)


def masked(value: Any) -> Any:
    """For people: secrets as `[secret]`, unknowns as `[unknown]`."""
    return mapped(value, lambda leaf: repr(leaf) if leaf is UNKNOWN else leaf, lambda _: MASK)


def has(value: Any, kind: type) -> bool:
    """Whether a secret or an unknown is anywhere inside."""
    if isinstance(value, kind):
        return True
    if isinstance(value, Secret):
        return has(value.value, kind)
    if isinstance(value, Mapping):
        return any(has(item, kind) for item in value.values())
    return isinstance(value, list) and any(has(item, kind) for item in value)


def without_nulls(value: Any) -> Any:
    """Without object members that are null, as providers receive values."""
    if isinstance(value, Secret):
        return Secret(without_nulls(value.value))
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Read a wire struct."""
    decoded: Properties = _decode(json_format.MessageToDict(struct))
    return decoded


def _decode(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value == UNKNOWN_TEXT:
        return UNKNOWN
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    signature = value.get(SIGNATURE)
    if signature is None:
        return {key: _decode(item) for key, item in value.items()}
    if signature != SECRET_SIGNATURE:
        raise ValueError(f"the lab's engine does not support property values of kind {signature}")
    return Secret(_decode(value.get("value")))


def to_struct(properties: Mapping[str, Any], *, secrets: bool) -> struct_pb2.Struct:
    """Write a wire struct, with secrets marked or in plain."""

    def secret(value: Any) -> Any:
        inner = mapped(value, leaf, secret)
        return {SIGNATURE: SECRET_SIGNATURE, "value": inner} if secrets else inner

    def leaf(value: Any) -> Any:
        return UNKNOWN_TEXT if value is UNKNOWN else value

    struct = struct_pb2.Struct()
    json_format.ParseDict(mapped(dict(properties), leaf, secret), struct)
    return struct


def mark_secrets(outputs: Properties, inputs: Mapping[str, Any]) -> Properties:
    """Mark outputs as secret whose inputs of the same name are; a list with a secret inside as a whole."""
    marked = dict(outputs)
    for key, given in inputs.items():
        if key not in outputs or isinstance(outputs[key], Secret):
            continue
        if isinstance(given, Mapping) and isinstance(outputs[key], Mapping):
            marked[key] = mark_secrets(dict(outputs[key]), given)
        elif isinstance(given, Secret | list) and has(given, Secret):
            marked[key] = Secret(plain(outputs[key]))
    return marked
