"""The report for machines: what the page says of a pair, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...sync_job.provisioning_log import Event
from ..checks import Finding
from ..health import Health
from .audit import Written
from .section import Cycle, Section, Setting
from .words import verdict


@dataclass(frozen=True)
class End:
    """One end of a pair.

    Attributes:
        name: of the tenant, as the stack file has it.
        id: of the tenant.
    """

    name: str
    id: str


@dataclass(frozen=True)
class Reported:
    """One pair.

    Attributes:
        stack: whose pair it is.
        well: whether nobody has to do anything, as far as is known.
        known: whether it is known how the job does; one that is gone is known.
        reason: why it is well or not, in one sentence.
        command: what to run; "" where nothing has to be, or where something else is to be done.
        do: what else; "" where a command is named, or nothing is to be done.
        source, target: the tenants; null where the stack file could not be read.
        health: how the job does; null where it could not be read, or is gone.
        findings: what `xtsync doctor` finds that needs somebody's attention.
        cycles: what the recent ones did, oldest first.
        failures: the last ones in the provisioning log, newest first.
        entries: how many entries of the log were read; null where it could not be read.
        settings: the configuration, with where each value came from; no secret is shown.
        problems: what could not be read, and why.
        written: the last writes, of the audit; null where none was given.
    """

    stack: str
    well: bool
    known: bool
    reason: str
    command: str
    do: str
    source: End | None
    target: End | None
    health: Health | None
    findings: Sequence[Finding]
    cycles: Sequence[Cycle]
    failures: Sequence[Event]
    entries: int | None
    settings: Sequence[Setting]
    problems: Sequence[str]
    written: Written | None


def document(section: Section) -> Reported:
    """One pair for machines."""
    found = verdict(section)
    source, target = (End(*one) if one[1] else None for one in (section.source, section.target))
    return Reported(
        stack=section.stack,
        well=found.well,
        known=not section.unknown,
        reason=found.reason,
        command=found.command,
        do=found.do,
        source=source,
        target=target,
        health=section.health,
        findings=section.findings,
        cycles=section.cycles,
        failures=section.failures,
        entries=section.entries,
        settings=section.settings,
        problems=section.problems,
        written=section.written,
    )
