"""`make bench`: counts and ratios against the budgets of the design; nothing is asserted on time."""

from __future__ import annotations

import argparse
import base64
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from rich.console import Console
from rich.table import Table

from lab import engines, world
from lab.engine import Engine
from lab.entra import Entra, Exchange, serve
from lab.entra.batching import PATH as BATCH
from tests.bench import chain, paired
from tests.bench.counts import PAGE, PEOPLE, WIDTH, Life, as_page, as_table, is_look, is_look_up, lives
from xtsync_resources.directory.find import find
from xtsync_resources.graph.connect import connect
from xtsync_resources.graph.errors import TenantName
from xtsync_resources.graph.sign_in import Secrets, SignIn
from xtsync_resources.state import reference

ROOT = Path(__file__).resolve().parents[2]
LEAST_CALLS, EXPLAINED_CALLS = 8, 10
MANY, FEW = 1000, 10
STARTS = 7
# Seconds of every answer.
LATENCIES = (0.0, 0.05, 0.12)
# Round trips that wait for each other. Signing in takes three (metadata of the lab, discovery, token), for the program
# and then for azuread, whose own calls are among them.
MOST_SERIAL = {"fresh up": 26, "preview": 8, "up": 9, "refresh": 12, "destroy": 34}
MOST_LOOK_UP_SECONDS = 3.0
WAITING = "seconds of a fresh up at 120 ms beside azuread's / those in which a call is under way"
MOST_WAITING = 1.2
# The seam for time, and a process that ends with its engine.
KEEP_TIME = ("clock.py", "engine_watch.py")


@dataclass
class Place:
    """Tenants and a stack between them."""

    entra: Entra
    environment: dict[str, str]
    host: str
    folder: Path

    def engine(self, **config: Any) -> Engine:
        """What deploys, with the configuration of the lab's stack and more."""
        settings = {"xtsync:metadataHost": self.host, **{f"xtsync:{k}": v for k, v in config.items()}}
        return Engine(ROOT, "dev", self.folder / "state", environment=self.environment, config=settings)

    def resources(self) -> list[dict[str, Any]]:
        """What the state has."""
        found: list[dict[str, Any]] = self.engine().export()["deployment"]["resources"]
        return found

    def run(self, operation: str, **config: Any) -> tuple[float, list[Exchange]]:
        """Run an operation; its seconds and its Graph calls."""
        first = len(self.entra.traffic)
        result = getattr(self.engine(**config), operation)()
        if result.exit_code:
            raise SystemExit("\n".join(d.message for d in result.diagnostics if d.severity == "error"))
        return result.seconds, [call for call in self.entra.traffic[first:] if call.version]


@contextmanager
def place() -> Iterator[Place]:
    entra = world.dev_world()
    with serve(entra) as server, tempfile.TemporaryDirectory(prefix="xtsync-bench-") as folder:
        environment = {
            **os.environ,
            **server.environment(),
            "XTSYNC_SOURCE_CLIENT_SECRET": world.SOURCE_SECRET,
            "XTSYNC_TARGET_CLIENT_SECRET": world.TARGET_SECRET,
        }
        yield Place(entra, environment, server.host, Path(folder))


def ours(calls: list[Exchange]) -> list[Exchange]:
    return [call for call in calls if call.client.startswith("xtsync") and not is_look_up(call)]


def row(table: Table, what: str, measured: str, budget: str, good: bool) -> None:
    table.add_row(what, measured, budget, "[green]kept[/]" if good else "[red]missed[/]")


def graph_calls(table: Table) -> None:
    with place() as there:
        made = [call.path for call in ours(there.run("up")[1]) if not call.in_batch]
        looked = [path for path in made if path.endswith(("/servicePrincipals", "/$batch"))]
        fresh = len(made) - len(looked)
        allowed = LEAST_CALLS + EXPLAINED_CALLS
        budget = f"{LEAST_CALLS} + {EXPLAINED_CALLS} explained in docs/architecture.md"
        row(table, "Graph calls of our providers, fresh pair", str(fresh), budget, fresh <= allowed)
        row(table, "the same, looking up people and other configurations", str(len(looked)), "3", len(looked) <= 3)
        for operation in ("preview", "up"):
            asked = [call.path for call in ours(there.run(operation)[1])]
            count, look_ups = len(asked) - asked.count("/$batch"), asked.count("/$batch")
            row(table, f"the same, {operation} without changes", str(count), "0", count == 0)
            row(table, f"requests of look-ups, {operation} without changes", str(look_ups), "1", look_ups == 1)
        made_by_us = [call for call in ours(there.run("refresh")[1]) if call.path != BATCH and not is_look(call)]
        reads = len(made_by_us)
        resources = sum("dynamic/xtsync" in one["type"] for one in there.resources())
        row(table, "GETs of a refresh", str(reads), f"one for each of {resources} resources", reads <= resources)


@contextmanager
def bytecode() -> Iterator[None]:
    """Let Python keep what it compiled, as everywhere: else every process counts the compiling of our modules, too."""
    with tempfile.TemporaryDirectory(prefix="xtsync-bench-") as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        yield


def program_start(table: Table) -> None:
    """Imports of ours against those of pulumi and pulumi_azuread, each in fresh processes, medians."""
    code = (
        "import time; a = time.perf_counter(); import pulumi, pulumi_azuread; b = time.perf_counter(); "
        "from xtsync_resources import config, pair; c = time.perf_counter(); print((c - b) / (b - a))"
    )
    ratios = [
        float(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        for _ in range(1 + STARTS)
    ]
    ratio = statistics.median(ratios[1:])  # the first one compiles
    row(table, "program start beyond pulumi + pulumi_azuread", f"{ratio:.3f} x", "< 0.15 x", ratio < 0.15)


def struct(values: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    json_format.ParseDict(values, made)
    return made


def resident(
    folder: Path, environment: dict[str, str], config: dict[str, Any], method: str, properties: dict[str, Any]
) -> int:
    """Resident kilobytes of a real provider process after one call."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.dynamic", "127.0.0.1:1"],
        cwd=folder,
        env={**environment, "PULUMI_PROJECT": "xtsync"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        stub = provider_pb2_grpc.ResourceProviderStub(
            grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}")
        )
        stub.Configure(provider_pb2.ConfigureRequest(args=struct(config)))
        urn = "urn:pulumi:dev::xtsync::t::n"
        if method == "create":
            stub.Create(provider_pb2.CreateRequest(urn=urn, properties=struct(properties)))
        else:
            stub.Check(provider_pb2.CheckRequest(urn=urn, olds=struct(properties), news=struct(properties)))
        status = Path(f"/proc/{process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found
        return int(found[1])
    finally:
        process.kill()
        process.wait()


def warm(*arguments: Any) -> int:
    """What the second process needs: the first one compiles."""
    resident(*arguments)
    return resident(*arguments)


def memory(table: Table) -> None:
    with place() as there:
        trivial = there.folder / "trivial"
        trivial.mkdir()
        (trivial / "trivial.py").write_text(
            "from pulumi.dynamic import CreateResult, ResourceProvider\n"
            "class Trivial(ResourceProvider):\n    def create(self, props):\n        return CreateResult('x', {})\n"
            "TRIVIAL = Trivial()\n"
        )
        provider = base64.b64encode(b"ctrivial\nTRIVIAL\n.").decode()
        least = warm(trivial, there.environment, {}, "create", {"__provider": provider})
        config = {
            "xtsync:side": "source",
            "xtsync:tenantId": world.SOURCE_TENANT,
            "xtsync:tenantName": "Contoso",
            "xtsync:auth": "secret",
            "xtsync:clientId": world.SOURCE_CLIENT,
            "xtsync:cloud": "public",
            "xtsync:metadataHost": there.host,
        }
        environment = {**there.environment, "XTSYNC_CLIENT_SECRET": world.SOURCE_SECRET}
        properties = {"tenantId": world.TARGET_TENANT, "__provider": reference("PartnerBaseline")}
        for method, words in (("check", "without changes"), ("create", "after sign-in and a call")):
            ratio = warm(ROOT, environment, config, method, properties) / least
            most = 1.3 if method == "check" else 1.5
            row(table, f"provider process memory, {words}", f"{ratio:.2f} x trivial", f"< {most} x", ratio < most)


def assignments(table: Table) -> None:
    """Seconds for each further assignment, with few and with many of them."""
    costs = []
    for count in (FEW, MANY):
        with place() as there:
            source = there.entra.tenants[world.SOURCE_TENANT]
            users = [f"person{number}@contoso.com" for number in range(count)]
            for name in users:
                source.add_user(name)
            there.run("up", users=users[:1], groups=[])
            seconds, _ = there.run("up", users=users, groups=[])
            costs.append(seconds / (count - 1))
    words = f"{costs[1] / costs[0]:.2f} x ({MANY} against {FEW})"
    row(table, "seconds an assignment, many against few", words, "<= 1 x", costs[1] <= costs[0])


def serial_calls(table: Table) -> None:
    """Calls that wait for each other: by how much an operation takes longer where every answer takes longer."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for latency in LATENCIES:
        with place() as there:
            there.entra.settings = replace(there.entra.settings, latency_seconds=latency)
            for name, operation in (("fresh up", "up"), ("preview", "preview"), ("up", "up"), ("refresh", "refresh")):
                seconds[name].append(there.run(operation)[0])
            seconds["destroy"].append(there.run("destroy")[0])
    for name, budget in MOST_SERIAL.items():
        waits = (seconds[name][-1] - seconds[name][0]) / (LATENCIES[-1] - LATENCIES[0])
        at_each = zip(seconds[name], LATENCIES, strict=True)
        spent = ", ".join(f"{found:.1f} s at {1000 * latency:.0f} ms" for found, latency in at_each)
        what = f"round trips one after the other, {name}"
        row(table, what, f"{waits:.1f} ({spent})", f"<= {budget}", waits <= budget)


def look_ups(table: Table) -> None:
    """A thousand people by name, at 120 ms an answer."""
    seconds, found = seconds_of_look_up()
    good = found == MANY and seconds < MOST_LOOK_UP_SECONDS
    words = f"{seconds:.2f} s at {1000 * LATENCIES[-1]:.0f} ms an answer"
    row(table, f"look-up of {MANY:,} people by name", words, f"< {MOST_LOOK_UP_SECONDS:.0f} s", good)


def seconds_of_look_up() -> tuple[float, int]:
    """How long it takes, and how many are found."""
    with place() as there:
        source = there.entra.tenants[world.SOURCE_TENANT]
        names = [f"person{number}@contoso.com" for number in range(MANY)]
        for name in names:
            source.add_user(name)
        there.entra.settings = replace(there.entra.settings, latency_seconds=LATENCIES[-1])
        with environment_of(there):
            tenant = TenantName("source", "Contoso", world.SOURCE_TENANT)
            sign_in = SignIn(tenant, "secret", world.SOURCE_CLIENT, metadata_host=there.host)
            operation = connect(sign_in, Secrets(lambda: world.SOURCE_SECRET)).operation(60)
            operation.claims()
            began = time.monotonic()
            found = find(operation, {"user": names}, lambda _: False)
        return time.monotonic() - began, len(found)


@contextmanager
def environment_of(there: Place) -> Iterator[None]:
    """This process among the tenants."""
    before = dict(os.environ)
    os.environ.update(there.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def paired_runs(table: Table, measured: Sequence[paired.Ratio]) -> None:
    for one in measured:
        goal = "" if one.goal is None else f"<= {one.goal} x"
        row(table, one.what, f"{one.found:.2f} x CPU", goal, one.goal is None or one.found <= one.goal)


def write_page(
    engine: str,
    ours: Mapping[int, Life],
    alone: Mapping[int, Life],
    ratios: Sequence[paired.Ratio],
    waits: float,
) -> None:
    """Write docs/performance.md."""
    beside = [(f"CPU, {one.what}", f"{one.found:.2f}", "" if one.goal is None else str(one.goal)) for one in ratios]
    beside.append((WAITING, f"{waits:.2f}", str(MOST_WAITING)))
    seconds, _ = seconds_of_look_up()
    look_up = f"seconds of a look-up of {MANY:,} people by name, at {1000 * LATENCIES[-1]:.0f} ms an answer"
    beside.append((look_up, f"{seconds:.1f}", str(MOST_LOOK_UP_SECONDS)))
    PAGE.write_text(as_page(ours, alone, engine, beside))


def sleeps(table: Table) -> None:
    found = {
        path.name
        for path in (ROOT / "xtsync_resources").rglob("*.py")
        if "time.sleep(" in path.read_text() and path.name not in KEEP_TIME
    }
    row(table, "fixed sleeps in the product", ", ".join(sorted(found)) or "0", "0", not found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("people", nargs="*", type=int, default=PEOPLE, help="how many; 1, 10, 100, 1000 if not given")
    parser.add_argument("--engine", choices=("lab", "pulumi"), default="lab", help="what pairs are made with")
    parser.add_argument("--write", action="store_true", help="only write docs/performance.md")
    given = parser.parse_args()
    installation = engines.installation(engines.Choice(given.engine))
    console = Console(highlight=False, width=WIDTH)
    table = Table(title=f"Budgets, with {engines.words(installation)}", title_justify="left")
    for column in ("what", "measured", "budget", ""):
        table.add_column(column)
    with bytecode():
        ratios = [*paired.ratios(installation), *paired.start_up()]
        waits = chain.ratio(installation)
        ours, alone = lives(given.people, console, installation)
        if given.write:
            write_page(engines.words(installation).partition(":")[0], ours, alone, ratios, waits)
            return
        for measure in (graph_calls, serial_calls, look_ups, program_start, memory, assignments, sleeps):
            measure(table)
    paired_runs(table, ratios)
    row(table, WAITING, f"{waits:.2f} x", f"<= {MOST_WAITING} x", waits <= MOST_WAITING)
    console.print(table)
    console.print(as_table(given.people, ours, alone))


if __name__ == "__main__":
    main()
