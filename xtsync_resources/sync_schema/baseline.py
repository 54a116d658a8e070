"""SchemaBaseline: what a job's schema said before this stack changed it.

A record like `PartnerBaseline`: made before the first write and kept in state, so that a run killed in between
cannot take its own values for somebody else's. It also says what is to be written first: where a run was killed while
it did that, and `SyncSchema` is not in the state, whoever drops it has it put back by this one. Declared only where the
schema is configured, or was in such a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from .. import records
from ..graph.consistency import FOREIGN_ASSIGNMENTS, JOB_APPEARS
from ..graph.errors import NotFoundError, RefusedError
from ..pulumi_runtime.engine import WARNING, report
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
from .model import MAPPINGS, former_parts, live_parts, order_of, put_back, record
from .unusable import refusing_unusable
from .writing import change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..graph.operation import Operation

PLANNED, NOTHING_PLANNED = "planned", records.text({})
INPUTS = (HOME, "servicePrincipalId", "jobId", PLANNED)


# --- provider ----------------------------------------------------------------------------------------------


def look(operation: Operation, service_principal: str, job: str) -> Json:
    """See what is there. Call: GET jobs/{id}/schema (Application.ReadWrite.OwnedBy)."""
    schema = operation.send(calls.get_schema(service_principal, job), JOB_APPEARS)
    with refusing_unusable(operation.tenant, job):
        return record(schema)


def left_by_a_killed_run(schema: Json, planned: Json, before: Json) -> dict[str, Any]:
    """The former parts of what such a run has written; what is not as it would have it is somebody else's.

    Args:
        schema: as it is now.
        planned: the parts that were to be written.
        before: the record.
    """
    live, first, now = live_parts(schema, planned), former_parts(planned, before), former_parts(planned, record(schema))
    found = {
        part: first[part]
        for part in planned
        if part != MAPPINGS and live[part] == planned[part] and first[part] != now[part]
    }
    pairs = zip(planned.get(MAPPINGS) or (), live.get(MAPPINGS) or (), strict=True)
    written = [one["target"] for one, is_ in pairs if one == is_]
    mappings = {one: first[MAPPINGS][one] for one in written if first[MAPPINGS][one] != now[MAPPINGS][one]}
    return {**found, **({MAPPINGS: mappings} if mappings else {})}


def planned_no_more(was: Json, planned: Json) -> dict[str, Any]:
    """What was to be written of the schema and is not any more; a mapping by its target."""
    gone = {part: value for part, value in was.items() if part not in planned}
    targets = {one["target"] for one in planned.get(MAPPINGS) or ()}
    mappings = [one for one in was.get(MAPPINGS) or () if one["target"] not in targets]
    return {**gone, **({MAPPINGS: mappings} if mappings else {})}


def take_back(operation: Operation, properties: Properties, planned: Json) -> None:
    """Put back what a killed run has written of the schema. After an orderly end this only reads.

    Calls: none where nothing was planned, else GET jobs/{id}/schema, repeated where something seems to be left; then
    those of `change`.
    """
    get = calls.get_schema(properties["servicePrincipalId"], properties["jobId"])
    before = records.parse(properties["baseline"])
    former: dict[str, Any] = {}

    def nothing_left() -> bool | None:
        nonlocal former
        schema = operation.read_settled(get)
        with refusing_unusable(operation.tenant, properties["jobId"]):
            former = {} if schema is None else left_by_a_killed_run(schema, planned, before)
        return None if former else True

    # A read from before our own last write must not be taken for what is there.
    if planned and operation.look_again(FOREIGN_ASSIGNMENTS, nothing_left) is None:
        change(operation, properties, lambda now: put_back(now, former, order_of(before)))
        report(f"puts back what a run that was cut off has written of the job's schema: {', '.join(former)}")


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
        """Put back what is planned no more, while `SyncSchema` is not there to; what was found stays remembered.

        Calls: those of `take_back`.
        """
        was, planned = (records.parse(one.get(PLANNED) or NOTHING_PLANNED) for one in (olds, news))
        take_back(self.operation(), olds, planned_no_more(was, planned))
        return UpdateResult({**olds, **news})

    def delete(self, _id: str, props: Properties) -> None:
        """See that SyncSchema has put things back. Calls: those of `take_back`."""
        try:
            take_back(self.operation(), props, records.parse(props.get(PLANNED) or NOTHING_PLANNED))
        except NotFoundError:
            return
        except RefusedError as error:
            report(f"the job's schema stays as it is: {error.why}", severity=WARNING)


SCHEMA_BASELINE = SchemaBaselineProvider()


# --- resource ----------------------------------------------------------------------------------------------


class SchemaBaseline(TenantResource):
    """What a job's schema said before.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        job_id: its job.
        parts: what is to be written first.
        written: whether `SyncSchema` is in the state, which knows better.
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
        parts: Json,
        written: bool,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {"servicePrincipalId": service_principal_id, "jobId": job_id, PLANNED: records.text(parts)}
        options = pulumi.ResourceOptions(ignore_changes=[PLANNED] if written else [])
        super().__init__(name, home, inputs, computed=["baseline"], depends_on=depends_on, options=options)
