"""A terminal in the program's folder, with the real Pulumi CLI and a stack between the lab's tenants."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab import world
from lab.entra import Entra, serve
from lab.pulumi.engine import PulumiEngine
from lab.pulumi.installation import Installation
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Shell:
    """A terminal in the program's folder, on a stack between the lab's tenants."""

    entra: Entra
    engine: PulumiEngine
    command: Path

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        environment = {**self.engine.environment, **more.pop("environment", {})}
        return subprocess.Popen(
            [self.command, *words, "--non-interactive"],
            cwd=self.engine.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            **more,
        )

    def __call__(self, *words: str, fails: bool = False, environment: dict[str, str] | None = None) -> str:
        process = self.start(*words, environment=environment or {})
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert (process.returncode != 0) == fails, said
        return said


def only_real(installation: Installation | None) -> Installation:
    if installation is None:
        pytest.skip("needs the Pulumi CLI: pytest --engine pulumi")
    return installation


@contextmanager
def terminal(folder: Path, found: Installation) -> Iterator[Shell]:
    entra = world.dev_world()
    with serve(entra) as server:
        environment = {
            **os.environ,
            **server.environment(),
            "XTSYNC_SOURCE_CLIENT_SECRET": world.SOURCE_SECRET,
            "XTSYNC_TARGET_CLIENT_SECRET": world.TARGET_SECRET,
        }
        config = {"xtsync:metadataHost": server.host}
        engine = PulumiEngine(found, ROOT, "dev", folder / "state", environment=environment, config=config)
        engine.prepare()
        yield Shell(entra, engine, found.command)
