"""Which engine deploys: the real Pulumi CLI wherever there is one, else the lab's own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from lab.engine import Engine, ProjectError
from lab.pulumi.engine import PulumiEngine
from lab.pulumi.installation import Installation, find

SMALL = "the lab's own small engine and azuread stand-in (`make pulumi` builds the real Pulumi)"
NO_CLI = "there is no Pulumi CLI that is new enough: install one, or run `make pulumi`"


class Choice(StrEnum):
    """What `--engine` takes."""

    AUTO = "auto"
    PULUMI = "pulumi"
    LAB = "lab"


def installation(choice: Choice) -> Installation | None:
    """The Pulumi CLI to use; None is the lab's own engine.

    Raises:
        ProjectError: the real one is asked for and there is none.
    """
    found = None if choice is Choice.LAB else find()
    if found is None and choice is Choice.PULUMI:
        raise ProjectError(NO_CLI)
    return found


def words(found: Installation | None) -> str:
    """What deploys, for people."""
    return SMALL if found is None else found.words


def engine(found: Installation | None, program: Path, stack: str, state: Path, **more: Any) -> Engine | PulumiEngine:
    """The engine for a stack."""
    if found is None:
        return Engine(program, stack, state, **more)
    return PulumiEngine(found, program, stack, state, **more)
