"""What `xtsync export` says of a job's schema and of B2B settings: what the configuration can say, and warnings.

Of the schema only what differs from the template's: naming a key makes the stack its owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..config import schema_keys
from ..config.b2b_keys import ALL_APPLICATIONS, ALL_USERS, is_id
from ..config.problems import Problems
from ..graph.errors import ForbiddenError, NotFoundError, RefusedError
from ..identity_sync_policy.calls import GROUP_SYNC, get_identity_sync
from ..partner_policy.calls import get_partner
from ..partner_policy.model import COLLABORATION, DIRECT_CONNECT, Json, plain, what_is_said
from ..sync_job.model import TEMPLATE
from ..sync_schema.calls import get_schema, get_template_schema
from ..sync_schema.document import UnusableSchemaError
from ..sync_schema.model import (
    FILTERS,
    FLOWS,
    GROUPS,
    MAPPINGS,
    OPERATORS,
    USER_TYPES,
    filters_from_graph,
    flows_from_graph,
    record,
    source_from_graph,
)

if TYPE_CHECKING:
    from ..graph.operation import Operation

NAMES = {graph: name for name, graph in OPERATORS.items()}
APPLY = {"Always": "always", "ObjectAddOnly": "onCreate"}
USER_TYPE = "userType"


@dataclass(frozen=True)
class Said:
    """Part of a configuration.

    Attributes:
        config: by key, without namespace.
        warnings: what it cannot say.
    """

    config: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __or__(self, other: Said) -> Said:
        return Said(self.config | other.config, self.warnings + other.warnings)


# --- from Graph ------------------------------------------------------------------------------------------------


def read_schema(source: Operation, target: Operation, service_principal: str, job: str) -> Said:
    """What differs from the template in a job's schema.

    Calls, in the source: GET jobs/{id}/schema and templates/{id}/schema (Synchronization.Read.All); in the target,
    where groups are mapped: GET identitySynchronization in its beta version (Policy.Read.All).
    """
    try:
        live = record(source.send(get_schema(service_principal, job)))
        template = record(source.send(get_template_schema(service_principal, TEMPLATE)))
    except (ForbiddenError, NotFoundError, UnusableSchemaError) as error:
        return Said(warnings=[f"mappings and filters could not be read and are left out, as they are: {error}"])
    said = Said()
    for part in (mappings_said(live, template), filters_said(live), flows_said(live, template)):
        said |= part
    if live[GROUPS] and not template[GROUPS]:
        said |= groups_said(target.read(get_identity_sync(source.tenant.id, groups=True)))
    return said


def read_b2b(source: Operation, target: Operation, target_partner: Json) -> Said:
    """The B2B settings of the pair, of both tenants. Call, in the source: GET partners/{id} (Policy.Read.All)."""
    try:
        source_partner = source.read(get_partner(target.tenant.id)) or {}
    except (ForbiddenError, RefusedError) as error:
        said = Said(warnings=[f"the partner policy in {source.tenant} could not be read: {error}"])
        return said | b2b_said({}, target_partner)
    return b2b_said(source_partner, target_partner)


# --- to the configuration --------------------------------------------------------------------------------------


def mappings_said(live: Json, template: Json) -> Said:
    """The mappings that are not the template's, as `attributeMappings` and `userType`."""
    now, first = live[MAPPINGS], template[MAPPINGS]
    config: dict[str, Any] = {}
    mapped: list[dict[str, Any]] = []
    warnings = []
    for target in sorted({*now, *first}):
        one, base = now.get(target), first.get(target)
        said = mapping_said(target, one, base or {})
        if (one or base).get("matchingPriority") or (base and one and said == mapping_said(target, base, base)):
            continue
        if target == USER_TYPE and stated_type(one, base):
            config[USER_TYPE] = stated_type(one, base)
            continue
        if said is None:
            warnings.append(f"the mapping to {target} is more than the configuration can say; it stays as it is")
        else:
            mapped.append(said)
    return Said(config | ({MAPPINGS: mapped} if mapped else {}), warnings)


def stated_type(one: Json | None, base: Json | None) -> str:
    """`member` or `guest`, where the type is all that is not as in the template."""
    if one is None or base is None or {**one, "source": None} != {**base, "source": None}:
        return ""
    constant = str(source_from_graph(one.get("source") or {}).get("constant", "")).lower()
    return constant if constant in USER_TYPES else ""


def mapping_said(target: str, one: Json | None, base: Json) -> dict[str, Any] | None:
    """A mapping as the configuration says it; None where it cannot."""
    if one is None:
        return {"target": target, "remove": True}
    said: dict[str, Any] = {"target": target, **source_from_graph(one.get("source") or {})}
    flow, default = one.get("flowType"), one.get("defaultValue") or ""
    if "" in said.values():
        return None
    if flow != base.get("flowType", "Always"):
        if flow not in APPLY:
            return None
        said["apply"] = APPLY[flow]
    if default != (base.get("defaultValue") or ""):
        said["default"] = default
    read = schema_keys.MAPPINGS.read(Problems(), MAPPINGS, [said])[0].inputs()
    return said if read == said | ({"apply": flow} if "apply" in said else {}) else None


def filters_said(live: Json) -> Said:
    """The scoping filters."""
    groups = filters_from_graph(live[FILTERS])
    clauses = [clause for group in live[FILTERS] or () for clause in group.get("clauses") or ()]
    if not groups:
        return Said()
    several = any(len((clause.get("targetOperand") or {}).get("values") or ()) > 1 for clause in clauses)
    said = [
        ({"name": group["name"]} if group["name"] else {})
        | {"clauses": [{**clause, "operator": NAMES.get(clause["operator"])} for clause in group["clauses"]]}
        for group in groups
    ]
    problems = Problems()
    read = schema_keys.FILTERS.read(problems, FILTERS, said)
    schema_keys.check_patterns(problems, read)
    if several or problems.concern(FILTERS) or [group.inputs() for group in read] != groups:
        why = "the scoping filters say more than the configuration can; they are left out, and stay as they are"
        return Said(warnings=[why])
    return Said({FILTERS: said})


def flows_said(live: Json, template: Json) -> Said:
    """What the job may do with people, where that is not what the template's may."""
    flows, first = (flows_from_graph({FLOWS: one[FLOWS]}) for one in (live, template))
    return Said() if flows == first else Said({FLOWS: [flow.lower() for flow in flows]})


def groups_said(sync: Json | None) -> Said:
    """Groups, which the job maps: they arrive if the target lets them."""
    if ((sync or {}).get(GROUP_SYNC) or {}).get("isSyncAllowed") is True:
        return Said({GROUPS: True})
    return Said(warnings=["the job maps groups, and the target does not let them in; that is left out, as it is"])


def b2b_said(source_partner: Json, target_partner: Json) -> Said:
    """The B2B settings, by key, direction and part."""
    said = Said()
    for key, names in (("b2bCollaboration", COLLABORATION), ("b2bDirectConnect", DIRECT_CONNECT)):
        directions: dict[str, Any] = {}
        for direction, partner, name in (
            ("inbound", target_partner, names["target"]),
            ("outbound", source_partner, names["source"]),
        ):
            live = plain(partner.get(name) or {})
            parts = {part: part_said(value) for part, value in live.items() if what_is_said(value) is not None}
            said.warnings.extend(
                f"{part} of {name} says more than the configuration can; it is left out, and stays as it is"
                for part, value in parts.items()
                if value is None
            )
            kept = {part: value for part, value in parts.items() if value is not None}
            if kept:
                directions[direction] = kept
        if directions:
            said.config[key] = directions
    return said


def part_said(value: Any) -> dict[str, Any] | None:
    """`usersAndGroups` or `applications` as the configuration says it; None where it cannot."""
    if not isinstance(value, Mapping):
        return None
    by_type: dict[str, list[str]] = {"user": [], "group": [], "application": []}
    for one in value.get("targets") or ():
        kind, name = str(one.get("targetType", "")).lower(), str(one.get("target", ""))
        if kind not in by_type or not (is_id(name) or name in (ALL_USERS, *ALL_APPLICATIONS)):
            return None
        by_type[kind].append(name)
    lists = {"users": by_type["user"], "groups": by_type["group"], "targets": by_type["application"]}
    given = {name: names for name, names in lists.items() if names}
    return {"accessType": str(value.get("accessType", "")), **given} if given else None
