"""Fresh tenants with a stack between them, on either engine, and whether what was left there converges."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import engines, world
from lab.engine import Engine, Options, Result
from lab.entra import Entra, Exchange, Server, serve
from lab.pulumi.engine import PulumiEngine
from lab.pulumi.installation import Installation

ROOT = Path(__file__).resolve().parents[2]
STACK = "dev"
# A field set by a run that was killed before it could note that it did: it stays, and a warning names it.
TOLD = "told: "
DIFFERENT = "not as before: "


@dataclass
class Ground:
    """Fresh tenants, and a stack that may be run in this process or in one that can be killed."""

    entra: Entra
    server: Server
    folder: Path
    before: Mapping[str, Any]
    installation: Installation | None

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.server.environment(),
            "XTSYNC_SOURCE_CLIENT_SECRET": world.SOURCE_SECRET,
            "XTSYNC_TARGET_CLIENT_SECRET": world.TARGET_SECRET,
        }

    @property
    def stack_file(self) -> Path:
        path = self.folder / "Pulumi.dev.yaml"
        if not path.exists():
            stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
            stack["config"]["xtsync:metadataHost"] = self.server.host
            stack["config"]["xtsync:deadlineMinutes"] = 0.5
            path.write_text(yaml.safe_dump(stack))
        return path

    @property
    def engine(self) -> Engine | PulumiEngine:
        """What deploys the stack as it is configured now."""
        states, environment = self.folder / "state", self.environment
        return engines.engine(
            self.installation, ROOT, STACK, states, environment=environment, config_file=self.stack_file
        )

    def run(self, command: str, *, refresh: bool = False) -> Result:
        result: Result = getattr(self.engine, verb(command))(Options(refresh=refresh))
        return result

    def change(self) -> None:
        """Change what can be changed of a live pair, so that the next `up` has something to update everywhere."""
        stack = yaml.safe_load(self.stack_file.read_text())
        stack["config"] |= {
            "xtsync:displayName": "Changed",
            "xtsync:notifyEmail": "changed@contoso.com",
            "xtsync:inboundTrust": {"mfa": True},
            "xtsync:users": ["bob@contoso.com"],
            "xtsync:running": False,
            "xtsync:userType": "guest",
            "xtsync:flowTypes": ["add", "update"],
        }
        self.stack_file.write_text(yaml.safe_dump(stack))

    def start(self, command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a command as people do, in processes that can be killed."""
        engine, quiet = self.engine, subprocess.DEVNULL
        if isinstance(engine, PulumiEngine):
            assert self.installation is not None
            engine.prepare()
            words = [str(self.installation.command), *engine.words(verb(command), ["--non-interactive"])]
            folder, given = engine.folder, engine.environment
        else:
            words = [sys.executable, "-m", "lab", verb(command), "--engine", "lab", "--stack", STACK]
            words += ["--state", str(self.folder / "state"), "--config-file", str(self.stack_file)]
            folder, given = ROOT, self.environment
        return subprocess.Popen(words, cwd=folder, env={**given, **environment}, stdout=quiet, stderr=quiet)

    def unlock(self) -> None:
        """What docs/operations.md has people do after a CLI was killed; the small engine's lock goes with it."""
        engine = self.engine
        if isinstance(engine, PulumiEngine):
            assert self.installation is not None
            words: list[str | Path] = [self.installation.command, "cancel", "--yes", "--stack", STACK]
            subprocess.run(words, cwd=engine.folder, env=engine.environment, capture_output=True, check=True)

    def settings(self) -> Mapping[str, Any]:
        people = ("users", "groups")
        return {
            tenant: {area: value for area, value in areas.items() if area not in people}
            for tenant, areas in self.entra.snapshot(deleted=False).items()
        }

    def calls_of(self, command: str) -> list[Exchange]:
        """Run a command, which succeeds; the calls to Graph that it makes."""
        first = len(self.entra.traffic)
        result = self.run(command)
        assert result.exit_code == 0, errors(result)
        return [exchange for exchange in self.entra.traffic[first:] if exchange.version]


def verb(command: str) -> str:
    """What to type for a command of the tables; an update is an `up` of a changed configuration."""
    return "up" if command == "update" else command


@contextmanager
def ground(installation: Installation | None = None) -> Iterator[Ground]:
    entra = world.dev_world()
    with serve(entra) as server, tempfile.TemporaryDirectory(prefix="xtsync-faults-") as folder:
        made = Ground(entra, server, Path(folder), {}, installation)
        made.before = made.settings()
        yield made


def prepare(place: Ground, command: str) -> None:
    """What has to be there before a command."""
    if command not in ("preview", "up"):
        result = place.run("up")
        assert result.exit_code == 0, errors(result)
    if command == "update":
        place.change()


def converges(place: Ground, then: str, *, refresh: bool = False) -> str:
    """Whether the next commands lead to the wanted end. "" if so, else what is wrong."""
    if then == "up":
        result = place.run("up", refresh=refresh)
        if result.exit_code:
            return f"up failed: {errors(result)}"
        jobs = [
            job.id
            for principal in place.entra.tenants[world.SOURCE_TENANT].applications.principals.values()
            for job in principal.synchronization.jobs.values()
        ]
        if len(jobs) != 1:
            return f"{len(jobs)} jobs"
        second = place.run("up")
        if second.summary.keys() != {"same"}:
            return f"a second up still changes something: {second.summary} {errors(second)}"
    result = place.run("destroy")
    if result.exit_code:
        return f"destroy failed: {errors(result)}"
    return "" if place.settings() == place.before else told(result) or f"{DIFFERENT}{differences(place)}"


def differences(place: Ground) -> str:
    """What is left in the tenants that was not there, and what is missing."""
    now = place.settings()
    found = [
        f"{tenant} {area}: {place.before[tenant].get(area)} -> {value}"
        for tenant, areas in now.items()
        for area, value in areas.items()
        if value != place.before[tenant].get(area)
    ]
    return " | ".join(found)[:600]


def told(result: Result) -> str:
    """The warning by which a `destroy` says what stays; it begins with TOLD."""
    stays = [d.message.strip() for d in result.diagnostics if d.severity == "warning" and "stays" in d.message]
    return f"{TOLD}{' | '.join(stays)}" if stays else ""


def errors(result: Result) -> str:
    return " | ".join(d.message for d in result.diagnostics if d.severity == "error")[:600]
