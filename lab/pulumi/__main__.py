"""`make pulumi`: a Pulumi CLI for this checkout, built where none is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lab.pulumi.installation import MODULE, PACKAGE, Installation, Version, cached, find, least_version, parsed, pinned

VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
FAILED = 1


class CannotBuild(Exception):  # noqa: N818 - what is missing, in one sentence
    """The CLI cannot be built here."""


def main() -> int:
    """Find or build, and say which it is."""
    console = Console(highlight=False)
    found = find()
    try:
        found = found or build(console, pinned())
    except CannotBuild as reason:
        console.print(str(reason), soft_wrap=True)
        return FAILED
    console.print(f"{found.words}: {found.command}", soft_wrap=True)
    return 0


def build(console: Console, version: str, module: Path = MODULE) -> Installation:
    """Build a CLI from the module proxy into the cache.

    Raises:
        CannotBuild: Go is missing or too old, or the build failed.
    """
    least = re.search(r"^go (\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    assert least
    go = go_version()
    if go is None or go < parsed(least[1]):
        wanted = ".".join(map(str, least_version()))
        raise CannotBuild(f"Install Pulumi {wanted} or later, or Go {least[1]} or later to build it here.")
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
    return find_built(version)


def find_built(version: str) -> Installation:
    """The CLI that was just built."""
    found = find()
    return found if found is not None and found.ours else Installation(cached(version), parsed(version), ours=True)


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
    sys.exit(main())
