"""`xtsync report`: a page about one pair or all of them: picture, settings, health, recent cycles, last failures."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import SIDES, Settings, Tenant
from ..config.keys import keys_of
from ..config.kinds import Secret
from ..graph.call import literal
from ..graph.clouds import Cloud
from ..graph.errors import ConfigurationError, GraphError, RefusedError, UnusableAnswerError, XtsyncError
from ..graph.pace import Pace
from ..graph.secret_origin import certificate_password, client_secret
from ..pulumi_runtime.messages import Stopped
from ..sync_job.provisioning_log import Event, events
from . import report_html, report_markdown
from . import stack as stacks
from .choices import Format
from .files import write_private
from .report_markdown import KINDS
from .status import Health, judged, read_job

if TYPE_CHECKING:
    from .screen import Screen

EVENTS = 500
CYCLES = 12
FAILURES = 20
STACK_FILE, DEFAULT = "stack file", "default"


@dataclass(frozen=True)
class Setting:
    """One key of the configuration, and where its value came from; secrets are never shown."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True)
class Cycle:
    """What one cycle of the job did, by action; failures are counted apart."""

    when: datetime | None
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Section:
    """One pair.

    Attributes:
        stack: its stack.
        source, target: name and id.
        settings: the configuration.
        health: how the job does; None where it could not be read.
        cycles: the recent ones, oldest first.
        failures: the last ones, newest first.
        entries: how many entries of the log were read; None where the log could not be read.
        problems: what could not be read, and why.
        tenant_closed: whether not even a sign-in to the source succeeded.
    """

    stack: str
    source: tuple[str, str] = ("", "")
    target: tuple[str, str] = ("", "")
    settings: Sequence[Setting] = ()
    health: Health | None = None
    cycles: Sequence[Cycle] = ()
    failures: Sequence[Event] = ()
    entries: int | None = None
    problems: Sequence[str] = ()
    tenant_closed: bool = False

    @property
    def cut(self) -> bool:
        """Whether the log goes on before what was read, so that the oldest cycle may not be all there."""
        return self.entries == EVENTS


# --- reading -----------------------------------------------------------------------------------------------------


def described(settings: Settings, given: Mapping[str, Any], environment: Mapping[str, str]) -> list[Setting]:
    """The configuration as rows; of client secrets only where they come from."""
    rows = [
        Setting(name, text, STACK_FILE if name in given else DEFAULT)
        for name, one in keys_of(Settings).items()
        if name not in SIDES and not isinstance(one.kind, Secret) and (text := in_words(getattr(settings, one.field)))
    ]
    tenants = (settings.source, settings.target)
    return [row for tenant in tenants for row in of_tenant(tenant, given, environment)] + rows


def in_words(value: object) -> str:
    """A setting on one line; "" for none."""
    if isinstance(value, Cloud):
        return value.name
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {in_words(part)}" for name, part in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(in_words, value))
    if is_dataclass(value):
        parts = {name: getattr(value, one.field) for name, one in keys_of(type(value)).items()}
        return "; ".join(f"{name}: {text}" for name, part in parts.items() if part and (text := in_words(part)))
    return f"{value:g}" if isinstance(value, (int, float)) else str(value) if isinstance(value, str) else ""


def of_tenant(tenant: Tenant, given: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Setting]:
    """The rows of one side."""
    own = given.get(tenant.side)
    own = json.loads(own) if isinstance(own, str) else own
    for name, one in keys_of(Tenant).items():
        if text := in_words(getattr(tenant, one.field)):
            yield Setting(f"{tenant.side}.{name}", text, STACK_FILE if name in (own or {}) else DEFAULT)
    if tenant.auth == "secret":
        named = client_secret(tenant.side, environment).named
        origin = f"environment ({', '.join(named)})" if named else STACK_FILE
        yield Setting(f"{tenant.side}ClientSecret", "(not shown)", origin)
    named = certificate_password(tenant.side, environment).named
    if tenant.auth == "certificate" and named:
        yield Setting(f"{tenant.side} certificate password", "(not shown)", f"environment ({', '.join(named)})")


class Gathering:
    """Reads pairs one after the other; what cannot be read of one is said in its section, and the others go on."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        # The rate of the logs is bounded for an application in a tenant, whichever pair it is asked about.
        self._paces: dict[tuple[str, str], Pace] = {}

    def section(self, name: str, location: stacks.Location) -> Section:
        """Read one pair."""
        try:
            stack = stacks.read(name, location, self._screen.status)
            given = stacks.own_values(location, stack.name)
        except (XtsyncError, Stopped) as error:
            return Section(name, problems=[str(error)])
        source, target = stack.settings.source, stack.settings.target
        section = Section(
            stack.name, (source.name, source.id), (target.name, target.id), described(stack.settings, given, os.environ)
        )
        return self._with_logs(stack, with_health(stack, section))

    def _with_logs(self, stack: stacks.Stack, section: Section) -> Section:
        """Add cycles and failures, unless it is clear already that nothing can be read in the tenant.

        Call: GET auditLogs/provisioning (ProvisioningLog.Read.All), `EVENTS` entries at most.
        """
        if section.tenant_closed:
            return section
        try:
            found = list(itertools.islice(self._recent(stack), EVENTS))
        except XtsyncError as error:
            return dataclasses.replace(section, problems=[*section.problems, str(error)])
        failures = [event for event in found if event.status == "failure"][:FAILURES]
        return dataclasses.replace(section, cycles=by_cycle(found), failures=failures, entries=len(found))

    def _recent(self, stack: stacks.Stack) -> Iterator[Event]:
        """The job's last events, newest first."""
        operation, source = stack.operation("source"), stack.settings.source
        pace = self._paces.setdefault((source.id, source.client_id), Pace(operation.client.clock))
        return events(operation, pace, f"jobId eq {literal(stack.job)}")


def with_health(stack: stacks.Stack, section: Section) -> Section:
    """Add how the job does. Call: GET jobs/{id} (Synchronization.Read.All)."""
    try:
        operation = stack.operation("source")
        health = judged(operation, stack, read_job(operation, stack))
    except XtsyncError as error:
        # A job that is gone, or may not be read, has logs all the same; without sign-in or network there are none.
        closed = not isinstance(error, RefusedError | GraphError | UnusableAnswerError)
        return dataclasses.replace(section, problems=[str(error)], tenant_closed=closed)
    return dataclasses.replace(section, health=health)


def by_cycle(events: Sequence[Event]) -> list[Cycle]:
    """What each cycle did, oldest first; at most the last ones."""
    counts: dict[str, dict[str, int]] = {}
    when: dict[str, datetime | None] = {}
    for event in events:
        when[event.cycle] = event.when
        of_cycle = counts.setdefault(event.cycle, {})
        if event.status in ("failure", "success"):
            action = event.action if event.action in KINDS else "other"
            kind = "failed" if event.status == "failure" else action
            of_cycle[kind] = of_cycle.get(kind, 0) + 1
    cycles = [Cycle(when[cycle], found) for cycle, found in counts.items()]
    return cycles[:CYCLES][::-1]


def stacks_in(folder: Path) -> list[str]:
    """The stacks of a folder that are pairs, and those of which nobody can tell.

    Raises:
        ConfigurationError: there is none.
    """
    files = sorted(folder.glob("Pulumi.*.yaml"))
    names = [path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in files]
    found = [name for name in names if may_be_pair(stacks.Location(folder), name)]
    if not found:
        what, why = f"There is no pair in {folder.absolute()}", "no file Pulumi.STACK.yaml there has keys of xtsync"
        raise ConfigurationError(what, why, "run in the program's folder, or give it with --cwd")
    return found


def may_be_pair(location: stacks.Location, name: str) -> bool:
    """Whether a stack file has keys of ours, or cannot be read, which its section will say."""
    try:
        return bool(stacks.own_values(location, name))
    except XtsyncError:
        return True


def places(location: stacks.Location) -> dict[str, stacks.Location]:
    """Every stack of the folder, each with its own outputs: those of another would show another job's health.

    Raises:
        ConfigurationError: there is none, or a file was given that can belong to one of them only.
    """
    folder = location.outputs_file
    why, do = "--all reads each stack's own", "leave it out, or name one stack with --stack"
    if location.config_file is not None:
        raise ConfigurationError("Cannot use --config-file with --all", why, do)
    if folder is not None and not folder.is_dir():
        do = "give a folder with a file STACK.json for each, or leave it out to ask Pulumi"
        raise ConfigurationError(f"Cannot use --outputs {folder} with --all", why, do)
    return {
        name: dataclasses.replace(location, outputs_file=folder and folder / f"{name}.json")
        for name in stacks_in(location.folder)
    }


# --- the command -------------------------------------------------------------------------------------------------


def command(
    name: str | None, location: stacks.Location, screen: Screen, everything: bool, form: Format, output: str
) -> int:
    """Write the report; 0 if every pair could be read and is healthy, else 1."""
    if everything and name:
        raise ConfigurationError("Cannot use --stack with --all", "one of them is enough", "leave one out")
    wanted = places(location) if everything else {name or stacks.selected(location.folder): location}
    gathering = Gathering(screen)
    sections = [gathering.section(one, place) for one, place in wanted.items()]
    render = report_html.render if form is Format.HTML else report_markdown.render
    text = render(sections, datetime.now(UTC))
    if output == "-":
        screen.plain(text)
    else:
        write(Path(output or f"xtsync-report.{'html' if form is Format.HTML else 'md'}"), text, sections, screen)
    return 0 if all(section.health and section.health.healthy for section in sections) else 1


def write(path: Path, text: str, sections: Sequence[Section], screen: Screen) -> None:
    """Write the page and say so.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    write_private(path, text, replace=True)
    screen.print(f"Wrote {path}: {len(sections)} {'pair' if len(sections) == 1 else 'pairs'}.")
    unread = [section.stack for section in sections if section.problems]
    if unread:
        screen.print(f"Not all could be read of {', '.join(unread)}; the page says why.")
