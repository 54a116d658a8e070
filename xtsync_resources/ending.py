"""Ending: what happens to the people when the pair is taken apart.

This resource stands between the assignments and the job: it is deleted after the last assignment is gone and
before settings and job are. With `release` that is nothing, the brake has paused the job before. With
`drain` it waits here until the job has removed everybody from the target.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from .graph import calls
from .graph.errors import DeadlineError, RefusedError
from .job_start import contradiction
from .job_state import (
    ACTIVE,
    NOT_RUN,
    Job,
    has_succeeded,
    last_cycle,
    never_ran,
    people_counted,
    quarantine_reason,
    schedule_state,
    status_code,
)
from .lifecycle import (
    Properties,
    tell,
)
from .marker import MarkerProvider
from .tenant_resource import Home, TenantResource

if TYPE_CHECKING:
    from .graph.operation import Operation

DRAIN = "drain"
NOBODY_LEFT = "nobody of this pair is left in the target"


# --- lifecycle ---------------------------------------------------------------------------------------------


def describe(on_destroy: str, users: int, groups: int) -> str:
    """What `pulumi destroy` will do to the people, for the stack's outputs."""
    scope = " and ".join(
        f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((users, "user"), (groups, "group")) if count
    )
    one = users + groups == 1
    leave = f"{scope} {'leaves' if one else 'leave'} the scope"
    if on_destroy == DRAIN:
        return f"drain: {leave}, and the people are DELETED in the target, then the pair ends"
    return f"release: {leave}, {'the' if one else 'their'} people stay in the target as they are"


def wait_until_drained(operation: Operation, service_principal: str, job_id: str) -> str:
    """Wait until the job has removed everybody it synchronized.

    Calls: GET jobs/{id}, repeatedly.

    Returns:
        What can be said of the people then.

    Raises:
        RefusedError: the job holds deletions back or does not run, so waiting is no use.
        DeadlineError: people are left when the time is over; the next destroy goes on waiting.
    """
    call = calls.get_job(service_principal, job_id)
    left = {"people": 0}
    said = [NOBODY_LEFT]

    def drained(job: Job | None) -> bool:
        if job is None:
            if operation.read_surely(call) is None:
                raise job_is_gone(operation, job_id)
            return False
        if never_ran(job):
            said[0] = "the job never ran, so it made nobody; people who were provisioned on demand stay in the target"
            return contradiction(operation, call, never_ran) is None
        said[0] = NOBODY_LEFT
        refuse_unless_running(operation, job_id, job)
        counted = people_counted(job)
        left["people"] = counted or 0
        if left["people"]:
            operation.status(f"{left['people']} people are still in the target; the job runs every 40 minutes")
        # Before its first cycle has ended a job counts nobody, whoever it has made already; and a count from before
        # the assignments went says nothing of people who were made since.
        counts = status_code(job) != NOT_RUN and (counted == 0 or has_succeeded(job))
        return counts and not left["people"] and not operation.client.made_here(cycle_before_leaving(job))

    try:
        operation.wait_until(call, drained, "waiting for the people to be gone from the target")
    except DeadlineError:
        why = "no cycle has ended since everybody left the scope, so it is not known whether people are left"
        if left["people"]:
            why = f"{left['people']} people are still in the target; the job removes them in its next cycle"
        raise DeadlineError(call, operation.tenant, why) from None
    return said[0]


def cycle_before_leaving(job: Job) -> str:
    """The name under which this process remembers which cycle was the last before the assignments went."""
    return f"last cycle before people leave: {last_cycle(job) or 'unknown'}"


def job_is_gone(operation: Operation, job_id: str) -> RefusedError:
    """The refusal to call a pair drained whose job cannot say so any more."""
    return RefusedError(
        f"Cannot drain the pair: the job {job_id} in {operation.tenant} is gone",
        "only the job can remove people from the target, and say when they are gone",
        "remove the people in the target by hand if they should go; then set xtsync:onDestroy to release, run "
        "`pulumi up --skip-preview` and `pulumi destroy`",
    )


def refuse_unless_running(operation: Operation, job_id: str, job: Job) -> None:
    """Refuse to drain with a job that does not remove anybody.

    Raises:
        RefusedError: it is paused, disabled or in quarantine.
    """
    reason = quarantine_reason(job)
    if schedule_state(job) == ACTIVE and not reason:
        return
    state = f"in quarantine ({reason})" if reason else schedule_state(job) or "in an unknown state"
    raise RefusedError(
        f"Cannot drain the pair: the job {job_id} in {operation.tenant} does not run",
        f"it is {state}, so it would remove nobody from the target",
        "start it or end its quarantine in the portal, then run `pulumi destroy` again; or set "
        "xtsync:onDestroy to release and run `pulumi up --skip-preview` first, which leaves the people there",
    )


def refuse_beyond_threshold(operation: Operation, people: int, threshold: int | None) -> None:
    """Refuse to drain more people than the accidental-deletion threshold lets go.

    Raises:
        RefusedError: the job would stop in quarantine and remove nobody.
    """
    if threshold is not None and people > threshold:
        raise RefusedError(
            f"Cannot drain the pair in {operation.tenant}",
            f"{people} people would be deleted in the target, more than xtsync:deletionThreshold ({threshold})",
            f"if that is intended, set xtsync:deletionThreshold to {people} or more, run `pulumi up`, then "
            "`pulumi destroy`",
        )


class EndingProvider(MarkerProvider):
    """Waits for the people to be gone, when draining."""

    suffix = "ending"

    def delete(self, _id: str, props: Properties) -> None:
        """With `drain`, wait until the people are gone from the target. Calls: GET jobs/{id}."""
        if self.settings.on_destroy == DRAIN:
            tell(wait_until_drained(self.operation(), props["servicePrincipalId"], props["jobId"]))


ENDING = EndingProvider()


# --- resource ----------------------------------------------------------------------------------------------


class Ending(TenantResource):
    """What happens to the people at the end.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        job_id: the job.
        depends_on: job and settings; assignments depend on this.
    """

    provider_reference = ("ending", "ENDING")

    def __init__(
        self,
        name: str,
        home: Home,
        service_principal_id: pulumi.Input[str],
        job_id: pulumi.Input[str],
        depends_on: list[pulumi.Resource],
    ) -> None:
        inputs = {"servicePrincipalId": service_principal_id, "jobId": job_id}
        super().__init__(name, home, inputs, depends_on=depends_on)
