"""Scoping filters and mapped values, as a cycle uses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lab.entra.directory.models import User
from lab.entra.routing import Answer, Call
from lab.entra.synchronization.schema import object_mapping

_COLUMNS = {
    "accountEnabled": "account_enabled",
    "department": "department",
    "displayName": "display_name",
    "mail": "mail",
    "objectId": "id",
    "userPrincipalName": "user_principal_name",
}


def in_scope(schema: Mapping[str, Any], user: User) -> bool:
    """Whether one of the filter groups of the user mapping holds; without any, everybody is in scope."""
    groups = (object_mapping(dict(schema), "User").get("scope") or {}).get("groups") or []
    return not groups or any(all(_holds(clause, user) for clause in group["clauses"]) for group in groups)


# As the operators are listed for authors; the pages that explain them spell the last four in other ways too.
OPERATORS = (
    *("EQUALS", "IS FALSE", "IS NOT NULL", "IS NULL", "IS TRUE", "NOT EQUALS", "NOT REGEX MATCH", "REGEX MATCH"),
    *("ENDS_WITH", "GREATER_THAN", "GREATER_THAN_OR_EQUALS", "INCLUDES"),
)


def filter_operators(call: Call) -> Answer:
    """GET schema/filterOperators."""
    unary = ("IS FALSE", "IS NOT NULL", "IS NULL", "IS TRUE")
    shape = {"multivaluedComparisonType": "All", "supportedAttributeTypes": ["String"]}
    value = [{"name": name, "arity": "Unary" if name in unary else "Binary", **shape} for name in OPERATORS]
    return Answer(200, {"@odata.context": call.context("Collection(filterOperatorSchema)"), "value": value})


def _holds(clause: Mapping[str, Any], user: User) -> bool:
    # An attribute that nobody has is taken, and empty for everybody.
    value = getattr(user, _COLUMNS.get(clause["sourceOperandName"], ""), None)
    wanted = [str(one) for one in clause["targetOperand"]["values"]]
    text = "" if value is None else str(value)
    if not text:
        return bool(clause["operatorName"] == "IS NULL")
    match clause["operatorName"]:
        case "EQUALS":
            return text in wanted
        case "NOT EQUALS":
            return text not in wanted
        case "IS TRUE":
            return value is True
        case "IS FALSE":
            return value is False
        case "IS NULL":
            return False
        case "IS NOT NULL":
            return True
        case "REGEX MATCH":
            return any(re.fullmatch(one, text) for one in wanted)
        case "NOT REGEX MATCH":
            return not any(re.fullmatch(one, text) for one in wanted)
        case "INCLUDES":
            return any(one in text for one in wanted)
        case "ENDS_WITH":
            return any(text.endswith(one) for one in wanted)
        case "GREATER_THAN":
            return any(int(text) > int(one) for one in wanted)
        case "GREATER_THAN_OR_EQUALS":
            return any(int(text) >= int(one) for one in wanted)
        case other:
            raise NotImplementedError(other)


def mapped(schema: Mapping[str, Any], user: User, target: str) -> Any:
    """What flows to an attribute: as mapped; functions are not evaluated and give the value of the same name."""
    column = _COLUMNS[target]
    for one in object_mapping(dict(schema), "User").get("attributeMappings", []):
        if one["targetAttributeName"] == target:
            source = one["source"]
            if source["type"] == "Constant":
                return source["expression"].strip('"')
            if source["type"] == "Attribute" and source["name"] in _COLUMNS:
                return getattr(user, _COLUMNS[source["name"]])
            return getattr(user, column)
    return None
