"""What a person sees of an operation, in Pulumi's manner."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from textwrap import indent
from typing import IO, Any, cast

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from lab.engine.model import Diagnostic, Event, Result, Step

# Operation -> sign, style, what is done, what would be done.
WORDS = {
    "create": ("+", "green", "created", "create"),
    "create-replacement": ("+-", "magenta", "created in its place", "replace"),
    "update": ("~", "yellow", "updated", "update"),
    "delete": ("-", "red", "deleted", "delete"),
    "delete-replaced": ("-+", "magenta", "deleted (replaced)", "delete (replace)"),
    "same": (" ", "dim", "unchanged", "unchanged"),
    "refresh": (" ", "dim", "read", "read"),
}
FOUND = {"same": "as it was", "update": "changed", "delete": "gone"}
HEADERS = {"preview": "Previewing update", "up": "Updating", "refresh": "Refreshing", "destroy": "Destroying"}
SUMMARY = (
    ("create", "+", "created"),
    ("update", "~", "updated"),
    ("replace", "+-", "replaced"),
    ("delete", "-", "deleted"),
)
# A part of a path: a quoted key, an index or a name.
PART = re.compile(r'\["(.*?)"\]|\[(\d+)\]|([^.\[]+)')
COLOURS = {"error": "red", "warning": "yellow"}


def short_type(type_: str) -> str:
    """A type without what every resource of its kind repeats."""
    package, _, rest = type_.partition(":")
    if package == "pulumi-python":
        return rest.removeprefix("dynamic/")
    module, _, name = rest.rpartition(":")
    return f"{package}:{name}" if module.startswith("index") or "/" in module else type_


class Unread(io.TextIOBase):
    """A file for an operation that goes on to its end where nobody reads any more what it says, as after `| head`."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, if anybody reads."""
        try:
            self._file.write(text)
            self._file.flush()
        except BrokenPipeError:
            # What is left in its buffer must have somewhere to go when the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._file.fileno())
        return len(text)

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._file.isatty()

    def fileno(self) -> int:
        """The file's number."""
        return self._file.fileno()


class Display:
    """Shows events as they come: what has ended in a line each, and on a terminal what runs."""

    def __init__(self, console: Console, operation: str, stack: str, *, preview: bool) -> None:
        console.file = cast("IO[str]", Unread(console.file))
        self._console, self._preview = console, preview
        self._failing: set[str] = set()
        self._status = console.status("...")
        header = HEADERS[operation]
        if preview and not header.startswith("Previewing"):
            header = f"Previewing {'update' if operation == 'up' else operation}"
        console.print(f"[bold]{header}[/] ({stack}):")

    def __enter__(self) -> Display:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def on_event(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, Step):
            if event.outcome == "running":
                self._status.update(Text(event.name))
            else:
                self._print_finished(event)
        elif event.ephemeral:
            self._status.update(Text(event.message))
        elif event.urn == "":
            label = "" if event.severity == "info" else f"{event.severity}: "
            self._print(Text(indent(f"{label}{event.message}", " " * 4), style=colour(event.severity)))
        elif event.severity == "error":
            self._failing.add(event.urn)

    def _print_finished(self, step: Step) -> None:
        sign, style, done, planned = WORDS[step.op]
        what = FOUND.get(step.result, done) if step.op == "refresh" else planned if self._preview else done
        if step.op == "refresh" and step.result in ("update", "delete"):
            sign, style, *_ = WORDS[step.result]
        quiet = step.op == "same" or (step.op == "refresh" and step.result == "same")
        if step.outcome == "failed" or step.urn in self._failing:
            # As in the real engine a row stays red once an error was told about it, whoever tried again.
            what = f"[red]{planned} failed[/]"
        elif quiet:
            return
        elif not self._preview and step.ended - step.started >= 1:
            what += f" [dim]({step.ended - step.started:.0f} s)[/]"
        what += escape("[retain]") if step.retained else ""
        # A type is worth its column only where there is room; the names speak for themselves.
        type_ = f" [dim]{short_type(step.type):<32}[/]" if self._console.width >= 100 else ""
        self._print(Text.from_markup(f" [{style}]{sign:<2}[/] {escape(step.name):<44}{type_} {what}"))
        for line in property_lines(step):
            self._print(line)

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=not self._console.is_terminal)


def property_lines(step: Step) -> list[Text]:
    """Old -> new for each property that differs."""
    lines = []
    for path, kind in step.detailed_diff.items():
        old, new = shown(at(step.old_inputs, path)), shown(at(step.inputs, path))
        sign, style = {"a": ("+", "green"), "d": ("-", "red")}.get(kind["diffKind"][0], ("~", "yellow"))
        value = {"+": new, "-": old}.get(sign, f"{old} -> {new}")
        lines.append(Text(f"      {sign} {path}: {value}", style=style))
    return lines


def at(properties: Mapping[str, Any], path: str) -> Any:
    """The value at a path; None where there is none."""
    value: Any = properties
    for key, index, name in PART.findall(path):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            value = value.get(key or name) if isinstance(value, Mapping) else None
    return value


def shown(value: Any) -> str:
    """A value for people."""
    return value if value in ("[secret]", "[unknown]") else json.dumps(value, ensure_ascii=False)


def colour(severity: str) -> str:
    """The colour of a message."""
    return COLOURS.get(severity, "default")


def print_result(console: Console, result: Result) -> None:
    """What stays when it is over: messages, outputs, counts."""
    about = [diagnostic for diagnostic in result.diagnostics if diagnostic.urn]
    print_messages(console, about)
    if result.outputs and result.operation != "refresh":
        console.print("\n[bold]Outputs:[/]")
        for key, value in sorted(result.outputs.items()):
            sign = "- " if result.operation == "destroy" else ""
            console.print(Text(f"    {sign}{key}: {shown(value)}"), soft_wrap=True)
    to = "to " if result.preview else ""
    parts = [
        f"{sign} {result.summary[op]} {to}{words if not to else words.removesuffix('d')}"
        for op, sign, words in SUMMARY
        if result.summary.get(op)
    ]
    if result.summary.get("same"):
        parts.append(f"{result.summary['same']} unchanged")
    if errored := {diagnostic.urn for diagnostic in about if diagnostic.severity == "error"}:
        parts.append(f"{len(errored)} errored")
    console.print(f"\n[bold]Resources:[/] {', '.join(parts) or 'none'}")
    console.print(f"[bold]Duration:[/] {result.seconds:.0f}s" if result.seconds >= 1 else "[bold]Duration:[/] <1s")


def print_messages(console: Console, about: Sequence[Diagnostic]) -> None:
    """Diagnostics under their resources."""
    if about:
        console.print("\n[bold]Diagnostics:[/]")
    for urn in dict.fromkeys(diagnostic.urn for diagnostic in about):
        name, type_ = urn.rsplit("::", 1)[1], urn.split("::")[2].rsplit("$", 1)[-1]
        console.print(Text(f"  {short_type(type_)} ({name}):"))
        for one in about:
            if one.urn == urn:
                text = indent(f"{one.severity}: {one.message}", " " * 6).removeprefix("  ")
                first, *rest = text.splitlines()
                console.print(Text(first, style=colour(one.severity)), soft_wrap=True)
                for line in rest:
                    console.print(Text(line), soft_wrap=True)


def as_json(result: Result) -> str:
    """One document for machines."""
    return json.dumps(asdict(result), indent=2, ensure_ascii=False)
