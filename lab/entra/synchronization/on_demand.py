"""Provisioning one person now."""

from __future__ import annotations

import json
from typing import Any

from lab.entra.context import new_id
from lab.entra.exceptions import GraphError, bad_request
from lab.entra.members import check_members, require
from lab.entra.routing import Answer, Call
from lab.entra.synchronization.models import Job
from lab.entra.synchronization.provisioning import Outcome, Pairing, assigned_ids, provision, skip_reason
from lab.entra.synchronization.validation import target_of

_RESULT_TYPE = "Microsoft.Identity.Health.CPP.Common.DataContracts.SyncFabric.StatusInfo"
_SUBJECT = {"objectId": str, "objectTypeName": str}
_PARAMETERS = {"ruleId": str, "subjects": [_SUBJECT]}


def provision_on_demand(call: Call) -> Answer:
    """POST provisionOnDemand: 200 says it was tried, the value says what came of it."""
    call.tenant.audit.throttle(call.client.client_id, "provisionOnDemand")
    principal = call.tenant.applications.visible_principal(call.parameters["principal"])
    job = call.tenant.synchronization.job(principal.synchronization, call.parameters["job"])
    members = check_members(call.body, {"parameters": [_PARAMETERS]})
    require(members, "parameters")
    subjects = [_subject(job, parameter) for parameter in members["parameters"]]
    try:
        target = target_of(call.entra, call.tenant, principal.synchronization.secrets)
    except GraphError as refusal:
        outcome = Outcome(
            "other", "failure", subjects[0], subjects[0], reason_code=refusal.code, reason=refusal.message
        )
        return _answer(call, outcome)
    pairing = Pairing(call.tenant, target, principal, job)
    outcomes = [_provision(pairing, subject) for subject in subjects]
    cycle, now = new_id(), call.entra.clock.now()
    for outcome in outcomes:
        call.tenant.audit.record(pairing, outcome, cycle, now)
    return _answer(call, outcomes[-1])


def _subject(job: Job, parameter: dict[str, Any]) -> str:
    require(parameter, "ruleId", "subjects")
    rules = [rule["id"] for rule in job.schema["synchronizationRules"]]
    if parameter["ruleId"] not in rules:
        raise bad_request(f"The synchronization rule '{parameter['ruleId']}' does not exist.")
    if len(parameter["subjects"]) != 1:
        raise bad_request("Exactly one subject can be provisioned on demand.")
    subject = parameter["subjects"][0]
    require(subject, "objectId", "objectTypeName")
    if subject["objectTypeName"] != "User":
        raise bad_request("Only users can be provisioned on demand in cross-tenant synchronization.")
    object_id: str = subject["objectId"]
    return object_id


def _provision(pairing: Pairing, user_id: str) -> Outcome:
    user = pairing.source.directory.users.get(user_id)
    if user is None:
        return Outcome("other", "failure", user_id, user_id, reason_code="EntryNotFound", reason="No such user.")
    if user_id not in assigned_ids(pairing):
        reason = "The user is not assigned to the application."
        return Outcome(
            "other",
            "skipped",
            user_id,
            user.user_principal_name,
            reason_code="NotEffectivelyEntitled",
            reason=reason,
        )
    if refusal := skip_reason(pairing, user):
        code, reason = refusal
        return Outcome("other", "skipped", user_id, user.user_principal_name, reason_code=code, reason=reason)
    redundant = Outcome(
        "update",
        "skipped",
        user_id,
        user.user_principal_name,
        reason_code="RedundantExport",
        reason="The object is up to date.",
    )
    return provision(pairing, user) or redundant


def _answer(call: Call, outcome: Outcome) -> Answer:
    body = {
        "@odata.context": call.context("microsoft.graph.stringKeyStringValuePair"),
        "key": _RESULT_TYPE,
        "value": json.dumps([{"provisioningSteps": steps(outcome)}]),
    }
    return Answer(200, body)


def steps(outcome: Outcome) -> list[dict[str, Any]]:
    """The steps an outcome went through, the last with its verdict."""
    in_scope = outcome.reason_code != "NotEffectivelyEntitled"
    status = outcome.status.capitalize()
    trail: list[tuple[str, str, str, dict[str, str]]] = [
        ("EntryImport", "Import", "Success", {"objectId": outcome.source_id}),
        (
            "EntrySynchronizationScoping",
            "Scoping",
            "Success" if in_scope else status,
            {"Assigned to the application": str(in_scope), "ScopeEvaluationResult": "{}"},
        ),
    ]
    if in_scope:
        trail.append(("EntryMatching", "Matching", "Success", {}))
        name = f"EntryExport{outcome.action.capitalize()}"
        trail.append((name, "Export", status, {"TargetId": outcome.target_id}))
    last = len(trail) - 1
    return [
        {
            "name": name,
            "provisioningStepType": kind.lower(),
            "type": kind,
            "status": verdict,
            "description": outcome.reason if index == last else "",
            "details": details,
            "statusInfo": {
                "status": verdict,
                "errorCode": outcome.reason_code if index == last else "",
                "reason": outcome.reason if index == last else "",
            },
        }
        for index, (name, kind, verdict, details) in enumerate(trail)
    ]
