"""What a person sees of an operation, in Pulumi's manner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import indent
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.text import Text

from lab.engine.model import Diagnostic, Event, Finished, Result, Started, Step

SIGNS = {
    "create": ("+", "green"),
    "create-replacement": ("+-", "magenta"),
    "update": ("~", "yellow"),
    "delete": ("-", "red"),
    "delete-replaced": ("-+", "magenta"),
    "same": (" ", "dim"),
    "refresh": (" ", "dim"),
}
DONE = {
    "create": "created",
    "create-replacement": "created in its place",
    "update": "updated",
    "delete": "deleted",
    "delete-replaced": "deleted (replaced)",
    "same": "unchanged",
    "refresh": "read",
}
PLANNED = {**DONE, "create": "create", "create-replacement": "replace", "update": "update", "delete": "delete"}
FOUND = {"same": "as it was", "update": "changed", "delete": "gone"}
HEADERS = {
    ("preview", True): "Previewing update",
    ("up", True): "Previewing update",
    ("up", False): "Updating",
    ("refresh", True): "Previewing refresh",
    ("refresh", False): "Refreshing",
    ("destroy", True): "Previewing destroy",
    ("destroy", False): "Destroying",
}
SUMMARY = (
    ("create", "+", "created"),
    ("update", "~", "updated"),
    ("replace", "+-", "replaced"),
    ("delete", "-", "deleted"),
)
NOTABLE = ("error", "warning", "info")


def short_type(type_: str) -> str:
    """A type without what every resource of its kind repeats."""
    package, _, rest = type_.partition(":")
    if package == "pulumi-python":
        return rest.removeprefix("dynamic/")
    module, _, name = rest.rpartition(":")
    return f"{package}:{name}" if module.startswith("index") or "/" in module else type_


class Display:
    """Shows events as they come: a live tree on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console, operation: str, stack: str, *, preview: bool) -> None:
        self._console, self._preview = console, preview
        self._steps: dict[tuple[str, str], Step] = {}
        self._status: dict[str, str] = {}
        self._live: Live | None = None
        console.print(f"[bold]{HEADERS[operation, preview]}[/] ({stack}):")

    def __enter__(self) -> Display:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def on_event(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, Started):
            self._steps[event.step.op, event.step.urn] = event.step
        elif isinstance(event, Finished):
            self._steps.pop((event.step.op, event.step.urn), None)
            self._status.pop(event.step.urn, None)
            self._print_finished(event.step)
        elif event.ephemeral:
            self._status[event.urn] = event.message
        elif event.severity in NOTABLE and event.urn == "":
            label = "" if event.severity == "info" else f"{event.severity}: "
            self._print(Text(indent(f"{label}{event.message}", " " * 4), style=colour(event.severity)))
        if self._live is not None:
            self._live.update(Group(*(self._running(step) for step in self._steps.values())))

    def _running(self, step: Step) -> RenderableType:
        status = self._status.get(step.urn, "")
        text = Text.from_markup(self._line(step, status or "..."))
        text.no_wrap, text.overflow = True, "ellipsis"
        return Group(Spinner("dots", text=text))

    def _print_finished(self, step: Step) -> None:
        quiet = step.op == "same" or (step.op == "refresh" and step.result == "same")
        if quiet and step.outcome == "done":
            return
        words = PLANNED if self._preview else DONE
        what = FOUND.get(step.result, words[step.op]) if step.op == "refresh" else words[step.op]
        if step.outcome == "failed":
            what = "[red]failed[/]"
        elif not self._preview and step.ended - step.started >= 1:
            what += f" [dim]({step.ended - step.started:.0f} s)[/]"
        self._print(Text.from_markup(self._line(step, what)))
        for line in property_lines(step):
            self._print(line)

    def _line(self, step: Step, what: str) -> str:
        sign, style = SIGNS[step.op]
        if step.op == "refresh" and step.result in ("update", "delete"):
            sign, style = {"update": ("~", "yellow"), "delete": ("-", "red")}[step.result]
        # A type is worth its column only where there is room; the names speak for themselves.
        type_ = f" [dim]{short_type(step.type):<32}[/]" if self._console.width >= 100 else ""
        return f" [{style}]{sign:<2}[/] {escape(step.name):<44}{type_} {what}"

    def _print(self, line: RenderableType) -> None:
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
    for part in path.replace("[", ".[").split("."):
        if part.startswith("["):
            key = part.strip("[]").strip('"')
            value = value[int(key)] if key.isdigit() and isinstance(value, list) and int(key) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def shown(value: Any) -> str:
    """A value for people."""
    return value if value in ("[secret]", "[unknown]") else json.dumps(value, ensure_ascii=False)


def colour(severity: str) -> str:
    """The colour of a message."""
    return {"error": "red", "warning": "yellow"}.get(severity, "default")


def print_result(console: Console, result: Result) -> None:
    """What stays when it is over: messages, outputs, counts."""
    print_messages(console, result)
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
    console.print(f"\n[bold]Resources:[/] {', '.join(parts) or 'none'}")
    console.print(f"[bold]Duration:[/] {result.seconds:.0f}s" if result.seconds >= 1 else "[bold]Duration:[/] <1s")


def print_messages(console: Console, result: Result) -> None:
    """Diagnostics under their resources."""
    by_urn: dict[str, list[Diagnostic]] = {}
    for diagnostic in result.diagnostics:
        if diagnostic.severity in NOTABLE and diagnostic.urn:
            by_urn.setdefault(diagnostic.urn, []).append(diagnostic)
    if by_urn:
        console.print("\n[bold]Diagnostics:[/]")
    for urn, diagnostics in by_urn.items():
        name, type_ = urn.rsplit("::", 1)[1], urn.split("::")[2].rsplit("$", 1)[-1]
        console.print(Text(f"  {short_type(type_)} ({name}):"))
        for diagnostic in diagnostics:
            first, *rest = diagnostic.message.splitlines() or [""]
            console.print(
                Text(f"    {diagnostic.severity}: {first}", style=colour(diagnostic.severity)), soft_wrap=True
            )
            for line in rest:
                console.print(Text(f"      {line}"), soft_wrap=True)


def as_json(result: Result) -> str:
    """One document for machines."""
    return json.dumps(
        {
            "operation": result.operation,
            "stack": result.stack,
            "preview": result.preview,
            "exitCode": result.exit_code,
            "steps": [
                {
                    "op": step.op,
                    "urn": step.urn,
                    "type": step.type,
                    "id": step.id,
                    "outcome": step.outcome,
                    "result": step.result or None,
                    "detailedDiff": dict(step.detailed_diff),
                    "oldInputs": step.old_inputs,
                    "newInputs": step.inputs,
                }
                for step in result.steps
            ],
            "diagnostics": [
                {"severity": d.severity, "urn": d.urn or None, "message": d.message} for d in result.diagnostics
            ],
            "summary": dict(result.summary),
            "outputs": dict(result.outputs),
            "durationSeconds": round(result.seconds, 3),
        },
        indent=2,
        ensure_ascii=False,
    )
