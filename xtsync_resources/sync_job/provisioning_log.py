"""The provisioning log: what a job did to whom. Graph keeps it for 30 days at most, and events come some minutes late.

Source: https://learn.microsoft.com/graph/api/provisioningobjectsummary-list
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..graph.call import literal
from ..graph.nested import unwrapped
from . import calls
from .model import moment

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..graph.pace import Pace

PAGE = 100

# --- to Graph --------------------------------------------------------------------------------------------------


def filter_for(job: str, since: datetime, user: str, failures: bool) -> str:
    """The filter for a job's events; filters on logs are case sensitive."""
    parts = [f"jobId eq {literal(job)}", f"activityDateTime gt {since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"]
    if user:
        parts.append(f"sourceIdentity/id eq {literal(user)}")
    if failures:
        parts.append("provisioningStatusInfo/status eq 'failure'")
    return " and ".join(parts)


# --- from Graph ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LoggedStep:
    """One step of it.

    Attributes:
        kind: `import`, `scoping`, `matching`, `processing`, `referenceResolution` or `export`.
        status: how it ended.
        description: what was done, in Graph's words.
    """

    kind: str
    status: str
    description: str


@dataclass(frozen=True)
class Change:
    """A property that it changed, with the value before and after; "" is none."""

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Identity:
    """Somebody, as the log names them; "" is what it does not say."""

    name: str
    id: str

    def __str__(self) -> str:
        return self.name or self.id


@dataclass(frozen=True)
class Event:
    """One thing the job did to one person.

    Attributes:
        id: the event's.
        cycle: the id of the cycle that it was done in.
        when: when it was done; null where the log does not say.
        action: `create`, `update`, `disable`, `delete`, `stagedDelete` or `other`.
        status: `success`, `failure`, `skipped`, `warning` or `unknown`.
        source: who it is in the source.
        target: who it is in the target.
        code: Graph's code for a failure; "" where there is none.
        reason: why it failed or was skipped.
        advice: what Graph recommends.
        steps: what was done on the way.
        changes: what was changed.
    """

    id: str
    cycle: str
    when: datetime | None
    action: str
    status: str
    source: Identity
    target: Identity
    code: str
    reason: str
    advice: str
    steps: Sequence[LoggedStep]
    changes: Sequence[Change]


def read_event(item: Mapping[str, Any]) -> Event:
    """From Graph: a `provisioningObjectSummary`."""
    info = item.get("provisioningStatusInfo") or {}
    error = info.get("errorInformation") or {}
    return Event(
        id=str(item.get("id") or ""),
        cycle=str(item.get("cycleId") or ""),
        when=moment(item.get("activityDateTime")),
        action=str(item.get("provisioningAction") or "other"),
        status=str(info.get("status") or "unknown"),
        source=identity(item.get("sourceIdentity")),
        target=identity(item.get("targetIdentity")),
        code=str(error.get("errorCode") or ""),
        reason=unwrapped(error.get("reason") or error.get("additionalDetails") or ""),
        advice=str(error.get("recommendedAction") or ""),
        steps=tuple(
            LoggedStep(
                str(step.get("provisioningStepType") or step.get("name") or ""),
                str(step.get("status") or ""),
                str(step.get("description") or ""),
            )
            for step in item.get("provisioningSteps") or ()
        ),
        changes=tuple(
            Change(str(one.get("displayName") or ""), str(one.get("oldValue") or ""), str(one.get("newValue") or ""))
            for one in item.get("modifiedProperties") or ()
        ),
    )


def identity(found: Any) -> Identity:
    """How a log names somebody."""
    value = found if isinstance(found, Mapping) else {}
    return Identity(str(value.get("displayName") or ""), str(value.get("id") or ""))


def events(operation: Operation, pace: Pace, filter_text: str) -> Iterator[Event]:
    """Events, newest first. Calls: GET auditLogs/provisioning, page by page (ProvisioningLog.Read.All)."""
    call = calls.provisioning_logs(filter_text, PAGE)
    return map(read_event, operation.pages(call, pace.wait))
