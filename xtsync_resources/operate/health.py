"""What a job's answer means: how it does, in words, and what to do. Pure: nothing is called.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationstatus
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ..graph.nested import unwrapped
from ..sync_job.model import (
    ACTIVE,
    DISABLED,
    NOT_RUN,
    PAUSED,
    Job,
    holds_deletions,
    message_of_quarantine,
    moment,
    people_counted,
    quarantine_explained,
    quarantine_reason,
    schedule_state,
    status_code,
    without_stop,
)
from ..sync_job.quarantine import HELD_DELETIONS, LOOK_FOR_CAUSES, reason_of, sentence

INTERVAL = timedelta(minutes=40)  # fixed for cross-tenant synchronization; for a job that does not say
LONGEST_INTERVAL = 31 * 86400
DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
# A cycle may be late, and one may take longer than an interval; a job that is silent for longer has stopped.
SILENT_INTERVALS = 3
FAILED = "Failed"
NO_ERROR = "None"  # the code of an error that is none
ASK_WHO = "ask who has paused it and why"
RESUME = (
    f"{ASK_WHO}, then run `xtsync resume`, or `pulumi up --refresh --diff`; `pulumi up` alone does "
    "not look, but starts it where it changes who is in scope"
)
START = (
    "run `pulumi up --refresh --diff`, or `xtsync resume`; a job that was in quarantine for 4 weeks is disabled by "
    "Microsoft"
)
ASSIGN = (
    "restore whose account is deleted in the target already (Deleted users, 30 days), and run `pulumi up --refresh "
    "--diff`, which assigns whoever is missing"
)
ASSIGN_NEW = (
    "run `pulumi up`, which puts in scope whoever is new in the stack file (before that, restore the accounts of those "
    "who were in scope once and are deleted in the target by now: Deleted users, 30 days)"
)
RESTORE = (
    "By mistake? Run `xtsync pause` before the next run, restore them there (30 days), then run `pulumi up --refresh "
    "--diff`, which refuses before that. Else take them out of the stack file"
)
STOPS = (
    "An entry that nobody has stops it: restore or correct that before; taking it out of the stack file lets its "
    "people go"
)
STARTS_THEN = "and starts the job then; `xtsync resume` refuses before that"
REFUSES = "what starts the job or approves deletions refuses before that"
LOOK_AT_FAILURES = f"see with `xtsync logs --failures` why; {LOOK_FOR_CAUSES}"


@dataclass(frozen=True)
class Health:
    """What a job's answer means.

    Attributes:
        healthy: whether nobody has to do anything.
        headline: the state in one sentence.
        remedy: what to do about it; "" where nothing is to be done.
        state: `Active`, `Paused` or `Disabled`.
        code: Graph's status code.
        last_run: end of the last run; None for never.
        last_result: how it ended.
        next_run: when the next is due; None where none is.
        interval_minutes: how far runs are apart.
        failures_in_a_row: how many cycles failed completely, by Graph's count, which has those that ended in
            quarantine.
        first_cycle: when the first cycle was done; None for not yet.
        people: people kept in the target; None where the job does not count them.
        counts: entries by type.
        done, total: progress of the running cycle, in the job's own units; 0 where none runs.
        quarantine: why it is in quarantine; "" where it is not.
        portal_url: the configuration in the portal; "" where the stack does not know it.
    """

    healthy: bool
    headline: str
    remedy: str
    state: str
    code: str
    last_run: datetime | None
    last_result: str
    next_run: datetime | None
    interval_minutes: float
    failures_in_a_row: int
    first_cycle: datetime | None
    people: int | None
    counts: Mapping[str, int]
    done: int
    total: int
    quarantine: str
    portal_url: str

    @property
    def holds_deletions(self) -> bool:
        """Whether the job has more deletions to make than it may."""
        return reason_of(self.quarantine).name == HELD_DELETIONS


# --- from Graph ------------------------------------------------------------------------------------------------


def interval_of(job: Job) -> timedelta:
    """How far runs are apart, from an ISO 8601 duration such as PT40M; what is longer than a month is none."""
    found = DURATION.fullmatch(str((job.get("schedule") or {}).get("interval") or ""))
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0,) * 4
    total = 86400 * days + 3600 * hours + 60 * minutes + seconds
    return timedelta(seconds=total) if 0 < total <= LONGEST_INTERVAL else INTERVAL


def read_health(job: Job, now: datetime | None = None, *, running: bool = True, portal: str = "") -> Health:
    """From Graph: what a `synchronizationJob` says of itself.

    Args:
        job: the answer.
        now: the time, to tell a job that has stopped running; None where it was acted upon just now.
        running: whether the configuration wants it to run.
        portal: the configuration in the portal.
    """
    status = job.get("status") or {}
    quarantine, state, code = quarantine_reason(job), schedule_state(job), status_code(job)
    last = last_execution(status)
    last_run = moment(last.get("timeEnded")) or moment(last.get("timeBegan"))
    began = moment(last.get("timeBegan")) or last_run
    interval = interval_of(job)
    next_run = began + interval if began and state == ACTIVE else None
    if quarantine:
        next_run = moment((status.get("quarantine") or {}).get("nextAttempt"))
    progress = running_progress(status)
    healthy, headline, remedy = verdict(job, silent_since(job, now), running)
    return Health(
        healthy=healthy,
        headline=headline,
        remedy=remedy,
        state=state,
        code=code,
        last_run=last_run,
        last_result=str(last.get("state") or ""),
        next_run=next_run,
        interval_minutes=interval.total_seconds() / 60,
        failures_in_a_row=failures_in_a_row(job),
        first_cycle=moment(status.get("steadyStateFirstAchievedTime")),
        people=people_counted(job),
        counts={
            str(item.get("key")): int(item.get("value") or 0)
            for item in status.get("synchronizedEntryCountByType") or ()
        },
        done=int(progress.get("completedUnits") or 0),
        total=int(progress.get("totalUnits") or 0),
        quarantine=quarantine,
        portal_url=portal,
    )


def where_missing(health: Health, *, only_new: bool) -> Health:
    """The health of a job where somebody configured is not in scope: nothing starts it or approves anything before.

    Args:
        health: of the job.
        only_new: whether they are new in the stack file, so that nobody has to be brought back.
    """
    if not health.remedy:
        return health
    assign, stops = (ASSIGN_NEW, "") if only_new else (ASSIGN, f". {STOPS}")
    if health.remedy == RESUME:
        return replace(health, remedy=f"{ASK_WHO}; {assign} {STARTS_THEN}{stops}")
    if health.remedy == START:
        return replace(health, remedy=f"{assign} {STARTS_THEN}{stops}")
    return replace(health, remedy=f"{assign}; {REFUSES}{stops}. {sentence(health.remedy)}")


def last_execution(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The last run; a job that never ran carries a made-up failed one from the year 1, which is none."""
    last: Mapping[str, Any] = status.get("lastExecution") or {}
    return last if moment(last.get("timeEnded")) or moment(last.get("timeBegan")) else {}


def running_progress(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The progress of a cycle that runs now; done ones are none."""
    for found in status.get("progress") or ():
        if 0 <= int(found.get("completedUnits") or 0) < int(found.get("totalUnits") or 0):
            return dict(found)
    return {}


def failures_in_a_row(job: Job) -> int:
    """How many cycles failed completely since the last that did not."""
    return int((job.get("status") or {}).get("countSuccessiveCompleteFailures") or 0)


def silent_since(job: Job, now: datetime | None) -> datetime | None:
    """When a job was last seen at work, if that is too long ago; None where it is not, or nobody can tell."""
    status = job.get("status") or {}
    last, progress = last_execution(status), running_progress(status)
    observed = moment(progress.get("progressObservationDateTime"))
    if now is None or (progress and observed is None):
        return None
    signs = [sign for sign in (moment(last.get("timeEnded")), moment(last.get("timeBegan")), observed) if sign]
    seen = max(signs, default=now)
    return seen if now - seen > SILENT_INTERVALS * interval_of(job) else None


def verdict(job: Job, silent: datetime | None, running: bool) -> tuple[bool, str, str]:
    """Whether it is healthy, that in words, and what to do."""
    at_rest = verdict_of_rest(job, silent, running)
    if at_rest is None:
        return verdict_of_last_cycle(job)
    _, headline, remedy = at_rest
    failures = complete_failures(job)
    return (False, f"{headline}; {failures}", remedy or LOOK_AT_FAILURES) if failures else at_rest


def complete_failures(job: Job) -> str:
    """What Graph's count of cycles that failed completely says; "" for nothing.

    It also counts a cycle that ended in quarantine, such as one that went well but for the deletions it held back, and
    keeps counting it until another has ended, also where the quarantine is over by then. So the last cycle is believed:
    beside one that did not fail the count says nothing.
    """
    number, state = failures_in_a_row(job), last_execution(job.get("status") or {}).get("state")
    if not number or state not in (None, FAILED):
        return ""
    return "the last cycle failed completely" if number == 1 else f"{number} cycles in a row failed completely"


def verdict_of_rest(job: Job, silent: datetime | None, running: bool) -> tuple[bool, str, str] | None:
    """The verdict on a job that is kept from running, without complete failures; None for one that runs."""
    state, code, quarantine = schedule_state(job), status_code(job), quarantine_reason(job)
    if quarantine:
        # Whose deletions are held back is told beside it, as known by now.
        message = "" if holds_deletions(job) else message_of_quarantine(job)
        detail = f": {message}" if message else ""
        return False, f"in quarantine ({quarantine}){detail}", quarantine_explained(job)
    if state in (PAUSED, DISABLED) and not running:
        word = "paused" if state == PAUSED else "not started"
        return True, f"{word}, as xtsync:running: false wants it: nothing is synchronized", ""
    if state == PAUSED or (state != ACTIVE and code == PAUSED and state != DISABLED):
        return False, "paused: nothing is synchronized", RESUME
    if state != ACTIVE:
        return False, "disabled: it was never started, or Microsoft has stopped it", START
    if silent is not None:
        remedy = (
            "see with `xtsync logs` what it did last, and run `xtsync restart`, which sets it going again. Right after "
            "a pause, wait for the next run"
        )
        return False, f"active, but has not run since {silent.astimezone(UTC):%Y-%m-%d %H:%M} UTC", remedy
    return None


def verdict_of_last_cycle(job: Job) -> tuple[bool, str, str]:
    """The verdict on a job that runs: how its last cycle went."""
    last, failures = last_execution(job.get("status") or {}), complete_failures(job)
    if last.get("state") == FAILED:
        error = last.get("error") or {}
        code = "" if error.get("code") == NO_ERROR else error.get("code")
        why = unwrapped(error.get("message") or "") or code or "no reason given"
        mend = "run `pulumi up --refresh --diff`, which puts back what somebody took away"
        remedy = f"{LOOK_FOR_CAUSES}, and {mend}; the next cycle shows whether that was it"
        return False, f"running, but {failures or 'the last cycle failed'}: {without_stop(why)}", remedy
    if failures:
        return False, f"running, but {failures}", LOOK_AT_FAILURES
    if last.get("state") == "EntryLevelErrors":
        headline = "running; some people could not be synchronized in the last cycle"
        return True, headline, "see with `xtsync logs --failures` who and why"
    if not last:
        return True, "running; the first cycle is not done yet", ""
    if status_code(job) == NOT_RUN:
        return True, "running; it was restarted, and looks at everybody again", ""
    return True, "running; the last cycle went well", ""


# --- words -----------------------------------------------------------------------------------------------------


def ago(when: datetime | None, now: datetime) -> str:
    """A time as people say it, with the time itself."""
    if when is None:
        return "never"
    seconds = (when - now).total_seconds()
    size = abs(seconds)
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count = int(size // length)
        if count:
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            distance = f"in {words}" if seconds > 0 else f"{words} ago"
            return f"{distance} ({when.astimezone(UTC):%Y-%m-%d %H:%M} UTC)"
    return "now"


def last_words(health: Health, now: datetime) -> str:
    """When the last run was, and how it ended."""
    when = ago(health.last_run, now)
    held_back = health.holds_deletions and health.last_result != FAILED
    held = " but for the deletions that it holds back" if held_back else ""
    return f"{when}, {health.last_result}{held}" if health.last_result else when


def next_words(health: Health, now: datetime) -> str:
    """When the next run is."""
    if health.next_run is None:
        return "when the first cycle begins" if health.state == ACTIVE and not health.quarantine else "none is planned"
    if health.next_run <= now:
        return "due now"
    # Starting a job ends its quarantine, and lets loose what that has held.
    return ago(health.next_run, now) + ("" if health.quarantine else ", sooner after a start")
