"""Partner policies of one tenant: state and the rules that change it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lab.entra.context import Context
from lab.entra.policies.exceptions import (
    identity_sync_exists,
    partner_exists,
    policy_missing,
    sync_policy_in_the_way,
)

DELETED_ARE_KEPT = timedelta(days=30)
# Complex values whose null members mean "inherit the default".
COMPLEX: dict[str, dict[str, None]] = {
    "automaticUserConsentSettings": {"inboundAllowed": None, "outboundAllowed": None},
    "crossCloudMeetingConfiguration": {"inboundAllowed": None, "outboundAllowed": None},
    "protectedContentSharing": {"inboundAllowed": None, "outboundAllowed": None},
    "inboundTrust": {
        "isMfaAccepted": None,
        "isCompliantDeviceAccepted": None,
        "isHybridAzureADJoinedDeviceAccepted": None,
    },
}
NEVER_NULL = ("automaticUserConsentSettings", "crossCloudMeetingConfiguration")


@dataclass
class IdentitySyncPolicy:
    """A `crossTenantIdentitySyncPolicyPartner`, by its wire members."""

    members: dict[str, Any]
    deleted_at: datetime | None = None

    def allows(self, kind: str) -> bool:
        """Whether `userSyncInbound` or `groupSyncInbound` lets the partner synchronize."""
        return (self.members.get(kind) or {}).get("isSyncAllowed") is True


@dataclass
class PartnerPolicy:
    """A `crossTenantAccessPolicyConfigurationPartner`, by its wire members."""

    tenant_id: str
    members: dict[str, Any] = field(default_factory=dict)
    identity_sync: IdentitySyncPolicy | None = None
    in_organization: bool = False
    capabilities: list[dict[str, Any]] = field(default_factory=list)
    deleted_at: datetime | None = None

    def redeems(self, direction: str) -> bool:
        """Automatic redemption of one direction, `inboundAllowed` or `outboundAllowed`."""
        return (self.members.get("automaticUserConsentSettings") or {}).get(direction) is True


class PolicyBackend:
    """The cross-tenant access policies of one tenant, live and deleted."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.default: dict[str, Any] = {}
        self.partners: dict[str, PartnerPolicy] = {}
        self.deleted_partners: dict[str, PartnerPolicy] = {}
        self.deleted_sync_policies: dict[str, IdentitySyncPolicy] = {}

    def partner(self, tenant_id: str) -> PartnerPolicy | None:
        """A partner policy as a reader finds it."""
        return self._context.replica.see("partners", tenant_id, self.partners.get(tenant_id))

    def all_partners(self) -> list[PartnerPolicy]:
        """All partner policies as a reader finds them."""
        return self._context.replica.see_all("partners", self.partners)

    def seen_by_partner(self, tenant_id: str) -> PartnerPolicy | None:
        """A partner policy as the synchronization service has learnt of it."""
        return self._context.far_side.see("partners", tenant_id, self.partners.get(tenant_id))

    def create(self, tenant_id: str, members: Mapping[str, Any]) -> PartnerPolicy:
        """POST partners."""
        if tenant_id in self.partners:
            raise partner_exists()
        deleted = self.deleted_partners.get(tenant_id)
        wait = timedelta(seconds=self._context.settings.partner_recreate_conflict_seconds)
        if deleted and deleted.deleted_at and self._context.now() < deleted.deleted_at + wait:
            raise partner_exists()
        self._before_write(tenant_id)
        partner = PartnerPolicy(tenant_id, {name: _fresh(name) for name in NEVER_NULL})
        self._apply(partner.members, members)
        self.partners[tenant_id] = partner
        return partner

    def update(self, tenant_id: str, members: Mapping[str, Any]) -> None:
        """PATCH of a partner: only the members sent change."""
        partner = self._existing(tenant_id)
        self._before_write(tenant_id)
        self._apply(partner.members, members)

    def delete(self, tenant_id: str) -> None:
        """Soft-delete a partner."""
        partner = self._existing(tenant_id)
        if partner.identity_sync:
            raise sync_policy_in_the_way()
        self._before_write(tenant_id)
        del self.partners[tenant_id]
        self.deleted_partners[tenant_id] = partner
        partner.deleted_at = self._context.now()

    def restore(self, tenant_id: str) -> PartnerPolicy:
        """Undo the deletion of a partner."""
        if tenant_id in self.partners:
            raise partner_exists()
        self._before_write(tenant_id)
        partner = self.partners[tenant_id] = self.deleted_partners.pop(tenant_id)
        partner.deleted_at = None
        return partner

    def put_identity_sync(self, tenant_id: str, members: Mapping[str, Any]) -> None:
        """PUT identitySynchronization: create, and replace or refuse, as the switch says."""
        partner = self._existing(tenant_id)
        if partner.identity_sync and self._context.settings.identity_sync_put == "conflict":
            raise identity_sync_exists()
        self._before_write(tenant_id)
        partner.identity_sync = IdentitySyncPolicy(copy.deepcopy(dict(members)))

    def update_identity_sync(self, tenant_id: str, members: Mapping[str, Any]) -> None:
        """PATCH identitySynchronization."""
        policy = self._existing_sync(tenant_id)
        self._before_write(tenant_id)
        self._apply(policy.members, members)

    def delete_identity_sync(self, tenant_id: str) -> None:
        """Soft-delete the identity synchronization policy of a partner."""
        policy = self._existing_sync(tenant_id)
        self._before_write(tenant_id)
        self.partners[tenant_id].identity_sync = None
        policy.deleted_at = self._context.now()
        self.deleted_sync_policies[tenant_id] = policy

    def restore_identity_sync(self, tenant_id: str) -> None:
        """Undo the deletion of an identity synchronization policy."""
        partner = self._existing(tenant_id)
        if partner.identity_sync:
            raise identity_sync_exists()
        self._before_write(tenant_id)
        policy = partner.identity_sync = self.deleted_sync_policies.pop(tenant_id)
        policy.deleted_at = None

    def forget_expired(self) -> None:
        """Drop what was deleted too long ago to be restored."""
        limit = self._context.now() - DELETED_ARE_KEPT
        for partner in list(self.deleted_partners.values()):
            if partner.deleted_at and partner.deleted_at < limit:
                del self.deleted_partners[partner.tenant_id]
        for tenant_id, policy in list(self.deleted_sync_policies.items()):
            if policy.deleted_at and policy.deleted_at < limit:
                del self.deleted_sync_policies[tenant_id]

    def _existing(self, tenant_id: str) -> PartnerPolicy:
        if tenant_id not in self.partners:
            raise policy_missing()
        return self.partners[tenant_id]

    def _existing_sync(self, tenant_id: str) -> IdentitySyncPolicy:
        policy = self._existing(tenant_id).identity_sync
        if policy is None:
            raise policy_missing()
        return policy

    def _before_write(self, tenant_id: str) -> None:
        current = self.partners.get(tenant_id)
        self._context.replica.before_write("partners", tenant_id, current)
        self._context.far_side.before_write("partners", tenant_id, current)

    def _apply(self, members: dict[str, Any], changes: Mapping[str, Any]) -> None:
        merge = self._context.settings.complex_patch == "merge"
        for name, value in changes.items():
            if isinstance(value, dict):
                kept = (members.get(name) or {}) if merge else {}
                members[name] = copy.deepcopy({**COMPLEX.get(name, {}), **kept, **value})
            elif value is None and name in NEVER_NULL:
                members[name] = _fresh(name)
            else:
                members[name] = value


def _fresh(name: str) -> dict[str, None]:
    return dict(COMPLEX[name])
