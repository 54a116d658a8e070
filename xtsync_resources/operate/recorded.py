"""What a stack's state has, as Pulumi exports it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..graph import json_reader
from ..graph.errors import ConfigurationError
from ..program.stack_state import Recorded
from ..pulumi_runtime.provider import HOME
from ..state import type_token
from ..sync_secrets.model import COMPANY
from .stack import NoSuchStackError, pulumi

if TYPE_CHECKING:
    from ..config import Settings
    from .stack import Stack


def exported(stack: Stack) -> dict[str, Any]:
    """The stack's state, its secrets encrypted, as Pulumi exports it.

    Raises:
        ConfigurationError: Pulumi cannot say, or it is no state.
    """
    text = pulumi(["stack", "export", "--stack", stack.called], stack.location.folder)
    try:
        document: dict[str, Any] = json_reader.read(text)
    except ValueError:
        document = {}
    deployment = document.get("deployment")
    # A stack without resources has no list of them.
    found = deployment.setdefault("resources", []) if isinstance(deployment, dict) else None
    if not isinstance(found, list) or not all(
        isinstance(one, dict) and "urn" in one and "type" in one for one in found
    ):
        what = f"Cannot read the state of the stack {stack.name}"
        raise ConfigurationError(what, "it has no resources, or another form", "run `pulumi stack export` by hand")
    return document


@dataclass(frozen=True)
class Remembered:
    """What Pulumi remembers of a stack.

    Attributes:
        outputs: what the last run exported; nothing before the first `up`, or where they cannot be had.
        resources: as the last run left them; none before the first `up`, or where they cannot be had.
        unread: why something cannot be had, though there may be a pair; None where all can.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)
    resources: Sequence[Recorded] = ()
    unread: ConfigurationError | None = None


def remembered(stack: Stack) -> Remembered:
    """What Pulumi remembers of the stack."""
    outputs: Mapping[str, Any] = {}
    try:
        outputs = outputs_of(stack)
        return Remembered(outputs, beside_outputs(stack))
    except ConfigurationError as error:
        return Remembered(outputs, unread=error)


def outputs_of(stack: Stack) -> Mapping[str, Any]:
    """The stack's outputs; none before its first `up`.

    Raises:
        ConfigurationError: they cannot be had. Then there may be a pair, of which nothing is known.
    """
    try:
        return stack.outputs
    except NoSuchStackError:
        return {}


def recorded_of(stack: Stack) -> list[Recorded]:
    """The resources, for what is said with more certainty by them; none where Pulumi cannot say."""
    try:
        return beside_outputs(stack)
    except ConfigurationError:
        return []


def beside_outputs(stack: Stack) -> list[Recorded]:
    """The resources; none where a file with outputs stands for Pulumi.

    Raises:
        ConfigurationError: as `recorded`.
    """
    return recorded(stack) if stack.location.outputs_file is None else []


def recorded(stack: Stack) -> list[Recorded]:
    """The resources of the stack; none before its first `up`.

    Raises:
        ConfigurationError: Pulumi cannot say. Then there may be a pair, of which nothing is known.
    """
    try:
        resources = exported(stack)["deployment"]["resources"]
    except NoSuchStackError:
        return []
    return [
        Recorded(urn.rpartition("::")[2], one["type"], one.get("outputs") or {}, urn, str(one.get("id") or ""))
        for one in resources
        for urn in [one["urn"]]
    ]


def last_settings(state: Iterable[Recorded], settings: Settings) -> Mapping[str, Any] | None:
    """What the last `up` left of the synchronization's settings of a pair; None where it has left none."""
    own = (one.outputs for one in state if one.type == type_token("SyncSecrets"))
    here = (outputs for outputs in own if outputs.get(HOME) == settings.source.id)
    return next((outputs for outputs in here if outputs["settings"].get(COMPANY) == settings.target.id), None)
