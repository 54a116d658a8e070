"""Assignments that exist already: azuread creates them and takes none over, not even its own.

When its create is refused for that reason, a hook of the program removes the assignment that is in the way and has
azuread create it again. A job that runs is brought to rest before: whoever it finds unassigned it deletes in the
target. The start, whose input the assignments are, starts it again, in this run or the next. Nothing is called unless
azuread has failed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from ..assignments import calls
from ..assignments.operations import assignments, principal_of
from ..config import Settings
from ..graph.consistency import ABSENT_LOOKS, EXISTING_ASSIGNMENT
from ..graph.errors import lines_of
from ..program.audit_hooks import made_by_azuread, tried_by_azuread
from ..program.azuread_errors import report_azuread_error
from ..pulumi_runtime import messages
from ..sync_job.calls import list_jobs
from ..sync_job.model import job_of_template
from ..sync_job.running import certainly_never_ran, pause, refuse_held_deletions

if TYPE_CHECKING:
    from ..graph.client import GraphClient
    from ..graph.operation import Operation

# Graph says it in one of the first two ways. The last is what Pulumi says where azuread has made an assignment and
# then reads from a replica that does not know it yet.
EXISTS = (
    "Permission being assigned already exists",
    "EntitlementGrant entry already exists",
    "expected non-nil error with nil state",
)
MOST_TRIES = 8
RESTS = (
    "The job is paused and an assignment may be missing: whoever is unassigned would be deleted in the target if it "
    "ran. Run `pulumi up` again, which assigns everybody and then starts it; do not resume it by hand."
)


class AssignmentHooks:
    """The hooks of a pair's assignments.

    Args:
        name: the component's name, which hooks of other pairs do not have.
        settings: the stack's configuration.
        client: of the source.
        names: what the configuration calls users and groups, by object id.
    """

    def __init__(self, name: str, settings: Settings, client: GraphClient, names: Mapping[str, str]) -> None:
        self._settings, self._client, self._names = settings, client, names
        # What one call has found out saves the others of this run a look.
        self._listed: dict[str, str] = {}
        self._looked_at_job = self._paused = False
        self._lock = threading.Lock()
        self.binding = pulumi.ResourceHookBinding(
            after_create=made_by_azuread(f"{name}-assignment-made", client, calls.AZUREAD_ASSIGNMENT, names),
            on_error=[pulumi.ErrorHook(f"{name}-assignment-exists", self._failed)],
        )

    async def _failed(self, failed: pulumi.ErrorHookArgs) -> bool:
        """Whether azuread should try again. The engine keeps the count: the errors so far, newest first."""
        tried_by_azuread(self._client, calls.AZUREAD_ASSIGNMENT, failed, self._names)
        inputs = failed.new_inputs
        exists = any(text in error for error in failed.errors[:1] for text in EXISTS)
        if failed.failed_operation != "create" or not inputs or not exists or len(failed.errors) > MOST_TRIES:
            report_azuread_error(failed, calls.AZUREAD_ASSIGNMENT, self._settings)
            if self._paused:
                messages.warn(RESTS)
            return False
        try:
            return await asyncio.to_thread(self._take_over, inputs)
        except Exception as error:  # the engine shows azuread's own error beside this
            messages.warn(*lines_of(error), *([RESTS] if self._paused else []))
            return False

    def _take_over(self, inputs: Mapping[str, Any]) -> bool:
        """Remove the assignment that is in the way.

        Calls: GET appRoleAssignedTo, GET jobs, (POST pause, GET jobs/{id}), DELETE and GET appRoleAssignedTo/{id}.

        Raises:
            XtsyncError: a call failed.
        """
        service_principal = str(inputs["resourceObjectId"])
        principal = str(inputs["principalObjectId"])
        name = self._names.get(principal, principal)
        with self._lock:
            operation = self._client.operation(60 * self._settings.deadline_minutes)
            existing = operation.look_again(EXISTING_ASSIGNMENT, lambda: self._find(operation, inputs))
            if existing is None:
                messages.warn(f"the assignment of {name} exists, but Graph does not show it yet; run `pulumi up` again")
                return False
            self._rest(operation, service_principal)
            operation.remove(calls.delete_assignment(service_principal, existing, self._names.get(principal, "")))
            wait_until_gone(operation, service_principal, existing)
        messages.info(f"the assignment of {name} exists already; it is made anew, to be managed")
        return True

    def _find(self, operation: Operation, inputs: Mapping[str, Any]) -> str | None:
        """Id of the assignment azuread was to make. Call: GET appRoleAssignedTo, page by page, once for all of them."""
        principal = str(inputs["principalObjectId"])
        if principal not in self._listed:
            listed = assignments(operation, str(inputs["resourceObjectId"]), str(inputs["appRoleId"]))
            self._listed = {principal_of(one): str(one["id"]) for one in listed}
        return self._listed.pop(principal, None)

    def _rest(self, operation: Operation, service_principal: str) -> None:
        """Bring the job to rest, once in a run; one that never ran has nobody to delete."""
        if self._looked_at_job:
            return
        job = job_of_template(operation.send(list_jobs(service_principal)))
        if job is None:
            return
        job_id = str(job["id"])
        if not certainly_never_ran(operation, service_principal, job_id, job):
            refuse_held_deletions(operation, job_id, job, "pause")
            self._paused = True
            pause(operation, service_principal, job_id, job)
        self._looked_at_job = True


def wait_until_gone(operation: Operation, service_principal: str, assignment: str) -> None:
    """See an assignment gone, by several looks. Call: GET appRoleAssignedTo/{id}."""
    call, absent = calls.get_assignment(service_principal, assignment), 0

    def gone() -> bool | None:
        nonlocal absent
        absent = absent + 1 if operation.read(call) is None else 0
        return True if absent >= ABSENT_LOOKS else None

    operation.poll(gone, call, "waiting for the assignment to be gone")
