"""What the report says of a pair: only what was read, no words of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ...sync_job.held_back import STAGED

if TYPE_CHECKING:
    from ...sync_job.provisioning_log import Event
    from ..checks import Finding
    from ..health import Health
    from .audit import Written

EVENTS = 500
# What an entry of the log counts as, and the word for it.
KINDS = {
    "create": "created",
    "update": "updated",
    "disable": "disabled",
    "delete": "deleted",
    STAGED: "held back",
    "other": "other",
    "failed": "failed",
}


@dataclass(frozen=True)
class Setting:
    """One key of the configuration; secrets are never shown.

    Attributes:
        key: its name.
        value: in words.
        origin: where it came from.
    """

    key: str
    value: str
    origin: str


@dataclass(frozen=True)
class Cycle:
    """What one cycle of the job did.

    Attributes:
        when: it began.
        counts: of entries by action; failures are counted apart, and so are deletions that were held back.
    """

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
        findings: what `xtsync doctor` finds that needs somebody's attention.
        problems: what could not be read, and why.
        unknown: whether nobody knows how the job does; one that is gone is known.
        tenant_closed: whether not even a sign-in to the source succeeded.
        remedy: what to do where nobody knows how the job does, or it is gone.
        written: the last writes, of the audit; None where none was given.
    """

    stack: str
    source: tuple[str, str] = ("", "")
    target: tuple[str, str] = ("", "")
    settings: Sequence[Setting] = ()
    health: Health | None = None
    cycles: Sequence[Cycle] = ()
    failures: Sequence[Event] = ()
    entries: int | None = None
    findings: Sequence[Finding] = ()
    problems: Sequence[str] = ()
    unknown: bool = False
    tenant_closed: bool = False
    remedy: str = ""
    written: Written | None = None

    @property
    def cut(self) -> bool:
        """Whether the log goes on before what was read, so that the oldest cycle may not be all there."""
        return self.entries == EVENTS
