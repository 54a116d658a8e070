"""What a job's answer says: pure readings of a `synchronizationJob`.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationstatus
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Job = Mapping[str, Any]
ACTIVE, PAUSED, DISABLED = "Active", "Paused", "Disabled"
QUARANTINE, NOT_RUN = "Quarantine", "NotRun"
HELD_DELETIONS = "TooManyDeletes"


def schedule_state(job: Job) -> str:
    """`Active`, `Paused` or `Disabled`."""
    return str((job.get("schedule") or {}).get("state") or "")


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


def unfinished_progress(job: Job) -> list[tuple[Any, ...]]:
    """What a cycle that runs now has still to do, in the job's own units; empty where none runs."""
    return [
        (item.get("units"), item.get("completedUnits"), item.get("totalUnits"), item.get("progressObservationDateTime"))
        for item in (job.get("status") or {}).get("progress") or ()
        if 0 <= int(item.get("completedUnits") or 0) < int(item.get("totalUnits") or 0)
    ]


def people_synchronized(job: Job) -> int:
    """How many people the job keeps in the target, by its own count."""
    counts = (job.get("status") or {}).get("synchronizedEntryCountByType") or ()
    return sum(int(item.get("value") or 0) for item in counts if str(item.get("key", "")).startswith("User"))
