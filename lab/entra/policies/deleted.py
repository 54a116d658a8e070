"""Deleted policies on the wire; beta only."""

from __future__ import annotations

from typing import Any

from lab.entra.clock import wire_time
from lab.entra.exceptions import no_segment, not_found
from lab.entra.odata import page
from lab.entra.policies.models import IdentitySyncPolicy, PartnerPolicy
from lab.entra.routing import Answer, Call

_KINDS = ("crossTenantPartners", "crossTenantSyncPolicyPartners")


def _deleted(call: Call) -> dict[str, PartnerPolicy] | dict[str, IdentitySyncPolicy]:
    kind = call.parameters["kind"]
    if kind not in _KINDS:
        raise no_segment(kind)
    policies = call.tenant.policies
    return policies.deleted_partners if kind == _KINDS[0] else policies.deleted_sync_policies


def _one(call: Call) -> str:
    tenant_id = call.parameters["partner"].lower()
    if tenant_id not in _deleted(call):
        raise not_found(tenant_id)
    return tenant_id


def _body(tenant_id: str, policy: PartnerPolicy | IdentitySyncPolicy) -> dict[str, Any]:
    return {"tenantId": tenant_id, **policy.members, "deletedDateTime": wire_time(policy.deleted_at)}


def list_deleted(call: Call) -> Answer:
    """GET deleted policies of a kind."""
    entries = [_body(tenant_id, policy) for tenant_id, policy in _deleted(call).items()]
    return Answer(200, page(call, f"policies/deletedItems/{call.parameters['kind']}", list(entries)))


def get_deleted(call: Call) -> Answer:
    """GET one deleted policy."""
    tenant_id = _one(call)
    return Answer(200, _body(tenant_id, _deleted(call)[tenant_id]))


def restore(call: Call) -> Answer:
    """POST restore."""
    tenant_id = _one(call)
    if call.parameters["kind"] == _KINDS[0]:
        call.tenant.policies.restore(tenant_id)
    else:
        call.tenant.policies.restore_identity_sync(tenant_id)
    return Answer(200, {"tenantId": tenant_id})


def purge(call: Call) -> Answer:
    """DELETE for good."""
    _deleted(call).pop(_one(call))
    return Answer()
