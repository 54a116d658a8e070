"""The deployment commands of `python -m lab`, on either engine."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from lab.display import Display, as_json, print_result
from lab.endpoints import refuse_elsewhere
from lab.engine import Options, ProjectError, Result, StateError
from lab.engines import NO_CLI, Choice, engine, installation, words
from lab.program import is_stack_file
from lab.pulumi.engine import PulumiEngine, PulumiError
from lab.pulumi.installation import Installation

StackName = Annotated[str, typer.Option("--stack", "-s", help="The stack's name; reads Pulumi.NAME.yaml.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
State = Annotated[Path | None, typer.Option(help="Folder of states.", show_default=".lab/state in the program folder")]
ConfigFile = Annotated[Path | None, typer.Option("--config-file", help="Another stack file.")]
Folder = Annotated[Path, typer.Option("--cwd", "-C", help="The program folder.")]
Chosen = Annotated[
    Choice,
    typer.Option("--engine", envvar="XTSYNC_LAB_ENGINE", help="auto takes the Pulumi CLI wherever there is one."),
]
Expect = Annotated[bool, typer.Option("--expect-no-changes", help="Exit with 7 if anything changes.")]
Refresh = Annotated[bool, typer.Option("--refresh", help="Read the tenants into the state first.")]
PreviewOnly = Annotated[bool, typer.Option("--preview-only", help="Only say what would be done.")]
AnyEndpoint = Annotated[bool, typer.Option("--any-endpoint", help="Also act on tenants that are not on this machine.")]
HERE = Path()
STATES = Path(".lab", "state")


def register(app: typer.Typer) -> None:
    """Add preview, up, refresh, destroy and outputs."""
    app.command(help="Say what `up` would do in both tenants.")(preview)
    app.command(help="Make both tenants as the program says.")(up)
    app.command(help="Read both tenants into the state; shows what somebody changed.")(refresh)
    app.command(help="Take everything back that the stack made.")(destroy)
    app.command(help="Print the stack's outputs.")(outputs)
    more = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("pulumi", help="The Pulumi CLI on the lab's stacks: xtsync asks it.", context_settings=more)(pulumi)


def preview(
    stack: StackName,
    json_: AsJson = False,
    state: State = None,
    config_file: ConfigFile = None,
    cwd: Folder = HERE,
    choice: Chosen = Choice.AUTO,
    expect_no_changes: Expect = False,
    refresh_first: Refresh = False,
    any_endpoint: AnyEndpoint = False,
) -> None:
    """Say what `up` would do."""
    options = Options(expect_no_changes=expect_no_changes, refresh=refresh_first, preview_only=True)
    run("preview", stack, json_, state, config_file, cwd, choice, options, any_endpoint)


def up(
    stack: StackName,
    json_: AsJson = False,
    state: State = None,
    config_file: ConfigFile = None,
    cwd: Folder = HERE,
    choice: Chosen = Choice.AUTO,
    expect_no_changes: Expect = False,
    refresh_first: Refresh = False,
    any_endpoint: AnyEndpoint = False,
) -> None:
    """Make it so."""
    options = Options(expect_no_changes=expect_no_changes, refresh=refresh_first)
    run("up", stack, json_, state, config_file, cwd, choice, options, any_endpoint)


def refresh(
    stack: StackName,
    json_: AsJson = False,
    state: State = None,
    config_file: ConfigFile = None,
    cwd: Folder = HERE,
    choice: Chosen = Choice.AUTO,
    expect_no_changes: Expect = False,
    preview_only: PreviewOnly = False,
    any_endpoint: AnyEndpoint = False,
) -> None:
    """Read what is there."""
    options = Options(expect_no_changes=expect_no_changes, preview_only=preview_only)
    run("refresh", stack, json_, state, config_file, cwd, choice, options, any_endpoint)


def destroy(
    stack: StackName,
    json_: AsJson = False,
    state: State = None,
    config_file: ConfigFile = None,
    cwd: Folder = HERE,
    choice: Chosen = Choice.AUTO,
    refresh_first: Refresh = False,
    preview_only: PreviewOnly = False,
    any_endpoint: AnyEndpoint = False,
) -> None:
    """Take it back."""
    options = Options(refresh=refresh_first, preview_only=preview_only)
    run("destroy", stack, json_, state, config_file, cwd, choice, options, any_endpoint)


def outputs(
    stack: StackName,
    json_: AsJson = False,
    state: State = None,
    config_file: ConfigFile = None,
    cwd: Folder = HERE,
    choice: Chosen = Choice.AUTO,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Print secrets in plain.")] = False,
) -> None:
    """Print the outputs."""
    console = Console()
    folder = cwd.resolve()
    with explained(console):
        deployer = engine(installation(choice), folder, stack, state or folder / STATES, config_file=config_file)
        found = deployer.outputs(show_secrets=show_secrets)
    if json_:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for key, value in sorted(found.items()):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        console.print(Text(f"{key}: {text}"), soft_wrap=True)


# Commands of the Pulumi CLI that act on no tenant.
ASKING = (["stack"], ["config"], ["version"])
# The options that say what is deployed, in every form in which they can be written.
NAMED = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
NAMED.add_argument("--stack", "-s")
NAMED.add_argument("--config-file", type=Path)
NAMED.add_argument("--config", "-c", action="append")


def pulumi(
    context: typer.Context,
    state: State = None,
    cwd: Folder = HERE,
    choice: Chosen = Choice.AUTO,
    any_endpoint: AnyEndpoint = False,
) -> None:
    """Pass a command line to the Pulumi CLI; the small engine answers only what `xtsync` asks."""
    folder = cwd.resolve()
    with explained(Console(stderr=True)):
        named, others = NAMED.parse_known_args(context.args)
        found = installation(choice)
        stack = named.stack.rsplit("/", 1)[-1] if named.stack else selected(found, folder, state or folder / STATES)
        asks = others[:1] in ASKING
        # What deploys does so by the files that were looked at, however they were named.
        config_file = None if asks or named.config_file is None else named.config_file.resolve()
        deployer = engine(found, folder, stack, state or folder / STATES, config_file=config_file)
        if isinstance(deployer, PulumiEngine):
            if not any_endpoint and not asks:
                if named.config:
                    raise ProjectError("the lab deploys what the stack file says: write it there instead of --config")
                stack_file = config_file or folder / f"Pulumi.{stack}.yaml"
                refuse_elsewhere(folder, stack_file, deployer.export(), runs_program=True)
            more = [word for text in named.config or () for word in ("--config", text)]
            raise typer.Exit(deployer.command(context.args if asks else [*others, "--stack", stack, *more]))
        asked = [word for word in others if word != "--non-interactive"]
        if asked[:2] == ["stack", "--show-name"]:
            typer.echo(stack)
        elif asked == ["stack", "output", "--json"]:
            typer.echo(json.dumps(deployer.outputs()))
        elif asked == ["stack", "export"]:
            typer.echo(json.dumps(deployer.export()))
        elif asked[:3] == ["stack", "import", "--file"]:
            deployer.import_state(json.loads(Path(asked[3]).read_text()))
        else:
            raise ProjectError(f"the small engine has no `pulumi {' '.join(context.args)}`: {NO_CLI}")


def selected(found: Installation | None, folder: Path, state: Path) -> str:
    """The only stack of the folder; of several the one that was selected there, which the CLI knows.

    Raises:
        ProjectError: there is none, or none is selected.
    """
    try:
        return only_stack(folder)
    except ProjectError:
        if found is None:
            raise
        asked = [str(found.command), "stack", "--show-name", "--non-interactive"]
        mine = {**os.environ, **found.environment(state)}
        answer = subprocess.run(asked, cwd=folder, env=mine, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise
        return answer.stdout.strip().rsplit("/", 1)[-1]


def only_stack(folder: Path) -> str:
    """The only stack of the folder.

    Raises:
        ProjectError: there is none, or there are several.
    """
    names = sorted(path.name.split(".", 1)[1].removesuffix(".yaml") for path in folder.iterdir() if is_stack_file(path))
    if len(names) != 1:
        raise ProjectError(f"name the stack with --stack: the folder has {', '.join(names) or 'none'}")
    return names[0]


def run(
    operation: str,
    stack: str,
    json_: bool,
    state: Path | None,
    config_file: Path | None,
    cwd: Path,
    choice: Choice,
    options: Options,
    any_endpoint: bool,
) -> None:
    """Run an operation and show it; exits with its code."""
    folder = cwd.resolve()
    console = Console(stderr=json_, highlight=False)
    with explained(console):
        found = installation(choice)
        if choice is Choice.AUTO:
            console.print(Text(f"Deploying by {words(found)}.", style="dim"), soft_wrap=True)
        deployer = engine(found, folder, stack, state or folder / STATES, config_file=config_file)
        if not any_endpoint:
            stack_file = config_file or folder / f"Pulumi.{stack}.yaml"
            refuse_elsewhere(folder, stack_file, deployer.export(), runs_program=operation in ("preview", "up"))
        if isinstance(deployer, PulumiEngine):
            raise typer.Exit(deployer.show(operation, flags_of(options, operation, json_)))
        if json_:
            result: Result = getattr(deployer, operation)(options)
            typer.echo(as_json(result))
        else:
            with Display(console, operation, stack, preview=options.preview_only) as display:
                deployer.listen(display.on_event)
                result = getattr(deployer, operation)(options)
            print_result(console, result)
    raise typer.Exit(result.exit_code)


def flags_of(options: Options, operation: str, json_: bool) -> list[str]:
    """Options as the Pulumi CLI takes them."""
    chosen = {
        "--json": json_,
        "--expect-no-changes": options.expect_no_changes,
        "--refresh": options.refresh,
        "--preview-only": options.preview_only and operation != "preview",
        "--non-interactive": not sys.stdout.isatty(),
    }
    return [flag for flag, wanted in chosen.items() if wanted]


class explained:  # noqa: N801 - reads as a statement
    """Say in one line what cannot be used, and exit with 1."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ProjectError | StateError | PulumiError):
            self._console.print(Text(f"error: {error}", style="red"), soft_wrap=True)
            raise typer.Exit(1) from None
