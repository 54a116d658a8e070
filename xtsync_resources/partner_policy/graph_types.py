"""Partner policies as Microsoft Graph has them, as far as they are read.

What is not named here is passed on as it is; a member that is not required may be missing or null. Of a collection
`value` is required: an answer without it says nothing, and must not be taken for an empty one.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner
"""

# Not with postponed annotations: `Required` in a text is not seen.
from typing import Any, Required, TypedDict


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


class Capabilities(TypedDict):
    """A page of what Microsoft 365 keeps of a partner."""

    value: list[dict[str, Any]]
