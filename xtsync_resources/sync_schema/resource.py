"""SyncSchema: the configured mappings, scoping filters and flow types of a job.

Graph takes the schema only whole: it is read, the configured parts are put in, and all of it is sent back. Only the
configured parts are ours: what they were before comes back when they are dropped, and the rest stays whoever's it is.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pulumi

from .. import records
from ..graph.errors import NotFoundError, RefusedError, TenantName, XtsyncError
from ..pulumi_runtime.engine import WARNING, Partial, report, urn_beside
from ..pulumi_runtime.half_made import kept_if_written
from ..pulumi_runtime.provider import (
    HOME,
    CheckResult,
    CreateResult,
    Properties,
    ReadResult,
    TenantResourceProvider,
    UpdateResult,
    inputs_of,
    is_preview,
    is_unknown,
)
from ..pulumi_runtime.tenant_resource import Home, TenantResource
from ..sync_job.calls import list_jobs
from ..sync_job.model import job_of_template, never_ran, was_started
from ..sync_job.running import bring_to_rest, deleted_by_hand
from . import calls
from .authoring import expressions, parsed_sources, spelled_operators
from .document import Json, object_mapping
from .model import (
    FILTERS,
    FLOWS,
    GROUPS,
    MAPPINGS,
    PARTS,
    former_parts,
    live_parts,
    order_of,
    put_back,
    put_in,
    record,
)
from .unusable import refusing_unusable
from .writing import change, with_directories

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from .baseline import SchemaBaseline

# Tells when the job was brought to rest for another scope by filters, so that the start looks at it again.
RESTED = "rested"
# For one run only: whether the job that the state knows is this stack's own, and none is taken over in its place.
OWN_JOB = "ownJob"
INPUTS = (HOME, "servicePrincipalId", "jobId", *PARTS, "baseline", "everybody", RESTED)
RESTARTED_SINCE = (
    "the job synchronized everybody when it was adopted, and does so until it is restarted; groups are synchronized "
    "only where the scope is the assigned users and groups. If it was not restarted since, run `xtsync restart`, which "
    "removes everybody else from the target"
)
FORMER_FILTER = (
    "xtsync:scopingFilters is not configured any more: the filter that the job had before, if any, comes back. Whoever "
    "is in scope and let through by it comes into the target with the next cycle, and whoever is not is removed"
)
DELETES_AGAIN = (
    "the job deletes people again (flow type delete): whoever has left the scope meanwhile and was kept may be removed "
    "from the target"
)
PEOPLE_LEAVE = (
    "the scoping filters change: whoever is in scope and let through by them comes into the target, and whoever is "
    "outside of them is removed from it with the next cycle of a job that runs, within xtsync:deletionThreshold. "
    "`xtsync doctor` names the latter; flowTypes without delete keeps them"
)


# --- wire form ---------------------------------------------------------------------------------------------


def managed_parts(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The configured parts among a resource's properties."""
    return {part: properties[part] for part in PARTS if part in properties}


def describe(before: Json, after: Json) -> list[str]:
    """Old -> new, a line for each mapping and part that changes."""
    text = functools.partial(json.dumps, sort_keys=True, ensure_ascii=False)
    lines = []
    for part, value in after.items():
        pairs = (
            [(f"{part}.{new['target']}", old, new) for old, new in zip(before[part], value, strict=True)]
            if part == MAPPINGS
            else [(part, before[part], value)]
        )
        lines += [f"{name}: {text(old)} -> {text(new)}" for name, old, new in pairs if old != new]
    return lines


# --- provider ----------------------------------------------------------------------------------------------


def groups_must_wait(tenant: TenantName, job: str) -> RefusedError:
    """Why groups are not synchronized yet: Microsoft does that only where the scope is the assigned ones."""
    return RefusedError(
        f"Will not synchronize groups with the job {job} in {tenant} yet",
        "its scope was everybody when it was adopted, which it keeps until it is restarted; groups are synchronized "
        "only where the scope is the assigned users and groups",
        "check the scope with `xtsync doctor`, run `xtsync restart`, which removes everybody else from the target, "
        "and then `pulumi up`",
    )


def what_changes_for_people(olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
    """What another schema may do to people in the target; what is not configured any more comes back as it was."""
    deletes = "Delete" in news.get(FLOWS, ("Delete",))
    texts = []
    if olds.get(FILTERS) != news.get(FILTERS):
        texts.append(PEOPLE_LEAVE if news.get(FILTERS) else FORMER_FILTER)
    if deletes and FLOWS in olds and "Delete" not in (olds[FLOWS] or ()):
        texts.append(DELETES_AGAIN)
    return texts


def moves_people(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether other people may come or go: what is written then must not meet a scope that is about to change."""
    return any(olds.get(part) != news.get(part) for part in (FILTERS, FLOWS))


class SyncSchemaProvider(TenantResourceProvider):
    """Owns the configured parts."""

    # A record is right only where nothing of ours is there: who relies on one is replaced with it.
    replace_keys = ("servicePrincipalId", "jobId", "baseline")
    for_this_run = (OWN_JOB,)

    def check(self, olds: Properties, news: Properties) -> CheckResult:
        """Accept; say what changes on a job that is there, and whom that may remove."""
        if not olds:
            self.announce(news)
        before = olds
        if olds and managed_parts(news) != managed_parts(olds):
            schema = self.refuse_unusable(news)
            # What is written is all that is configured, also what somebody has changed meanwhile.
            before = {**olds, **(live_parts(schema, managed_parts({**olds, **news})) if schema else {})}
            for text in what_changes_for_people(before, news):
                report(text, severity=WARNING)
        rested = str(uuid.uuid4()) if moves_people(before, news) else olds.get(RESTED, "")
        return CheckResult({**news, RESTED: rested}, [])

    def refuse_unusable(self, props: Properties) -> Json | None:
        """Refuse in a preview what `up` would; gives the schema. Calls: those of `job_there`, GET jobs/{id}/schema."""
        job = self.job_there(props)
        if not job:
            return None  # a job to be made has the template's schema
        operation = self.operation()
        schema = operation.read(calls.get_schema(props["servicePrincipalId"], job))
        if schema is None:
            return None
        with refusing_unusable(operation.tenant, job):
            put_in(with_directories(operation, {**props, "jobId": job}, schema), managed_parts(props), {})
        return schema

    def job_there(self, props: Properties) -> str:
        """The job, or in a preview the one that is to be taken over; "" for none. Call, where not known: GET jobs."""
        service_principal = props["servicePrincipalId"]
        if is_unknown(service_principal):
            return ""
        if not is_unknown(props["jobId"]):
            return str(props["jobId"])
        if props.get(OWN_JOB):
            return ""
        found = job_of_template(self.operation().read(list_jobs(service_principal)) or {})
        return str(found["id"]) if found is not None and was_started(found) else ""

    def announce(self, props: Properties) -> None:
        """Say in a preview what a create changes, old -> new. Calls: those of `refuse_unusable`."""
        schema = self.refuse_unusable(props) if is_preview(props) else None
        if schema is not None:
            wanted = managed_parts(props)
            before = live_parts(schema, wanted)
            lines = describe(before, wanted) or ["it is as configured"]
            report(f"changes the job's schema: {'; '.join(lines)}")
            for text in what_changes_for_people(before, props):
                report(text, severity=WARNING)

    def create(self, props: Properties) -> CreateResult:
        """Put the parts in. Calls: GET, PUT jobs/{id}/schema; `parsed_sources`, `spelled_operators`, `bring_to_rest`.

        Raises:
            Partial: it is not known whether all is put in; or the groups wait for a restart of the job. The next
                `pulumi up` goes on.
        """
        operation, wanted = self.operation(), managed_parts(props)
        waits = bool(props.get("everybody") and wanted.pop(GROUPS, None))
        written: dict[str, str] = {}
        told: list[str] = []
        job = None

        def make(schema: Json) -> dict[str, Any]:
            if job is not None and not never_ran(job) and not told:
                told.extend(what_changes_for_people(live_parts(schema, wanted), wanted))
                for text in told:
                    report(text, severity=WARNING)
            sources = parsed_sources(operation, props, object_mapping(schema, "User"))
            written.update(expressions(sources))
            return put_in(schema, wanted, sources, spelled_operators(operation, props))

        if props[RESTED]:
            job = bring_to_rest(operation, props["servicePrincipalId"], props["jobId"], new=True)
        former = former_parts(wanted, records.parse(props["baseline"]))
        id_, outputs = f"{props['jobId']}/schema", {"former": records.text(former), "written": records.text(written)}
        try:
            if change(operation, props, make, first=True) is None:
                raise job_gone(operation, props["servicePrincipalId"], props["jobId"])
        except XtsyncError as error:
            # It may be written all the same, so whoever drops it puts back what was there.
            raise Partial(id_, {**props, **outputs}, [error]) from None
        outputs["written"] = records.text(written)
        if waits:
            done = {key: value for key, value in props.items() if key != GROUPS}
            raise Partial(id_, {**done, **outputs}, [groups_must_wait(operation.tenant, props["jobId"])])
        return CreateResult(id_, {**props, **outputs})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """See the parts. Call: GET jobs/{id}/schema."""
        operation = self.operation()
        schema = operation.read_settled(calls.get_schema(props["servicePrincipalId"], props["jobId"]))
        if schema is None:
            return ReadResult("", {})
        with refusing_unusable(operation.tenant, props["jobId"]):
            written = records.parse(props["written"])
            outputs = {**props, **live_parts(schema, managed_parts(props), written)}
        return ReadResult(id_, outputs, inputs_of(outputs, INPUTS))

    def update(self, id_: str, olds: Properties, news: Properties) -> UpdateResult:
        """Put the parts in, and former ones back in the place of those that are dropped. Calls: as for create.

        Raises:
            Partial: the job was brought to rest, or the schema may be written; the next `pulumi up` goes on, or back.
        """
        operation, wanted = self.operation(), managed_parts(news)
        known, before = records.parse(olds["former"]), records.parse(news["baseline"])
        if news.get("everybody") and GROUPS in wanted and GROUPS not in known:
            report(RESTARTED_SINCE, severity=WARNING)
        former: dict[str, Any] | None = None
        written: dict[str, str] = records.parse(olds["written"])

        def make(schema: Json) -> dict[str, Any]:
            nonlocal former
            restored = put_back(schema, dropped(known, wanted), order_of(before))
            sources = parsed_sources(operation, news, object_mapping(schema, "User"))
            made = put_in(restored, wanted, sources, spelled_operators(operation, news))
            written.update(expressions(sources))
            former = former_of(wanted, known, before, schema)
            return made

        def kept() -> Properties:
            if former is None:  # nothing was sent but for the pause
                return {**olds, RESTED: news[RESTED]}
            both = {"former": records.text(together(former, known)), "written": records.text(written)}
            return {**news, **together(wanted, managed_parts(olds)), **both}

        with kept_if_written(operation, id_, kept):
            if news[RESTED] != olds[RESTED]:
                bring_to_rest(operation, news["servicePrincipalId"], news["jobId"], new=False)
            if change(operation, news, make) is None:
                raise job_gone(operation, news["servicePrincipalId"], news["jobId"])
        return UpdateResult({**news, "former": records.text(former), "written": records.text(written)})

    def delete(self, _id: str, props: Properties) -> None:
        """Put former parts back, where the job is still there. Calls: GET, PUT jobs/{id}/schema."""
        former, order = records.parse(props["former"]), order_of(records.parse(props["baseline"]))
        try:
            change(self.operation(), props, lambda schema: put_back(schema, former, order))
        except NotFoundError:
            return
        except RefusedError as error:
            # Nothing to put back into; and a job of ours goes next.
            report(f"the job's schema stays as it is: {error.why}", severity=WARNING)


def former_of(wanted: Json, known: Json, before: Json, schema: Json) -> dict[str, Any]:
    """What the wanted parts were before they were managed.

    Args:
        wanted: the parts.
        known: what is remembered of those that were managed already.
        before: the record made before this stack changed anything.
        schema: as it is now. A part that is newly managed was what it is now; but where that is what is wanted, a
            killed run may have written it, and the record knows.
    """
    now, live = former_parts(wanted, record(schema)), live_parts(schema, wanted)
    recorded = former_parts(wanted, before)
    found: dict[str, Any] = {}
    for part in wanted:
        if part == MAPPINGS:
            old = known.get(part) or {}
            as_wanted = {one["target"] for one, is_ in zip(wanted[part], live[part], strict=True) if one == is_}
            found[part] = {
                target: old[target] if target in old else (recorded if target in as_wanted else now)[part][target]
                for target in now[part]
            }
        else:
            found[part] = known[part] if part in known else (recorded if live[part] == wanted[part] else now)[part]
    return found


def dropped(known: Json, wanted: Json) -> dict[str, Any]:
    """The former values of parts that are managed no longer."""
    targets = {one["target"] for one in wanted.get(MAPPINGS) or ()}
    gone = {part: value for part, value in known.items() if part not in wanted or part == MAPPINGS}
    if MAPPINGS in gone:
        gone[MAPPINGS] = {target: value for target, value in gone[MAPPINGS].items() if target not in targets}
    return gone


def together(new: Json, old: Json) -> dict[str, Any]:
    """Parts of the schema by both, the old values first; mappings by their targets."""
    both = {**new, **old}
    if MAPPINGS in new and MAPPINGS in old:
        if isinstance(new[MAPPINGS], Mapping):
            both[MAPPINGS] = {**new[MAPPINGS], **old[MAPPINGS]}
        else:
            by_target = {one["target"]: one for one in (*new[MAPPINGS], *old[MAPPINGS])}
            both[MAPPINGS] = list(by_target.values())
    return both


def job_gone(operation: Operation, service_principal: str, job: str) -> RefusedError:
    """The job went away."""
    return deleted_by_hand(
        operation, service_principal, job, "change the schema of", urn_beside("schema", "SyncJob", "job")
    )


SYNC_SCHEMA = SyncSchemaProvider()


# --- resource ----------------------------------------------------------------------------------------------


class SyncSchema(TenantResource):
    """The configured parts of a job's schema.

    Args:
        name: the resource's name.
        home: the source.
        service_principal_id: the configuration's service principal.
        job_id: its job.
        parts: see `Settings.schema_inputs`; what is left out is not touched.
        baseline: the record of what was there before.
        everybody: whether the job was found with everybody in scope, if at all.
        own_job: whether the job of the last run was made by this stack.
        depends_on: what comes before.

    Attributes:
        rested: another one means that the job was brought to rest for other filters or flow types.
    """

    rested: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        home: Home,
        *,
        service_principal_id: pulumi.Input[str],
        job_id: pulumi.Input[str],
        parts: Mapping[str, Any],
        baseline: SchemaBaseline,
        everybody: pulumi.Input[bool | None],
        own_job: bool,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        inputs = {
            "servicePrincipalId": service_principal_id,
            "jobId": job_id,
            **parts,
            "baseline": baseline.baseline,
            RESTED: "",
            OWN_JOB: own_job,
            **({"everybody": everybody} if GROUPS in parts else {}),
        }
        super().__init__(name, home, inputs, computed=["former", "written"], depends_on=depends_on)
