"""`python -m lab serve`: the lab's two tenants, for any Pulumi to work on."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from lab import world
from lab.entra.clock import RunningClock
from lab.entra.server import Server, serve


def register(app: typer.Typer) -> None:
    """Add the command to the lab's command line."""
    app.command("serve")(serve_world)


def serve_world(
    port: Annotated[int, typer.Option(help="Port on localhost; 0 takes a free one.")] = 8443,
    traffic: Annotated[Path | None, typer.Option(help="Append every exchange to this file, as JSON lines.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not print a line for every request.")] = False,
) -> None:
    """Serve the emulated tenants until interrupted, and print how to point a stack at them.

    Their clock runs: a job's first cycle ends half a minute after its start, a further one every forty minutes.
    """
    logging.basicConfig(level=logging.WARNING if quiet else logging.INFO, format="%(asctime)s %(message)s")
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    entra = world.dev_world(RunningClock(), traffic_file=traffic)
    with serve(entra, port) as server:
        typer.echo(instructions(server))
        stopped.wait()


def instructions(server: Server) -> str:
    """Environment and stack settings that lead to the server."""
    environment = {
        "XTSYNC_SOURCE_CLIENT_SECRET": world.SOURCE_SECRET,
        "XTSYNC_TARGET_CLIENT_SECRET": world.TARGET_SECRET,
        **server.environment(),
        # For `xtsync`, as it is typed: where it is, and what to ask for outputs.
        "XTSYNC_PULUMI": f"'{sys.executable} -m lab pulumi'",
        "PATH": f"{Path(sys.executable).parent}:$PATH",
    }
    exports = "\n".join(f"export {name}={value}" for name, value in environment.items())
    return f"""# Environment of the program:
{exports}
# Settings of the stack:
#   xtsync:metadataHost: {server.host}
#   xtsync:source:
#     tenantId: {world.SOURCE_TENANT}
#     clientId: {world.SOURCE_CLIENT}
#     auth: secret
#   xtsync:target:
#     tenantId: {world.TARGET_TENANT}
#     clientId: {world.TARGET_CLIENT}
#     auth: secret
# Interrupt to stop."""
