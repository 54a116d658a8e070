"""Reading the settings of the synchronization, and what stands in the way of changing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import records
from ..assignments.operations import listed, number_of_people
from ..graph.errors import CallError, RefusedError
from ..sync_job.calls import list_jobs
from ..sync_job.held_back import MOST_EVENTS, may_be_more, staged
from ..sync_job.model import Job, holds_deletions, jobs_of_template
from . import calls
from .model import deletion_threshold, protection_weakens, settings_by_key, sync_all

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.provisioning_log import Identity

LEAVE_IT = (
    "put them back in scope with xtsync:deletionThreshold as it was, and raise it once the job holds nobody back "
    "(`xtsync status` says when its next cycle is); or, if they are to go, let them with `xtsync approve-deletions`, "
    "which shows whose they are"
)

SHOW_IT = "run `pulumi refresh --diff`, as somebody has lowered the threshold since, and look at the preview"


def live_settings(operation: Operation, service_principal: str) -> dict[str, str] | None:
    """What is set now, None without a service principal. Call: GET secrets."""
    answer = operation.read_settled(calls.get_secrets(service_principal))
    return None if answer is None else settings_by_key(answer)


def was_everybody(found: str) -> bool | None:
    """Whether the settings that were found had everybody in scope; None where they had not, or there were none."""
    return sync_all(records.parse(found)) or None


# --- deletions that are held back ------------------------------------------------------------------------------


def job_that_holds(operation: Operation, service_principal: str) -> Job | None:
    """The job that holds deletions back; None where none does, or there is none. Call: GET jobs."""
    jobs = operation.read(list_jobs(service_principal)) or {}
    return next((job for job in jobs_of_template(jobs) if holds_deletions(job)), None)


def refuse_to_release(
    open_operation: Callable[[], Operation],
    service_principal: str,
    before: Mapping[str, str],
    wanted: Mapping[str, Any],
    allowed: int | None,
) -> str:
    """Refuse a higher threshold under a job that holds deletions back, as its next cycle would make them.

    Calls: none where the threshold is not raised; else GET jobs, and GET auditLogs/provisioning where deletions are
    held back.

    Args:
        open_operation: in the source; only for a threshold that is raised, as a client is half of what a process costs.
        service_principal: the configuration's service principal.
        before: the settings that the job goes by, as Graph has them.
        wanted: those of the stack file.
        allowed: how many deletions the stack file allows; None where no preview has shown them. Where nobody can see
            how many there are, no number will do.

    Returns:
        Whom it lets go; "" for nobody.

    Raises:
        RefusedError: it allows fewer than there are, or nobody can see how many.
        CallError: the job cannot be read, so that nobody knows whether it holds any back.
    """
    if not protection_weakens(before, wanted):
        return ""
    operation = open_operation()
    job = job_that_holds(operation, service_principal)
    if job is None:
        return ""
    what = f"Will not raise xtsync:deletionThreshold of the job {job['id']} in {operation.tenant}"
    deletes = "with a higher threshold its next cycle deletes them in the target"
    people, unknown = held_by(operation, job, deletion_threshold(before))
    if unknown:
        why = f"the job holds deletions back, and whose cannot be told here: {unknown}. {deletes.capitalize()}"
        raise RefusedError(what, why, LEAVE_IT)
    who = f"{number_of_people(len(people))}: {listed([str(one) for one in people])}"
    if allowed is None or len(people) > allowed:
        why = f"the job holds back the deletion of {who}; {deletes}, but for whoever is back in scope by then"
        other = f"set xtsync:allowDeletions to {len(people)} to delete them so" if allowed is not None else SHOW_IT
        raise RefusedError(what, why, f"{LEAVE_IT}. Or {other}")
    return (
        f"with this change the next cycle deletes in the target, as xtsync:allowDeletions allows, {who}, but for "
        "whoever is back in scope by then"
    )


def held_by(operation: Operation, job: Job, threshold: int | None) -> tuple[list[Identity], str]:
    """Whose deletion a job holds back, or why nobody can see that. Calls: those of `staged`."""
    try:
        people = staged(operation, str(job["id"]), job, MOST_EVENTS)
    except CallError as error:
        return [], f"{error.why.rstrip('.')}. {error.do}"
    except RefusedError as error:
        return [], error.why
    if may_be_more(job, len(people), threshold, operation.client.clock.now()):
        return [], "the provisioning log does not name all of them yet; its events come some minutes late"
    return people, ""
