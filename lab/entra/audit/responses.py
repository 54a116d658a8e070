"""The provisioning log on the wire."""

from __future__ import annotations

from lab.entra.odata import filtered, operations, ordered, page
from lab.entra.routing import Answer, Call

_TEXT = operations("eq", "contains")
_MEASURE = operations("eq", "gt", "lt")
_FILTERS = {
    **dict.fromkeys(("id", "tenantId", "jobId", "changeId", "cycleId", "provisioningAction"), _TEXT),
    **dict.fromkeys(("activityDateTime", "durationInMilliseconds"), _MEASURE),
    **dict.fromkeys(
        (
            "provisioningStatusInfo/status",
            "sourceSystem/displayName",
            "targetSystem/displayName",
            "sourceIdentity/id",
            "sourceIdentity/identityType",
            "sourceIdentity/displayName",
            "targetIdentity/id",
            "targetIdentity/identityType",
            # The how-to's own filter is the portal's and uses `contains` here.
            "servicePrincipal/id",
            "servicePrincipal/displayName",
        ),
        _TEXT,
    ),
}


def list_provisioning(call: Call) -> Answer:
    """GET the provisioning log."""
    call.tenant.audit.throttle(call.client.client_id, "provisioning")
    entries = filtered(call.tenant.audit.provisioning, call.query.get("$filter"), _FILTERS)
    entries = ordered(entries, call.query.get("$orderby"), frozenset({"activityDateTime"}))
    return Answer(200, page(call, "auditLogs/provisioning", entries))
