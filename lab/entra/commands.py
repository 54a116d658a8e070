"""`python -m lab serve`: the lab's two tenants, and a folder in which what is typed works on them."""

from __future__ import annotations

import logging
import shlex
import signal
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lab import world
from lab.commands import Chosen, explained
from lab.door import ADDRESS, Door
from lab.engines import Choice, installation
from lab.entra.clock import RunningClock
from lab.entra.server import serve
from lab.workplace import for_typing, workplace


def register(app: typer.Typer) -> None:
    """Add the command to the lab's command line."""
    app.command("serve")(serve_world)


def serve_world(
    port: Annotated[int, typer.Option(help="Port on localhost; 0 takes a free one.")] = 8443,
    traffic: Annotated[Path | None, typer.Option(help="Append every exchange to this file, as JSON lines.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print a line for every request.")] = False,
    choice: Chosen = Choice.AUTO,
) -> None:
    """Serve the emulated tenants until interrupted, and print what to type in a second terminal.

    There `xtsync`, `python -m lab` and, where the Pulumi CLI is, `pulumi` work on them as they are typed. The folder
    and all states in it end with the tenants. Their clock runs: a job's first cycle ends half a minute after its start,
    a further one every forty minutes. `python -m lab pass-time` moves it, `python -m lab break` has something go wrong.
    """
    logging.basicConfig(level=logging.WARNING if quiet else logging.INFO, format="%(asctime)s %(message)s")
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    entra = world.dev_world(RunningClock(), traffic_file=traffic)
    door = Door(entra)
    with explained(Console(stderr=True)):
        found = installation(choice)
    with serve(entra, port, door) as server, tempfile.TemporaryDirectory(prefix="xtsync-lab-") as folder:
        place = workplace(Path(folder), server.host, server.environment(), found)
        exports = {**for_typing(place, found), ADDRESS: f"{server.url}{door.path}"}
        typer.echo(instructions(place.program, exports, pulumi=found is not None))
        stopped.wait()


def instructions(program: Path, exports: Mapping[str, str], *, pulumi: bool) -> str:
    """What to type first in a second terminal."""
    said = "\n".join(f"export {name}={quoted(value)}" for name, value in exports.items())
    deploy = "pulumi up" if pulumi else "python -m lab up --stack dev"
    return f"""# Type this in a second terminal:
cd {shlex.quote(str(program))}
{said}
# Then, for instance: {deploy}; xtsync status; python -m lab pass-time; python -m lab break --help
# Interrupt to stop: the folder and all states in it go with the tenants."""


def quoted(value: str) -> str:
    """A value as a shell reads it; what was on the PATH before stays on it."""
    return '"$PATH"'.join(shlex.quote(part) if part else "" for part in value.split("$PATH"))
