"""The language host as a process: what it refuses by name, and that it does not outlive the CLI."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from lab.pulumi import language_host
from tests.patience import PATIENCE_SECONDS

PROGRAM = Path(language_host.__file__)


def start(engine: int) -> subprocess.Popen[str]:
    """The host as the CLI starts it, with the engine's address."""
    command: list[str | Path] = [sys.executable, "-u", PROGRAM, f"127.0.0.1:{engine}"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def stub() -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    with socket.create_server(("127.0.0.1", 0)) as engine:
        process = start(engine.getsockname()[1])
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            yield language_pb2_grpc.LanguageRuntimeStub(channel)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("name", language_host.NOT_HERE)
def test_what_needs_the_official_host_says_so(stub: language_pb2_grpc.LanguageRuntimeStub, name: str) -> None:
    method = language_pb2.DESCRIPTOR.services_by_name["LanguageRuntime"].methods_by_name[name]
    request = getattr(language_pb2, method.input_type.name)()
    call = getattr(stub, name)
    ask = (lambda: list(call(request))) if method.server_streaming else (lambda: call(request))
    with pytest.raises(grpc.RpcError, match=f"{name} needs Pulumi's official Python language host"):
        ask()


def test_every_method_of_the_protocol_is_either_done_or_refused_by_name() -> None:
    methods = {method.name for method in language_pb2.DESCRIPTOR.services_by_name["LanguageRuntime"].methods}
    done = {name for name in methods if name in vars(language_host.LanguageHost)}
    assert done | set(language_host.NOT_HERE) == methods
    assert not done & set(language_host.NOT_HERE)


def test_about_says_that_it_is_not_the_official_one(stub: language_pb2_grpc.LanguageRuntimeStub) -> None:
    assert "official" in stub.About(language_pb2.AboutRequest()).metadata["host"]
    assert stub.GetPluginInfo(empty_pb2.Empty()).version == ""


def test_it_ends_when_the_cli_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as engine:
        process = start(engine.getsockname()[1])
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
    assert process.wait(PATIENCE_SECONDS) == 0
