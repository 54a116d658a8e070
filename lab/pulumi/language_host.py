# ruff: noqa: N802, ARG002 - the names and arguments of the protocol
"""A language host for Python programs, used only where Pulumi's official one is not installed.

The Pulumi CLI starts it by the launcher `pulumi-language-python`, reads its port and asks it to run the program or
the policy pack. It makes no environment, generates no code and attaches no debugger: those say that they need the
official host.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

LAUNCHER = Path(__file__).resolve().parents[1] / "launch.py"
# The program failed and said so itself; Pulumi adds nothing.
SAID_ALREADY = 32
NOT_OFFICIAL = "the lab's (the official one is not installed)"
SECONDS_TO_END = 5
SECONDS_BETWEEN_LOOKS = 1
NOT_HERE = (
    "InstallDependencies", "RuntimeOptionsPrompts", "Template", "GetProgramDependencies", "GenerateProgram",
    "GenerateProject", "GeneratePackage", "Pack", "Link",
)  # fmt: skip


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs the program, each time in a process of its own."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._running: set[subprocess.Popen[bytes]] = set()
        for name in NOT_HERE:
            setattr(self, name, needs_the_official_host(name))

    def Handshake(self, request: Any, context: Any) -> Any:
        """Learn where the engine is."""
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Nothing to say: it has no version of its own."""
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """None in advance: the engine looks for a plugin when the program first uses it."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        """As for packages."""
        return language_pb2.GetRequiredPluginsResponse()

    def About(self, request: Any, context: Any) -> Any:
        """What `pulumi about` shows."""
        version = platform.python_version()
        return language_pb2.AboutResponse(
            executable=sys.executable,
            version=version,
            metadata={"host": NOT_OFFICIAL},
        )

    def Run(self, request: Any, context: Any) -> Any:
        """Run the program."""
        arguments = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "dry-run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "root": request.info.root_directory,
        }
        words = [word for name, value in arguments.items() for word in (f"--{name}", value)]
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        process = subprocess.Popen(
            [interpreter(request.info), "-u", str(LAUNCHER), *words], cwd=request.pwd, env=environment
        )
        self._running.add(process)
        # The engine takes this call back when something else failed: the program has nothing more to say then.
        context.add_callback(lambda: interrupt(process))
        code = process.wait()
        if code in (0, SAID_ALREADY):
            return language_pb2.RunResponse(bail=code == SAID_ALREADY)
        return language_pb2.RunResponse(error=f"the program ended with exit code {code}")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Run a policy pack, or a plugin written in Python, until the engine ends it."""
        folder = request.info.program_directory
        policy_pack = request.kind == "analyzer"
        arguments = ["-m", "pulumi.policy", *request.args, folder] if policy_pack else [folder, *request.args]
        environment = dict(entry.split("=", 1) for entry in request.env)
        process = subprocess.Popen(
            [interpreter(request.info), "-u", *arguments], cwd=request.pwd, env=environment, stdout=subprocess.PIPE
        )
        self._running.add(process)
        context.add_callback(process.terminate)
        assert process.stdout is not None
        for line in process.stdout:
            yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def Cancel(self, request: Any, context: Any) -> Any:
        """Interrupt what runs; the engine ends this process next."""
        self.interrupt()
        return empty_pb2.Empty()

    def interrupt(self) -> None:
        """Ask every process to end, as Ctrl-C would."""
        for process in self._running:
            interrupt(process)

    def end(self) -> None:
        """End every process, by force if it does not listen."""
        self.interrupt()
        for process in self._running:
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, as Ctrl-C would."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)


def needs_the_official_host(name: str) -> Any:
    """A method that only says what is missing."""

    def refuse(_request: Any, context: Any) -> None:
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            f"{name} needs Pulumi's official Python language host (pulumi-language-python), which is not installed",
        )

    return refuse


def interpreter(info: Any) -> str:
    """The Python of a program: its virtual environment's, else the one of this process."""
    given = dict(info.options.items()).get("virtualenv")
    return str(Path(info.root_directory, str(given), "bin", "python")) if given else sys.executable


def listens(address: str) -> bool:
    """Whether the engine is still there: it may have been killed while this process had not even started."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), SECONDS_TO_END).close()
    except (OSError, ValueError):
        return False
    return True


def main() -> None:
    """Serve until told to end, or until the Pulumi CLI is gone."""
    ended = threading.Event()
    engine = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    host = LanguageHost(engine)
    server = grpc.server(ThreadPoolExecutor())
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    while not ended.wait(SECONDS_BETWEEN_LOOKS) and listens(engine):
        pass
    host.end()
    server.stop(None)


if __name__ == "__main__":
    main()
