"""The scope of a pair that a `destroy` which was cut off has taken apart: the job is left, and perhaps the record.

Nobody is assigned any more, and the job still knows them all: once it runs again, whoever does not come back leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..assignments.operations import number_of_people
from ..directory.find import KINDS, by_id, name_of
from ..directory.members import USER
from ..pulumi_runtime.engine import WARNING, report
from ..pulumi_runtime.provider import is_unknown
from ..sync_job.calls import get_job
from ..sync_job.model import Job, has_succeeded, last_cycle, people_counted
from .foreign_assignments import ADOPTED, REPORT, SEEN, WANTED

if TYPE_CHECKING:
    from ..graph.operation import Operation

NOBODY_KNOWS = (
    "the job has synchronized {people}, and a run that was cut off has taken everybody out of scope since. The state "
    "does not say any more who they are: whoever of them is not in scope with this change is removed from the target "
    "by the next cycle of the job, within xtsync:deletionThreshold. To keep them all, run `pulumi destroy`, with which "
    "the job goes, and `pulumi up` after that"
)
RECORDED = ("servicePrincipalId", "jobId", "appRoleId", "foundPeople", "onDestroy")


def left_in_the_state(job: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """What the outputs of the job and of the record of the scope say; empty without a job."""
    return {"foundCycle": job.get("foundCycle") or "", **record} if job else {}


def knows_somebody(job: Job, found_cycle: str) -> bool:
    """Whether a job has run since this stack has it, so that it knows whom this stack has put in scope; pure.

    Args:
        job: as it is now.
        found_cycle: its last cycle when it was taken over; "" where this stack made it.
    """
    return has_succeeded(job) and not (found_cycle and last_cycle(job) == found_cycle)


def scope_of(operation: Operation, record: Mapping[str, Any]) -> dict[str, Any]:
    """The scope as the record has it, by what Graph calls users and groups now; empty where the job knows nobody of it.

    Calls: GET jobs/{id}; those of `by_id`.

    Args:
        operation: in the source.
        record: its outputs.

    Raises:
        XtsyncError: Graph could not be asked.
    """
    job = operation.read_settled(get_job(record["servicePrincipalId"], record["jobId"]))
    if job is not None and not knows_somebody(job, record["foundCycle"]):
        return {}
    principals: dict[str, str] = {}
    unknown = list(record["principals"])
    for kind in KINDS:
        for object_id, one in by_id(operation, kind, unknown).items():
            name = f"{kind} {name_of(kind, one)}"
            principals[f"{name} ({object_id})" if name in principals else name] = object_id
        unknown = [one for one in unknown if one not in principals.values()]
    # Whoever is gone in the source is spoken of as gone.
    principals |= {f"{USER} {object_id}": object_id for object_id in unknown}
    kept = {name: record[name] for name in RECORDED}
    foreign = {ADOPTED: {}, SEEN: {}, WANTED: REPORT}
    return {**kept, **foreign, "principals": principals, "neverRemove": record.get("neverRemove") or []}


def warn_of_the_unknown(operation: Operation, scope: Mapping[str, Any], found_cycle: str) -> None:
    """Say that the job may know people whom the state does not. Call, where the job is the same: GET jobs/{id}.

    Args:
        operation: in the source.
        scope: its new properties.
        found_cycle: see `knows_somebody`.

    Raises:
        XtsyncError: Graph could not be asked.
    """
    of_job = scope["servicePrincipalId"], scope["jobId"]
    job = None if any(map(is_unknown, of_job)) else operation.read_settled(get_job(*of_job))
    if job is not None and knows_somebody(job, found_cycle) and (people := people_counted(job)) != 0:
        many = "people" if people is None else f"{number_of_people(people)} (by its own count)"
        report(NOBODY_KNOWS.format(people=many), severity=WARNING)
