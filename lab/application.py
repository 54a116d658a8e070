"""The commands of `python -m lab`."""

from __future__ import annotations

import typer

from lab import commands as deployments
from lab import demo, door
from lab.entra import commands as tenants

app = typer.Typer(
    help="Try the program without Azure: emulated tenants, on the Pulumi CLI if there is one, else on a small engine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
deployments.register(app)
tenants.register(app)
door.register(app)
demo.register(app)
