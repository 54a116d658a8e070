"""`make pulumi`: a Pulumi CLI for this checkout, built where none is installed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lab.pulumi.installation import (
    MODULE,
    OLDEST,
    PACKAGE,
    Installation,
    Version,
    cached,
    find,
    find_built,
    least_version,
    parsed,
    pinned,
)

VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
FAILED, NOT_HERE = 1, 3


class CannotBuild(Exception):  # noqa: N818 - the text says what failed
    """The CLI could not be built."""


class NothingToBuildWith(CannotBuild):
    """There is no Go that is new enough; the text says what to install."""


def main(arguments: Sequence[str]) -> int:
    """Find or build, and say which it is; `--oldest` is for the test that needs the oldest version there can be."""
    console = Console(highlight=False)
    module = OLDEST if "--oldest" in arguments else MODULE
    found = find_built(pinned(OLDEST)) if module == OLDEST else find()
    try:
        found = found or build(console, module)
    except NothingToBuildWith as reason:
        console.print(str(reason), soft_wrap=True)
        return NOT_HERE
    except CannotBuild as reason:
        console.print(str(reason), soft_wrap=True)
        return FAILED
    console.print(f"{found.words}: {found.command}", soft_wrap=True)
    if shutil.which("pulumi") is None:
        folder = shlex.quote(str(found.command.parent))
        console.print(f'To type `pulumi` in this terminal: export PATH={folder}:"$PATH"', soft_wrap=True)
    return 0


def build(console: Console, module: Path) -> Installation:
    """Build the CLI that a module pins into the cache.

    Raises:
        NothingToBuildWith: Go is missing or too old.
        CannotBuild: the build failed.
    """
    version = pinned(module)
    least = re.search(r"^go (\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    assert least
    go = go_version()
    if go is None or go < parsed(least[1]):
        wanted = ".".join(map(str, least_version()))
        raise NothingToBuildWith(f"Install Pulumi {wanted} or later, or Go {least[1]} or later to build it here.")
    target = cached(version)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"building.{os.getpid()}")
    console.print(f"Building Pulumi {version} from its pinned modules: some minutes, once on a machine.")
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    ) as progress:
        modules = progress.add_task("Fetching modules", total=None)
        run(["go", "mod", "download"], module)
        progress.update(modules, total=1, completed=1)
        names = run(["go", "list", "-deps", PACKAGE], module).splitlines()
        packages = progress.add_task("Compiling packages", total=len(names))
        flags = f"-s -w -X {VERSION_VARIABLE}={version.removeprefix('v')}"
        command = ["go", "build", "-v", "-o", str(temporary), "-ldflags", flags, PACKAGE]
        lines = []
        with subprocess.Popen(command, cwd=module, env=go_environment(), stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            for line in process.stderr:
                lines.append(line)
                progress.advance(packages)
        progress.update(packages, completed=len(names))
    if process.returncode:
        temporary.unlink(missing_ok=True)
        raise CannotBuild(f"Building Pulumi {version} failed: {''.join(lines[-5:])}")
    temporary.replace(target)
    built = find_built(version)
    assert built
    return built


def go_version() -> Version | None:
    """The version of Go on the PATH; None without."""
    try:
        said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return parsed(said.removeprefix("go")) or None


def go_environment() -> dict[str, str]:
    """No other toolchain than the one that is installed, and no changes to the pinned modules."""
    return {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false"}


def run(command: list[str], folder: Path) -> str:
    """What a command prints.

    Raises:
        CannotBuild: it failed.
    """
    done = subprocess.run(command, cwd=folder, env=go_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"`{' '.join(command)}` failed: {done.stderr.strip()[-1000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
