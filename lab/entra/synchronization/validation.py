"""Whether two tenants allow each other to synchronize: the service's own test of the connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.entra.synchronization.exceptions import (
    external_tenant_missing,
    invalid_secrets,
    source_consent_missing,
    target_sync_missing,
)

if TYPE_CHECKING:
    from lab.entra.models import Entra, Tenant


def target_of(entra: Entra, source: Tenant, secrets: Mapping[str, str]) -> Tenant:
    """The target tenant these credentials lead to, or the refusal the real policies cause."""
    if secrets.get("AuthenticationType") != "SyncPolicy":
        raise invalid_secrets("The AuthenticationType of cross-tenant synchronization must be SyncPolicy.")
    company = secrets.get("CompanyId", "").lower()
    if not company:
        raise invalid_secrets("The CompanyId of the target tenant is missing.")
    target = entra.tenants.get(company)
    if target is None:
        raise external_tenant_missing(company)
    ours = source.policies.seen_by_partner(company)
    if ours is None or not ours.redeems("outboundAllowed"):
        raise source_consent_missing()
    theirs = target.policies.seen_by_partner(source.tenant_id)
    if theirs is None or not theirs.redeems("inboundAllowed") or theirs.identity_sync is None:
        raise target_sync_missing()
    if not theirs.identity_sync.allows("userSyncInbound"):
        raise target_sync_missing()
    return target
