"""The plugin as a process of its own, as an engine runs it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from lab.entra import serve
from lab.world import dev_world
from tests.lab.azuread.azuread_client import APPLICATION, APPLICATION_INPUTS, Plugin
from tests.patience import PATIENCE_SECONDS

REPOSITORY = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-u", "-m", "lab.azuread", "127.0.0.1:1"]


@contextmanager
def started(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        COMMAND, cwd=REPOSITORY, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_an_application_and_ends_on_a_signal(number: signal.Signals) -> None:
    entra = dev_world()
    with serve(entra) as server, started(server.environment()) as (process, port):
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            plugin = Plugin(provider_pb2_grpc.ResourceProviderStub(channel), entra, server, [], threading.Event())
            assert plugin.stub.GetPluginInfo(empty_pb2.Empty()).version == "6.11.1"
            plugin.configure(plugin.properties())
            plugin.create(APPLICATION, APPLICATION_INPUTS)
        assert [app.display_name for app in plugin.tenant.applications.applications.values()] == ["Fabrikam"]
        assert {one.client for one in entra.traffic if one.version} == {"azuread"}
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 0


def test_it_ends_when_its_parent_is_gone() -> None:
    parent = f"import subprocess; p = subprocess.Popen({COMMAND!r}, stdout=-1); p.stdout.readline(); print(p.pid)"
    done = subprocess.run(
        [sys.executable, "-c", parent],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    plugin = os.pidfd_open(int(done.stdout))
    try:
        ended = bool(select.select([plugin], [], [], PATIENCE_SECONDS)[0])
        if not ended:
            signal.pidfd_send_signal(plugin, signal.SIGKILL)
        assert ended, "the plugin outlived its parent"
    finally:
        os.close(plugin)
