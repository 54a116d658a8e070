"""A change of the scope in people, said before anything is done, and refused where nobody could mend it later.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from ..graph.errors import XtsyncError
from ..pulumi_runtime.engine import WARNING, report
from ..pulumi_runtime.provider import Properties, is_unknown
from ..sync_job.calls import get_job
from ..sync_job.model import has_succeeded
from ..sync_job.running import refuse_held_deletions
from . import foreign_assignments
from .affected import (
    Affected,
    affected,
    already_assigned,
    announce,
    announce_skipped,
    groups_among,
    kinds,
    read_groups,
    sentence,
)
from .leavers import (
    GONE,
    MADE_ANEW,
    known_to_leave,
    people_who_leave,
    refuse_forgotten,
    refuse_many,
    report_who_leaves,
)

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..pulumi_runtime.provider_settings import ProviderSettings

# For one run only: how many people may leave (absent where the job would delete any number, or nobody), whether the job
# deletes them, from how many on it holds that back, what the last run has left of this resource, and why the service
# skips users, by object id.
MAY_LEAVE, DELETES, HOLDS_FROM, BEFORE, SKIPPED = "mayLeave", "deletes", "holdsFrom", "before", "skipped"
# For one run only as well: `left_in_the_state`, where the job is in the state and the scope is not.
CUT_OFF = "cutOff"
NOT_RUN_YET = (
    "no cycle of the job has gone well yet: it removes nobody from the target whom it has not synchronized itself, as "
    "whom an earlier job has. `xtsync status --wait first-cycle` waits for one"
)
Opened = Callable[[], "Operation"]


def announce_change(
    operation: Opened,
    settings: ProviderSettings,
    before: Properties,
    news: Properties,
    removed: Mapping[str, str],
    *,
    anew: bool,
) -> None:
    """Say who comes into scope and who leaves it, in people, and what becomes of them.

    Calls: none where nobody comes or leaves, else those of `who_comes` and `who_leaves`.

    Args:
        operation: begins one in the source.
        settings: of the source's provider.
        before: the former properties; empty before the first `up`.
        news: the new ones.
        removed: whom somebody had put in scope by hand and this run takes out.
        anew: see `affected`.

    Raises:
        RefusedError: who comes is in scope already and may not be taken over; or as `who_leaves`.
    """
    change = who_comes(operation, settings, before, news, anew=anew)
    if leaving := {**change.leaves, **removed}:
        who_leaves(operation, settings, before, news, change, leaving)


def who_comes(
    operation: Opened, settings: ProviderSettings, before: Properties, news: Properties, *, anew: bool
) -> Affected:
    """Say which users and groups come and go, and how many people the groups bring; gives the change.

    Calls: those of `already_assigned` and `read_groups`. That a count fails, fails nothing.
    """
    assigned: Collection[str] | None = None
    try:
        assigned = already_assigned(operation, {} if anew else before, news)
    except XtsyncError as error:
        report(f"who is in scope already could not be read: {error.why}. {error.do}", severity=WARNING)
    change = affected(before, news, assigned, anew=anew)
    if before and change.already and settings.on_existing == "fail":
        foreign_assignments.refuse(operation(), news, set(change.already.values()))
    announce(change)
    announce_skipped(change, news.get(SKIPPED) or {})
    try:
        if groups := groups_among(change.comes):
            for one in read_groups(operation(), groups):
                report(sentence(*one))
    except XtsyncError as error:
        report(f"how many people come could not be counted: {error.why.rstrip('.')}. {error.do}", severity=WARNING)
    return change


def who_leaves(
    operation: Opened,
    settings: ProviderSettings,
    before: Properties,
    news: Properties,
    change: Affected,
    leaving: Mapping[str, str],
) -> None:
    """Say how many people leave, who, and what becomes of them.

    Calls: those of `job_that_knows`, `people_who_leave` and `names_in`. That a count fails, fails nothing.

    Raises:
        RefusedError: they are more than the stack file allows; the job that knows them is not there any more; or
            others come, and the job holds deletions back.
    """
    coming = {**change.comes, **change.already}
    deletes, swap = bool(news.get(DELETES)), bool(coming)
    lost, knows_people = job_that_knows(operation, before, news, swap=swap) if deletes or swap else ("", True)
    names = {object_id: name for name, object_id in leaving.items()}
    try:
        found = people_who_leave(operation(), before, kinds(leaving), kinds(coming), news.get(MAY_LEAVE))
        leavers = found.named(names)
    except XtsyncError as error:
        report(f"how many people go could not be counted: {error.why.rstrip('.')}. {error.do}", severity=WARNING)
        leavers = known_to_leave(kinds(leaving)).named(names)
    else:
        report_who_leaves(operation(), leavers, deletes=deletes, holds_from=news.get(HOLDS_FROM), lost=lost)
    if deletes:
        refuse_forgotten(settings.tenant, leavers, lost)
        if leavers.ids and not knows_people:
            report(NOT_RUN_YET, severity=WARNING)
    refuse_many(settings.tenant, leavers, news.get(MAY_LEAVE))


def job_that_knows(operation: Opened, before: Properties, news: Properties, *, swap: bool) -> tuple[str, bool]:
    """What has become of the job that knows who leaves, "" where it is there; and whether it has synchronized anybody.

    Call: GET jobs/{id}, where the run does not make it anew.

    Raises:
        RefusedError: it holds deletions back, and cannot be paused for a swap.
    """
    of_job = ("servicePrincipalId", "jobId")
    if any(is_unknown(news[key]) or news[key] != before[key] for key in of_job):
        return MADE_ANEW, False
    service_principal, job_id = (before[key] for key in of_job)
    try:
        job = operation().read_settled(get_job(service_principal, job_id))
    except XtsyncError as error:
        report(f"whether the job is there, and holds deletions back, could not be read: {error.why}", severity=WARNING)
        return "", True
    if job is None:
        return GONE, False
    if swap:
        refuse_held_deletions(operation(), job_id, job, "pause")
    return "", has_succeeded(job)
