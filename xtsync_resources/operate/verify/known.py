"""What `xtsync verify` knows beside the shapes: members that nobody reads, values that mean something, keys.

A shape names what the program reads. What Microsoft documents beside that is here, so that what is told as unknown is
what nobody has described.

Sources: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner,
https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationdefault,
https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner,
https://learn.microsoft.com/graph/api/resources/synchronization-overview,
https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationsecretkeystringvaluepair and
https://learn.microsoft.com/graph/api/resources/approleassignment
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...assignments.calls import Assignment
from ...graph.json_reader import members_of
from ...identity_sync_policy.calls import IdentitySyncPolicy
from ...partner_policy.b2b import ALLOWED, BLOCKED
from ...partner_policy.graph_types import PartnerPolicy, PolicySettings, Target, TargetConfiguration
from ...redaction import redacted
from ...service_principal.calls import AppRole
from ...sync_job import graph_types as job
from ...sync_job.model import ACTIVE, DISABLED, NOT_RUN, PAUSED, QUARANTINE, TEMPLATE
from ...sync_job.quarantine import REASONS
from ...sync_schema import graph_types as schema
from ...sync_schema.document import DOCUMENTED
from ...sync_schema.model import ALWAYS

# --- names that may be shown -----------------------------------------------------------------------------------

# A name as Graph writes them, an annotation of OData, or both. A dot is in annotations only: it would let a domain in.
IDENTIFIER = re.compile(
    r"(?=.)(?:[A-Za-z][A-Za-z0-9_-]{0,63})?"
    r"(?:@odata\.(?:associationLink|bind|context|count|deltaLink|editLink|etag|id|metadataEtag|navigationLink|nextLink|"
    r"readLink|type)|@microsoft\.graph\.tips)?"
)
# The beginning of an id, with lines or without. Names that Graph documents have a few digits, and ids have many.
LOOKS_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){2}", re.IGNORECASE)
MOST_DIGITS = 7


def is_identifier(text: str) -> bool:
    """Whether a name or an error code of an answer looks like one that is documented, so that it may be shown."""
    plain = IDENTIFIER.fullmatch(text) is not None and sum(map(str.isdigit, text)) <= MOST_DIGITS
    return plain and LOOKS_LIKE_AN_ID.search(text) is None and redacted(text) == text


def is_annotation(name: str) -> bool:
    """Whether a member is one of OData's, which every answer may have."""
    return "@" in name and is_identifier(name)


# --- members that Microsoft documents and nobody reads ---------------------------------------------------------

POLICY = (
    "appServiceConnectInbound",
    "blockServiceProviderOutboundAccess",
    "crossCloudMeetingConfiguration",
    "m365CollaborationInbound",
    "m365CollaborationOutbound",
    "protectedContentSharing",
    "tenantRestrictions",
)
# By the shape that does not name them.
NOT_READ: Mapping[Any, tuple[str, ...]] = {
    PolicySettings: (*POLICY, "invitationRedemptionIdentityProviderConfiguration", "isServiceDefault"),
    PartnerPolicy: (*POLICY, "deletedDateTime"),
    IdentitySyncPolicy: (
        "deletedDateTime",
        "externalCloudAuthorizedApplicationId",
        "roleEnabledGroupSyncInbound",
    ),
    AppRole: ("description", "origin"),
    Assignment: ("createdDateTime", "deletedDateTime", "resourceDisplayName", "resourceId"),
    job.Job: ("bulkUpload", "synchronizationJobSettings"),
    job.Schedule: ("expiration",),
    job.Status: (
        "escrowsPruned",
        "lastSuccessfulExecutionWithExports",
        "steadyStateLastAchievedTime",
        "troubleshootingUrl",
    ),
    job.Execution: (
        "countEntitled",
        "countEntitledForProvisioning",
        "countEscrowed",
        "countEscrowedRaw",
        "countExported",
        "countExports",
        "countImported",
        "countImportedDeltas",
        "countImportedReferenceDeltas",
    ),
    job.Failure: ("tenantActionable",),
    job.Quarantine: ("seriesBegan", "seriesCount"),
    schema.Operator: ("arity", "multivaluedComparisonType", "supportedAttributeTypes"),
    schema.Schema: ("id", "version", *DOCUMENTED["schema"]),
    schema.DirectoryDefinition: (*DOCUMENTED["directory"],),
    schema.ObjectDefinition: (*DOCUMENTED["object"],),
    schema.AttributeDefinition: (*DOCUMENTED["attribute"],),
    schema.Rule: (*DOCUMENTED["rule"],),
    schema.ObjectMapping: (*DOCUMENTED["mapping"],),
    schema.AttributeMapping: (*DOCUMENTED["attributeMapping"],),
    schema.MappingSource: (*DOCUMENTED["source"],),
    schema.Filter: (*DOCUMENTED["filter"],),
    schema.FilterGroup: (*DOCUMENTED["group"],),
    schema.Clause: (*DOCUMENTED["clause"],),
}


def is_known(owner: Any, name: str) -> bool:
    """Whether a member of a shape is read, documented, or an annotation."""
    return name in members_of(owner) or name in NOT_READ.get(owner, ()) or is_annotation(name)


# --- values that mean something --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """The values that a member may have, as the program knows them.

    Attributes:
        known: how they are written.
        any_case: whether the program reads them whatever their case.
        several: whether one text holds several, with commas between.
    """

    known: tuple[str, ...]
    any_case: bool = False
    several: bool = False

    def read(self, text: str) -> list[str]:
        """The values in a text, each in the writing of `known`, and "" for each that is not among them."""
        given = [one.strip() for one in text.split(",")] if self.several else [text]
        return [next((word for word in self.known if self._same(word, one)), "") for one in given]

    def _same(self, known: str, given: str) -> bool:
        return known.casefold() == given.casefold() if self.any_case else known == given


# What the program has a name for, and what is documented beside it.
WORDS_OF: Mapping[tuple[Any, str], Words] = {
    (job.Schedule, "state"): Words((ACTIVE, PAUSED, DISABLED)),
    (job.Status, "code"): Words((ACTIVE, PAUSED, QUARANTINE, NOT_RUN, "NotConfigured")),
    (job.Quarantine, "reason"): Words(tuple(one.name for one in REASONS), any_case=True),
    (job.Execution, "state"): Words(("Succeeded", "Failed", "EntryLevelErrors")),
    (job.Job, "templateId"): Words((TEMPLATE,)),
    (TargetConfiguration, "accessType"): Words((ALLOWED, BLOCKED)),
    (Target, "targetType"): Words(("user", "group", "application"), any_case=True),
    (Assignment, "principalType"): Words(("User", "Group")),
    (schema.AttributeMapping, "flowType"): Words(
        (ALWAYS, "ObjectAddOnly", "MultiValueAddOnly", "ValueAddOnly", "AttributeAddOnly")
    ),
    (schema.ObjectMapping, "flowTypes"): Words(("Add", "Update", "Delete", "None"), any_case=True, several=True),
    (schema.MappingSource, "type"): Words(("Attribute", "Constant", "Function")),
}
# The keys of the synchronization's settings; those the program writes are in `sync_secrets/model.py`.
_SETTING_KEYS = """
    None UserName Password SecretToken AppKey BaseAddress ClientIdentifier ClientSecret SingleSignOnType Sandbox Url
    Domain ConsumerKey ConsumerSecret TokenKey TokenExpiration Oauth2AccessToken Oauth2AccessTokenCreationTime
    Oauth2RefreshToken SyncAll InstanceName Oauth2ClientId Oauth2ClientSecret CompanyId UpdateKeyOnSoftDelete
    SynchronizationSchedule SystemOfRecord SandboxName EnforceDomain SyncNotificationSettings SkipOutOfScopeDeletions
    Oauth2AuthorizationCode Oauth2RedirectUri ApplicationTemplateIdentifier Oauth2TokenExchangeUri
    Oauth2AuthorizationUri AuthenticationType Server PerformInboundEntitlementGrants HardDeletesEnabled
    SyncAgentCompatibilityKey SyncAgentADContainer ValidateDomain TestReferences ConnectionString
"""
SETTING_KEYS = frozenset(_SETTING_KEYS.split())
