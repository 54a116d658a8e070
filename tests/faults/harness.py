"""Kill points and faults, applied to every Graph call of a command, and whether what follows converges."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import yaml

from lab import world
from lab.engine import Engine, Options, Result
from lab.entra import Entra, Fault, Server, serve
from tests.patience import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("preview", "up", "refresh", "destroy")
# A field set by a run that was killed before it could note that it did: it stays, and a warning names it.
TOLD = "told: "


@dataclass
class Ground:
    """Fresh tenants, and a stack that may be run in this process or in one that can be killed."""

    entra: Entra
    server: Server
    folder: Path
    before: Mapping[str, Any]

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

    def run(self, command: str) -> Result:
        engine = Engine(ROOT, "dev", self.folder / "state", environment=self.environment, config_file=self.stack_file)
        result: Result = getattr(engine, verb(command))(Options())
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
        arguments = ["--engine", "lab", "--stack", "dev", "--state", str(self.folder / "state")]
        arguments += ["--config-file", str(self.stack_file)]
        return subprocess.Popen(
            [sys.executable, "-m", "lab", verb(command), *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def settings(self) -> Mapping[str, Any]:
        people = ("users", "groups")
        return {
            tenant: {area: value for area, value in areas.items() if area not in people}
            for tenant, areas in self.entra.snapshot(deleted=False).items()
        }

    def calls(self) -> int:
        return sum(1 for call in self.entra.traffic if call.version)


def verb(command: str) -> str:
    """What to type for a command of the tables; an update is an `up` of a changed configuration."""
    return "up" if command == "update" else command


@contextmanager
def ground() -> Iterator[Ground]:
    entra = world.dev_world()
    with serve(entra) as server, tempfile.TemporaryDirectory(prefix="xtsync-faults-") as folder:
        made = Ground(entra, server, Path(folder), {})
        made.before = made.settings()
        yield made


# --- kill points ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KillPoint:
    """Kill -9 of a victim at the n-th Graph call of a command, before it has effect or after it had."""

    command: str
    number: int
    when: Literal["before", "after"]
    victim: str
    then: str


def prepare(place: Ground, command: str) -> None:
    """What has to be there before a command."""
    if command != "up":
        assert place.run("up").exit_code == 0
    if command == "update":
        place.change()


def calls_of(command: str) -> int:
    """How many Graph calls a command makes without faults."""
    with ground() as place:
        prepare(place, command)
        first = place.calls()
        assert place.run(command).exit_code == 0
        return place.calls() - first


def kill_points(commands: Mapping[str, int]) -> list[KillPoint]:
    """All of them."""
    return [
        KillPoint(command, number, when, victim, then)
        for command, count in commands.items()
        for number in range(count)
        for when in ("before", "after")
        for victim in ("engine", "provider")
        for then in ("up", "destroy")
        if (command, then) != ("destroy", "up") or victim == "engine"
    ]


def victim_of(process: subprocess.Popen[bytes], kind: str) -> list[int]:
    """Process ids to kill: the command itself, or its provider processes."""
    if kind == "engine":
        return [process.pid]
    tasks = list(Path(f"/proc/{process.pid}/task").glob("*"))
    ids = [int(child) for task in tasks for child in contents(task / "children").split()]
    return [i for i in ids if "pulumi.dynamic" in command_of(i) or "lab.azuread" in command_of(i)]


def command_of(process_id: int) -> str:
    return contents(Path(f"/proc/{process_id}/cmdline")).replace("\0", " ")


def contents(path: Path) -> str:
    """What the system says of a process or thread; "" if it has just ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def try_kill_point(point: KillPoint) -> str:
    """Kill, go on, look. "" if it converged, else what is wrong."""
    with ground() as place:
        prepare(place, point.command)
        place.entra.faults.add(Fault(kind="hold", when=point.when, version="v1.0", skip=point.number))
        process = place.start(point.command)
        try:
            wait_until(lambda: not place.entra.faults.pending or process.poll() is not None)
            if place.entra.faults.pending:
                return "" if process.poll() == 0 else "the call was not reached"
            for process_id in victim_of(process, point.victim):
                with suppress(ProcessLookupError):  # it has just ended by itself
                    os.kill(process_id, signal.SIGKILL)
        finally:
            if point.victim == "engine":
                process.kill()
            process.wait(PATIENCE_SECONDS)
            place.entra.faults.release()
        return converges(place, point.then)


def converges(place: Ground, then: str) -> str:
    """Whether the next commands lead to the wanted end."""
    if then == "up":
        result = place.run("up")
        if result.exit_code:
            return f"up failed: {errors(result)}"
        jobs = [
            job.id
            for principal in place.entra.tenants[world.SOURCE_TENANT].applications.principals.values()
            for job in principal.synchronization.jobs.values()
        ]
        if len(jobs) != 1:
            return f"{len(jobs)} jobs"
        if place.run("up").summary.keys() != {"same"}:
            return "a second up still changes something"
    result = place.run("destroy")
    if result.exit_code:
        return f"destroy failed: {errors(result)}"
    return "" if place.settings() == place.before else told(result) or "the tenants are not as before"


def told(result: Result) -> str:
    """The warning by which a `destroy` says what stays; it begins with TOLD."""
    stays = [d.message.strip() for d in result.diagnostics if d.severity == "warning" and "stays" in d.message]
    return f"{TOLD}{' | '.join(stays)}" if stays else ""


def errors(result: Result) -> str:
    return " | ".join(d.message for d in result.diagnostics if d.severity == "error")[:300]


# --- faults ----------------------------------------------------------------------------------------------------

FAULTS: Mapping[str, Fault] = {
    "429 with Retry-After 1": Fault(status=429, code="TooManyRequests", headers={"Retry-After": "1"}),
    "429 with Retry-After 0": Fault(status=429, code="TooManyRequests", headers={"Retry-After": "0"}),
    "429 without Retry-After": Fault(status=429, code="TooManyRequests", times=2),
    "429 with Retry-After 315": Fault(status=429, code="TooManyRequests", headers={"Retry-After": "315"}),
    "500": Fault(status=500, code="UnknownError"),
    "503 before effect": Fault(status=503),
    "504 after effect": Fault(status=504, code="UnknownError", when="after"),
    "connection reset before effect": Fault(kind="reset"),
    "connection reset after effect": Fault(kind="reset", when="after"),
    "body cut off": Fault(kind="truncate"),
    "HTML instead of JSON": Fault(kind="html", when="after"),
    "empty answer after effect": Fault(kind="empty", when="after"),
    "answer without properties after effect": Fault(kind="hollow", when="after"),
    "409 Directory_ConcurrencyViolation": Fault(status=409, code="Directory_ConcurrencyViolation"),
    "401 InvalidAuthenticationToken": Fault(status=401, code="InvalidAuthenticationToken"),
    "403 for good": Fault(status=403, code="Authorization_RequestDenied", times=1000),
    "400 unknown": Fault(status=400, code="Request_BadRequest", message="Something is wrong."),
}
# The calls of a command, one fault each: by client, as azuread's own retries are azuread's.
CALLS: Mapping[str, tuple[str, str]] = {
    "read partner": ("GET", r"/partners/[^/]+$"),
    "create partner": ("POST", r"/partners$"),
    "delete partner": ("DELETE", r"/partners/[^/]+$"),
    "read identity sync": ("GET", r"identitySynchronization$"),
    "create identity sync": ("PUT", r"identitySynchronization$"),
    "delete identity sync": ("DELETE", r"identitySynchronization$"),
    "read service principal": ("GET", r"/servicePrincipals/[^/]+$"),
    "list jobs": ("GET", r"/jobs$"),
    "list applications": ("GET", r"/applications$"),
    "validate credentials": ("POST", r"validateCredentials$"),
    "create job": ("POST", r"/jobs$"),
    "read job": ("GET", r"/jobs/[^/]+$"),
    "save settings": ("PUT", r"secrets$"),
    "read settings": ("GET", r"secrets$"),
    "start": ("POST", r"/start$"),
    "pause": ("POST", r"/pause$"),
    "delete job": ("DELETE", r"/jobs/[^/]+$"),
    "list assignments": ("GET", r"/appRoleAssignedTo$"),
    "take people out": ("POST", r"/\$batch$"),
    "take one person out": ("DELETE", r"/appRoleAssignedTo/[^/]+$"),
    "delete application": ("DELETE", r"/applications/[^/]+$"),
}


@dataclass(frozen=True)
class Cell:
    """One fault at one call of one command."""

    fault: str
    call: str
    command: str


def cells(calls_by_command: Mapping[str, set[str]]) -> list[Cell]:
    """All that can occur."""
    return [
        Cell(fault, call, command)
        for command in COMMANDS
        for call in CALLS
        if call in calls_by_command[command]
        for fault in FAULTS
    ]


def calls_seen(command: str) -> set[str]:
    """Which of the calls a command makes."""
    with ground() as place:
        prepare(place, "up" if command == "preview" else command)
        first = len(place.entra.traffic)
        place.run(command)
        return {
            name
            for name, (method, path) in CALLS.items()
            if any(c.method == method and re.search(path, c.path) for c in place.entra.traffic[first:])
        }


def try_cell(cell: Cell) -> str:
    """Run the command under the fault. "" if it ended well or in one clear message, and all converges after."""
    method, path = CALLS[cell.call]
    with ground() as place:
        prepare(place, "up" if cell.command == "preview" else cell.command)
        place.entra.faults.add(replace(FAULTS[cell.fault], method=method, path=path, version="v1.0"))
        result = place.run(cell.command)
        place.entra.faults.clear()
        wrong = unclear(result)
        return wrong or converges(place, "destroy" if cell.command == "destroy" else "up")


def unclear(result: Result) -> str:
    """What is wrong with how a failed command speaks; "" if nothing."""
    if result.exit_code == 0:
        return ""
    complaints = [d for d in result.diagnostics if d.severity == "error"]
    if not complaints or len({d.urn for d in complaints}) != len(complaints):
        return f"not one message a resource: {[d.message for d in complaints]}"[:300]
    for text in (d.message for d in complaints):
        if "Traceback" in text or text.startswith("xtsync_resources"):
            return f"a traceback: {text}"[:300]
        if not all(part in text for part in ("Failed to", "Why:", "tenant")):
            return f"unclear message: {text}"[:300]
    return ""
