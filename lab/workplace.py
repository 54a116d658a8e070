"""A folder in which what is typed works on the served tenants: the program as links, its stack, and what to export."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab import world
from lab.commands import STATES
from lab.program import link_program
from lab.project import read
from lab.pulumi.engine import PulumiEngine
from lab.pulumi.installation import Installation

PROGRAM = Path(__file__).resolve().parents[1]
STACK = "dev"


@dataclass(frozen=True)
class Workplace:
    """Where to type.

    Attributes:
        program: the folder.
        exports: what is added to the environment of what is typed.
        pulumi: the real engine, its stack made; None where the small one deploys.
    """

    program: Path
    exports: Mapping[str, str]
    pulumi: PulumiEngine | None


def workplace(folder: Path, host: str, trust: Mapping[str, str], found: Installation | None) -> Workplace:
    """Make one.

    Args:
        folder: where to make the program's folder.
        host: where the tenants are.
        trust: the environment that has it trusted.
        found: the CLI; None for the small engine.
    """
    program = link_program(PROGRAM, folder / "program")
    stack_file = program / f"Pulumi.{STACK}.yaml"
    stack = yaml.safe_load((PROGRAM / stack_file.name).read_text())
    # In a project that was given another name the lab's pair is written in the namespace of that one.
    name = read(PROGRAM / "Pulumi.yaml")["name"]
    own = {re.sub("^xtsync:", f"{name}:", key): value for key, value in stack["config"].items()}
    stack["config"] = {**own, f"{name}:metadataHost": host}
    stack_file.write_text(yaml.safe_dump(stack))
    engine = "lab" if found is None else "pulumi"
    exports = {
        **trust,
        "XTSYNC_SOURCE_CLIENT_SECRET": world.SOURCE_SECRET,
        "XTSYNC_TARGET_CLIENT_SECRET": world.TARGET_SECRET,
        "XTSYNC_LAB_ENGINE": engine,
        "XTSYNC_PULUMI": shlex.join([sys.executable, "-m", "lab", "pulumi", "--cwd", str(program), "--engine", engine]),
    }
    if found is None:
        return Workplace(program, exports, None)
    pulumi = PulumiEngine(found, program, STACK, program / STATES, environment={**os.environ, **exports})
    pulumi.prepare()
    return Workplace(program, exports, pulumi)


def for_typing(place: Workplace, found: Installation | None) -> dict[str, str]:
    """What a second terminal exports, so that `python`, `xtsync` and, with the CLI, `pulumi` work in the folder."""
    tools = str(Path(sys.executable).parent)
    if found is None or place.pulumi is None:
        return {**place.exports, "PATH": f"{tools}:$PATH"}
    # Pulumi wants the salt of the stack's secrets in the stack file, and remembers the selected stack by folder.
    shutil.copy(place.pulumi.folder / f"Pulumi.{STACK}.yaml", place.program)
    words = [str(found.command), "stack", "select", STACK]
    subprocess.run(words, cwd=place.program, env=place.pulumi.environment, check=True, capture_output=True)
    return {**place.exports, **found.environment(place.program / STATES, {"PATH": f"{tools}:$PATH"})}
