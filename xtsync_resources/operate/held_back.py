"""Whose deletions a job holds back, at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..graph.errors import CallError, RefusedError
from ..sync_job.held_back import staged
from ..sync_job.model import holds_deletions
from ..sync_job.provisioning_log import Identity
from .checks.finding import counted, listed

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.model import Job

# Where nobody decides, and the first names will do.
A_GLANCE = 1_000
LATE = "the provisioning log does not say yet whose they are; its events come some minutes late"


@dataclass(frozen=True)
class HeldBack:
    """Whom a job is about to delete.

    Attributes:
        people: in the order of their names.
        unknown: why they cannot be told; "" where they can.
    """

    people: Sequence[Identity] = ()
    unknown: str = ""

    def sentence(self, target: str) -> str:
        """Them in words, with the first names."""
        if self.unknown:
            return f"whose deletion is held back cannot be told here: {self.unknown}"
        who = listed([str(one) for one in self.people])
        return f"{counted(len(self.people), 'person', 'people')} would be deleted in {target}: {who}"


def at_a_glance(operation: Operation, job_id: str, job: Job) -> HeldBack | None:
    """Whom a job is about to delete; None where it holds nothing back. What fails here fails nothing.

    Calls: those of `staged`, where it does.
    """
    if not holds_deletions(job):
        return None
    try:
        people = staged(operation, job_id, job, A_GLANCE)
    except CallError as error:
        return HeldBack(unknown=f"{error.why}. {error.do}")
    except RefusedError as error:
        return HeldBack(unknown=error.why)
    return (
        HeldBack(people) if people else HeldBack(unknown=f"{LATE}. `xtsync approve-deletions` shows them once it does")
    )
