"""A whole program in the lab: emulated tenants, the real SDK and provider processes, the lab's engine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import world
from lab.entra import Entra, Server, serve
from lab.pulumi.installation import Installation
from tests.nursery import Nursery
from tests.scenarios.halves import A, B
from tests.scenarios.stacks import Command, Lab, leaks
from xtsync_resources.graph.clock import SystemClock


@pytest.fixture
def lab(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    nursery: Nursery,
    installation: Installation | None,
) -> Iterator[Lab]:
    """The lab; after every scenario secrets and tokens are searched for everywhere anything was written."""
    commands: list[str] = []
    start = subprocess.Popen.__init__

    def noted(self: Any, args: Any, *more: Any, **options: Any) -> None:
        commands.append(str(args))
        start(self, args, *more, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    entra = world.dev_world()
    with serve(entra) as server:
        made = Lab(server, entra, tmp_path, installation)
        yield made
    assert [call for call in entra.traffic if not call.known] == [], "a call the lab does not know"
    files = (path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink())
    assert not leaks(
        {
            "messages and outputs": "\n".join(made.texts),
            "process arguments": "\n".join([*commands, *nursery.commands]),
            "traffic records": "\n".join(map(repr, entra.traffic)),
            "standard output and error": "".join(capfd.readouterr()),
            **{path.name: path.read_text(errors="replace") for path in files},
        }
    )


@pytest.fixture
def xtsync(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`xtsync`, whose sleeping moves the tenants' clock: nobody waits, and nothing happens meanwhile that need not."""
    began = lab.entra.clock.now()

    def sleep(_: SystemClock, seconds: float) -> None:
        lab.entra.pass_time(minutes=seconds / 60)

    monkeypatch.setattr(SystemClock, "sleep", sleep)
    monkeypatch.setattr(SystemClock, "monotonic", lambda _: (lab.entra.clock.now() - began).total_seconds())
    return Command(lab, monkeypatch)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Entra, Server, dict[Any, Any]]]:
    entra = world.dev_world()
    for tenant, client in ((A, world.SOURCE_CLIENT), (B, world.TARGET_CLIENT)):
        found = entra.tenants[tenant].login.clients[client]
        permissions = frozenset(world.SOURCE_PERMISSIONS + world.TARGET_PERMISSIONS)
        entra.tenants[tenant].login.clients[client] = type(found)(client, found.object_id, found.secret, permissions)
    with serve(entra) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment().items():
            patch.setenv(name, value)
        yield entra, server, {}
