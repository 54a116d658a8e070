"""What the program says to the engine, which shows it: each argument is one line, whatever it quotes."""

from __future__ import annotations

import pulumi

from ..untrusted import one_line


class Stopped(pulumi.RunError):
    """Ends the run with a message instead of a traceback."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(map(one_line, lines)))


def info(*lines: str) -> None:
    """Tell."""
    pulumi.log.info("\n".join(map(one_line, lines)))


def status(text: str) -> None:
    """Show what is being waited for, as long as it is."""
    pulumi.log.info(one_line(text), ephemeral=True)


def warn(*lines: str) -> None:
    """Warn."""
    pulumi.log.warn("\n".join(map(one_line, lines)))
