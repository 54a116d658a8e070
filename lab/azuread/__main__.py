"""`python -u -m lab.azuread [ENGINE_ADDRESS]`: print the port, serve until killed or the parent is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from lab.azuread.server import Log, serve

_LOOK_FOR_PARENT_SECONDS = 1


def log_to(engine: grpc.Channel) -> Log:
    """What shows an error at an engine."""
    stub = engine_pb2_grpc.EngineStub(engine)

    def log(urn: str, text: str) -> None:
        # The refusal itself says what went wrong to whoever cannot be told beside it.
        with contextlib.suppress(grpc.RpcError):
            stub.Log(engine_pb2.LogRequest(severity=engine_pb2.ERROR, urn=urn, message=text))

    return log


def main() -> None:
    """Serve, and have the engine show errors."""
    ended, parent = threading.Event(), os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with grpc.insecure_channel(sys.argv[-1]) as channel, serve(threading.Event(), log_to(channel)) as port:
        print(port, flush=True)
        while not ended.wait(_LOOK_FOR_PARENT_SECONDS) and os.getppid() == parent:
            pass


if __name__ == "__main__":
    main()
