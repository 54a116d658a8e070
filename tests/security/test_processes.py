"""A provider process ends when its engine is gone: the SDK's real process, started behind a launcher as Pulumi does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from lab.engine.values import to_struct
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.security.hostile_server import drips, hostile
from xtsync_resources.state import reference

ROOT = Path(__file__).resolve().parents[2]
TENANT = "11111111-1111-4111-8111-111111111111"
PROPERTIES = to_struct({"tenantId": "p", "__provider": reference("PartnerBaseline")}, secrets=False)
# Serves nothing, but is there, and does not end by itself.
ENGINE = """
import concurrent.futures, grpc, threading
server = grpc.server(concurrent.futures.ThreadPoolExecutor())
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
threading.Event().wait()
"""


@pytest.fixture
def engine() -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen([sys.executable, "-c", ENGINE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process, f"127.0.0.1:{process.stdout.readline().strip()}"
    process.kill()
    process.wait()


class Provider:
    """`python -u -m pulumi.dynamic ENGINE`, as the child of a shell."""

    def __init__(self, engine_address: str, environment: dict[str, str]) -> None:
        command = f'echo $$; "{sys.executable}" -u -m pulumi.dynamic {engine_address} & echo $!; wait'
        self.shell = subprocess.Popen(
            ["/bin/sh", "-c", command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        assert self.shell.stdout is not None
        numbers = [int(self.shell.stdout.readline()) for _ in range(3)]
        self.pid, port = numbers[1], numbers[2]
        self.stub = provider_pb2_grpc.ResourceProviderStub(grpc.insecure_channel(f"127.0.0.1:{port}"))

    def configure(self, **settings: str) -> None:
        given = {"side": "target", "tenantId": TENANT, "tenantName": "Fabrikam", "onExisting": "adopt", **settings}
        arguments = to_struct({f"xtsync:{name}": value for name, value in given.items()}, secrets=False)
        self.stub.Configure(provider_pb2.ConfigureRequest(args=arguments))

    def check(self) -> None:
        """A call by which the process loads our code."""
        self.stub.Check(provider_pb2.CheckRequest(urn="urn:x", news=PROPERTIES))

    def create(self) -> object:
        """A call that talks to Graph, and goes on."""
        properties = to_struct({"tenantId": "p", "__provider": reference("PartnerBaseline")}, secrets=False)
        return self.stub.Create.future(provider_pb2.CreateRequest(urn="urn:x", properties=properties))

    def lives(self) -> bool:
        """Whether the process is there and not only waiting to be buried."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):  # it may go while it is read
            return False

    def ends(self) -> bool:
        return wait_until(lambda: not self.lives())

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.shell.wait(PATIENCE_SECONDS)


@pytest.fixture
def provider(engine: tuple[subprocess.Popen[str], str]) -> Iterator[Provider]:
    made = Provider(engine[1], dict(os.environ))
    yield made
    made.close()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked at in /proc")
def test_a_provider_ends_when_its_engine_was_killed(
    engine: tuple[subprocess.Popen[str], str], provider: Provider
) -> None:
    provider.configure()
    provider.check()
    time.sleep(4)
    assert provider.lives(), "it lives while the engine does"
    provider.check()
    engine[0].send_signal(signal.SIGSTOP)
    time.sleep(4)
    assert provider.lives(), "an engine that is only stopped is there"
    engine[0].send_signal(signal.SIGKILL)
    assert provider.ends()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked at in /proc")
def test_a_provider_ends_in_the_middle_of_a_call(engine: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    with hostile(tmp_path) as server:
        server.conversations[""] = drips(b" " * 120, 0.5, b"HTTP/1.1 200 OK\r\nContent-Length: 120\r\n\r\n")
        environment = {**os.environ, "REQUESTS_CA_BUNDLE": server.certificate, "XTSYNC_CLIENT_SECRET": "x"}
        provider = Provider(engine[1], environment)
        try:
            provider.configure(auth="secret", clientId="c", metadataHost=server.host)
            waiting = provider.create()
            while not server.requests:
                time.sleep(0.1)
            engine[0].send_signal(signal.SIGKILL)
            assert provider.ends()
            assert waiting is not None
        finally:
            provider.close()
