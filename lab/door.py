"""The lab's own door into the served tenants: `python -m lab break` and `pass-time` knock at it from another terminal.

Graph has no call for half of what goes wrong, and none for time: all of it comes this way, and none through Graph.
"""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

import requests
import typer
from rich.console import Console
from rich.text import Text

from lab.breaking import BREAKS, Breaker, NotThereError
from lab.entra import Entra
from lab.entra.ageing import age

ADDRESS = "XTSYNC_LAB_DOOR"
SECONDS = 60


class Door:
    """Opens to whoever knows the address, which `serve` prints."""

    def __init__(self, entra: Entra) -> None:
        self._entra = entra
        self._breaker = Breaker(entra)
        self.path = f"/lab/{secrets.token_urlsafe(16)}"

    def __call__(self, path: str, body: bytes) -> tuple[int, str] | None:
        """Do what is asked; status and words, or None for what is asked of the tenants themselves."""
        if path != self.path:
            return None
        asked: dict[str, Any] = json.loads(body)
        try:
            if "minutes" in asked:
                self._entra.pass_time(minutes=asked["minutes"])
                return 200, f"{asked['minutes']:g} minutes have passed: what happened before lies that much longer ago"
            return 200, self._breaker.perform(asked["what"], asked["name"], undo=asked["undo"])
        except NotThereError as error:
            return 409, str(error)
        finally:
            age(self._entra, self._entra.clock.now() - datetime.now(UTC))


def register(app: typer.Typer) -> None:
    """Add the commands that knock."""
    app.command("break", help=offer(), no_args_is_help=True)(break_)
    app.command("pass-time")(pass_time)


def offer() -> str:
    """What can be broken, for `--help`."""
    rows = []
    for what, one in BREAKS.items():
        more = f" [{one.name}]" if one.name else ""
        rows.append(f"{what}{more}: {one.words}. Rehearses: {one.rehearses}.")
    first = "Break something in the tenants of `python -m lab serve`, as somebody would at the portal."
    last = "Each takes --undo, in any order. It rehearses a row of docs/runbooks.md or a section of docs/operations.md."
    return "\n\n".join([first, *rows, last]).replace("[", r"\[")


def break_(
    what: Annotated[str, typer.Argument(help="What goes wrong; see above.")],
    name: Annotated[str, typer.Argument(help="Whom or what, where there are several.", show_default=False)] = "",
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Give back what the break took, as somebody does at the portal where that can be done there."
        ),
    ] = False,
) -> None:
    """Break something."""
    if what not in BREAKS:
        raise typer.BadParameter(f"nothing called {what} can be broken: {', '.join(BREAKS)}")
    knock({"what": what, "name": name, "undo": undo})


def pass_time(minutes: Annotated[float, typer.Argument(min=0, help="How long.")] = 41) -> None:
    """Let time pass in the tenants of `python -m lab serve`: 41 minutes are a cycle of the job."""
    knock({"minutes": minutes})


def knock(asked: dict[str, Any]) -> None:
    """Have something done in the served tenants, and say what; exits with 1 where it cannot be."""
    console = Console(highlight=False)
    address = os.environ.get(ADDRESS)
    if not address:
        say(console, f"error: {ADDRESS} is not set: run `python -m lab serve`, and type here what it prints")
        raise typer.Exit(1)
    try:
        answer = requests.post(address, json=asked, timeout=SECONDS)
    except requests.ConnectionError:
        say(console, "error: the tenants are not served there any more: run `python -m lab serve` again")
        raise typer.Exit(1) from None
    if answer.status_code not in (200, 409):
        say(console, "error: other tenants are served there now: type here what `python -m lab serve` has printed")
        raise typer.Exit(1)
    say(console, answer.text if answer.ok else f"error: {answer.text}")
    raise typer.Exit(0 if answer.ok else 1)


def say(console: Console, words: str) -> None:
    """Print a line as it is."""
    console.print(Text(words), soft_wrap=True)
