"""Brake: prepares the job before anybody's assignment goes.

It depends on the assignments and the start depends on it, so it is in the state before the job is ever started, and
is deleted after the start and before the first assignment, whatever became of the start. `release` pauses the job
here, so that nobody is deleted in the target; `drain` sees to it that the job runs and will not hold deletions back.

Another service principal takes the assignments of the old one away, too, so the brake is replaced with it. That is
no ending: the old job is paused, whatever `onDestroy` says.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from .ending import DRAIN, cycle_before_leaving, refuse_beyond_threshold, refuse_unless_running
from .graph import calls
from .job_start import contradiction, make_so
from .job_state import last_cycle, never_ran, people_synchronized
from .lifecycle import DiffResult, Properties
from .marker import MarkerProvider
from .service_principal import job_of_template, settings_by_key
from .sync_secrets import deletion_threshold
from .tenant_resource import Home, TenantResource

# --- lifecycle ---------------------------------------------------------------------------------------------

_REPLACED: set[str] = set()


class BrakeProvider(MarkerProvider):
    """Pauses the job, or when draining keeps it running."""

    suffix = "brake"
    replace_keys = ("servicePrincipalId",)

    def diff(self, id_: str, olds: Properties, news: Properties) -> DiffResult:
        """As usual; a replacement is remembered, as the deletion that follows does not say what it is part of."""
        result = super().diff(id_, olds, news)
        if result.replaces:
            _REPLACED.add(id_)
        return result

    def delete(self, id_: str, props: Properties) -> None:
        """Prepare for the assignments to go, which happens next.

        Calls: GET jobs/{id} (GET jobs where it is gone), POST pause or start, GET jobs/{id}; `drain` also GET
        secrets.
        """
        operation, service_principal, job_id = self.operation(), props["servicePrincipalId"], props["jobId"]
        # A job that is only not seen yet would go on running while the assignments go.
        job = operation.read_surely(calls.get_job(service_principal, job_id))
        if job is None:
            # Another one in its place must not run on while the assignments go.
            job = job_of_template(operation.read(calls.list_jobs(service_principal)) or {})
            if job is None:
                return
            job_id = str(job["id"])
        get = calls.get_job(service_principal, job_id)
        draining = self.settings.on_destroy == DRAIN and id_ not in _REPLACED
        if draining and never_ran(job):
            later = contradiction(operation, get, never_ran)
            if later is None:
                return
            job = later
        if draining:
            settings = settings_by_key(operation.send(calls.get_secrets(service_principal)))
            refuse_beyond_threshold(operation, people_synchronized(job), deletion_threshold(settings))
        job = make_so(operation, service_principal, job_id, draining, job)
        if draining:
            refuse_unless_running(operation, job_id, job)
            if last_cycle(job):
                operation.client.remember_made(cycle_before_leaving(job))


BRAKE = BrakeProvider()


# --- resource ----------------------------------------------------------------------------------------------


class Brake(TenantResource):
    """What happens to the job before anybody leaves the scope for good.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        job_id: the job.
        depends_on: the assignments; the start depends on this.
    """

    provider_reference = ("brake", "BRAKE")

    def __init__(
        self,
        name: str,
        home: Home,
        service_principal_id: pulumi.Input[str],
        job_id: pulumi.Input[str],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {"servicePrincipalId": service_principal_id, "jobId": job_id}
        super().__init__(name, home, inputs, depends_on=depends_on)
