"""Provisioning one person now, and what came of it: an answer of 200 is not success.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-provisionondemand
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..graph import json_reader
from ..graph.call import Call
from ..graph.consistency import JOB_APPEARS
from ..graph.errors import RefusedError, shortened
from ..graph.nested import unwrapped
from ..sync_job.running import deleted_by_hand
from ..sync_schema.calls import get_schema
from . import calls

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..graph.pace import Pace

SUCCESS, SKIPPED, WARNING, FAILURE, UNKNOWN = "Success", "Skipped", "Warning", "Failure", "Unknown"
# From bad to good: a step that failed decides, whatever the others say.
SEVERITIES = (FAILURE, SKIPPED, WARNING, SUCCESS)
NOTHING_TO_CHANGE = "RedundantExport"
NOT_IN_SCOPE = "NotEffectivelyEntitled"
# A new assignment is seen by the synchronization service after some minutes at most.
SCOPE_LAG_SECONDS = 180.0
REMEDIES: Mapping[str, str] = {
    NOT_IN_SCOPE: "put the person in scope (xtsync:users or xtsync:groups), run `pulumi up`, wait some minutes",
    "AzureActiveDirectoryForbidden": "let guests be invited into the target tenant (External collaboration settings)",
    "EntityTypeNotSupported": "give a user: groups cannot be provisioned on demand",
}


@dataclass(frozen=True)
class Step:
    """One step of provisioning: import, scoping, matching, export."""

    name: str
    status: str
    code: str
    reason: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What came of provisioning one person.

    Attributes:
        result: `Success`, `Skipped`, `Warning`, `Failure`, or `Unknown` for an answer that does not say.
        code: Graph's code for it, such as `RedundantExport`; "" where there is none.
        reason: why, in Graph's words.
        steps: what was done on the way.
    """

    result: str
    code: str = ""
    reason: str = ""
    steps: tuple[Step, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the person is in the target as they should be."""
        return self.result in (SUCCESS, WARNING) or self.code == NOTHING_TO_CHANGE

    @property
    def remedy(self) -> str:
        """What to do about it; "" where nothing is known."""
        return "" if self.good else REMEDIES.get(self.code, "")

    def __str__(self) -> str:
        if self.code == NOTHING_TO_CHANGE:
            return "Success: nothing to change"
        code = f" ({self.code})" if self.code and self.code not in ("None", self.reason) else ""
        return f"{self.result}{code}" + (f": {self.reason}" if self.reason else "")


# --- from Graph ------------------------------------------------------------------------------------------------


def rule_for_users(schema: Mapping[str, Any]) -> str:
    """From Graph: the id of the rule that provisions users on demand; "" where there is none."""
    found = ""
    for rule in schema.get("synchronizationRules") or ():
        maps_users = any(
            str(mapping.get("sourceObjectName")).lower() == "user" and mapping.get("enabled") is not False
            for mapping in rule.get("objectMappings") or ()
        )
        if not maps_users or not rule.get("id"):
            continue
        metadata = {item.get("key"): str(item.get("value")).lower() for item in rule.get("metadata") or ()}
        if metadata.get("supportsProvisionOnDemand") == "true":
            return str(rule["id"])
        if metadata.get("supportsProvisionOnDemand") != "false":
            found = found or str(rule["id"])
    return found


def read_verdict(answer: Mapping[str, Any]) -> Verdict:
    """From Graph: the verdict in a `stringKeyStringValuePair`.

    The value is JSON in a text, an array or an object; older answers have a result in the key as well.
    """
    documents = objects(answer.get("value"))
    steps = tuple(read_step(step) for document in documents for step in objects(document.get("provisioningSteps")))
    said: list[Mapping[str, Any]] = [
        {"status": o["result"], **details(o)} for o in (*objects(answer.get("key")), *documents) if o.get("result")
    ]
    said += [status for o in documents for status in objects(o.get("statusInfo"))]
    results = [
        (capitalised(one.get("status")), one.get("errorCode"), unwrapped(str(one.get("reason") or ""))) for one in said
    ]
    results += [(step.status, step.code, step.reason) for step in steps]
    for severity in SEVERITIES:
        found = [result for result in results if result[0] == severity]
        if found:
            code, reason = (shortened(next((str(r[i]) for r in found if r[i]), "")) for i in (1, 2))
            return Verdict(severity, "" if code == "None" else code, reason, steps)
    return Verdict(UNKNOWN, "", "Graph's answer does not say what became of it", steps)


def read_step(step: Mapping[str, Any]) -> Step:
    """From Graph: one step."""
    info = next(iter(objects(step.get("statusInfo"))), {})
    status = capitalised(step.get("status") or info.get("status"))
    reason = unwrapped(str(info.get("reason") or step.get("description") or ""))
    found = step.get("details")
    return Step(
        str(step.get("name") or step.get("type") or "step"),
        status,
        str(info.get("errorCode") or ""),
        reason,
        found if isinstance(found, Mapping) else {},
    )


def objects(value: Any) -> list[Mapping[str, Any]]:
    """JSON objects in a value that is one, a list of them, or either as text."""
    if isinstance(value, str):
        try:
            value = json_reader.read(value, Any)
        except ValueError:
            return []
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def details(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Code and reason beside an older answer's result."""
    found = next(iter(objects(document.get("details"))), {})
    return {"errorCode": found.get("errorCode"), "reason": found.get("reason") or found.get("message")}


def capitalised(value: Any) -> str:
    """A status with a capital letter, whatever Graph's mood."""
    text = str(value or "")
    return text[:1].upper() + text[1:].lower()


# --- the sequence ------------------------------------------------------------------------------------------------


def provision(
    operation: Operation,
    service_principal: str,
    job: str,
    users: Iterable[str],
    pace: Pace,
    *,
    assigned: Callable[[str], bool] = lambda _: False,
    new: bool = False,
    urn: str = "",
) -> Iterable[tuple[str, Verdict]]:
    """Provision people, one after the other.

    Calls: GET jobs/{id}/schema once, POST jobs/{id}/provisionOnDemand for each (Synchronization.ReadWrite.All,
    or Application.ReadWrite.OwnedBy for an application of the caller's own).

    Args:
        operation: in the source.
        service_principal: of the configuration.
        job: its job.
        users: their object ids.
        pace: how quickly they may follow each other.
        assigned: whether somebody is assigned, so that "not in scope" may be an assignment that is not seen yet.
        new: whether the job may have to appear as well.
        urn: of the job, as messages name it; "" where it is not known.

    Raises:
        RefusedError: the job is gone, or its schema has no rule for it.
        XtsyncError: a call failed.
    """
    get = get_schema(service_principal, job)
    schema = operation.send(get, JOB_APPEARS) if new else operation.read_settled(get)
    if schema is None:
        raise deleted_by_hand(operation, service_principal, job, "provision on demand with", urn)
    rule = rule_for_users(schema)
    if not rule:
        raise RefusedError(
            f"Cannot provision on demand with the job {job} in {operation.tenant}",
            "its schema has no rule that provisions users",
            "turn the mapping of users on in the portal (Provisioning > Mappings)",
        )
    started = operation.client.clock.monotonic()
    for user in users:
        call = calls.provision_on_demand(service_principal, job, rule, user)

        def attempt(call: Call = call, user: str = user) -> Verdict | None:
            pace.wait()
            verdict = read_verdict(operation.send(call))
            waited = operation.client.clock.monotonic() - started
            unseen = verdict.code == NOT_IN_SCOPE and assigned(user)
            return None if unseen and waited < SCOPE_LAG_SECONDS else verdict

        yield user, operation.poll(attempt, call, "waiting for the assignment to be seen")


def summary(verdicts: Sequence[tuple[str, Verdict]]) -> dict[str, str]:
    """Verdicts as words, by user."""
    return {user: str(verdict) for user, verdict in verdicts}
