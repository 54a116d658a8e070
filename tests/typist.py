"""Somebody at a terminal who types what a document says, with the real Pulumi CLI and the lab's tenants."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab import world
from lab.entra import Entra, Server, serve
from lab.program import link_program
from lab.pulumi.installation import Installation
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[1]
# Pulumi asks before these, where somebody is there to answer.
ASKING = ("pulumi up", "pulumi destroy", "pulumi import", "pulumi stack rm", "pulumi state delete")


def shell_commands(text: str) -> list[str]:
    """The commands that a text has its reader type: the lines of its blocks of `sh`, joined where they go on."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = (line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines())
    return [re.sub(r"\s+", " ", line) for line in lines if line and not line.startswith("#")]


def section(text: str, title: str) -> str:
    """What stands under a heading of the second level."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@dataclass
class Typist:
    """A terminal in the program's folder.

    Attributes:
        entra: the tenants.
        server: who serves them.
        folder: the program's folder, made of links.
        environment: what is exported; commands change it.
        cwd: where the terminal is; commands change it.
        config: what is written into a stack's file once the stack is there.
        said: what each command has printed, both streams, in the order they were typed.
    """

    entra: Entra
    server: Server
    folder: Path
    environment: dict[str, str]
    cwd: Path
    config: Mapping[str, Any]
    said: list[str] = field(default_factory=list)

    def __call__(self, command: str, *, fails: bool = False) -> str:
        """Type a command, and agree where it asks; what it prints. What it exports and where it goes stays so."""
        kept = self.folder.parent / "kept"
        sure = f"{command} --yes" if command.startswith(ASKING) else command
        script = f"{sure}\ncode=$?\npwd > {shlex.quote(str(kept))}\nenv -0 >> {shlex.quote(str(kept))}\nexit $code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"{command}\n{done.stdout}"
        place, _, exported = kept.read_text().partition("\n")
        self.cwd = Path(place)
        self.environment = dict(one.split("=", 1) for one in exported.split("\0") if "=" in one)
        self.said.append(done.stdout)
        if command.startswith("pulumi stack init") and self.cwd == self.folder:
            self.describe_pair(command.split()[3])
        return done.stdout

    def describe_pair(self, stack: str) -> None:
        """Write the pair into a stack's file that says nothing but its salt, as a document has its reader do."""
        path = self.folder / f"Pulumi.{stack}.yaml"
        before = yaml.safe_load(path.read_text()) or {}
        if "config" not in before:
            path.write_text(yaml.safe_dump({**before, "config": dict(self.config)}))


@contextmanager
def typist(folder: Path, found: Installation, secrets: Sequence[str] = ("SOURCE", "TARGET")) -> Iterator[Typist]:
    """A terminal of somebody who has a backend, a passphrase and the secrets of the sides named."""
    program = link_program(ROOT, folder / "xtsync", but=("bootstrap",))
    link_program(ROOT / "bootstrap", program / "bootstrap")
    home = folder / "home"
    home.mkdir()
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "XTSYNC_"))}
    values = {"SOURCE": world.SOURCE_SECRET, "TARGET": world.TARGET_SECRET}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    entra = world.dev_world()
    with serve(entra) as server:
        config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
        environment = {
            **mine,
            **server.environment(),
            **found.environment(folder / "state", {"PATH": path}),
            **{f"XTSYNC_{side}_CLIENT_SECRET": values[side] for side in secrets},
            "HOME": str(home),
        }
        yield Typist(entra, server, program, environment, program, {**config, "xtsync:metadataHost": server.host})
