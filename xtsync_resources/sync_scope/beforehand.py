"""What the job makes of a change of the scope, said before anything is done.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-get
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..assignments.operations import listed, names_in, not_assigned
from ..graph.errors import XtsyncError
from ..pulumi_runtime.engine import WARNING, report
from ..pulumi_runtime.provider import Properties, is_preview, is_unknown
from ..sync_job.calls import get_job
from ..sync_job.model import may_start, never_ran, schedule_state
from ..sync_job.quarantine import sentence
from ..sync_job.running import at_rest
from .deletions import at_a_glance
from .prediction import PUT_BACK, Change

if TYPE_CHECKING:
    from ..graph.operation import Operation

STARTS_IT = (
    "this run starts it at its end. Its next cycle does what has waited: whoever left the scope meanwhile leaves the "
    "target, within xtsync:deletionThreshold. If somebody has paused it on purpose, and not this run, set "
    "xtsync:running: false"
)
REFUSES = (
    "Where a run does not assign them, it refuses to start the job, with the rest done; with `--refresh` it sees that, "
    "and assigns them"
)
COUNTS = (
    "Unless a run with `--refresh` assigns them before, {cycle} DELETES whoever of them, or of their members, nothing "
    "else keeps, or holds that back where as many as the deletion threshold are out of scope then"
)
# An input of the start that no state keeps.
FILTERED = "filtered"
WITH_THIS, AGAIN = "with this change", "with whoever is configured assigned again (`--refresh`)"


def changes_something(olds: Properties, news: Properties) -> bool:
    """Whether something changes that nothing refuses before. What is unknown is not done yet."""
    changing = [name for name in ("principals", "assignments", "rested", "unfinished") if olds.get(name) != news[name]]
    if any(is_unknown(news[name]) for name in changing):
        return True
    before, now = before_and_now(olds, news)
    return bool(changing) and not (before - now and now - before)


def before_and_now(olds: Properties, news: Properties) -> tuple[set[str], set[str]]:
    """Object ids of the users and groups in scope by the last run, and by this one."""
    return {*(olds.get("principals") or ())}, {*news["principals"]}


# What a preview says where xtsync:running changes, and `xtsync plan` as well.
PAUSES = (
    "the job is paused with this change (xtsync:running): nobody is created, changed or removed in the target until it "
    "runs again"
)
STARTS = (
    "the job, which this stack has paused, is started at the end of this run (xtsync:running). Its next cycle does "
    "what has waited: whoever left the scope meanwhile leaves the target, within xtsync:deletionThreshold"
)


def tell_of_job(open_operation: Callable[[], Operation], olds: Properties, news: Properties) -> None:
    """Say that the job is at rest though the last run left it running, or whose deletion it holds back.

    Whether a run assigns anew whom somebody has unassigned by hand, only the engine knows, which has seen it with
    `--refresh`: so both are looked at. What fails here fails nothing.

    Calls: GET jobs/{id}; those of `at_a_glance` and `lost`.

    Args:
        open_operation: in the source; to sign in may fail.
        olds: the properties of the last run.
        news: of this run.
    """
    service_principal, job_id = olds["servicePrincipalId"], olds["jobId"]
    before, now = before_and_now(olds, news)
    # Who was assigned before the stack stays when it lets go of them.
    changes = [Change(WITH_THIS, now - before, may_leave=before - now), Change(AGAIN, now, may_leave=before - now)]
    try:
        operation = open_operation()
        job = operation.read(get_job(service_principal, job_id)) or {}
        filtered = bool(news.get(FILTERED))
        held = at_a_glance(operation, service_principal, job_id, job, filtered=filtered, changes=changes)
        rests = bool(job) and not by_this_run(olds, news) and at_rest(job) and may_start(job) and not never_ran(job)
    except XtsyncError as error:
        report(f"how the job does could not be read: {error.why}", severity=WARNING)
        return
    if held is not None:
        late = f". {PUT_BACK}" if held.let_go and held.outside else ""
        more = f"{late}{lost(operation, olds, news, COUNTS.format(cycle=held.cycle))}"
        report(f"the job holds deletions back. {sentence(held.sentence('the target'))}{more}", severity=WARNING)
    elif rests:
        more = lost(operation, olds, news, REFUSES)
        report(f"the job is {schedule_state(job).lower()} now, and {STARTS_IT}{more}", severity=WARNING)


def by_this_run(olds: Properties, news: Properties) -> bool:
    """Whether this run may have brought the job to rest already, as for other filters; a preview has not."""
    return not is_preview(news) and olds.get("rested") != news["rested"]


def lost(operation: Operation, olds: Properties, news: Properties, follows: str) -> str:
    """Who was assigned by the last run and is not, and what follows, in sentences; "" for nobody.

    Calls: GET appRoleAssignedTo; those of `names_in`.
    """
    before, now = before_and_now(olds, news)
    try:
        missing = not_assigned(operation, olds["servicePrincipalId"], olds["appRoleId"], before & now)
    except XtsyncError as error:
        return f". Whether everybody who is configured is assigned could not be read: {error.why}"
    try:
        named = names_in(operation, missing)
    except XtsyncError:  # ids name them as well
        named = listed(sorted(missing))
    return f". Not assigned now, though configured: {named}. {follows}" if missing else ""
