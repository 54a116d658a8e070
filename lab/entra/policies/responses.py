"""Policies on the wire."""

from __future__ import annotations

import uuid
from typing import Any

from lab.entra.clock import wire_time
from lab.entra.exceptions import bad_request, invalid_property, no_segment, not_found
from lab.entra.members import Shape, check_members, require
from lab.entra.odata import page, selected
from lab.entra.policies.models import IdentitySyncPolicy, PartnerPolicy
from lab.entra.routing import Answer, Call

_TARGETS: Shape = {
    "accessType": ("allowed", "blocked"),
    "targets": [{"target": str, "targetType": ("user", "group", "application")}],
}
_B2B: Shape = {"usersAndGroups": _TARGETS, "applications": _TARGETS}
_DIRECTIONS: Shape = {"inboundAllowed": bool, "outboundAllowed": bool}
_PARTNER_V1: Shape = {
    "automaticUserConsentSettings": _DIRECTIONS,
    "b2bCollaborationInbound": _B2B,
    "b2bCollaborationOutbound": _B2B,
    "b2bDirectConnectInbound": _B2B,
    "b2bDirectConnectOutbound": _B2B,
    "inboundTrust": {
        "isMfaAccepted": bool,
        "isCompliantDeviceAccepted": bool,
        "isHybridAzureADJoinedDeviceAccepted": bool,
    },
    "isServiceProvider": bool,
    "tenantRestrictions": {**_B2B, "devices": {"mode": ("allowed", "blocked"), "rule": str}},
    "appServiceConnectInbound": {"applications": _TARGETS},
    "m365CollaborationInbound": {"users": _TARGETS},
    "m365CollaborationOutbound": {"usersAndGroups": _TARGETS},
}
_PARTNER: dict[str, Shape] = {
    "v1.0": _PARTNER_V1,
    "beta": {
        **_PARTNER_V1,
        "crossCloudMeetingConfiguration": _DIRECTIONS,
        "protectedContentSharing": _DIRECTIONS,
        "blockServiceProviderOutboundAccess": bool,
    },
}
_SYNC_V1: Shape = {"displayName": str, "userSyncInbound": {"isSyncAllowed": bool}}
_SYNC: dict[str, Shape] = {
    "v1.0": _SYNC_V1,
    "beta": {
        **_SYNC_V1,
        "groupSyncInbound": {"isSyncAllowed": bool},
        "externalCloudAuthorizedApplicationId": str,
    },
}
_ALWAYS_SHOWN = (
    "isServiceProvider",
    "inboundTrust",
    "b2bCollaborationOutbound",
    "b2bCollaborationInbound",
    "b2bDirectConnectOutbound",
    "b2bDirectConnectInbound",
    "tenantRestrictions",
    "crossCloudMeetingConfiguration",
    "automaticUserConsentSettings",
)
_PARTNERS = "policies/crossTenantAccessPolicy/partners"


def _partner_body(partner: PartnerPolicy) -> dict[str, Any]:
    shown = {name: partner.members.get(name) for name in _ALWAYS_SHOWN}
    set_besides = {name: value for name, value in partner.members.items() if value is not None}
    return {"tenantId": partner.tenant_id, **shown, **set_besides}


def _partner_read(call: Call, partner: PartnerPolicy) -> dict[str, Any]:
    body = {**_partner_body(partner), "isInMultiTenantOrganization": partner.in_organization}
    if call.version == "beta":
        body["deletedDateTime"] = wire_time(partner.deleted_at) if partner.deleted_at else None
    return body


def _expanded(call: Call, partner: PartnerPolicy, body: dict[str, Any]) -> dict[str, Any]:
    expand = call.query.get("$expand")
    if expand is None:
        return body
    if expand != "identitySynchronization":
        raise bad_request(f"Could not find a property named '{expand}' to expand.")
    policy = partner.identity_sync
    return {
        **body,
        "identitySynchronization": _sync_body(call, partner.tenant_id, policy) if policy else None,
    }


def _sync_body(call: Call, tenant_id: str, policy: IdentitySyncPolicy) -> dict[str, Any]:
    shape = _SYNC[call.version]
    optional = {name: None for name in shape if name != "externalCloudAuthorizedApplicationId"}
    known = {name: value for name, value in policy.members.items() if name in shape}
    return {"tenantId": tenant_id, **optional, **known}


def _checked(call: Call, shapes: dict[str, Shape], extra: Shape | None = None) -> dict[str, Any]:
    return check_members(call.body, {**shapes[call.version], **(extra or {})})


def get_policy(call: Call) -> Answer:
    """GET crossTenantAccessPolicy."""
    body = {
        "@odata.context": call.context("policies/crossTenantAccessPolicy/$entity"),
        "displayName": "CrossTenantAccessPolicy",
        "allowedCloudEndpoints": [],
    }
    return Answer(200, body)


def get_default(call: Call) -> Answer:
    """GET the default configuration, as the service ships it unless a test changed it."""
    everything = {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]}
    applications = {
        "accessType": "allowed",
        "targets": [{"target": "AllApplications", "targetType": "application"}],
    }
    blocked = {
        "usersAndGroups": {**everything, "accessType": "blocked"},
        "applications": {**applications, "accessType": "blocked"},
    }
    allowed = {"usersAndGroups": everything, "applications": applications}
    body = {
        "@odata.context": call.context("policies/crossTenantAccessPolicy/default/$entity"),
        "isServiceDefault": not call.tenant.policies.default,
        "inboundTrust": {
            "isMfaAccepted": False,
            "isCompliantDeviceAccepted": False,
            "isHybridAzureADJoinedDeviceAccepted": False,
        },
        "b2bCollaborationOutbound": allowed,
        "b2bCollaborationInbound": allowed,
        "b2bDirectConnectOutbound": blocked,
        "b2bDirectConnectInbound": blocked,
        "automaticUserConsentSettings": {"inboundAllowed": False, "outboundAllowed": False},
        **call.tenant.policies.default,
    }
    return Answer(200, body)


def get_authorization_policy(call: Call) -> Answer:
    """GET authorizationPolicy."""
    body = {
        "@odata.context": call.context("policies/authorizationPolicy/$entity"),
        "id": "authorizationPolicy",
        "displayName": "Authorization Policy",
        "allowInvitesFrom": "everyone" if call.tenant.guest_invitations_allowed else "none",
        "blockMsolPowerShell": False,
        "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
    }
    return Answer(200, body)


def list_partners(call: Call) -> Answer:
    """GET partners."""
    entries = [_expanded(call, one, _partner_read(call, one)) for one in call.tenant.policies.all_partners()]
    return Answer(200, page(call, _PARTNERS, list(entries)))


def create_partner(call: Call) -> Answer:
    """POST partners."""
    members = _checked(call, _PARTNER, {"tenantId": str})
    require(members, "tenantId")
    tenant_id = _guid(members.pop("tenantId"))
    if tenant_id == call.tenant.tenant_id:
        raise bad_request("The partner cannot be the tenant itself.")
    consent = call.tenant.settings.partner_post_consent
    if "automaticUserConsentSettings" in members and consent == "refuse":
        raise invalid_property("automaticUserConsentSettings")
    if consent == "ignore":
        members.pop("automaticUserConsentSettings", None)
    partner = call.tenant.policies.create(tenant_id, members)
    return Answer(201, {"@odata.context": call.context(f"{_PARTNERS}/$entity"), **_partner_body(partner)})


def get_partner(call: Call) -> Answer:
    """GET one partner."""
    tenant_id = call.parameters["partner"].lower()
    partner = call.tenant.policies.partner(tenant_id)
    if partner is None:
        raise not_found(tenant_id)
    body = _expanded(call, partner, _partner_read(call, partner))
    expanded = ("identitySynchronization",) if "$expand" in call.query else ()
    context = {"@odata.context": call.context(f"{_PARTNERS}/$entity")}
    return Answer(200, {**context, **selected(body, call.query.get("$select"), expanded)})


def update_partner(call: Call) -> Answer:
    """PATCH one partner."""
    members = _checked(call, _PARTNER)
    call.tenant.policies.update(call.parameters["partner"].lower(), members)
    return Answer()


def delete_partner(call: Call) -> Answer:
    """DELETE one partner."""
    tenant_id = call.parameters["partner"].lower()
    if tenant_id not in call.tenant.policies.partners:
        raise not_found(tenant_id)
    call.tenant.policies.delete(tenant_id)
    return Answer()


def list_capabilities(call: Call) -> Answer:
    """GET m365Capabilities, which administrators of Microsoft 365 fill; a read of the partner does not show them."""
    if call.tenant.settings.m365_capabilities == "unknown":
        raise no_segment("m365Capabilities")
    tenant_id = call.parameters["partner"].lower()
    partner = call.tenant.policies.partner(tenant_id)
    if partner is None:
        raise not_found(tenant_id)
    return Answer(200, page(call, f"{_PARTNERS}('{tenant_id}')/m365Capabilities", list(partner.capabilities)))


def get_identity_sync(call: Call) -> Answer:
    """GET identitySynchronization."""
    tenant_id = call.parameters["partner"].lower()
    partner = call.tenant.policies.partner(tenant_id)
    absent = call.tenant.settings.identity_sync_absent
    if partner is None or (partner.identity_sync is None and absent == "404"):
        raise not_found(tenant_id)
    if partner.identity_sync is None:
        nothing = {"tenantId": tenant_id, "displayName": None, "userSyncInbound": None}
        return Answer(204) if absent == "204" else Answer(200, nothing)
    body = selected(_sync_body(call, tenant_id, partner.identity_sync), call.query.get("$select"))
    context = call.context(f"{_PARTNERS}('{tenant_id}')/identitySynchronization/$entity")
    return Answer(200, {"@odata.context": context, **body})


def put_identity_sync(call: Call) -> Answer:
    """PUT identitySynchronization."""
    members = _checked(call, _SYNC)
    require(members, "userSyncInbound")
    call.tenant.policies.put_identity_sync(call.parameters["partner"].lower(), members)
    return Answer()


def update_identity_sync(call: Call) -> Answer:
    """PATCH identitySynchronization."""
    members = _checked(call, _SYNC)
    call.tenant.policies.update_identity_sync(call.parameters["partner"].lower(), members)
    return Answer()


def delete_identity_sync(call: Call) -> Answer:
    """DELETE identitySynchronization."""
    tenant_id = call.parameters["partner"].lower()
    partner = call.tenant.policies.partners.get(tenant_id)
    if partner is None or partner.identity_sync is None:
        raise not_found(tenant_id)
    call.tenant.policies.delete_identity_sync(tenant_id)
    return Answer()


def _guid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise bad_request("Invalid value specified for property 'tenantId' of resource.") from error
