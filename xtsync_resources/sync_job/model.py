"""What answers about jobs say: pure readings of a `synchronizationJob`.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationstatus
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Any

from ..graph.nested import unwrapped
from .quarantine import HELD_DELETIONS, explained, reason_of

TEMPLATE = "Azure2Azure"
Job = Mapping[str, Any]
ACTIVE, PAUSED, DISABLED = "Active", "Paused", "Disabled"
QUARANTINE, NOT_RUN = "Quarantine", "NotRun"


def moment(value: object) -> datetime | None:
    """A time, in UTC; None for the first and the last year there are, which say "never", and for what is no time."""
    try:
        found = datetime.fromisoformat(str(value))
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return found if MINYEAR < found.year < MAXYEAR else None


def jobs_of_template(answer: Mapping[str, Any]) -> list[Job]:
    """The jobs of our template among a service principal's."""
    return [job for job in answer.get("value") or () if job.get("templateId") == TEMPLATE]


def job_of_template(answer: Mapping[str, Any]) -> Job | None:
    """The job of our template among a service principal's; of several one that keeps people, if any does."""
    return min(jobs_of_template(answer), key=lambda job: (never_ran(job), not people_counted(job)), default=None)


def schedule_state(job: Job) -> str:
    """`Active`, `Paused` or `Disabled`, or what nobody knows yet; "" where nothing is said."""
    state = str((job.get("schedule") or {}).get("state") or "")
    return next((known for known in (ACTIVE, PAUSED, DISABLED) if known.lower() == state.lower()), state)


def status_code(job: Job) -> str:
    """`NotRun`, `Active`, `Paused`, `Quarantine`, ..."""
    return str((job.get("status") or {}).get("code") or "")


def quarantine_reason(job: Job) -> str:
    """Why the job is in quarantine; "" where it is not. A job can be Active and in quarantine."""
    status = job.get("status") or {}
    quarantine = status.get("quarantine") or {}
    if status_code(job) != QUARANTINE and not quarantine.get("reason"):
        return ""
    return str(quarantine.get("reason") or "unknown reason")


def message_of_quarantine(job: Job) -> str:
    """What Graph says beside the reason of a quarantine."""
    error = ((job.get("status") or {}).get("quarantine") or {}).get("error") or {}
    return without_stop(unwrapped(error["message"])) if error.get("message") else ""


def without_stop(message: str) -> str:
    """A message of the service as part of a sentence of ours."""
    return message.rstrip(". ")


def quarantined_since(job: Job) -> datetime | None:
    """When the quarantine began; None where there is none, or where that is not said."""
    return moment(((job.get("status") or {}).get("quarantine") or {}).get("currentBegan"))


def holds_deletions(job: Job) -> bool:
    """Whether the job has more deletions to make than it may."""
    return quarantine_reason(job).lower() == HELD_DELETIONS.lower()


def may_start(job: Job) -> bool:
    """Whether starting it lets nothing loose: starting clears a quarantine, also one that holds deletions back."""
    reason = quarantine_reason(job)
    return not reason or reason_of(reason).starts


def quarantine_explained(job: Job, *, ended: bool = False) -> str:
    """What the quarantine of the job means, and what to do about it; for `ended` see `explained`."""
    return explained(quarantine_reason(job), active=schedule_state(job) == ACTIVE, ended=ended)


def unfinished_progress(job: Job) -> list[tuple[Any, ...]]:
    """What a cycle that runs now has still to do, in the job's own units; empty where none runs."""
    return [
        (item.get("units"), item.get("completedUnits"), item.get("totalUnits"), item.get("progressObservationDateTime"))
        for item in (job.get("status") or {}).get("progress") or ()
        if 0 <= int(item.get("completedUnits") or 0) < int(item.get("totalUnits") or 0)
    ]


def people_counted(job: Job) -> int | None:
    """How many people the job keeps in the target, by its own count; None where it gives none."""
    counts = (job.get("status") or {}).get("synchronizedEntryCountByType") or ()
    people = [int(item.get("value") or 0) for item in counts if str(item.get("key", "")).lower().startswith("user")]
    return sum(people) if people else None


def last_cycle(job: Job) -> str:
    """What tells the last cycle of the job from others; "" where nothing does."""
    last = (job.get("status") or {}).get("lastExecution") or {}
    return str(last.get("activityIdentifier") or last.get("timeBegan") or "")


def ended_well(job: Job) -> bool:
    """Whether the last cycle of the job went well; a job that was just started shows one that never began."""
    last = (job.get("status") or {}).get("lastExecution") or {}
    never_began = bool(last.get("timeBegan")) and moment(last["timeBegan"]) is None
    failed = str(last.get("state")).lower() == "failed"
    return bool(last_cycle(job)) and has_succeeded(job) and not (never_began or failed)


def last_ended(job: Job) -> datetime | None:
    """When the last cycle ended; None where that is not said."""
    return moment(((job.get("status") or {}).get("lastExecution") or {}).get("timeEnded"))


def never_ran(job: Job) -> bool:
    """Whether the job was never started, so that it has made nobody: a long quarantine disables a job, too."""
    return schedule_state(job) == DISABLED and not has_run(job)


def has_run(job: Job) -> bool:
    """Whether anything tells of a cycle."""
    executed = bool((job.get("status") or {}).get("lastExecution")) or has_succeeded(job)
    return executed or bool(quarantine_reason(job) or people_counted(job))


def was_started(job: Job) -> bool:
    """Whether somebody started the job at some time; a run that was killed leaves one that nobody started."""
    return schedule_state(job) not in ("", DISABLED) or has_run(job)


def has_succeeded(job: Job) -> bool:
    """Whether a cycle of the job ever went well; a job that never had one cannot say that nobody is left."""
    return bool((job.get("status") or {}).get("lastSuccessfulExecution"))
