"""`xtsync report`: a page about one pair or all of them: picture, settings, health, recent cycles, last failures."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi

from ..config import KEYS, SIDES, Settings
from ..graph import calls
from ..graph.errors import XtsyncError
from ..graph.pace import Pace
from . import logs, report_html, report_markdown
from . import stack as stacks
from .status import Health, read_health, read_job

if TYPE_CHECKING:
    from .cli import Screen

EVENTS = 500
CYCLES = 12
FAILURES = 20


class Format(StrEnum):
    """What the report is written as."""

    HTML = "html"
    MARKDOWN = "markdown"


@dataclass(frozen=True)
class Setting:
    """One key of the configuration, and where its value came from; secrets are never read."""

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
        problems: what could not be read, and why.
    """

    stack: str
    source: tuple[str, str] = ("", "")
    target: tuple[str, str] = ("", "")
    settings: Sequence[Setting] = ()
    health: Health | None = None
    cycles: Sequence[Cycle] = ()
    failures: Sequence[logs.Event] = ()
    problems: Sequence[str] = ()


# --- reading -----------------------------------------------------------------------------------------------------


def described(settings: Settings, given: Mapping[str, Any]) -> list[Setting]:
    """The configuration as rows. Client secrets are left out altogether."""
    values = {
        "cloud": settings.cloud.name,
        "users": ", ".join(settings.users),
        "groups": ", ".join(settings.groups),
        "displayName": settings.display_name,
        "inboundTrust": ", ".join(f"{key}: {str(flag).lower()}" for key, flag in settings.inbound_trust.items()),
        "notifyEmail": settings.notify_email,
        "deletionThreshold": settings.deletion_threshold,
        "running": str(settings.running).lower(),
        "onExisting": settings.on_existing,
        "onDestroy": settings.on_destroy,
        "provisionOnDemand": ", ".join(settings.provision_on_demand),
        "deadlineMinutes": f"{settings.deadline_minutes:g}",
        "metadataHost": settings.metadata_host,
    }
    sides = [
        Setting(f"{side}.{key}", value, "stack file" if key in (given.get(side) or {}) else "default")
        for side in SIDES
        for key, value in (("auth", getattr(settings, side).auth), ("clientId", getattr(settings, side).client_id))
        if value
    ]
    rows = [
        Setting(key, str(values[key]), "stack file" if key in given else "default")
        for key in KEYS
        if values.get(key) not in (None, "")
    ]
    return [*sides, *rows]


def gather(name: str, location: stacks.Location, screen: Screen) -> Section:
    """Read one pair; what cannot be read is said in the section.

    Calls: GET jobs/{id}, GET auditLogs/provisioning (ProvisioningLog.Read.All).
    """
    try:
        stack = stacks.read(name, location, screen.status)
    except (XtsyncError, pulumi.RunError) as error:  # a stack that cannot be read must not hide the others
        return Section(name, problems=[str(error)])
    given = stacks.own_values(location.config_file or location.folder / f"Pulumi.{stack.name}.yaml")
    section = Section(
        stack.name,
        (stack.settings.source.name, stack.settings.source.id),
        (stack.settings.target.name, stack.settings.target.id),
        described(stack.settings, given),
    )
    problems: list[str] = []
    try:
        section = dataclasses.replace(section, health=read_health(read_job(stack.operation("source"), stack)))
        found = list(itertools.islice(recent(stack), EVENTS))
        failures = [event for event in found if event.status == "failure"][:FAILURES]
        section = dataclasses.replace(section, cycles=by_cycle(found), failures=failures)
    except XtsyncError as error:
        problems.append(str(error))
    return dataclasses.replace(section, problems=problems)


def recent(stack: stacks.Stack) -> Any:
    """The job's last events, newest first."""
    operation = stack.operation("source")
    return logs.events(operation, Pace(operation.client.clock), f"jobId eq {calls.literal(stack.job)}")


def by_cycle(events: Sequence[logs.Event]) -> list[Cycle]:
    """What each cycle did, oldest first; at most the last ones."""
    counts: dict[str, dict[str, int]] = {}
    when: dict[str, datetime | None] = {}
    for event in events:
        kind = "failed" if event.status == "failure" else event.action if event.status == "success" else ""
        when[event.cycle] = event.when
        of_cycle = counts.setdefault(event.cycle, {})
        if kind:
            of_cycle[kind] = of_cycle.get(kind, 0) + 1
    cycles = [Cycle(when[cycle], found) for cycle, found in counts.items()]
    return cycles[:CYCLES][::-1]


def stacks_in(folder: Path) -> list[str]:
    """The stacks of a folder that are pairs."""
    names = []
    for path in sorted(folder.glob("Pulumi.*.yaml")):
        if any(key.startswith(stacks.NAMESPACE) for key in stacks.read_values(path)):
            names.append(path.name.removeprefix("Pulumi.").removesuffix(".yaml"))
    return names


# --- the command -------------------------------------------------------------------------------------------------


def command(
    name: str | None, location: stacks.Location, screen: Screen, everything: bool, form: Format, output: str
) -> int:
    """Write the report; 0 if every pair could be read and is healthy, else 1."""
    names = stacks_in(location.folder) if everything else [name or stacks.selected(location.folder)]
    sections = [gather(one, location, screen) for one in names]
    render = report_html.render if form is Format.HTML else report_markdown.render
    text = render(sections, datetime.now(UTC))
    if output == "-":
        screen.plain(text)
    else:
        path = Path(output or f"xtsync-report.{'html' if form is Format.HTML else 'md'}")
        path.write_text(text)
        screen.print(f"Wrote {path}: {len(sections)} {'pair' if len(sections) == 1 else 'pairs'}.")
    return 0 if all(section.health and section.health.healthy for section in sections) else 1
