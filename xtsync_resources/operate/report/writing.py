"""How a page writes what stands on both: advice with its commands as such, and the end of the headline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .words import pieces, pieces_with_names

if TYPE_CHECKING:
    from .words import Verdict


@dataclass(frozen=True)
class Writing:
    """A page's own way to write.

    Attributes:
        text: text that stays text.
        code: a command.
        only_code: whether text stays text as code only; then all that it stands with is code, as two pieces of code
            that touch end each other.
    """

    text: Callable[[object], str]
    code: Callable[[str], str]
    only_code: Callable[[str], bool] = lambda _: False

    def advice(self, value: object) -> str:
        """A text of ours that names nobody, with its commands as such."""
        return self._with_commands(pieces(str(value)))

    def advice_with_names(self, value: object) -> str:
        """A text of ours that may name somebody."""
        return self._with_commands(pieces_with_names(str(value)))

    def end_of_headline(self, found: Verdict) -> str:
        """What to run, or to do; "" for nothing."""
        if found.command:
            return f"; run {self.code(found.command)}"
        return f"; what to do: {self.advice_with_names(found.do)}" if found.do else ""

    def _with_commands(self, parts: Sequence[tuple[str, bool]]) -> str:
        if any(self.only_code(piece) for piece, is_command in parts if not is_command):
            return self.code("".join(f"`{piece}`" if is_command else piece for piece, is_command in parts))
        return "".join(self.code(piece) if is_command else self.text(piece) for piece, is_command in parts)
