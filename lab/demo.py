"""`python -m lab demo`: the main job, told as a story, with every claim checked against the tenants.

Each chapter runs an ordinary command, as anybody would type it, and then looks at the emulated tenants. The
command line is the real Pulumi's wherever there is one, else the lab's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from lab import engines, world
from lab.commands import Chosen
from lab.engine import ProjectError
from lab.engines import Choice, installation
from lab.entra import Entra, Exchange, serve
from lab.entra.batching import PATH as BATCH
from lab.pulumi.installation import Installation
from lab.workplace import PROGRAM, STACK, workplace

PERSON = "alice@contoso.com"
# How `--expect-no-changes` ends where there are some: the small engine and Pulumi.
CHANGED = (7,)
PEOPLE = f"{PERSON} and the members of Finance"


class Broken(Exception):  # noqa: N818 - a claim of the story that is not so
    """What the story says is not what the tenants show."""


def register(app: typer.Typer) -> None:
    """Add the `demo` command."""

    @app.command()
    def demo(choice: Chosen = Choice.AUTO) -> None:
        """Connect two emulated tenants with the real program, look at them, and take it all back."""
        console = Console(highlight=False)
        try:
            Story(console, installation(choice)).tell()
        except (Broken, ProjectError) as broken:
            console.print(f"[bold red]✗ {broken}[/]")
            raise typer.Exit(1) from None


class Story:
    """One telling: the tenants, the commands, and what is checked in between."""

    def __init__(self, console: Console, found: Installation | None) -> None:
        self.console, self.installation = console, found
        self.entra: Entra = world.dev_world()
        self.chapters = 0

    def tell(self) -> None:
        """Tell it from beginning to end.

        Raises:
            Broken: something is not as the story says.
        """
        began = time.monotonic()
        with serve(self.entra) as server, tempfile.TemporaryDirectory(prefix="xtsync-lab-") as folder:
            self.prepare(Path(folder), server.host, server.environment())
            before = self.settings()
            self.show_tenants("The two tenants, before")
            self.connect()
            self.repair()
            self.synchronize()
            self.take_back(before)
        self.console.print(f"\n[bold green]All of it was so.[/] {time.monotonic() - began:.0f} s")

    def prepare(self, folder: Path, host: str, trust: Mapping[str, str]) -> None:
        """Make the folder in which every command runs, and its environment."""
        place = workplace(folder, host, trust, self.installation)
        self.program, self.pulumi = place.program, place.pulumi
        self.environment = {**os.environ, **place.exports}
        words = engines.words(self.installation)
        self.console.print(f"Emulated Entra tenants at https://{host}; deployments by {words}.", soft_wrap=True)

    # --- chapters ------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Preview, up, and a second up."""
        self.chapter("What would happen? `preview` reads and writes nothing.")
        with self.traffic() as calls:
            self.run("preview")
        self.claim(not writes(calls), "the preview wrote nothing")

        self.chapter("Connect them: `up` does the how-to's steps in both tenants.")
        with self.traffic() as calls:
            self.run("up")
        ours = [call for call in graph(calls) if call.client.startswith("xtsync")]
        self.claim(self.job_state() == "Active", "the synchronization job runs")
        self.note(f"{len(graph(calls))} calls to Graph, {len(ours)} of them by this project's providers")
        self.show_tenants("The two tenants, connected")

        self.chapter("Once more: nothing changed, so a second `up` changes nothing.")
        with self.traffic() as calls:
            self.run("up", "--expect-no-changes")
        ours = [call for call in graph(calls) if call.client.startswith("xtsync")]
        look_ups = [call for call in ours if call.in_batch or call.path == BATCH]
        self.claim(
            not writes(calls) and ours == look_ups,
            "no write, and not one call by this project's providers; people are looked up in one request",
        )

    def repair(self) -> None:
        """Somebody changes a setting; refresh shows it, up repairs it."""
        partner = self.entra.tenants[world.TARGET_TENANT].policies
        self.chapter("Somebody in Fabrikam turns automatic redemption off, by hand. `refresh` shows it.")
        with self.entra.lock:
            partner.update(world.SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": False}})
        self.note("The next command ends with an error, and is meant to: it was told to expect no changes.")
        with self.traffic() as calls:
            code = self.run("refresh", "--expect-no-changes", expected=CHANGED)
        self.claim(
            not writes(calls), f"that error was meant (exit code {code}: there are changes); nothing was written"
        )

        self.chapter("`up` repairs that, and only that.")
        with self.traffic() as calls:
            self.run("up")
        changed = writes(calls)
        self.claim(len(changed) == 1 and changed[0].method == "PATCH", "one write repaired it")

    def synchronize(self) -> None:
        """One person at once; then forty minutes pass."""
        self.chapter("One person at once: `xtsync provision` shows every step.")
        self.xtsync("provision", PERSON)
        self.claim([user.mail for user in self.arrived()] == [PERSON], f"{PERSON} is in Fabrikam")
        self.xtsync("status")

        self.chapter("Forty minutes pass (on the lab's clock): the job has run a cycle.")
        self.entra.pass_time(minutes=41)
        self.show_people()
        arrived = [user.mail for user in self.arrived()]
        self.claim(len(arrived) == 3, f"{PEOPLE} are in Fabrikam")
        self.xtsync("logs")

    def take_back(self, before: Any) -> None:
        """Destroy; both tenants are as they were, and nobody was deleted."""
        self.chapter("Take it back: `destroy`. The job is paused first, so nobody is deleted in Fabrikam.")
        self.run("destroy")
        self.entra.pass_time(minutes=41)
        self.show_tenants("The two tenants, after")
        self.claim(self.settings() == before, "every policy and application is as it was before")
        self.claim(len(self.arrived()) == 3, "the three people stayed (onDestroy: release)")

    # --- telling -------------------------------------------------------------------------------------------

    def chapter(self, words: str) -> None:
        """Begin a chapter."""
        self.chapters += 1
        self.console.print(f"\n[bold cyan]{self.chapters}. {words}[/]")

    def claim(self, true: bool, words: str) -> None:
        """Say something that must be so.

        Raises:
            Broken: it is not.
        """
        if not true:
            raise Broken(f"Not so: {words}")
        self.console.print(f"[green]✓[/] {words}")

    def note(self, words: str) -> None:
        """Say something by the way."""
        self.console.print(f"  {words}")

    def run(self, operation: str, *flags: str, expected: tuple[int, ...] = (0,)) -> int:
        """Run a command as anybody would; its exit code.

        Raises:
            Broken: it ended otherwise than expected.
        """
        name = "python -m lab" if self.pulumi is None else "pulumi"
        self.console.print(f"[dim]$ {' '.join([name, operation, '--stack', STACK, *flags])}[/]")
        sys.stdout.flush()
        if self.pulumi is not None:
            code = self.pulumi.show(operation, [*flags, *([] if sys.stdout.isatty() else ["--non-interactive"])])
        else:
            where = ["--cwd", str(self.program), "--engine", "lab"]
            command = [sys.executable, "-m", "lab", operation, "--stack", STACK, *where, *flags]
            code = subprocess.run(command, cwd=PROGRAM, env=self.environment, check=False).returncode
        if code not in expected:
            raise Broken(f"`{operation}` ended with exit code {code}")
        return code

    def xtsync(self, *words: str) -> None:
        """Run an `xtsync` command in the program's folder.

        Raises:
            Broken: it did not end well.
        """
        self.console.print(f"[dim]$ {' '.join(['xtsync', *words])}[/]")
        sys.stdout.flush()
        command = [str(Path(sys.executable).with_name("xtsync")), *words]
        done = subprocess.run(command, cwd=self.program, env=self.environment, check=False)
        if done.returncode:
            raise Broken(f"`xtsync {words[0]}` ended with exit code {done.returncode}")

    def show_tenants(self, title: str) -> None:
        """A table of what matters in both tenants."""
        table = Table(title=title, title_justify="left")
        table.add_column("")
        names = {world.SOURCE_TENANT: "Contoso (source)", world.TARGET_TENANT: "Fabrikam (target)"}
        for name in names.values():
            table.add_column(name)
        rows = ("partner policies", "identity sync policy", "configuration", "job")
        facts = [self.facts(tenant_id) for tenant_id in names]
        for row in rows:
            table.add_row(row, *(fact[row] for fact in facts))
        self.console.print(table)

    def facts(self, tenant_id: str) -> Mapping[str, str]:
        """What the table says of one tenant."""
        tenant = self.entra.tenants[tenant_id]
        partners = {p.tenant_id: p for p in tenant.policies.all_partners()}
        other = world.TARGET_TENANT if tenant_id == world.SOURCE_TENANT else world.SOURCE_TENANT
        ours = partners.get(other)
        sync = ours.identity_sync if ours else None
        labels = {world.SOURCE_TENANT: "Contoso", world.TARGET_TENANT: "Fabrikam"}
        apps = [app.display_name for app in tenant.applications.applications.values()]
        return {
            "partner policies": ", ".join(labels.get(key, "(a third tenant)") for key in partners),
            "identity sync policy": "lets people in" if sync and sync.allows("userSyncInbound") else "-",
            "configuration": ", ".join(apps) or "-",
            "job": self.job_state() if tenant_id == world.SOURCE_TENANT else "-",
        }

    def show_people(self) -> None:
        """A table of the people who arrived."""
        table = Table(title="New in Fabrikam", title_justify="left")
        for column in ("name", "user principal name", "type"):
            table.add_column(column)
        for user in self.arrived():
            table.add_row(user.display_name, user.user_principal_name, user.user_type)
        self.console.print(table)

    # --- looking -------------------------------------------------------------------------------------------

    def arrived(self) -> list[Any]:
        """The people of the source in the target."""
        users = self.entra.tenants[world.TARGET_TENANT].directory.users.values()
        return [user for user in users if user.origin is not None]

    def job_state(self) -> str:
        """The schedule state of the source's first job; "-" without one."""
        principals = self.entra.tenants[world.SOURCE_TENANT].applications.principals.values()
        jobs = (job for principal in principals for job in principal.synchronization.jobs.values())
        return next((str(job.schedule_state) for job in jobs), "-")

    def settings(self) -> Mapping[str, Any]:
        """Everything but people and what was deleted, to compare."""
        people = ("users", "groups")
        return {
            tenant: {area: value for area, value in areas.items() if area not in people}
            for tenant, areas in self.entra.snapshot(deleted=False).items()
        }

    @contextmanager
    def traffic(self) -> Iterator[list[Exchange]]:
        """The exchanges made inside."""
        first, calls = len(self.entra.traffic), []  # type: int, list[Exchange]
        yield calls
        calls.extend(self.entra.traffic[first:])


def graph(calls: list[Exchange]) -> list[Exchange]:
    """The calls to Graph, without sign-in and metadata."""
    return [call for call in calls if call.version]


def writes(calls: list[Exchange]) -> list[Exchange]:
    """The calls that may change something; those in a batch by themselves."""
    return [call for call in graph(calls) if call.method != "GET" and call.path != BATCH]
