"""Which configurations of the source synchronize into a target. A pair has one.

Microsoft supports one for an ordered pair. A second one, of another stack, made by hand, by Microsoft 365, or by this
stack before its state was lost, shares the policies of the pair: whoever takes them away stops it as well.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..assignments.operations import number_of_people
from ..graph.errors import CallError, RefusedError, TenantName
from ..sync_job.calls import list_jobs
from ..sync_job.model import Job, job_of_template, last_cycle, never_ran, people_counted, schedule_state
from ..sync_secrets.calls import get_secrets
from ..sync_secrets.model import COMPANY, MASK, settings_by_key
from . import calls
from .multitenant_organization import is_managed
from .orphans import APPLICATION_TEMPLATE

if TYPE_CHECKING:
    from ..graph.operation import Operation


@dataclass(frozen=True)
class PairConfiguration:
    """A configuration that synchronizes into a target: its service principal, job and settings."""

    principal: Mapping[str, Any]
    job: Job
    settings: Mapping[str, str]

    def __str__(self) -> str:
        people = people_counted(self.job)
        facts = [
            f"service principal {self.principal['id']}",
            f"job {self.job['id']}, {schedule_state(self.job)}",
            f"last cycle {ended}" if (ended := ended_at(self.job)) else "no cycle yet",
            *([number_of_people(people)] if people is not None else []),
            *(["Microsoft 365 manages it"] if is_managed(str(self.principal.get("displayName"))) else []),
        ]
        return f"{self.principal.get('displayName')} ({'; '.join(facts)})"


@dataclass(frozen=True)
class Unreadable:
    """A configuration of which it could not be seen into which tenant it synchronizes."""

    principal: Mapping[str, Any]
    why: str
    do: str = ""

    def __str__(self) -> str:
        return f"{self.principal.get('displayName')} ({self.principal['id']})"


def ended_at(job: Job) -> str:
    """When the last cycle ended, or what else tells it; "" where there was none."""
    last = (job.get("status") or {}).get("lastExecution") or {}
    ended = str(last.get("timeEnded") or "")
    return "" if ended.startswith("0001-") else ended or last_cycle(job)


def configurations_into(operation: Operation, target: str) -> tuple[list[PairConfiguration], list[Unreadable]]:
    """The configurations that synchronize into a target, whatever they are called, and those that cannot be judged.

    Calls: GET servicePrincipals, page by page (Application.Read.All); POST $batch of GET jobs, and of GET secrets for
    those that have a job (Synchronization.Read.All).

    Raises:
        CallError: the service principals cannot be listed.
    """
    from ..graph.batch import read_all  # noqa: PLC0415 - HTTP, which the program does not need

    principals = list(operation.pages(calls.list_instances(APPLICATION_TEMPLATE)))
    listed = read_all(operation, [list_jobs(str(one["id"])) for one in principals], "look for other configurations")
    jobs: list[tuple[Mapping[str, Any], Job]] = []
    unreadable: list[Unreadable] = []
    for principal, answer in zip(principals, listed, strict=True):
        if isinstance(answer, CallError):
            unreadable.append(Unreadable(principal, answer.why, answer.do))
        elif job := job_of_template(answer):
            jobs.append((principal, job))
    read = read_all(operation, [get_secrets(str(one["id"])) for one, _ in jobs], "look for other configurations")
    found: list[PairConfiguration] = []
    for (principal, job), answer in zip(jobs, read, strict=True):
        if isinstance(answer, CallError):
            unreadable.append(Unreadable(principal, answer.why, answer.do))
            continue
        settings = settings_by_key(answer)
        into = settings.get(COMPANY, "")
        if into == MASK:
            unreadable.append(Unreadable(principal, "its settings do not say into which tenant it synchronizes"))
        elif into.lower() == target.lower():
            found.append(PairConfiguration(principal, job, settings))
    return found, unreadable


def others_among(found: Sequence[PairConfiguration], own: str) -> list[PairConfiguration]:
    """Those of them that need the pair besides the service principal `own`: a job that never ran keeps nobody."""
    return [one for one in found if str(one.principal["id"]) != own and not never_ran(one.job)]


def look(operation: Operation, target: str, warn: Callable[[str], None]) -> list[PairConfiguration]:
    """The same before something is made or taken away; `warn` is told what cannot be seen, and the run goes on."""
    try:
        found, unreadable = configurations_into(operation, target)
    except CallError as error:
        warn(f"could not look for other configurations of this pair: {error.why}. {error.do}")
        return []
    if unreadable:
        warn(unjudged(unreadable))
    return found


def unjudged(unreadable: Sequence[Unreadable]) -> str:
    """One line about those that could not be judged."""
    names = ", ".join(map(str, unreadable))
    return f"it could not be seen whether these synchronize into the same target: {names}: {unreadable[0].why}"


def second_configuration(tenant: TenantName, target: str, others: Sequence[PairConfiguration]) -> RefusedError:
    """The refusal to make a second configuration for a pair."""
    return RefusedError(
        f"Will not make a second configuration in {tenant} for the target {target}",
        f"there is one already: {'; '.join(map(str, others))}",
        "bring it under management if it is this pair's (made by hand, or by a stack whose state was lost): `xtsync "
        "export --import-file ...`, its xtsync:displayName in this stack file, and `pulumi import`, see "
        "docs/operations.md; if another stack has it, use that one; if there are to be two, set "
        "xtsync:allowSecondConfiguration to true",
    )


def still_needed(tenant: TenantName, others: Sequence[PairConfiguration]) -> RefusedError:
    """The refusal to take away what another configuration needs."""
    return RefusedError(
        f"Will not take this pair apart in {tenant}",
        f"another configuration synchronizes it as well: {'; '.join(map(str, others))}. The policies that both need "
        "would go, in both tenants, and its job would stop",
        "set xtsync:allowSecondConfiguration to true, which leaves them, run `pulumi up`, then `pulumi destroy`; or "
        "end the other one first",
    )
