"""Jobs and provisioning logs as Microsoft Graph has them, as far as they are read.

What is not named here is passed on as it is; a member that is not required may be missing or null. Of a collection
`value` is required: an answer without it says nothing, and must not be taken for an empty one.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-overview
"""

# Not with postponed annotations: `Required` in a text is not seen.
from typing import Required, TypedDict

from ..graph.json_reader import Id


class Schedule(TypedDict, total=False):
    """When a job runs."""

    state: Required[str]
    interval: str | None


class Failure(TypedDict, total=False):
    """Why something failed."""

    code: str | None
    message: str | None


class Execution(TypedDict, total=False):
    """A run of a job."""

    activityIdentifier: str | None
    state: str | None
    timeBegan: str | None
    timeEnded: str | None
    error: Failure | None


class Quarantine(TypedDict, total=False):
    """Why a job is in quarantine."""

    reason: str | None
    currentBegan: str | None
    nextAttempt: str | None
    error: Failure | None


class Progress(TypedDict, total=False):
    """How far a cycle is."""

    units: str | None
    completedUnits: int | None
    totalUnits: int | None
    progressObservationDateTime: str | None


class EntryCount(TypedDict, total=False):
    """How many objects of a kind there are."""

    key: str | None
    value: int | None


class Status(TypedDict, total=False):
    """How a job does."""

    code: str | None
    countSuccessiveCompleteFailures: int | None
    steadyStateFirstAchievedTime: str | None
    lastExecution: Execution | None
    lastSuccessfulExecution: Execution | None
    progress: list[Progress] | None
    quarantine: Quarantine | None
    synchronizedEntryCountByType: list[EntryCount] | None


class Job(TypedDict, total=False):
    """A synchronization job. Without its schedule it does not say whether it rests, and people depend on that."""

    id: Required[Id]
    templateId: str | None
    schedule: Required[Schedule]
    status: Status | None


class MadeJob(TypedDict, total=False):
    """The answer to the call that makes a job, which may say nothing."""

    id: Id
    schedule: Schedule | None
    status: Status | None


class Jobs(TypedDict):
    """A service principal's jobs."""

    value: list[Job]


class ErrorInformation(TypedDict, total=False):
    """Why an event is a failure."""

    errorCode: str | None
    reason: str | None
    additionalDetails: str | None
    recommendedAction: str | None


class StatusInformation(TypedDict, total=False):
    """How an event ended."""

    status: str | None
    errorInformation: ErrorInformation | None


class Identity(TypedDict, total=False):
    """Whom an event is about."""

    id: str | None
    displayName: str | None


class ProvisioningStep(TypedDict, total=False):
    """A step on the way."""

    name: str | None
    provisioningStepType: str | None
    status: str | None
    description: str | None


class ModifiedProperty(TypedDict, total=False):
    """What was changed."""

    displayName: str | None
    oldValue: str | None
    newValue: str | None


class Event(TypedDict, total=False):
    """Something the job did to somebody."""

    id: Required[str]
    cycleId: str | None
    activityDateTime: str | None
    provisioningAction: str | None
    provisioningStatusInfo: StatusInformation | None
    sourceIdentity: Identity | None
    targetIdentity: Identity | None
    provisioningSteps: list[ProvisioningStep] | None
    modifiedProperties: list[ModifiedProperty] | None


class Events(TypedDict):
    """A page of events."""

    value: list[Event]
