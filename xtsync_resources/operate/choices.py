"""What can be chosen on the command line, how its help and a shell tell it, and the exit codes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import typer

# How a command ends: all is well, it is not, it could not be found out or done, somebody has interrupted it.
WELL, NOT_WELL, FAILED, INTERRUPTED = 0, 1, 2, 130
EXIT_CODES = (
    "Exit codes of every command: 0 all is well; 1 the pair is not well (a job that is gone too), or a question was "
    "answered with no; 2 it could not be found out or done, or not understood. docs/operations.md has them in full."
)


def exit_code(*, wrong: bool, unknown: bool) -> int:
    """How a command that looks at pairs ends: what is known to be wrong counts before what nobody knows.

    Args:
        wrong: whether anything is known not to be well.
        unknown: whether anything could not be looked at, though the sign-in may.
    """
    if wrong:
        return NOT_WELL
    return FAILED if unknown else WELL


class Wait(StrEnum):
    """What `status --wait` waits for."""

    FIRST_CYCLE = "first-cycle"
    STEADY = "steady"
    DRAINED = "drained"


class Side(StrEnum):
    """A side of the pair."""

    SOURCE = "source"
    TARGET = "target"


class Format(StrEnum):
    """What the report is written as."""

    HTML = "html"
    MARKDOWN = "markdown"


def stacks_of_folder(context: typer.Context, incomplete: str) -> list[str]:
    """The stacks that have a file in the program's folder, for a shell to complete."""
    folder = Path(context.find_root().params.get("cwd") or ".")
    names = (path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in folder.glob("Pulumi.*.yaml"))
    return sorted(name for name in names if name.startswith(incomplete))


def examples(*commands: str) -> str:
    """What the help of a command ends with: each as it is typed, on a line of its own."""
    return "\n\n".join(f"Example: {command}" for command in commands)
