"""What callers see of the engine: options, steps, diagnostics, results and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DELETES = ("delete", "delete-replaced")


@dataclass(frozen=True)
class Options:
    """How to run an operation."""

    expect_no_changes: bool = False
    refresh: bool = False
    preview_only: bool = False
    parallel: int = 8


@dataclass(frozen=True)
class Step:
    """One thing the engine did, or in a preview would do."""

    op: str
    urn: str
    type: str
    phase: int
    id: str = ""
    outcome: str = "done"
    result: str = ""
    diffs: tuple[str, ...] = ()
    detailed_diff: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    old_inputs: Mapping[str, Any] = field(default_factory=dict)
    old_outputs: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""
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


@dataclass(frozen=True)
class Started:
    """A step has begun."""

    step: Step


@dataclass(frozen=True)
class Finished:
    """A step has ended, well or not."""

    step: Step


Event = Started | Finished | Diagnostic


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
