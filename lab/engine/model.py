"""What callers see of the engine: options, steps, diagnostics, results and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Options:
    """How to run an operation; `replace` names resources that are to be replaced though nothing of them changed."""

    expect_no_changes: bool = False
    refresh: bool = False
    preview_only: bool = False
    parallel: int = 8
    replace: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One thing the engine does, or in a preview would do: `running` first, then `done` or `failed`.

    What is `retained` goes from the state only.
    """

    op: str
    urn: str
    type: str
    phase: int
    id: str = ""
    outcome: str = "done"
    result: str = ""
    retained: bool = False
    diffs: tuple[str, ...] = ()
    detailed_diff: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    old_inputs: Mapping[str, Any] = field(default_factory=dict)
    started: float = 0
    ended: float = 0

    @property
    def name(self) -> str:
        """The last part of the URN."""
        return self.urn.rsplit("::", 1)[1]

    @property
    def changes(self) -> bool:
        """Whether it is, or stands for, a difference between program, state and tenants."""
        return self.op not in ("same", "refresh") or self.result in ("update", "delete")


@dataclass(frozen=True)
class Diagnostic:
    """A message, under a resource where `urn` says so. `ephemeral` ones are for a live display only."""

    severity: str
    message: str
    urn: str = ""
    ephemeral: bool = False


Event = Step | Diagnostic


@dataclass(frozen=True)
class Result:
    """How an operation ended."""

    operation: str
    stack: str
    preview: bool
    exit_code: int
    steps: tuple[Step, ...]
    diagnostics: tuple[Diagnostic, ...]
    summary: Mapping[str, int]
    outputs: Mapping[str, Any]
    seconds: float
