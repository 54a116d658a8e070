"""Fork the processes of a deployment from one that has libraries and product imported already.

The same modules run as with `python -m`, in processes of their own; only importing them, most of a test's time, is
done once. Their clock is moved by sleeping alone: what waits until a deadline meets it on every machine alike, and
nothing else does. What tests processes themselves (tests/lab, the killed runs of tests/faults, tests/docs) starts real
ones.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LARGEST_REQUEST = 200_000
DEPLOYED, NOT_DEPLOYED = ("xtsync_resources", "lab.azuread"), ("xtsync_resources.operate", "lab.azuread.__main__")
PRELOADED = (
    "pulumi", "pulumi.dynamic", "pulumi.runtime", "pulumi_azuread", "grpc", "google.rpc.status_pb2", "dill", "requests",
    "azure.identity", "tenacity", "pulumi.runtime.proto.provider_pb2_grpc", "pulumi.runtime.proto.engine_pb2_grpc",
    "pulumi.runtime.proto.resource_pb2_grpc", "pulumi.runtime.proto.callback_pb2_grpc",
    # What these import when first used, in every process.
    "grpc._channel", "grpc._server", "azure.core.rest._requests_basic", "msal_extensions", "encodings.utf_8_sig",
    "netrc",
)  # fmt: skip


class Sprout:
    """A forked process, as far as the engine uses `subprocess.Popen`. Its exit code comes through a pipe."""

    def __init__(self, pid: int, stdout: int, stderr: int | None, status: int) -> None:
        self.pid, self._status = pid, status
        self.stdout = os.fdopen(stdout, "r")
        self.stderr = None if stderr is None else os.fdopen(stderr, "r")
        self.returncode: int | None = None
        self._lock = threading.Lock()
        os.set_blocking(status, False)

    def poll(self) -> int | None:
        with self._lock:
            if self.returncode is None:
                with contextlib.suppress(BlockingIOError):
                    said = os.read(self._status, 10)
                    self.returncode = int(said) if said else -signal.SIGKILL
                    os.close(self._status)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        ends = time.monotonic() + (timeout if timeout is not None else 1e9)
        while (code := self.poll()) is None:
            if time.monotonic() > ends:
                raise subprocess.TimeoutExpired("a forked process", timeout or 0)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that forks; one for each test process."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-u", __file__, str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], start_new_session=True)
        theirs.close()
        self._lock = threading.Lock()
        self.commands: list[str] = []

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], *, stderr: int | None = None
    ) -> Sprout:
        """Start `python [-u] -m MODULE ...` or `python [-u] FILE ...`."""
        self.commands.append(" ".join(command))
        words = [word for word in command[1:] if word != "-u"]
        request = json.dumps({"words": words, "folder": str(folder), "environment": dict(environment)}).encode()
        out, status = os.pipe(), os.pipe()
        errors = os.pipe() if stderr == subprocess.PIPE else None
        passed = [out[1], errors[1] if errors else out[1], status[1]]
        with self._lock:
            socket.send_fds(self._socket, [request], passed)
            pid = int(self._socket.recv(20))
        for descriptor in set(passed):
            os.close(descriptor)
        return Sprout(pid, out[0], errors[0] if errors else None, status[0])

    def close(self) -> None:
        self._socket.close()
        self._process.wait()

    def start_of_children(self) -> Callable[..., Any]:
        """What to put in the place of `Children.start`, so that the engine forks its processes."""

        def start(
            children: Any, command: Sequence[str], folder: Path, environment: Mapping[str, str], **more: Any
        ) -> Any:
            process = self.start(command, folder, environment, stderr=more.get("stderr"))
            children.watch(process.pid)
            return process

        return start


def serve(connection: socket.socket) -> None:
    """Fork for every request, until the other end is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, passed, _, _ = socket.recv_fds(connection, LARGEST_REQUEST, 3)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            connection.close()
            become(json.loads(request), *passed)
        connection.send(str(pid).encode())
        for descriptor in passed:
            os.close(descriptor)


def become(request: Mapping[str, Any], out: int, errors: int, status: int) -> None:
    """In the child: be what was asked for, and tell the exit code at the end."""
    leave = os._exit

    def told(code: int) -> None:
        os.write(status, str(code).encode())
        leave(code)

    os._exit = told  # type: ignore[assignment]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.dup2(out, 1)
    os.dup2(errors, 2)
    os.chdir(request["folder"])
    move_time_by_sleeping(request["folder"])
    say_nothing_for_debugging()
    os.environ.clear()
    os.environ.update(request["environment"])
    more = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    words, code = request["words"], 1
    try:
        if words[0] == "-m":
            sys.argv, sys.path[0] = words[1:], request["folder"]
            sys.path[1:1] = more
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = words, str(Path(words[0]).parent)
            runpy.run_path(words[0], run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    told(code)


def say_nothing_for_debugging() -> None:
    """Spare the SDK's debug messages, a hundred calls in a run, which the small engine passes over."""
    import pulumi

    pulumi.log.debug = lambda *_, **__: None


def move_time_by_sleeping(program: str) -> None:
    """Give the program a clock on which no time passes but what it sleeps, in each thread by itself."""
    sys.path.insert(0, program)
    from xtsync_resources.graph.clock import SystemClock

    sys.path.remove(program)
    slept = threading.local()

    def sleep(self: SystemClock, seconds: float) -> None:
        slept.seconds = getattr(slept, "seconds", 0.0) + seconds

    SystemClock.sleep = sleep  # type: ignore[method-assign]
    SystemClock.monotonic = lambda self: getattr(slept, "seconds", 0.0)  # type: ignore[method-assign]


def preload() -> None:
    """Import the libraries, and what processes of a deployment import of the product and the lab."""
    os.environ["GRPC_VERBOSITY"] = "NONE"  # as the engine has it for plugins, and read once
    for name in PRELOADED:
        importlib.import_module(name)
    sys.path.insert(0, str(ROOT))
    for package in DEPLOYED:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.startswith(NOT_DEPLOYED):
                importlib.import_module(module.name)
    sys.path.remove(str(ROOT))
    gc.freeze()  # what a collection in a forked process would touch, and so copy


if __name__ == "__main__":
    preload()
    serve(socket.socket(fileno=int(sys.argv[1])))
