"""Assignments that exist already: azuread creates them and takes none over, not even its own after a crash.

When its create is refused for that reason, a hook of the program removes the assignment that is in the way and
lets azuread create it again. A job that runs is paused meanwhile: whoever it finds unassigned it deletes in the
target. Nothing is called unless azuread has failed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from . import messages
from .config import Settings
from .graph import calls
from .graph.errors import lines_of
from .job_start import make_so, pause, refuse_held_deletions
from .job_state import ACTIVE, schedule_state
from .service_principal import job_of_template

if TYPE_CHECKING:
    from .graph.operation import Operation

# Graph says it in one of these ways.
EXISTS = ("Permission being assigned already exists", "EntitlementGrant entry already exists")
SETTLE_SECONDS = 5.0
# One replica that knows of the removal is not enough: azuread's next call may meet another.
GONE_READS = 3
RESTS = (
    "The job is paused and an assignment may be missing: whoever is unassigned would be deleted in the target if it "
    "ran. Run `pulumi refresh` and `pulumi up`, which assigns everybody and then starts it; do not resume it by hand."
)

LEFT = "it is in quarantine. See `xtsync status`"


class AssignmentHooks:
    """The hooks of a pair's assignments.

    Args:
        settings: the stack's configuration.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._taken_over: set[str] = set()
        self._rests: set[str] = set()
        self._waiting: set[str] = set()
        self._paused: tuple[str, str] | None = None
        self._lock = threading.Lock()
        self.binding = pulumi.ResourceHookBinding(
            on_error=[pulumi.ErrorHook("xtsync-take-over-assignment", self._failed)],
            after_create=[pulumi.ResourceHook("xtsync-assignment-made", self._made)],
        )

    async def _failed(self, failed: pulumi.ErrorHookArgs) -> bool:
        """Whether azuread should try again."""
        if failed.urn in self._taken_over:
            if self._paused:
                messages.warn(RESTS)
            return False
        exists = any(text in error for error in failed.errors[:1] for text in EXISTS)
        inputs = failed.new_inputs
        if failed.failed_operation == "create" and exists and self._settings.on_existing == "adopt" and inputs:
            return await self._guarded(failed.urn, inputs)
        return False

    async def _guarded(self, urn: str, inputs: Mapping[str, Any]) -> bool:
        """Take over, with messages instead of exceptions: the engine shows azuread's own error beside them."""
        try:
            secret = await self._secret()
            return await asyncio.to_thread(self._take_over, urn, inputs, secret)
        except Exception as error:
            self._warn(error)
            return False

    def _warn(self, error: Exception) -> None:
        """Say that the job rests, and what may not be done before the next run."""
        messages.warn(*lines_of(error), *([RESTS] if self._paused else []))

    async def _made(self, made: pulumi.ResourceHookArgs) -> None:
        """Let the job run again when the last assignment that was taken over is there."""
        if made.urn not in self._waiting:
            return
        self._waiting.discard(made.urn)
        try:
            await asyncio.to_thread(self._run_again, await self._secret())
        except Exception as error:
            self._warn(error)

    async def _secret(self) -> str:
        given = self._settings.source_client_secret
        return str(await given.future() or "") if given is not None else ""

    def _take_over(self, urn: str, inputs: Mapping[str, Any], secret: str) -> bool:
        """Remove the assignment that is in the way.

        Calls: GET appRoleAssignedTo, GET jobs, (POST pause, GET jobs/{id}), DELETE appRoleAssignedTo/{id}.

        Raises:
            XtsyncError: a call failed.
        """
        operation, service_principal = self._operation(secret), str(inputs["resourceObjectId"])
        with self._lock:
            self._taken_over.add(urn)

            def look() -> Mapping[str, Any] | None:
                return find(operation, inputs)

            existing = operation.look_for(look, SETTLE_SECONDS)
            if existing is None:
                return False
            self._pause(operation, service_principal)
            self._waiting.add(urn)
            operation.read(calls.delete_assignment(service_principal, str(existing["id"])))
            absent = 0

            def gone() -> bool | None:
                nonlocal absent
                absent = absent + 1 if look() is None else 0
                return True if absent >= GONE_READS else None

            operation.poll(gone, calls.list_assignments(service_principal), "waiting for the assignment to be gone")
        messages.info(f"the assignment of {inputs['principalObjectId']} exists already; it is made anew, to be managed")
        return True

    def _pause(self, operation: Operation, service_principal: str) -> None:
        job = job_of_template(operation.send(calls.list_jobs(service_principal)))
        if job is None:
            return
        job_id = str(job["id"])
        if job_id in self._rests:
            return
        refuse_held_deletions(operation, job_id, job, "pause")
        if schedule_state(job) == ACTIVE:
            self._paused = (service_principal, job_id)
        pause(operation, service_principal, job_id, job)
        self._rests.add(job_id)

    def _run_again(self, secret: str) -> None:
        with self._lock:
            if self._waiting or self._paused is None:
                return
            operation, (service_principal, job_id) = self._operation(secret), self._paused
            job = operation.send(calls.get_job(service_principal, job_id))
            job = make_so(operation, service_principal, job_id, True, job)
            self._paused = None
            self._rests.discard(job_id)
        if schedule_state(job) != ACTIVE:
            messages.warn(f"the job {job_id} was paused to take an assignment over and is not started again: {LEFT}")

    def _operation(self, secret: str) -> Operation:
        from .clients import client_of  # noqa: PLC0415 - HTTP and sign-in are rarely needed here

        settings = self._settings
        return client_of(settings, settings.source, secret).operation(60 * settings.deadline_minutes)


def find(operation: Operation, inputs: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The assignment azuread was to make. Call: GET appRoleAssignedTo, page by page."""
    for assignment in operation.pages(calls.list_assignments(str(inputs["resourceObjectId"]))):
        same_principal = assignment.get("principalId") == inputs["principalObjectId"]
        if same_principal and assignment.get("appRoleId") == inputs["appRoleId"]:
            return assignment
    return None
