"""What both pages say, in words and rows: whether all is well, how the job does, what it did, and whom it could not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...assignments.operations import number_of_people
from ...sync_job.held_back import STAGED
from ...sync_job.quarantine import LOOK_FOR_CAUSES, said_by_doctor
from ..checks import Level
from ..health import last_words, next_words
from .section import KINDS

if TYPE_CHECKING:
    from ..checks import Finding
    from ..health import Health
    from .audit import Written
    from .section import Cycle, Section

Row = tuple[object, ...]
FINDING_HEAD = ("what", "", "found", "what to do")
FAILURE_HEAD = ("who", "cause", "error code", "recommended action", "when (UTC)")
WRITE_HEAD = ("time (UTC)", "tenant", "what was done", "object", "fields: old → new", "status", "request id")
# Advice that has no name of a tenant has its commands between backticks.
COMMAND = re.compile(r"`([^`]+)`")
# At the beginning, where no name of a tenant stands.
RUN = re.compile(r"\s*(?:Do: +)?(?:run )?`((?:xtsync|pulumi) [^`]+)`")


# --- first -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What somebody in a hurry reads.

    Attributes:
        well: whether nobody has to do anything.
        reason: why.
        command: what to run; "" where nothing has to be, or where something else is to be done.
        do: what else; "" where a command is named, or nothing is to be done.
    """

    well: bool
    reason: str
    command: str
    do: str = ""

    @property
    def word(self) -> str:
        """It in a word or two."""
        return "Well" if self.well else "Needs somebody"


def verdict(section: Section) -> Verdict:
    """Whether a pair is well, why, and what to do first."""
    health, wrong = section.health, [one for one in section.findings if one.level is Level.PROBLEM]
    command, do = first_step(section, wrong[0] if wrong else None)
    if health is None:
        first = section.problems[0].partition("\n")[0].rstrip(".") if section.problems else ""
        if first and not section.unknown:
            return Verdict(False, first, command, do)
        why = f"its state could not be read ({first})" if first else "its state could not be read"
        return Verdict(False, why, command, do)
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    also = [f"{whose(section, wrong[0])}: {wrong[0].found}{more}"] if wrong else []
    dark = [one for one in section.findings if one.failed]
    unread = ["not all could be read"] if section.problems or dark else []
    well = health.healthy and not wrong and not dark
    reason = "; ".join([health.headline, *also, *unread])
    return Verdict(well, reason, command, do) if not well or unread or health.remedy else Verdict(well, reason, "")


def first_step(section: Section, problem: Finding | None) -> tuple[str, str]:
    """What to do first about the job or a problem: a command, else in words; `xtsync doctor` where nothing is known."""
    health = section.health
    advice = said_by_doctor(health.remedy) if health else section.remedy
    steps = [(COMMAND.search(advice) if health else RUN.match(advice), advice)]
    if problem:
        # Of a job that is well there is no more than a hint; and what the doctor finds, if that is asked for, is this.
        first = health is not None and (health.healthy or LOOK_FOR_CAUSES in health.remedy.lower())
        steps.insert(0 if first else 1, (RUN.match(problem.do), problem.do))
    for found, told in steps:
        if found:
            return of_stack(found[1], section), ""
        if told:
            return "", told
    return of_stack("xtsync doctor", section), ""


def whose(section: Section, one: Finding) -> str:
    """Which tenant a finding is about, and what of it."""
    names = {"source": section.source[0], "target": section.target[0]}
    return f"{names.get(one.side, 'both tenants')}, {one.area}"


def of_stack(command: str, section: Section) -> str:
    """A command for this pair, whichever is selected; a name of a file is no more than a word in a shell."""
    return command if " --stack " in command else f"{command} --stack {shlex.quote(section.stack)}"


def overview(sections: Sequence[Section]) -> tuple[str, list[int]]:
    """How many of several pairs need somebody, and which."""
    needy = [place for place, section in enumerate(sections) if not verdict(section).well]
    if not needy:
        return f"All {len(sections)} pairs are well.", []
    return f"{len(needy)} of {len(sections)} pairs {'needs' if len(needy) == 1 else 'need'} somebody", needy


def remedy(section: Section) -> str:
    """What to do about how the job does, as a sentence; "" where nothing is to be done."""
    told = said_by_doctor(section.health.remedy) if section.health else ""
    return sentence(f"What to do: {told}") if told else ""


def sentence(text: str) -> str:
    """A sentence with one full stop."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def pieces(advice: str) -> list[tuple[str, bool]]:
    """Advice that names nobody in pieces, each with whether it is a command."""
    return [(piece, bool(place % 2)) for place, piece in enumerate(COMMAND.split(advice)) if piece]


def pieces_with_names(advice: str) -> list[tuple[str, bool]]:
    """Advice in which names of a tenant may stand: a name may have backticks, and is never a command."""
    found = RUN.match(advice)
    if not found:
        return [(advice, False)]
    parts = [(advice[: found.start(1) - 1], False), (found[1], True), (advice[found.end(1) + 1 :], False)]
    return [part for part in parts if part[0]]


# --- people and cycles -------------------------------------------------------------------------------------------


def people(section: Section) -> str:
    """How many people are in the target."""
    count = section.health.people if section.health else None
    return "people: not known" if count is None else f"{number_of_people(count)} in the target"


def facts(health: Health, now: datetime) -> list[tuple[str, str]]:
    """How the job does, as rows."""
    return [
        ("People in the target", "not counted by the job" if health.people is None else str(health.people)),
        ("Last run", last_words(health, now)),
        ("Next run", next_words(health, now)),
        ("Schedule", health.state or "unknown"),
    ]


def portal(section: Section) -> str:
    """Where the configuration is in the portal; "" where nobody knows."""
    return section.health.portal_url if section.health else ""


def cycle_table(cycles: Sequence[Cycle]) -> tuple[tuple[str, ...], list[Row]]:
    """What each cycle did, as head and rows; kinds that never happened only where they are expected."""
    rare = {"disable", STAGED, "other"}
    kinds = [kind for kind in KINDS if kind not in rare or any(one.counts.get(kind) for one in cycles)]
    rows: list[Row] = [(moment(one.when), *(one.counts.get(kind, 0) for kind in kinds)) for one in cycles]
    return ("cycle (UTC)", *(KINDS[kind] for kind in kinds)), rows


def extent(section: Section) -> str:
    """What the counts are of."""
    if not section.entries:
        return "The job has logged nothing yet; entries appear some minutes late."
    words = f"From the newest {section.entries} entries of the provisioning log; cycles that did nothing log none."
    return f"{words} Older ones were not read: the first cycle shown may not be all there." if section.cut else words


# --- scope and settings ------------------------------------------------------------------------------------------


def finding_rows(section: Section) -> list[Row]:
    """What needs somebody's attention."""
    return [(one.area, one.level.value, one.found, one.do or "-") for one in section.findings]


# --- failures ----------------------------------------------------------------------------------------------------


def no_failures(section: Section) -> str:
    """What to say where no failure is shown, which does not mean that all is well."""
    health = section.health
    if health and health.healthy:
        return "The log could not be read." if section.entries is None else "None among these entries."
    log = "The log could not be read" if section.entries is None else "The log has none among these entries"
    if health is None and not section.unknown:
        return f"{log}; the job is gone."
    if health is None:
        either = " either" if section.entries is None else ""
        return f"{log}; whether the job runs could not be read{either}."
    return sentence(f"{log}, and the job does not run as it should: it is {health.headline}")


def failure_rows(section: Section) -> list[Row]:
    """Who could not be synchronized, and why."""
    return [
        (str(one.source) or "-", one.reason or "-", one.code or "-", one.advice or "-", moment(one.when))
        for one in section.failures
    ]


# --- writes ------------------------------------------------------------------------------------------------------


def write_extent(written: Written) -> str:
    """What the writes are of."""
    torn = ""
    if written.torn:
        lines = "1 line of the file is" if written.torn == 1 else f"{written.torn} lines of the file are"
        torn = (
            f" {lines} cut off, as a run was killed meanwhile: what they announce may have been written all the same."
        )
    if not written.total:
        return f"The audit has no write of this stack.{torn}"
    shown, count = len(written.newest), f"{written.total} {'write' if written.total == 1 else 'writes'}"
    return (
        f"{count} of this stack in the audit{f', of which the newest {shown}' if shown < written.total else ''}.{torn}"
    )


def write_rows(written: Written) -> list[Row]:
    """What was written, newest first."""
    return [
        (
            f"{one.when.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            one.tenant,
            one.action,
            one.object,
            one.changes or "-",
            one.status,
            one.request_id or "-",
        )
        for one in written.newest
    ]


def moment(when: datetime | None) -> str:
    """A time as the report writes it."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M}" if when else "?"
