"""What of a pair is gone in the source, and the whole command that makes it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..graph.errors import RefusedError
from ..service_principal.calls import get_service_principal
from ..state import type_token
from ..sync_job.running import how_it_went, make_rest_again
from .recorded import recorded_of

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..program.stack_state import Recorded
    from .stack import Stack


PEOPLE_STAY = "people stay in the target as they are meanwhile"


class NotWellError(RefusedError):
    """The pair itself is not well, which is what the command has found out: exit code 1."""


def urn_of_job(state: Sequence[Recorded], job_id: str) -> str:
    """The URN of a job in the state; "" where the state does not have it."""
    kind = type_token("SyncJob")
    return next((one.urn for one in state if one.type == kind and one.id == job_id), "")


def make_all_again(stack: str) -> str:
    """How an application that is gone is made again, and its job."""
    return (
        f"{make_rest_again(stack)}; if the deletion was a mistake, restore the application before that, within 30 "
        "days (Entra admin center, App registrations, Deleted applications)"
    )


def gone(operation: Operation, stack: Stack) -> NotWellError:
    """What to say of a job that is not there. Calls: GET servicePrincipals/{id}; those of `how_it_went`."""
    what = f"The job {stack.job} in {operation.tenant} is gone"
    if operation.read(get_service_principal(stack.service_principal)) is None:
        why = f"somebody deleted the configuration application, and the job with it; {PEOPLE_STAY}"
        return NotWellError(what, why, make_all_again(stack.called))
    urn = urn_of_job(recorded_of(stack), stack.job)
    why, do = how_it_went(operation, stack.service_principal, urn, stack.called)
    return NotWellError(what, f"{why}; {PEOPLE_STAY}", do)
