"""SchemaBaseline: what a job's schema said before this stack changed it.

A record like `PartnerBaseline`: made before the first write and kept in state, so that a run killed in between
cannot take its own values for somebody else's. Declared only where the schema is configured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from .. import records
from ..graph.consistency import JOB_APPEARS
from ..pulumi_runtime.provider import (
    HOME,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
)
from ..pulumi_runtime.tenant_resource import Home, TenantResource
from . import calls
from .document import Json
from .model import record
from .unusable import refusing_unusable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..graph.operation import Operation

INPUTS = (HOME, "servicePrincipalId", "jobId")


# --- provider ----------------------------------------------------------------------------------------------


def look(operation: Operation, service_principal: str, job: str) -> Json:
    """See what is there. Call: GET jobs/{id}/schema (Application.ReadWrite.OwnedBy)."""
    schema = operation.send(calls.get_schema(service_principal, job), JOB_APPEARS)
    with refusing_unusable(operation.tenant, job):
        return record(schema)


class SchemaBaselineProvider(TenantResourceProvider):
    """Keeps the record."""

    replace_keys = ("servicePrincipalId", "jobId")

    def create(self, props: Properties) -> CreateResult:
        """Look, and remember."""
        found = look(self.operation(), props["servicePrincipalId"], props["jobId"])
        return CreateResult(props["jobId"], {**props, "baseline": records.text(found)})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """A memory does not drift; no call."""
        return ReadResult(id_, props, inputs_of(props, INPUTS))

    def update(self, _id: str, olds: Properties, news: Properties) -> UpdateResult:
        """Nothing: what was found at first stays remembered."""
        return UpdateResult({**olds, **news})

    def delete(self, _id: str, _props: Properties) -> None:
        """Nothing: SyncSchema has put things back."""


SCHEMA_BASELINE = SchemaBaselineProvider()


# --- resource ----------------------------------------------------------------------------------------------


class SchemaBaseline(TenantResource):
    """What a job's schema said before.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        job_id: its job.
        depends_on: what makes the job ready.

    Attributes:
        baseline: the parts that may be changed, as JSON text.
    """

    baseline: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        service_principal_id: pulumi.Input[str],
        job_id: pulumi.Input[str],
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {"servicePrincipalId": service_principal_id, "jobId": job_id}
        super().__init__(name, home, inputs, computed=["baseline"], depends_on=depends_on)
