"""What answers have to look like, as far as they are read: checked before anybody indexes into one.

A member that is not required may be missing or null; what is not named here is passed on as it is. Of a collection
`value` is required: an answer without it says nothing, and must not be taken for an empty one.
"""

# Not with postponed annotations: `Required` in a text is not seen.
from typing import Any, Required, TypedDict

from ..answers import Id

# --- policies: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner


class Target(TypedDict, total=False):
    """Whom or what a B2B setting is about."""

    target: str | None
    targetType: str | None


class TargetConfiguration(TypedDict, total=False):
    """One part of a B2B setting."""

    accessType: str | None
    targets: list[Target] | None


class B2BSetting(TypedDict, total=False):
    """B2B collaboration or direct connect in one direction."""

    usersAndGroups: TargetConfiguration | None
    applications: TargetConfiguration | None


class Consent(TypedDict, total=False):
    """Automatic redemption."""

    inboundAllowed: bool | None
    outboundAllowed: bool | None


class Trust(TypedDict, total=False):
    """Inbound trust."""

    isMfaAccepted: bool | None
    isCompliantDeviceAccepted: bool | None
    isHybridAzureADJoinedDeviceAccepted: bool | None


class PolicySettings(TypedDict, total=False):
    """What a partner policy and the default for all partners have in common."""

    automaticUserConsentSettings: Consent | None
    inboundTrust: Trust | None
    b2bCollaborationInbound: B2BSetting | None
    b2bCollaborationOutbound: B2BSetting | None
    b2bDirectConnectInbound: B2BSetting | None
    b2bDirectConnectOutbound: B2BSetting | None


class PartnerPolicy(PolicySettings, total=False):
    """A partner policy."""

    tenantId: Required[str]
    isServiceProvider: bool | None
    isInMultiTenantOrganization: bool | None


class Permission(TypedDict, total=False):
    """Whether one kind of objects may be synchronized."""

    isSyncAllowed: bool | None


class IdentitySyncPolicy(TypedDict, total=False):
    """An identity sync policy."""

    tenantId: Required[str]
    displayName: str | None
    userSyncInbound: Permission | None
    groupSyncInbound: Permission | None


class Capabilities(TypedDict):
    """A page of what Microsoft 365 keeps of a partner."""

    value: list[dict[str, Any]]


class AuthorizationPolicy(TypedDict, total=False):
    """Who may invite guests."""

    allowInvitesFrom: str | None


# --- applications: https://learn.microsoft.com/graph/api/resources/serviceprincipal


class AppRole(TypedDict, total=False):
    """A role that people are assigned to."""

    id: Required[str]
    displayName: str | None
    value: str | None
    isEnabled: bool | None
    allowedMemberTypes: list[str] | None


class ServicePrincipal(TypedDict, total=False):
    """A service principal, new ones with few members."""

    id: Id | None
    appId: str | None
    displayName: str | None
    appRoles: list[AppRole] | None


class Instance(TypedDict):
    """A service principal of the template, among others."""

    id: Id
    appId: str
    displayName: str


class Instances(TypedDict):
    """A page of them."""

    value: list[Instance]


class Application(TypedDict, total=False):
    """An application."""

    id: Required[Id]
    appId: str | None
    displayName: str | None
    applicationTemplateId: str | None
    createdDateTime: str | None


class Applications(TypedDict):
    """A page of applications."""

    value: list[Application]


class Owner(TypedDict):
    """Who owns an application."""

    id: Id


class Owners(TypedDict):
    """A page of owners."""

    value: list[Owner]


class Assignment(TypedDict, total=False):
    """That somebody is assigned."""

    id: Required[Id]
    principalId: Required[Id]
    principalType: str | None
    principalDisplayName: str | None
    appRoleId: str | None


class Assignments(TypedDict):
    """A page of assignments."""

    value: list[Assignment]


# --- directory: https://learn.microsoft.com/graph/api/resources/user


DirectoryObject = TypedDict(
    "DirectoryObject",
    {
        "id": Required[Id],
        "@odata.type": str | None,
        "displayName": str | None,
        "userPrincipalName": str | None,
        "userType": str | None,
        "accountEnabled": bool | None,
        "mail": str | None,
    },
    total=False,
)


class DirectoryObjects(TypedDict):
    """A page of users, groups or members of one."""

    value: list[DirectoryObject]


class ServicePlan(TypedDict, total=False):
    """A part of a licence."""

    servicePlanName: str | None
    provisioningStatus: str | None


class Licence(TypedDict, total=False):
    """What the tenant has bought."""

    capabilityStatus: str | None
    servicePlans: list[ServicePlan] | None


class Licences(TypedDict):
    """A page of licences."""

    value: list[Licence]


class TenantInformation(TypedDict, total=False):
    """What a tenant is called in public."""

    displayName: str | None
    defaultDomainName: str | None


# --- synchronization: https://learn.microsoft.com/graph/api/resources/synchronization-overview


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


class Setting(TypedDict, total=False):
    """A synchronization setting; its value comes as a text, or typed."""

    key: Required[str]
    value: Any


class Settings(TypedDict):
    """A service principal's synchronization settings."""

    value: list[Setting]


class MappingSource(TypedDict, total=False):
    """Where a value comes from."""

    type: str | None
    name: str | None
    expression: str | None


class AttributeMapping(TypedDict, total=False):
    """How one attribute is made."""

    targetAttributeName: str | None
    source: MappingSource | None
    flowType: str | None
    defaultValue: str | None
    matchingPriority: int | None


class Operand(TypedDict, total=False):
    """What a clause compares with."""

    values: list[Any] | None


class Clause(TypedDict, total=False):
    """A condition."""

    operatorName: str | None
    sourceOperandName: str | None
    targetOperand: Operand | None


class FilterGroup(TypedDict, total=False):
    """Conditions that have to hold together."""

    name: str | None
    clauses: list[Clause] | None


class Filter(TypedDict, total=False):
    """Who is in scope."""

    groups: list[FilterGroup] | None


class ObjectMapping(TypedDict, total=False):
    """How one kind of objects is made."""

    sourceObjectName: str | None
    targetObjectName: str | None
    enabled: bool | None
    flowTypes: str | None
    scope: Filter | None
    attributeMappings: list[AttributeMapping] | None


class Metadata(TypedDict, total=False):
    """What a rule says of itself."""

    key: str | None
    value: Any


class Rule(TypedDict, total=False):
    """What is synchronized with what."""

    id: Required[str]
    metadata: list[Metadata] | None
    sourceDirectoryName: str | None
    targetDirectoryName: str | None
    objectMappings: list[ObjectMapping] | None


class AttributeDefinition(TypedDict, total=False):
    """An attribute that a directory knows."""

    name: str | None


class ObjectDefinition(TypedDict, total=False):
    """A kind of objects that a directory knows."""

    name: str | None
    attributes: list[AttributeDefinition] | None


class DirectoryDefinition(TypedDict, total=False):
    """What a directory knows."""

    name: str | None
    objects: list[ObjectDefinition] | None


class Schema(TypedDict, total=False):
    """A job's rules. It is saved whole, so an answer without them must not be taken for an empty one."""

    synchronizationRules: Required[list[Rule]]
    directories: list[DirectoryDefinition] | None


class Operator(TypedDict, total=False):
    """An operator of scoping filters."""

    name: str | None


class Operators(TypedDict):
    """A page of operators."""

    value: list[Operator]


class ParsedExpression(TypedDict, total=False):
    """What Graph makes of an expression."""

    parsingSucceeded: bool | None
    parsedExpression: MappingSource | None
    error: Failure | None


# --- batches: https://learn.microsoft.com/graph/json-batching


class BatchPart(TypedDict, total=False):
    """The answer to one call of a batch."""

    id: Required[str]
    status: Required[int]
    headers: dict[str, Any] | None
    body: Any


class Batch(TypedDict):
    """The answers to the calls of a batch, in any order."""

    responses: list[BatchPart]


# --- logs: https://learn.microsoft.com/graph/api/resources/provisioningobjectsummary


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
