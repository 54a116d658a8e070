"""The provisioning log of one tenant, and its narrow throttle."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.entra.clock import wire_time
from lab.entra.context import Context, new_id
from lab.entra.exceptions import throttled

if TYPE_CHECKING:
    from lab.entra.synchronization.provisioning import Outcome, Pairing

_WINDOW, _ALLOWED = timedelta(seconds=10), 5
_STEP_KINDS = ("import", "scoping", "matching", "export")


class AuditBackend:
    """Entries in the wire form, oldest first."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.provisioning: list[dict[str, Any]] = []
        self._recent: dict[tuple[str, str], list[datetime]] = {}

    def throttle(self, client_id: str, what: str) -> None:
        """Refuse the sixth call in ten seconds, when the switch is on."""
        if not self._context.settings.audit_throttled:
            return
        now = self._context.now()
        recent = [moment for moment in self._recent.get((client_id, what), []) if moment > now - _WINDOW]
        self._recent[client_id, what] = recent
        if len(recent) >= _ALLOWED:
            raise throttled(math.ceil((recent[0] + _WINDOW - now).total_seconds()))
        recent.append(now)

    def already_skipped(self, job_id: str, source_id: str) -> bool:
        """Whether the last word on an object was that it is skipped."""
        for entry in reversed(self.provisioning):
            if entry["jobId"] == job_id and entry["sourceIdentity"]["id"] == source_id:
                return bool(entry["provisioningStatusInfo"]["status"] == "skipped")
        return False

    def record(self, pairing: Pairing, outcome: Outcome, cycle_id: str, moment: datetime) -> None:
        """Write what became of an object."""
        self.provisioning.append(_entry(pairing, outcome, cycle_id, moment))


def _entry(pairing: Pairing, outcome: Outcome, cycle_id: str, moment: datetime) -> dict[str, Any]:
    principal = pairing.principal
    return {
        "id": new_id(),
        "activityDateTime": wire_time(moment),
        "tenantId": pairing.source.tenant_id,
        "jobId": pairing.job.id,
        "cycleId": cycle_id,
        "changeId": new_id(),
        "provisioningAction": outcome.action,
        "durationInMilliseconds": 1,
        "servicePrincipal": {"id": principal.id, "displayName": principal.display_name},
        "sourceSystem": {
            "id": pairing.source.tenant_id,
            "displayName": "Azure Active Directory",
            "details": {},
        },
        "targetSystem": {
            "id": pairing.target.tenant_id,
            "displayName": "Azure Active Directory (target tenant)",
            "details": {
                "ApplicationId": principal.app_id,
                "ServicePrincipalId": principal.id,
                "ServicePrincipalDisplayName": principal.display_name,
            },
        },
        "initiatedBy": {"id": "", "displayName": "Azure AD Provisioning Service", "initiatorType": "system"},
        "sourceIdentity": _identity(outcome.source_id, outcome.source_name, outcome.identity_type),
        "targetIdentity": {**_identity(outcome.target_id, "", outcome.identity_type), "details": {}},
        "provisioningStatusInfo": {"status": outcome.status, "errorInformation": _error(outcome)},
        "provisioningSteps": _steps(outcome),
        "modifiedProperties": [],
    }


def _identity(object_id: str, name: str, kind: str) -> dict[str, Any]:
    details = {"id": object_id, "odatatype": kind, "DisplayName": name, "UserPrincipalName": name}
    return {"id": object_id, "displayName": name, "identityType": kind, "details": details}


def _error(outcome: Outcome) -> dict[str, Any] | None:
    if not outcome.reason_code:
        return None
    return {
        "errorCode": outcome.reason_code,
        "reason": outcome.reason,
        "additionalDetails": None,
        "errorCategory": "nonServiceFailure" if outcome.status == "failure" else "success",
        "recommendedAction": None,
    }


def _steps(outcome: Outcome) -> list[dict[str, Any]]:
    out_of_scope = outcome.reason_code == "NotEffectivelyEntitled"
    kinds = _STEP_KINDS[:2] if out_of_scope else _STEP_KINDS
    return [
        {
            "name": f"Entry{kind.capitalize()}",
            "provisioningStepType": kind,
            "status": outcome.status if kind == kinds[-1] else "success",
            "description": outcome.reason if kind == kinds[-1] else "",
            "details": {},
        }
        for kind in kinds
    ]
