"""What of the job somebody has to know before the next `pulumi up`, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..graph.errors import CallError, RefusedError
from ..state import type_token
from ..sync_job.model import ACTIVE, holds_deletions
from ..sync_scope.beforehand import PAUSES, STARTS
from . import status
from .checks.finding import as_advice, listed
from .gone import NotWellError
from .health import ASSIGN
from .held_back import at_a_glance, changes_by_up, judged
from .in_scope import Outside, out_of_scope
from .recorded import outputs_of
from .status import read_job, what_follows

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..program.stack_state import Recorded
    from .stack import Stack

SWAP = (
    "the job holds deletions back, and is not paused to take some out of scope for others: put those people back, and "
    "take others out with a run after that"
)


@dataclass(frozen=True)
class JobAhead:
    """The job before the next `up`.

    Attributes:
        told: what keeps the job from doing what `up` asks of it, or whose deletion it holds back; "" for nothing.
        do: what to do about it; "" for nothing.
        holds: whether it holds deletions back.
        gone: whether it is gone.
    """

    told: str = ""
    do: str = ""
    holds: bool = False
    gone: bool = False


def job_ahead(
    stack: Stack, operation: Operation, comes: Collection[str], wanted: Mapping[str, str], leaves: Collection[str]
) -> JobAhead:
    """The job before the next `up`; whoever comes by that is not missed before.

    Calls: those of `read_job`, `at_a_glance` and `out_of_scope`.

    Args:
        stack: whose `up`.
        operation: in the source.
        comes: entries of the stack file that come into scope.
        wanted: object ids of all entries.
        leaves: object ids of who leaves the scope.
    """
    if not outputs_of(stack).get("jobId"):
        return JobAhead()
    try:
        job = read_job(operation, stack)
    except NotWellError as error:
        return JobAhead(in_a_row(error), error.do, gone=True)
    except CallError as error:
        return JobAhead(f"how it does could not be read: {error.why}", error.do)
    holds, health = holds_deletions(job), status.judged(operation, stack, job)
    told = [] if health.healthy and health.state == ACTIVE else [health.headline]
    outside, unread = Outside(), None
    try:
        outside = out_of_scope(operation, stack) or outside
    except CallError as error:
        unread = error
    coming = {entry.partition(" ")[2] for entry in comes}
    missing = [name for name in outside.unassigned if name not in coming]
    late = {id_ for entry, id_ in wanted.items() if entry.partition(" ")[2] in missing}
    everybody = {*wanted.values()}
    at_once = {id_ for entry, id_ in wanted.items() if entry in comes} if unread else everybody - late
    by_up = Outside(ids=everybody, new_ids=at_once, may_leave={*outside.may_leave} - {*leaves})
    changes = changes_by_up(by_up, leaves)
    held = at_a_glance(operation, stack.service_principal, stack.job, job, stack.settings, changes)
    if held is not None:
        told.append(held.sentence(stack.settings.target.name))
    health = judged(health, held, outside if missing else replace(outside, unassigned=(), new=(*outside.all,)))
    if unread:
        return JobAhead(
            ". ".join([*told, f"who is in scope could not be read: {unread.why}"]), health.remedy or unread.do, holds
        )
    if not missing:
        return JobAhead(". ".join(told), health.remedy if told else "", holds)
    told.append(f"not in scope: {listed(missing)}, though configured{what_follows(stack)}")
    return JobAhead(". ".join(told), (health.remedy if len(told) > 1 else "") or ASSIGN, holds)


def switched(stack: Stack, state: Sequence[Recorded], job: JobAhead) -> JobAhead:
    """The job as it is told where `up` pauses it, or starts what an earlier one has paused (`xtsync:running`)."""
    start = next((one.outputs for one in state if one.type == type_token("JobStart")), None)
    running = stack.settings.running
    if start is None or job.gone or job.holds or bool(start.get("running")) == running:
        return job
    return replace(job, told=STARTS if running else PAUSES, do="")


def after_refusal(do: str, refused: str) -> str:
    """What to do about the job, where `up` refuses as it is."""
    return (
        f"{do}. As long as it is refused, `pulumi up` does none of that" if refused and "run `pulumi up" in do else do
    )


def in_a_row(error: RefusedError) -> str:
    """A refusal as part of a row, without what to do."""
    return f"{as_advice(error.what)}: {error.why}"
