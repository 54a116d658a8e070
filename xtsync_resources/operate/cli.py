"""What can be typed: the commands of `xtsync` and what they share.

Each command imports what it needs when it runs, so that help is there at once.

Exit codes are those of `EXIT_CODES`, for every command.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import VERSION
from ..untrusted import gated
from .choices import EXIT_CODES, FAILED, INTERRUPTED, NOT_WELL, WELL, Format, Side, Wait, examples, stacks_of_folder
from .screen import Failure, Screen

if TYPE_CHECKING:
    from .stack import Stack

app = typer.Typer(
    name="xtsync",
    help="Look at a pair of tenants, and act on it, between two runs of Pulumi.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def tell_version(asked: bool) -> None:
    """Say which version this is, and end."""
    if asked:
        Screen(as_json=False).plain(f"xtsync {VERSION}\n")
        raise typer.Exit(WELL)


@app.callback()
def common(
    context: typer.Context,
    cwd: Annotated[Path, typer.Option("--cwd", "-C", help="The program's folder.")] = Path(),
    config_file: Annotated[
        Path | None, typer.Option(help="The stack's file.", show_default="Pulumi.STACK.yaml")
    ] = None,
    outputs: Annotated[
        Path | None,
        typer.Option(
            help="A file with the stack's outputs as JSON; for report --all a folder with a file STACK.json for each.",
            show_default="ask Pulumi",
        ),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=tell_version, is_eager=True)
    ] = False,
) -> None:
    """Take what all commands share."""
    from ..graph.wire_log import log_calls
    from .stack import Location

    context.obj = Location(cwd, config_file, outputs)
    log_calls(gated(sys.stderr), os.environ)


def run(context: typer.Context, name: str | None, as_json: bool, act: Callable[[Stack, Screen], int]) -> None:
    """Read the stack and do what the command does; ends with its exit code."""
    from .answering import answer
    from .stack import read

    answer(as_json, lambda screen: act(read(name, context.obj, screen.status), screen))


StackName = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="The stack.", show_default="the one selected", autocompletion=stacks_of_folder),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]


@app.command(name="doctor", epilog=examples("xtsync doctor --stack contoso-fabrikam"))
def doctor_command(
    context: typer.Context,
    stack: StackName = None,
    as_json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Also list what is well; --json always does.")] = False,
) -> None:
    """Look for everything that would get in the way, in both tenants, without changing anything.

    Problems come first. Exit code 0 without problems, 1 with some.
    """
    from . import doctor

    run(context, stack, as_json, lambda found, screen: doctor.command(found, screen, everything=everything))


@app.command(name="verify", epilog=examples("xtsync verify --output record.txt"))
def verify_command(
    context: typer.Context,
    stack: StackName = None,
    as_json: AsJson = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Also write the record to this file.")] = None,
) -> None:
    """Read both tenants, and say whether Graph's answers are made as the program expects. For a first live tenant.

    The record has no names, ids or secrets. Exit code 0 if all is as expected, 1 if something differs or is unread.
    """
    from .verify import command as verify

    run(context, stack, as_json, lambda found, screen: verify.command(found, screen, output))


@app.command(name="plan", epilog=examples("xtsync plan --json"))
def plan_command(context: typer.Context, stack: StackName = None, as_json: AsJson = False) -> None:
    """Say who comes into scope with the next `pulumi up` and who leaves, in people, and what is opened and closed.

    Changes nothing. Exit code 0, 1 if `pulumi up` would refuse, 2 if that could not be found out.
    """
    from . import plan

    run(context, stack, as_json, plan.command)


@app.command(name="status", epilog=examples("xtsync status --wait first-cycle"))
def status_command(
    context: typer.Context,
    stack: StackName = None,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, until Ctrl-C.")] = False,
    wait: Annotated[
        Wait | None, typer.Option(help="Wait until the first cycle is done, all is in step, or nobody is left.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to wait at most, in minutes.")] = 60,
) -> None:
    """Say how the pair does: the job, its settings and schema, who is in scope, and the policies of both tenants.

    Exit code 0 if it is well, 1 if not or if the job is gone, 2 if that could not be found out.
    """
    from . import status

    run(context, stack, as_json, lambda found, screen: status.command(found, screen, watch, wait, minutes))


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command(name="pause", epilog=examples("xtsync pause"))
def pause_command(context: typer.Context, stack: StackName = None, as_json: AsJson = False, yes: Yes = False) -> None:
    """Pause the job: nobody is created, changed or removed in the target meanwhile."""
    from . import control

    run(context, stack, as_json, lambda found, screen: control.command(found, screen, "pause", yes))


@app.command(name="resume", epilog=examples("xtsync resume --yes"))
def resume_command(context: typer.Context, stack: StackName = None, as_json: AsJson = False, yes: Yes = False) -> None:
    """Let a paused job go on, or end a quarantine that holds no deletions back."""
    from . import control

    run(context, stack, as_json, lambda found, screen: control.command(found, screen, "resume", yes))


@app.command(name="restart", epilog=examples("xtsync restart"))
def restart_command(
    context: typer.Context,
    stack: StackName = None,
    as_json: AsJson = False,
    yes: Yes = False,
    full: Annotated[bool, typer.Option("--full", help="Forget everything: as a new job.")] = False,
) -> None:
    """Let the job look at everybody again, as after a change of scope. Never approves held-back deletions."""
    from . import control

    action = "restart --full" if full else "restart"
    run(context, stack, as_json, lambda found, screen: control.command(found, screen, action, yes))


@app.command(name="approve-deletions", epilog=examples("xtsync approve-deletions --count 12"))
def approve_command(
    context: typer.Context,
    stack: StackName = None,
    as_json: AsJson = False,
    count: Annotated[
        int | None, typer.Option(min=1, help="How many people are to be deleted, in the place of being asked.")
    ] = None,
) -> None:
    """Let the job carry out the deletions that it holds back (TooManyDeletes), after showing whose they are.

    Exit code 0 if they were approved, 1 if declined, 2 if there are none, or they are not as many.
    """
    from . import approve

    run(context, stack, as_json, lambda found, screen: approve.command(found, screen, count))


@app.command(
    name="logs", epilog=examples("xtsync logs alice@contoso.com --since 7d", "xtsync logs --failures --follow")
)
def logs_command(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="Only this person: a user principal name or object id.")] = "",
    stack: StackName = None,
    as_json: AsJson = False,
    since: Annotated[str, typer.Option(help="From when: 90m, 24h, 7d, or a date.", show_default="24h")] = "",
    failures: Annotated[bool, typer.Option("--failures", help="Only what failed.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    details: Annotated[bool, typer.Option("--details", "-d", help="Steps, scoping, changes and advice too.")] = False,
    most: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 100,
) -> None:
    """Show what the job did, one line an event. Events appear some minutes late."""
    from . import logs

    wanted = logs.Wanted(user, since, failures, follow, details, most)
    run(context, stack, as_json, lambda found, screen: logs.command(found, screen, wanted))


@app.command(name="provision", epilog=examples("xtsync provision alice@contoso.com"))
def provision_command(
    context: typer.Context,
    users: Annotated[list[str], typer.Argument(help="User principal names or object ids, in the source.")],
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Provision people now, and say step by step what came of it.

    Exit code 0 if all of them are in the target as they should be, 1 if not.
    """
    from . import provision

    run(context, stack, as_json, lambda found, screen: provision.command(found, screen, users))


@app.command(
    name="permissions",
    epilog=examples(
        "xtsync permissions --side source",
        "xtsync permissions --federate github:contoso/tenants:environment:preview --federate "
        "github:contoso/tenants:environment:production",
    ),
)
def permissions_command(
    context: typer.Context,
    stack: StackName = None,
    as_json: AsJson = False,
    side: Annotated[Side | None, typer.Option(help="Only this one.")] = None,
    federate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHOSE",
            help="Let a pipeline sign in without a secret; WHOSE is above. May be given several times.",
        ),
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Also for a configuration application that somebody else made.")
    ] = False,
) -> None:
    """Print the least permissions for this configuration, and the Azure CLI commands that grant them.

    Makes no call; works before the applications to sign in with exist. WHOSE tokens are taken is one of

    github:OWNER/REPOSITORY:environment:NAME

    github:OWNER/REPOSITORY:ref:refs/heads/BRANCH

    azure-devops:ORGANIZATION-ID:ORGANIZATION/PROJECT/SERVICE-CONNECTION
    """
    from . import permissions
    from .answering import answer
    from .stack import read

    def act(screen: Screen) -> int:
        found = read(stack, context.obj, screen.status, before_sign_in=True)
        return permissions.command(found, screen, side, federate or (), adopt)

    answer(as_json, act)


@app.command(
    name="report",
    epilog=examples(
        "xtsync report --output pair.html", "xtsync report --all --format markdown", "xtsync report --all --json"
    ),
)
def report_command(
    context: typer.Context,
    stack: StackName = None,
    as_json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Every pair of the folder.")] = False,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.HTML,
    output: Annotated[str, typer.Option("--output", "-o", help="The file; - for standard output.")] = "",
    audit: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Show the last writes, too, of the file that XTSYNC_AUDIT named."),
    ] = None,
) -> None:
    """Write a page of the pair: health and what to do, picture, people and cycles, failures, settings, last writes.

    Exit code 0 if every pair is well, 1 if one is not, 2 if one could not be read and the others are well.
    """
    from .answering import answer
    from .report.command import command

    answer(as_json, lambda screen: command(stack, context.obj, screen, everything, form, output, audit))


@app.command(name="forget", epilog=examples("xtsync forget --side source"))
def forget_command(
    context: typer.Context,
    side: Annotated[Side, typer.Option(help="The tenant that is gone.")],
    stack: StackName = None,
    as_json: AsJson = False,
    yes: Yes = False,
    backup: Annotated[
        Path | None, typer.Option(help="Where to keep the state as it was.", show_default="xtsync-forget-STACK.json")
    ] = None,
) -> None:
    """Take a source that is gone out of the state, so that `pulumi destroy` can end the target half.

    Refused where the source still lets us in. Exit code 0 if nothing of the source is left in the state, 1 if declined.
    """
    from . import forget

    run(context, stack, as_json, lambda found, screen: forget.command(found, screen, side.value, yes, backup))


@app.command(
    name="export", epilog=examples("xtsync export --source GUID --target GUID --output Pulumi.contoso-fabrikam.yaml")
)
def export_command(
    context: typer.Context,
    source: Annotated[str, typer.Option(help="The source's tenant id.")],
    target: Annotated[str, typer.Option(help="The target's tenant id.")],
    source_name: Annotated[str, typer.Option(help="What to call the source.")] = "",
    target_name: Annotated[str, typer.Option(help="What to call the target.")] = "",
    auth: Annotated[str, typer.Option(help="How to sign in to both.")] = "cli",
    source_client_id: Annotated[str, typer.Option(help="The application to sign in to the source with.")] = "",
    target_client_id: Annotated[str, typer.Option(help="The application to sign in to the target with.")] = "",
    more: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SIDE.KEY=VALUE", help="More of how to sign in: source.certificatePath=FILE."),
    ] = None,
    cloud: Annotated[str, typer.Option(help="The cloud both are in.")] = "public",
    metadata_host: Annotated[str, typer.Option(help="Take the endpoints from this host instead.")] = "",
    application: Annotated[str, typer.Option(help="Which configuration application, where there are several.")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The stack file to write.")] = None,
    import_file: Annotated[Path | None, typer.Option(help="Also write a file for `pulumi import --file`.")] = None,
    stack: Annotated[str, typer.Option("--stack", "-s", help="The stack this will be; for the import file.")] = "dev",
    as_json: AsJson = False,
) -> None:
    """Read a pair that runs, whoever made it, and write the stack configuration that reproduces it."""
    from . import export
    from .answering import answer
    from .project_file import enter_project
    from .stack import provisional

    sides = {"source": (source, source_name, source_client_id), "target": (target, target_name, target_client_id)}

    def act(screen: Screen) -> int:
        enter_project(context.obj.folder)
        found = provisional(sides, auth, cloud, metadata_host, screen.status, more or ())
        return export.command(
            found.settings,
            found.operation,
            screen,
            application=application,
            output=output,
            import_file=import_file,
            stack=stack,
        )

    answer(as_json, act)


def main() -> None:
    """Run the command line; help is styled, and passes the gate as well."""
    sys.stdout, sys.stderr = gated(sys.stdout, styled=True), gated(sys.stderr, styled=True)
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        code = mistyped(error)
    except typer.Abort:  # a question without an answer
        screen = as_typed()
        screen.tell("")
        screen.declined("the question was left without an answer")
        code = NOT_WELL
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception:  # Python would end with the code of a pair that is not well.
        traceback.print_exc()
        code = FAILED
    sys.exit(code)


def mistyped(error: typer.TyperException) -> int:
    """Say what is wrong with what was typed, and where to look; the exit code."""
    context = getattr(error, "ctx", None)
    advice = [f"  Do:  see `{context.command_path} --help`"] if context else []
    if complaint := error.format_message():  # there is none where help was shown instead
        do = f"see `{context.command_path} --help`" if context else ""
        failure = Failure("UsageError", "Cannot understand what was typed", complaint, do, reference="")
        as_typed().error([complaint, *advice], failure)
    return error.exit_code


def as_typed() -> Screen:
    """The screen of a command line that nobody has come to read."""
    return Screen(as_json="--json" in sys.argv)
