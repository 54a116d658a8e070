"""The screen: where the commands write. All of it is behind the gate for untrusted text; nothing else uses rich."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from ..graph.errors import ConfigurationError
from ..untrusted import Stream, json_text, one_line, visible

# Off a terminal nothing is folded: a line of a log would begin wherever a name is cut.
UNFOLDED = 1_000_000
Part = str | tuple[str, str]
Line = Text


def document_of(value: Any) -> Any:
    """A value for machines: dataclasses by their members in camelCase, times by RFC 3339 in UTC, all else as it is."""
    if is_dataclass(value) and not isinstance(value, type):
        return {in_camel_case(one.name): document_of(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: document_of(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [document_of(one) for one in value]
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def in_camel_case(name: str) -> str:
    """A name of Python as Graph and Pulumi write theirs."""
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


class GatedConsole(Console):
    """A console that shows text as it is: no markup, emoji codes or control characters are read out of it.

    Args:
        file: where to. Control characters that reach it are the console's own, as it takes those of texts out first.
    """

    def __init__(self, file: TextIO) -> None:
        self.stream = Stream(file)
        wide = None if file.isatty() else UNFOLDED
        super().__init__(file=self.stream, width=wide, markup=False, emoji=False, highlight=False)  # type: ignore[arg-type]
        self.stream.styled = self.is_terminal

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is shown, whatever it is made of."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


def line(*parts: Part) -> Text:
    """One line: texts, or pairs of text and style."""
    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((one_line(text), style) for text, style in pairs))


class Rows(Table):
    """A table of texts.

    Args:
        head: the columns' headings; none are shown without them.
        title: above the table.
        padding: of a cell: above, right, below, left.
        boxed: whether there are lines between the cells.
    """

    def __init__(
        self, *head: str, title: str = "", padding: tuple[int, int, int, int] = (0, 2, 0, 0), boxed: bool = False
    ) -> None:
        super().__init__(title=line(title) if title else None, title_justify="left", show_header=bool(head))
        if not boxed:
            self.box, self.padding, self.pad_edge = None, padding, not head
        for heading in head:
            self.add_column(line(heading), overflow="fold")

    def add(self, *cells: str | Text | list[Text]) -> None:
        """Add a row; a cell of several lines is a list."""
        while len(self.columns) < len(cells):
            self.add_column(overflow="fold")
        self.add_row(
            *(
                line(cell) if isinstance(cell, str) else Text("\n").join(cell) if isinstance(cell, list) else cell
                for cell in cells
            )
        )


def progress(what: str, done: int, total: int) -> Progress:
    """How far something is."""
    bar = Progress(TextColumn("{task.description}", style="bold", markup=False), BarColumn(), MofNCompleteColumn())
    bar.add_task(one_line(what), completed=done, total=total)
    return bar


def at_a_terminal() -> bool:
    """Whether there is somebody who could answer a question."""
    return sys.stdin.isatty()


def refuse_to_ask_nobody(option: str) -> None:
    """End a command that will have to ask where nobody can answer: before it makes a call, or shows a question.

    Args:
        option: what to give in the place of an answer.

    Raises:
        ConfigurationError: there is no terminal.
    """
    if not at_a_terminal():
        do = f"give {option} in the place of an answer, or run it in a terminal"
        raise ConfigurationError("Nothing was done", "there is no terminal to ask at", do)


@dataclass(frozen=True)
class Failure:
    """What went wrong, for machines.

    Attributes:
        kind: of the error.
        what: could not be done.
        why: it could not.
        do: what to do about it; "" where nothing is known.
        reference: what Microsoft finds the call by; "" where there was none.
    """

    kind: str
    what: str
    why: str
    do: str
    reference: str


@dataclass(frozen=True)
class Failed:
    """The document in the place of a command's own, where it fails.

    Attributes:
        error: what went wrong.
    """

    error: Failure


class Screen:
    """Where a command writes: words for people on the terminal, or one JSON document."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._console, self._errors = GatedConsole(sys.stdout), GatedConsole(sys.stderr)
        self._plain = Stream(sys.stdout)
        self._waiting = self._errors.status("") if self._errors.is_terminal else None

    def status(self, text: str) -> None:
        """Show what is being waited for, on a terminal only."""
        if self._waiting is not None:
            self._waiting.update(line(text))
            self._waiting.start()

    def quiet(self) -> None:
        """Waiting is over."""
        if self._waiting is not None:
            self._waiting.stop()

    def print(self, *parts: str | Text | Rows | Progress) -> None:
        """Write for people: lines, tables, bars."""
        self.quiet()
        for part in parts:
            if isinstance(part, (str, Text)):
                self._console.print(line(part) if isinstance(part, str) else part, soft_wrap=True)
            else:
                with self._console.capture() as shown:
                    self._console.print(part)
                self._console.stream.write("\n".join(text.rstrip() for text in shown.get().split("\n")))

    def tell(self, *lines: str, style: str = "") -> None:
        """Say something beside what the command writes."""
        self.quiet()
        for text in lines:
            self._errors.print(line((text, style)), soft_wrap=True)

    def confirm(self, question: str) -> bool:
        """Ask; see `refuse_to_ask_nobody`, which comes first."""
        self.quiet()
        return typer.confirm(one_line(question), default=False, err=True)

    def number(self, question: str) -> int:
        """Ask for a number; see `refuse_to_ask_nobody`, which comes first."""
        self.quiet()
        return int(typer.prompt(one_line(question), type=int, err=True))

    def declined(self, why: str) -> None:
        """Say that nothing was done, as somebody did not want it; for machines as the document of an error."""
        self.tell("Nothing was done.")
        if self.as_json:
            self.json(Failed(Failure("Declined", "Nothing was done", why, do="", reference="")))

    def error(self, lines: Iterable[str], failure: Failure | None = None) -> None:
        """Say what went wrong; for machines also as a JSON document."""
        self.quiet()
        if self.as_json and failure is not None:
            self.json(Failed(failure))
        first, *rest = lines
        for text in (line(("error: ", "bold red"), first), *map(line, rest)):
            self._errors.print(text, soft_wrap=True)

    def plain(self, text: str) -> None:
        """Write a text of ours as it is, for a file or a pipe."""
        self.quiet()
        self._plain.write(text)
        self._plain.flush()

    def json(self, document: Any) -> None:
        """Write for machines."""
        self.plain(json_text(document_of(document)) + "\n")
