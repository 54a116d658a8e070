"""What a pair of so many people costs, beside a program that has azuread alone do it: counts, and CPU as a ratio."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lab import engines, world
from lab.engine import Engine
from lab.entra import Entra, Exchange, serve
from lab.entra.batching import PATH as BATCH
from lab.pulumi.engine import PulumiEngine
from lab.pulumi.installation import Installation
from xtsync_resources.application.orphans import APPLICATION_TEMPLATE

ROOT = Path(__file__).resolve().parents[2]
BESIDE = Path(__file__).with_name("beside")
PEOPLE = (1, 10, 100, 1000)
WIDTH = 140
MANY = 10_000
# Of more people only `up` is measured: Pulumi takes many minutes for each of the others, and they tell nothing new.
MOST_ENDED = 500
STEPS = ("up", "leaving", "destroy")
STATE = "state: bytes"
STATE_BUDGET, MOST_RATIO = 500, 1.1


PAGE = ROOT / "docs" / "performance.md"
HEAD = """# What a pair costs

Written by `make bench ENGINE=pulumi WRITE=1`, beside a program that has pulumi-azuread alone make the application and
the assignments, and nothing of the policies, the job and its settings. Seconds depend on the machine and on Graph; the
few that are here say so.

*up* puts everybody in scope, *leaving* takes all but one of them out, *destroy* ends the pair.

| what | people named in `users` | this program | azuread alone |
|---|---|---|---|"""
FOOT = """
A preview without a change asks Graph who is named, in one request for 300 names, and nothing else. So does an `up`.

## When groups are the better way

Every entry of `users` is a resource: it costs its part of the state, a request when it comes, and a share of the time
that Pulumi needs for every command. Pulumi writes the whole state after each resource, so that twice as many people
take up to four times as long. Of this program the state has a little more for each: who is in scope is noted before
anybody is, and names that a tenant gives are kept encrypted, which is what safety costs. An entry of `groups` costs
what one person costs, whoever is in the group.

Seconds of CPU of all processes but the tenants, where Graph answers at once. The time at a clock is about as long on
one core; what Graph takes comes on top.

{people}

From some hundred people on, name groups, and by object id. Who comes and goes is then decided where the groups are
kept: a preview tells only of groups that come or leave, and `xtsync doctor` counts who is in them.
"""
BESIDE_TITLE = """
## Beside other programs

Medians of pairs of runs that follow each other, on {engine}. CPU is that of all processes but the tenants: the engine,
the program, the providers. azuread is the lab's stand-in, a Python program, which takes less than the real one.
Two tenants, each with credentials of its own, take two Python providers, whatever these do: what is beyond the program
that has two is this project's.

| what | measured | goal |
|---|---|---|"""


@dataclass(frozen=True)
class Cost:
    """What one operation costs: requests to Graph, calls with those inside of batches, CPU of program and providers.

    Looks for other configurations of the pair are counted apart.
    """

    requests: int
    calls: int
    seconds: float
    looks: int = 0


@dataclass(frozen=True)
class Life:
    """A pair from `up` to `destroy`; the state as it is with everybody in scope."""

    costs: Mapping[str, Cost]
    resources: int
    state_bytes: int


class Ours:
    """The program of this project."""

    folder = ROOT

    def __init__(
        self, entra: Entra, host: str, environment: Mapping[str, str], states: Path, installation: Installation | None
    ) -> None:
        self.entra, self.host, self.environment, self.states = entra, host, environment, states
        self.installation = installation

    def config(self, users: Sequence[str]) -> dict[str, Any]:
        scope = {"xtsync:users": list(users), "xtsync:groups": [], "xtsync:allowDeletions": MANY}
        return {"xtsync:metadataHost": self.host, **scope}

    def engine(self, users: Sequence[str]) -> Engine | PulumiEngine:
        more = {"environment": self.environment, "config": self.config(users)}
        return engines.engine(self.installation, self.folder, "dev", self.states, **more)

    def run(self, operation: str, users: Sequence[str]) -> Cost:
        """Run an operation; what it cost."""
        first, before = len(self.entra.traffic), children_seconds()
        result = getattr(self.engine(users), operation)()
        if result.exit_code:
            raise SystemExit("\n".join(d.message for d in result.diagnostics if d.severity == "error"))
        made = [exchange for exchange in self.entra.traffic[first:] if exchange.version]
        looks = sum(is_look(exchange) for exchange in made)
        requests = sum(not exchange.in_batch for exchange in made)
        calls = sum(exchange.path != BATCH for exchange in made) - looks
        return Cost(requests, calls, children_seconds() - before, looks)

    def live(self, users: Sequence[str]) -> Life:
        """Everybody comes into scope, all but one leave, and it ends, unless they are very many."""
        costs = {"up": self.run("up", users)}
        resources = self.engine(users).export()["deployment"]["resources"]
        if 1 < len(users) <= MOST_ENDED:
            costs["leaving"] = self.run("up", users[:1])
            self.run("up", users)
        if len(users) <= MOST_ENDED:
            costs["destroy"] = self.run("destroy", users)
        return Life(costs, len(resources), len(json.dumps(resources, separators=(",", ":"))))


class AzureadOnly(Ours):
    """An application and its assignments, nothing of ours."""

    folder = BESIDE
    nothings = 0

    def config(self, users: Sequence[str]) -> dict[str, Any]:
        values = {
            "tenantId": world.SOURCE_TENANT,
            "clientId": world.SOURCE_CLIENT,
            "metadataHost": self.host,
            "templateId": APPLICATION_TEMPLATE,
            "users": list(users),
            "roleId": self.role(),
            "nothings": self.nothings,
        }
        return {f"beside:{key}": value for key, value in values.items()}

    def role(self) -> str:
        """The role of the application, which azuread has no way to ask for; "" while there is none."""
        principals = self.entra.tenants[world.SOURCE_TENANT].applications.principals.values()
        return next((str(role["id"]) for principal in principals for role in principal.roles), "")

    def live(self, users: Sequence[str]) -> Life:
        """The application is made first: only then its role is known. Starting a program twice for that is no cost."""
        made = self.run("up", [])
        life = super().live(users)
        up = life.costs["up"]
        both = Cost(made.requests + up.requests, made.calls + up.calls, up.seconds)
        return replace(life, costs={**life.costs, "up": both})


def is_look(exchange: Exchange) -> bool:
    """Whether it looks for other configurations: instances of the template, and in batches their jobs and settings."""
    if exchange.in_batch:
        return exchange.method == "GET" and exchange.path.endswith(
            ("/synchronization/jobs", "/synchronization/secrets")
        )
    return "applicationTemplateId" in exchange.query.get("$filter", "")


def is_look_up(exchange: Exchange) -> bool:
    """Whether it looks up users or groups that the stack file names, or carries nothing else."""
    return exchange.in_batch and exchange.path in ("/users", "/groups")


def children_seconds() -> float:
    """CPU of the processes that have ended: program and providers, not the engine and the tenants."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def program(kind: type[Ours], count: int, installation: Installation | None = None) -> Iterator[tuple[Ours, list[str]]]:
    """A program between fresh tenants, and the people there."""
    entra = world.dev_world()
    users = [f"person{number}@contoso.com" for number in range(count)]
    for name in users:
        entra.tenants[world.SOURCE_TENANT].add_user(name)
    with serve(entra) as server, one_place(kind.__name__) as folder:
        environment = {
            **os.environ,
            # A program without an environment of its own runs in this one.
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            **server.environment(),
            "XTSYNC_SOURCE_CLIENT_SECRET": world.SOURCE_SECRET,
            "XTSYNC_TARGET_CLIENT_SECRET": world.TARGET_SECRET,
        }
        yield kind(entra, server.host, environment, folder, installation), users


@contextmanager
def one_place(name: str) -> Iterator[Path]:
    """A folder that is always the same one, and empty: as for a user, Python finds what it has compiled before."""
    folder = Path(tempfile.gettempdir()) / f"xtsync-bench-{os.getpid()}-{name}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def lives(
    sizes: Sequence[int], console: Console, installation: Installation | None
) -> tuple[dict[int, Life], dict[int, Life]]:
    """Pairs of several sizes, ours and azuread's alone; says how far it is, as a thousand people take minutes."""
    ours: dict[int, Life] = {}
    alone: dict[int, Life] = {}
    for count in sizes:
        for kind, found in ((Ours, ours), (AzureadOnly, alone)):
            with program(kind, count, installation) as (made, users):
                found[count] = made.live(users)
            console.print(f"{kind.__name__}, people: {count}, {found[count]}", style="dim", soft_wrap=True)
    return ours, alone


def measures(step: str) -> dict[str, Callable[[Life], float | None]]:
    """What is counted of one step of a life; None where it has no such step."""
    return {
        f"{step}: requests": of_step(step, "requests"),
        f"{step}: Graph calls": of_step(step, "calls"),
        f"{step}: looks for configurations": of_step(step, "looks"),
        f"{step}: CPU seconds": of_step(step, "seconds"),
    }


def as_table(sizes: Sequence[int], ours: Mapping[int, Life], alone: Mapping[int, Life]) -> Table:
    """Everything, a row for each number of people; the last columns are what each further person costs."""
    table = Table(title="A pair and its people, beside azuread alone", title_justify="left")
    for column in ("what", "people", "ours", "azuread alone", "ratio", "each further person", "beyond azuread", ""):
        table.add_column(column)
    rows: dict[str, Callable[[Life], float | None]] = {
        "resources": lambda life: life.resources,
        STATE: lambda life: life.state_bytes,
    }
    for step in STEPS:
        rows |= measures(step)
    for what, measure in rows.items():
        before: tuple[int, float, float] | None = None
        for count in sizes:
            mine, other = measure(ours[count]), measure(alone[count])
            if mine is None or other is None:
                continue
            cells = [what, str(count), f"{mine:.4g}", f"{other:.4g}", f"{mine / other:.2f} x" if other else ""]
            if before is not None:
                more = count - before[0]
                cells += further(what, (mine - before[1]) / more, (other - before[2]) / more)
            table.add_row(*cells)
            before = (count, mine, other)
    return table


def further(what: str, mine: float, other: float) -> list[str]:
    """What each further person costs, and whether that is within the budget."""
    if not other:
        return [f"{mine:.3g}", "", ""]
    good = mine - other <= STATE_BUDGET if what == STATE else mine <= MOST_RATIO * other
    beyond = f"{mine - other:+.0f} bytes" if what == STATE else f"{mine / other:.2f} x"
    return [f"{mine:.3g} against {other:.3g}", beyond, "[green]kept[/]" if good else "[red]missed[/]"]


def as_page(
    ours: Mapping[int, Life], alone: Mapping[int, Life], engine: str, beside: Sequence[tuple[str, str, str]]
) -> str:
    """docs/performance.md: the counts, which are the same on every machine, and ratios, which are nearly so.

    Args:
        ours: pairs by number of people.
        alone: the same of azuread alone.
        engine: what has run them.
        beside: what was measured, how much it is and may be.
    """
    lines = [HEAD]
    for title, measure in {
        "resources": lambda life: life.resources,
        "bytes of the state": lambda life: life.state_bytes,
        **{f"{step}: requests to Graph": of_step(step, "requests") for step in STEPS},
        **{f"{step}: Graph calls, batched ones counted": of_step(step, "calls") for step in STEPS},
    }.items():
        for count, life in ours.items():
            mine, other = measure(life), measure(alone[count])
            if mine is not None and other is not None:
                lines.append(f"| {title} | {count:,} | {mine:,} | {other:,} |")
    lines.append(BESIDE_TITLE.format(engine=engine))
    lines += [f"| {' | '.join(row)} |" for row in (*of_further_people(ours, alone), *beside)]
    return "\n".join([*lines, FOOT.format(people=of_people(ours, alone))])


def of_people(ours: Mapping[int, Life], alone: Mapping[int, Life]) -> str:
    """Seconds of CPU by number of people, beside azuread's."""
    lines = ["| people named | " + " | ".join(f"{step} | azuread alone" for step in STEPS) + " |"]
    lines.append("|---" * (1 + 2 * len(STEPS)) + "|")
    for count in ours:
        cells = [
            f"{life.costs[step].seconds:,.0f}" if step in life.costs else ""
            for step in STEPS
            for life in (ours[count], alone[count])
        ]
        lines.append(f"| {count:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def of_further_people(ours: Mapping[int, Life], alone: Mapping[int, Life]) -> list[tuple[str, str, str]]:
    """What a further person costs, from the smallest to the largest pair."""
    few, most = min(ours), max(ours)
    if few == most:
        return []

    def each(lives: Mapping[int, Life], measure: Callable[[Life], float], many: int = most) -> float:
        return (measure(lives[many]) - measure(lives[few])) / (many - few)

    beyond = each(ours, lambda life: life.state_bytes) - each(alone, lambda life: life.state_bytes)
    rows = [("bytes of the state, a further person, beyond azuread's own", f"{beyond:,.0f}", f"{STATE_BUDGET:,}")]
    for step in ("up", "destroy"):
        seconds = of_step(step, "seconds")
        many = max(count for count, life in ours.items() if step in life.costs)
        if many == few:
            continue
        ratio = each(ours, seconds, many) / each(alone, seconds, many)
        what = f"CPU of a further person in {step}, of {many:,} people / azuread alone"
        rows.append((what, f"{ratio:.2f}", str(MOST_RATIO)))
        ratio = seconds(ours[few]) / seconds(alone[few])
        rows.append((f"CPU of a pair of {few} in {step} / azuread alone", f"{ratio:.2f}", ""))
    return rows


def of_step(step: str, what: str) -> Callable[[Life], Any]:
    """What is counted of a step; None where a life has none of that kind."""
    return lambda life: getattr(life.costs[step], what) if step in life.costs else None
