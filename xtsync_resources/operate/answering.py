"""How a command that runs ends: with its exit code, or with an error as one message."""

from __future__ import annotations

from collections.abc import Callable

import typer

from ..graph.errors import XtsyncError
from ..pulumi_runtime.messages import Stopped
from .choices import FAILED, NOT_WELL
from .gone import NotWellError
from .screen import Failure, Screen


def answer(as_json: bool, act: Callable[[Screen], int]) -> None:
    """Do what a command does, with errors as one message; ends with its exit code."""
    screen = Screen(as_json)
    try:
        code = act(screen)
    except (XtsyncError, Stopped) as error:
        screen.error(str(error).split("\n"), parts_of(error))
        code = NOT_WELL if isinstance(error, NotWellError) else FAILED
    finally:
        screen.quiet()
    raise typer.Exit(code)


def parts_of(error: Exception) -> Failure:
    """An error for machines: what failed, why, what to do, and what support finds the call by."""
    if not isinstance(error, XtsyncError):
        what, _, rest = str(error).partition("\n")
        return Failure(type(error).__name__, what, rest, do="", reference="")
    return Failure(type(error).__name__, error.what, error.why, error.do, error.reference)
