"""Jobs, secrets and schema on the wire."""

from __future__ import annotations

import json
from typing import Any

from lab.entra.applications.models import SYNC_TEMPLATE, ServicePrincipal
from lab.entra.clock import NEVER, wire_time
from lab.entra.exceptions import GraphError, bad_request, not_found
from lab.entra.members import check_members, require
from lab.entra.odata import page
from lab.entra.routing import Answer, Call
from lab.entra.settings import Settings
from lab.entra.synchronization.exceptions import no_resource, notification_settings_invalid
from lab.entra.synchronization.models import MASKED_KEYS, SECRET_KEYS, TEMPLATE, Execution, Job, Quarantine
from lab.entra.synchronization.schema import checked_schema, shown_schema, template_schema
from lab.entra.synchronization.validation import target_of

_NOTIFICATION = "SyncNotificationSettings"
_PAIRS = [{"key": str, "value": str}]
_SCOPES = frozenset(["None", "ConnectorDataStore", "Escrows", "Watermark", "QuarantineState", "Full", "ForceDeletes"])


def _principal(call: Call) -> ServicePrincipal:
    return call.tenant.applications.visible_principal(call.parameters["principal"])


def _job(call: Call) -> Job:
    return call.tenant.synchronization.job(_principal(call).synchronization, call.parameters["job"])


def _execution_body(execution: Execution | None, *, started: bool = False) -> dict[str, Any] | None:
    if execution is None and not started:
        return None
    # A started job has an execution before its first cycle; it says "Failed" and means nothing.
    shown = execution
    return {
        "activityIdentifier": shown.identifier if shown else None,
        "countEntitled": shown.entitled if shown else 0,
        "countEntitledForProvisioning": shown.entitled if shown else 0,
        "countEscrowed": shown.escrowed if shown else 0,
        "countEscrowedRaw": shown.escrowed if shown else 0,
        "countExported": shown.exported if shown else 0,
        "countExports": shown.exported if shown else 0,
        "countImported": shown.imported if shown else 0,
        "countImportedDeltas": shown.imported if shown else 0,
        "countImportedReferenceDeltas": 0,
        "state": shown.state if shown else "Failed",
        "timeBegan": wire_time(shown.began) if shown else NEVER,
        "timeEnded": wire_time(shown.ended) if shown else NEVER,
        "error": {
            "code": shown.error_code if shown else "None",
            "message": shown.error_message if shown else "",
            "tenantActionable": bool(shown and shown.error_message),
        },
    }


def _quarantine_body(quarantine: Quarantine | None) -> dict[str, Any] | None:
    if quarantine is None:
        return None
    return {
        "currentBegan": wire_time(quarantine.began),
        "nextAttempt": wire_time(quarantine.next_attempt),
        "reason": quarantine.reason,
        "seriesBegan": wire_time(quarantine.began),
        "seriesCount": quarantine.count,
        "error": {"code": quarantine.code, "message": quarantine.message, "tenantActionable": True},
    }


def _job_body(job: Job, settings: Settings) -> dict[str, Any]:
    counts = [("User to User", len(job.exported)), ("Group to Group", len(job.exported_groups))]
    shown = None if settings.started_shows == "none yet" and job.just_started else job.last_execution
    return {
        "id": job.id,
        "templateId": TEMPLATE,
        "schedule": {"expiration": None, "interval": "PT40M", "state": job.schedule_state},
        "status": {
            "countSuccessiveCompleteFailures": job.failures_in_a_row,
            "escrowsPruned": False,
            "code": job.status_code,
            "lastExecution": _execution_body(shown, started=job.started),
            "lastSuccessfulExecution": _execution_body(job.last_success),
            "lastSuccessfulExecutionWithExports": _execution_body(job.last_success_with_exports),
            "quarantine": _quarantine_body(job.quarantine),
            "steadyStateFirstAchievedTime": wire_time(job.steady_first),
            "steadyStateLastAchievedTime": wire_time(job.steady_last),
            "troubleshootingUrl": "" if job.started else None,
            "progress": [],
            "synchronizedEntryCountByType": [
                {"key": key, "value": count} for key, count in counts if count and settings.counts_entries
            ],
        },
        "synchronizationJobSettings": [
            {"name": "AzureIngestionAttributeOptimization", "value": "False"},
            {"name": "LookaheadQueryEnabled", "value": "False"},
        ],
    }


def _templates_of(principal: ServicePrincipal) -> list[str]:
    return [TEMPLATE] if principal.template_id == SYNC_TEMPLATE else []


def list_templates(call: Call) -> Answer:
    """GET templates."""
    principal = _principal(call)
    bodies = [
        {
            "id": name,
            "factoryTag": name,
            "default": True,
            "discoverable": True,
            "applicationId": principal.app_id,
        }
        for name in _templates_of(principal)
    ]
    return Answer(200, page(call, f"servicePrincipals('{principal.id}')/synchronization/templates", bodies))


def get_template(call: Call) -> Answer:
    """GET one template."""
    principal, name = _principal(call), call.parameters["template"]
    if name not in _templates_of(principal):
        raise not_found(name)
    return Answer(200, {"id": name, "factoryTag": name, "default": True, "applicationId": principal.app_id})


def get_template_schema(call: Call) -> Answer:
    """GET the schema that new jobs have."""
    principal, name = _principal(call), call.parameters["template"]
    if name not in _templates_of(principal):
        raise not_found(name)
    context = call.context(f"servicePrincipals('{principal.id}')/synchronization/templates('{name}')/schema/$entity")
    return Answer(200, {"@odata.context": context, **template_schema()})


def list_jobs(call: Call) -> Answer:
    """GET jobs."""
    principal = _principal(call)
    jobs = call.tenant.synchronization.read_jobs(principal.synchronization)
    context = f"servicePrincipals('{principal.id}')/synchronization/jobs"
    return Answer(200, page(call, context, [_job_body(job, call.tenant.settings) for job in jobs]))


def create_job(call: Call) -> Answer:
    """POST jobs."""
    principal = _principal(call)
    members = check_members(call.body, {"templateId": str})
    require(members, "templateId")
    if members["templateId"] not in _templates_of(principal):
        raise bad_request(f"The template '{members['templateId']}' is not supported for this application.")
    job = call.tenant.synchronization.create_job(principal.synchronization, template_schema())
    context = call.context(f"servicePrincipals('{principal.id}')/synchronization/jobs/$entity")
    return Answer(201, {"@odata.context": context, **_job_body(job, call.tenant.settings)})


def get_job(call: Call) -> Answer:
    """GET one job."""
    principal = _principal(call)
    job = call.tenant.synchronization.read_job(principal.synchronization, call.parameters["job"])
    context = call.context(f"servicePrincipals('{principal.id}')/synchronization/jobs/$entity")
    return Answer(200, {"@odata.context": context, **_job_body(job, call.tenant.settings)})


def delete_job(call: Call) -> Answer:
    """DELETE one job."""
    call.tenant.synchronization.delete_job(_principal(call).synchronization, call.parameters["job"])
    return Answer()


def start_job(call: Call) -> Answer:
    """POST start."""
    call.tenant.synchronization.start(_job(call))
    return Answer()


def pause_job(call: Call) -> Answer:
    """POST pause."""
    call.tenant.synchronization.pause(_job(call))
    return Answer()


def restart_job(call: Call) -> Answer:
    """POST restart."""
    members = check_members(call.body or {}, {"criteria": {"resetScope": str}})
    text = (members.get("criteria") or {}).get("resetScope") or ""
    scopes = frozenset(scope.strip() for scope in text.split(",") if scope.strip())
    if unknown := scopes - _SCOPES:
        raise bad_request(f"The value '{sorted(unknown)[0]}' is not a synchronizationJobRestartScope.")
    call.tenant.synchronization.restart(_job(call), scopes)
    return Answer()


def validate_credentials(call: Call) -> Answer:
    """POST validateCredentials, of a job or before there is one."""
    principal = _principal(call)
    if "job" in call.parameters:
        _job(call)
    shape = {
        "applicationIdentifier": str,
        "templateId": str,
        "useSavedCredentials": bool,
        "credentials": _PAIRS,
    }
    members = check_members(call.body, shape)
    if "job" not in call.parameters and not members.get("useSavedCredentials"):
        require(members, "templateId")
        if members["templateId"] not in _templates_of(principal):
            raise bad_request(f"The template '{members['templateId']}' is not supported for this application.")
    saved = principal.synchronization.secrets
    given = _checked_pairs(members.get("credentials") or [])
    target_of(call.entra, call.tenant, saved if members.get("useSavedCredentials") else given)
    return Answer()


def _checked_pairs(pairs: list[dict[str, str]]) -> dict[str, str]:
    for pair in pairs:
        require(pair, "key")
        if pair["key"] not in SECRET_KEYS:
            raise bad_request(f"The value '{pair['key']}' is not a synchronizationSecret.")
        if pair["key"] == _NOTIFICATION and not _is_object(pair.get("value") or ""):
            raise notification_settings_invalid()
    return {pair["key"]: pair.get("value") or "" for pair in pairs}


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def put_secrets(call: Call) -> Answer:
    """PUT secrets."""
    principal = _principal(call)
    members = check_members(call.body, {"value": _PAIRS})
    if members.get("value") is None:
        raise GraphError(400, "BadRequest", "The property 'value' is missing.")
    pairs = _checked_pairs(members["value"])
    call.tenant.synchronization.put_secrets(principal.id, principal.synchronization, pairs)
    return Answer()


def get_secrets(call: Call) -> Answer:
    """GET secrets; password-like values are masked."""
    principal = _principal(call)
    secrets = call.tenant.synchronization.secrets(principal.id, principal.synchronization)
    settings = call.tenant.settings
    shown = {**secrets, **dict(settings.secrets_extra)} if secrets else {}
    if settings.notification_settings_reordered and _NOTIFICATION in shown:
        shown[_NOTIFICATION] = json.dumps(dict(reversed(json.loads(shown[_NOTIFICATION]).items())))
    spelled = {key: _spelled(key, value, settings.secrets_spelled) for key, value in shown.items()}
    pairs = [{"key": key, "value": "*" if key in MASKED_KEYS else value} for key, value in spelled.items()]
    context = call.context("Collection(microsoft.graph.synchronizationSecretKeyStringValuePair)")
    return Answer(200, {"@odata.context": context, "value": pairs})


def _spelled(key: str, value: str, how: str) -> Any:
    """A value as the service may give it back: `True` for true, numbers as texts, or true itself."""
    if how == "as sent":
        return value
    if key == _NOTIFICATION:
        members = json.loads(value).items()
        return json.dumps(
            {name: _spelled("", json.dumps(one), how) if one != str(one) else one for name, one in members}
        )
    if value.lower() in ("true", "false"):
        return value.capitalize() if how == "capitalised" else value.lower() == "true"
    return value


def get_schema(call: Call) -> Answer:
    """GET the schema of a job."""
    principal = _principal(call)
    job = call.tenant.synchronization.read_job(principal.synchronization, call.parameters["job"])
    context = call.context(f"servicePrincipals('{principal.id}')/synchronization/jobs('{job.id}')/schema/$entity")
    expanded = call.query.get("$expand") == "directories"
    return Answer(200, {"@odata.context": context, **shown_schema(job.schema, call.tenant.settings, expanded=expanded)})


def put_schema(call: Call) -> Answer:
    """PUT the whole schema of a job."""
    job = _job(call)
    call.tenant.synchronization.put_schema(job, checked_schema(call.body, job.schema))
    return Answer()


def delete_schema(call: Call) -> Answer:
    """DELETE the customization: back to the template."""
    call.tenant.synchronization.put_schema(_job(call), template_schema())
    return Answer()


def patch_schema(call: Call) -> Answer:
    """PATCH is advertised and not there."""
    raise no_resource(call.path)
