"""The schema of a job: pure rules of changing, comparing and restoring the parts that are configured.

Nothing here calls anything. Graph takes a schema only whole, so all that is not ours is carried along as it was read.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .attributes import TEXT, refuse_unknown
from .document import (
    Json,
    UnusableSchemaError,
    find,
    is_to,
    named_mappings,
    object_mapping,
    without_annotations,
)

MAPPINGS, FILTERS, FLOWS, GROUPS = "attributeMappings", "scopingFilters", "flowTypes", "syncGroups"
PARTS = (MAPPINGS, FILTERS, FLOWS, GROUPS)
ALWAYS = "Always"
# In a record: the targets, in the order of their mappings.
ORDER = "order"
# As the configuration names the operators of a clause, and Microsoft most often.
OPERATORS = {
    "equals": "EQUALS",
    "notEquals": "NOT EQUALS",
    "isTrue": "IS TRUE",
    "isFalse": "IS FALSE",
    "isNull": "IS NULL",
    "isNotNull": "IS NOT NULL",
    "matches": "REGEX MATCH",
    "notMatches": "NOT REGEX MATCH",
    "greaterThan": "Greater_Than",
    "greaterThanOrEquals": "Greater_Than_OR_EQUALS",
    "includes": "Includes",
    "endsWith": "ENDS_WITH",
}
UNARY = ("IS TRUE", "IS FALSE", "IS NULL", "IS NOT NULL")

# What people can become in the target: as the configuration and as Graph says it.
USER_TYPES: Mapping[str, str] = {"member": "Member", "guest": "Guest"}

# --- wire form ---------------------------------------------------------------------------------------------


def source_to_graph(wanted: Json, live: Json | None = None) -> dict[str, Any]:
    """To Graph: where a value comes from.

    Args:
        wanted: as the configuration says it.
        live: where the value came from so far. Microsoft does not say whether a constant's expression has quotes;
            a constant that is there shows it.
    """
    if "source" in wanted:
        name, kind, expression = wanted["source"], "Attribute", f"[{wanted['source']}]"
    elif "constant" in wanted:
        name, kind, expression = wanted["constant"], "Constant", quoted(wanted["constant"])
        if live and live.get("type") == kind and not str(live.get("expression") or '"').startswith('"'):
            expression = name
    else:
        expression = wanted["expression"]
        name, kind = expression.partition("(")[0].strip(), "Function"
    return {"expression": expression, "name": name, "parameters": [], "type": kind}


def mapping_to_graph(wanted: Json, source: Json, live: Json | None) -> dict[str, Any]:
    """To Graph: a whole mapping; what the configuration does not say stays, or is the service's default."""
    base = live or {
        "defaultValue": "",
        "exportMissingReferences": False,
        "flowBehavior": "FlowWhenChanged",
        "flowType": ALWAYS,
        "matchingPriority": 0,
    }
    made = {**copy.deepcopy(dict(base)), "targetAttributeName": wanted["target"], "source": dict(source)}
    if "apply" in wanted:
        made["flowType"] = wanted["apply"]
    if "default" in wanted:
        made["defaultValue"] = wanted["default"]
    return made


def mapping_from_graph(live: Json | None, wanted: Json, written: str = "") -> dict[str, Any]:
    """From Graph: a mapping as the configuration would say it.

    Args:
        live: as it is.
        wanted: tells which of its parts are managed.
        written: the wanted expression in the service's own writing, as it was saved; "" where that is not known.
    """
    if live is None:
        return {"target": wanted["target"], "remove": True}
    source = live.get("source") or {}
    as_written = written and "expression" in wanted and comparable(str(source.get("expression"))) == comparable(written)
    if "remove" not in wanted and (as_written or same_source(source, wanted)):
        found = {name: wanted[name] for name in ("source", "constant", "expression") if name in wanted}
    else:
        found = source_from_graph(source)
    found["target"] = wanted["target"]
    if "apply" in wanted:
        found["apply"] = live.get("flowType")
    if "default" in wanted:
        found["default"] = live.get("defaultValue") or ""
    return found


def source_from_graph(source: Json) -> dict[str, Any]:
    """From Graph: where a value comes from."""
    kind, name, expression = source.get("type"), source.get("name"), str(source.get("expression") or "")
    if kind == "Attribute":
        return {"source": str(name or expression.strip("[]"))}
    if kind == "Constant":
        return {"constant": str(name or unquoted(expression))}
    return {"expression": expression}


def same_source(live: Json, wanted: Json) -> bool:
    """Whether a value comes from where it is wanted to; the service may write an expression in its own way."""
    found = source_from_graph(live)
    if "expression" in found and "expression" in wanted:
        return comparable(found["expression"]) == comparable(wanted["expression"])
    if "constant" in found and "constant" in wanted:
        return unquoted(found["constant"]) == unquoted(wanted["constant"])
    # `[department]` written as an expression is an attribute to Graph, and the other way round.
    return comparable(str(live.get("expression") or "")) == comparable(source_to_graph(wanted)["expression"])


def quoted(text: str) -> str:
    """A constant as an expression: in quotes, with those inside of it and backslashes escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquoted(text: str) -> str:
    """A constant without what `quoted` does to it."""
    if len(text) < 2 or not text[0] == text[-1] == '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def comparable(expression: str) -> str:
    """An expression without the space outside of its texts."""
    parts = re.split(f"({TEXT.pattern})", expression)
    return "".join(part if index % 2 else "".join(part.split()) for index, part in enumerate(parts))


def plain_operator(name: Any) -> str:
    """The name of an operator without what Microsoft spells now so, now otherwise."""
    return str(name).replace("_", "").replace(" ", "").upper()


KNOWN_OPERATORS = {plain_operator(name): name for name in OPERATORS.values()}


def filters_to_graph(filters: Any, spelled: Mapping[str, str]) -> list[dict[str, Any]]:
    """To Graph: filter groups; an object is in scope if one of them holds.

    Args:
        filters: as the resource's inputs have them.
        spelled: operators as this service spells them, by plain name; what is not in it goes as it is.
    """
    return [
        {
            "name": group["name"],
            "clauses": [
                {
                    "operatorName": spelled.get(plain_operator(clause["operator"]), clause["operator"]),
                    "sourceOperandName": clause["attribute"],
                    "targetOperand": {"values": [clause["value"]] if "value" in clause else []},
                }
                for clause in group["clauses"]
            ],
        }
        for group in filters
    ]


def filters_from_graph(groups: Any) -> list[dict[str, Any]]:
    """From Graph: filter groups as the configuration would say them."""
    return [
        {
            "name": group.get("name") or "",
            "clauses": [clause_from_graph(clause) for clause in group.get("clauses") or ()],
        }
        for group in groups or ()
    ]


def clause_from_graph(clause: Json) -> dict[str, Any]:
    """From Graph: one clause; several values, which the configuration cannot say, are shown together.

    What an operator without a value is given all the same, as `[""]`, says nothing.
    """
    values = [str(value) for value in (clause.get("targetOperand") or {}).get("values") or ()]
    name = clause.get("operatorName")
    operator = KNOWN_OPERATORS.get(plain_operator(name), name)
    found = {"attribute": clause.get("sourceOperandName"), "operator": operator}
    return {**found, "value": ", ".join(values)} if values and operator not in UNARY else found


def flows_from_graph(users: Json) -> list[str]:
    """From Graph: what the job does with people, in the order of the configuration."""
    named = {flow.strip().lower() for flow in str(users.get("flowTypes") or "").split(",")}
    return [flow for flow in ("Add", "Update", "Delete") if flow.lower() in named]


# --- changing ----------------------------------------------------------------------------------------------


def live_parts(schema: Json, managed: Json, written: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The managed parts as they are, as the configuration would say them; for `written` see `mapping_from_graph`."""
    users = object_mapping(schema, "User")
    found: dict[str, Any] = {}
    if MAPPINGS in managed:
        found[MAPPINGS] = [
            mapping_from_graph(find(users, one["target"]), one, (written or {}).get(one["target"], ""))
            for one in managed[MAPPINGS]
        ]
    if FILTERS in managed:
        found[FILTERS] = filters_from_graph((users.get("scope") or {}).get("groups"))
    if FLOWS in managed:
        found[FLOWS] = flows_from_graph(users)
    if GROUPS in managed:
        found[GROUPS] = object_mapping(schema, "Group").get("enabled") is True
    return found


def record(schema: Json) -> dict[str, Any]:
    """What of a schema may be changed, to be put back: mappings, filters, flow types and the mapping of groups."""
    users = object_mapping(schema, "User")
    try:
        groups = object_mapping(schema, "Group").get("enabled")
    except UnusableSchemaError:
        groups = None
    kept = {
        MAPPINGS: named_mappings(users),
        FILTERS: (users.get("scope") or {}).get("groups"),
        FLOWS: users.get("flowTypes"),
        GROUPS: groups,
        ORDER: list(named_mappings(users)),
    }
    cleaned: dict[str, Any] = without_annotations(kept)
    return cleaned


def former_parts(managed: Json, before: Json) -> dict[str, Any]:
    """The managed parts as a record has them; a mapping that was not there is None."""
    recorded = {target.lower(): mapping for target, mapping in before[MAPPINGS].items()}
    return {
        part: {one["target"]: recorded.get(one["target"].lower()) for one in managed[MAPPINGS]}
        if part == MAPPINGS
        else before[part]
        for part in PARTS
        if part in managed
    }


def order_of(before: Json) -> Sequence[str]:
    """The order of the mappings in a record; () in those of before it was noted."""
    return before.get(ORDER) or ()


def put_back(schema: Json, former: Json, order: Sequence[str] = ()) -> dict[str, Any]:
    """A schema with former parts in their places; `order` is that of the mappings at first."""
    made: dict[str, Any] = without_annotations(copy.deepcopy(dict(schema)))
    users = object_mapping(made, "User")
    for target, mapping in (former.get(MAPPINGS) or {}).items():
        place(users, target, mapping, order)
    if FILTERS in former:
        others = {name: value for name, value in (users.get("scope") or {}).items() if name != "groups"}
        # There may have been no scope at all; a list in it is never null.
        empty = former[FILTERS] is None and not any(others.values())
        users["scope"] = None if empty else {**others, "groups": former[FILTERS] or []}
    if FLOWS in former:
        users["flowTypes"] = former[FLOWS]
        if former[FLOWS] is None:
            del users["flowTypes"]
    if GROUPS in former and former[GROUPS] is not None:
        object_mapping(made, "Group")["enabled"] = former[GROUPS]
    return made


def place(users: dict[str, Any], target: str, mapping: Json | None, order: Sequence[str] = ()) -> None:
    """Put a mapping in the place of the one to the same attribute, or take that away.

    One that is not there comes after those that came before it in the order, or last.
    """
    mappings = list(users.get("attributeMappings") or ())
    earlier = {name.lower() for name in order[: order.index(target)]} if target in order else None
    free = len(mappings)
    if earlier is not None:
        came_before = (i for i, one in enumerate(mappings) if str(one.get("targetAttributeName")).lower() in earlier)
        free = max(came_before, default=-1) + 1
    there = [i for i, one in enumerate(mappings) if is_to(one, target)]
    start, end = (there[0], there[0] + 1) if there else (free, free)
    mappings[start:end] = [] if mapping is None else [dict(mapping)]
    users["attributeMappings"] = mappings


def unlike_live(users: Json, wanted: Json) -> tuple[list[Json], list[Json]]:
    """The wanted mappings that come from elsewhere than those that are there, and the filters where they differ."""
    mappings = [
        one
        for one in wanted.get(MAPPINGS) or ()
        if "remove" not in one and not same_source((find(users, one["target"]) or {}).get("source") or {}, one)
    ]
    filters = wanted.get(FILTERS) or []
    return mappings, filters if filters_from_graph((users.get("scope") or {}).get("groups")) != filters else []


def put_in(
    schema: Json, wanted: Json, sources: Mapping[str, Json], spelled: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A schema with the wanted parts in their places, and everything else as it was.

    Args:
        schema: as read.
        wanted: the parts, as the resource's inputs have them.
        sources: Graph's form of where values come from, by target attribute; what is not given is derived.
        spelled: see `filters_to_graph`.

    Raises:
        UnusableSchemaError: it has no place for them, does not know an attribute, or people are matched by one of them.
    """
    made: dict[str, Any] = without_annotations(copy.deepcopy(dict(schema)))
    users = object_mapping(made, "User")
    refuse_unknown(schema, *unlike_live(users, wanted))
    for one in wanted.get(MAPPINGS) or ():
        target = one["target"]
        live = find(users, target)
        if live is not None and live.get("matchingPriority"):
            why = f"people are matched by {target}; that mapping cannot be changed"
            raise UnusableSchemaError(why, "remove it from xtsync:attributeMappings")
        if live is not None and "remove" not in one and same_source(live.get("source") or {}, one):
            place(users, target, mapping_to_graph(one, live["source"], live))
        else:
            before = (live or {}).get("source")
            source = None if "remove" in one else sources.get(target) or source_to_graph(one, before)
            place(users, target, None if source is None else mapping_to_graph(one, source, live))
    if FILTERS in wanted and filters_from_graph((users.get("scope") or {}).get("groups")) != wanted[FILTERS]:
        users["scope"] = {**(users.get("scope") or {}), "groups": filters_to_graph(wanted[FILTERS], spelled or {})}
    if FLOWS in wanted and flows_from_graph(users) != wanted[FLOWS]:
        users["flowTypes"] = ", ".join(wanted[FLOWS]) or "None"
    if GROUPS in wanted:
        object_mapping(made, "Group")["enabled"] = True
    return made
