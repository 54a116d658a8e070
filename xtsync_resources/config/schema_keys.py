"""The keys of the job's schema: attribute mappings, scoping filters, user type, flow types.

Source: https://learn.microsoft.com/graph/api/resources/synchronization-attributemapping,
https://learn.microsoft.com/graph/api/resources/synchronization-filter and
https://learn.microsoft.com/entra/identity/app-provisioning/define-conditional-rules-for-provisioning-user-accounts
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..sync_schema.matching import tried
from ..sync_schema.model import OPERATORS, UNARY
from .keys import Items, Object, key
from .kinds import Boolean, Choice, Text
from .problems import Problems

LONGEST_EXPRESSION = 10_000
USER_TYPE = "userType"
MATCHING = "alternativesecurityids"
# The service joins people by the one and refuses or spoils the others as targets.
FORBIDDEN_TARGETS = (MATCHING, "othermails", "proxyaddresses")
FORBIDDEN_OPERANDS = ("appRoleAssignments", USER_TYPE, "manager")


@dataclass(frozen=True)
class AttributeMapping:
    """What an attribute of a person in the target is made from; exactly one of four ways."""

    target: str = key(Text(), "the attribute in the target")
    source: str = key(Text(), "an attribute of the person in the source", default="")
    constant: str | None = key(Text(), "one value for everybody", default=None)
    expression: str = key(
        Text(),
        "an [expression](https://learn.microsoft.com/entra/identity/app-provisioning/"
        "functions-for-customizing-application-data), checked by Graph",
        default="",
    )
    remove: bool = key(Boolean(), "do not map it at all", default=False)
    apply: str = key(
        Choice({"always": "Always", "onCreate": "ObjectAddOnly"}),
        "whether existing people get it too; absent leaves it as it is",
        default="",
    )
    default: str | None = key(Text(), "the value where the source has none", default=None)

    def check(self, problems: Problems, where: str) -> None:
        """Note what the service does not allow, and more or less than one way."""
        ways = [bool(self.source), self.constant is not None, bool(self.expression), self.remove]
        if sum(ways) != 1:
            why = "says how to map nothing" if not any(ways) else "says how to map more than once"
            problems.add(where, None, why, "Give one of source, constant, expression or remove: true")
        if self.remove and (self.apply or self.default is not None):
            problems.add(where, None, "removes what it describes", "Keep remove: true alone with target")
        if self.target.lower() in FORBIDDEN_TARGETS:
            why = "the attribute people are matched by" if self.target.lower() == MATCHING else "not a possible target"
            problems.add(f"{where}.target", self.target, why, "Choose another attribute")
        if len(self.expression) > LONGEST_EXPRESSION:
            why = f"{len(self.expression)} characters long"
            problems.add(f"{where}.expression", None, why, f"Give at most {LONGEST_EXPRESSION}")

    def inputs(self) -> dict[str, Any]:
        """As an input of the resource."""
        way = {"source": self.source, "constant": self.constant, "expression": self.expression, "remove": self.remove}
        chosen: dict[str, Any] = {name: value for name, value in way.items() if value not in ("", None, False)}
        if self.constant == "":
            chosen["constant"] = ""
        more = {"apply": self.apply or None, "default": self.default}
        more |= {"target": self.target}
        return chosen | {name: value for name, value in more.items() if value is not None}


@dataclass(frozen=True)
class Clause:
    """One condition on an attribute of the person in the source."""

    attribute: str = key(Text(), "the attribute in the source")
    operator: str = key(Choice(OPERATORS), "how it is compared; texts are case sensitive")
    value: str | None = key(Text(), "what with; not for `isTrue`, `isFalse`, `isNull`, `isNotNull`", default=None)

    def check(self, problems: Problems, where: str) -> None:
        """Note a missing or needless value, and an attribute that cannot be used."""
        if problems.concern(where):
            return
        if (self.operator in UNARY) != (self.value is None):
            needed = self.value is None
            do = "Give what to compare with" if needed else "Remove it"
            problems.add(f"{where}.value", self.value, "missing" if needed else "not for this operator", do)
        if self.attribute in FORBIDDEN_OPERANDS:
            problems.add(f"{where}.attribute", self.attribute, "cannot be used in a filter", "Choose another attribute")

    def inputs(self) -> dict[str, Any]:
        """As an input of the resource."""
        clause = {"attribute": self.attribute, "operator": self.operator}
        return clause if self.value is None else {**clause, "value": self.value}


@dataclass(frozen=True, kw_only=True)
class FilterGroup:
    """Conditions that must all hold; a person is in scope if one group holds."""

    name: str = key(Text(), "shown in the portal; a group may have none", default="")
    clauses: tuple[Clause, ...] = key(
        Items(Object(Clause, "an object with attribute, operator and value")), "all of them must hold"
    )

    def check(self, problems: Problems, where: str) -> None:
        """Note a group that says nothing: it would hold for everybody, or for nobody."""
        if not self.clauses and not problems.concern(f"{where}.clauses"):
            problems.add(f"{where}.clauses", None, "empty", "Give at least one clause, or remove the group")

    def inputs(self) -> dict[str, Any]:
        """As an input of the resource."""
        return {"name": self.name, "clauses": [clause.inputs() for clause in self.clauses]}


MAPPINGS = Items(Object(AttributeMapping, "an object with target and one of source, constant, expression, remove"))
FILTERS = Items(Object(FilterGroup, "an object with name and clauses"))
FLOW_TYPES = Items(Choice({"add": "Add", "update": "Update", "delete": "Delete"}))


def check_schema(
    problems: Problems, mappings: Sequence[AttributeMapping], user_type: str, flow_types: Sequence[str] | None
) -> None:
    """Note what is said twice."""
    seen = {USER_TYPE.lower()} if user_type else set()
    for index, mapping in enumerate(mappings):
        target = mapping.target.lower()
        if target and target in seen:
            why = "is userType as well" if target == USER_TYPE.lower() and user_type else "mapped twice"
            problems.add(f"attributeMappings[{index}].target", mapping.target, why, "Remove one of the two")
        seen.add(target)
    if flow_types is not None and len(set(flow_types)) != len(flow_types):
        problems.add("flowTypes", None, "names one twice", "Name each once")


def check_patterns(problems: Problems, filters: Sequence[FilterGroup]) -> None:
    """Note regular expressions that are none; all are looked at together, as that may take long."""
    clauses = {
        f"scopingFilters[{place}].clauses[{inner}].value": clause.value or ""
        for place, group in enumerate(filters)
        for inner, clause in enumerate(group.clauses)
        if "REGEX" in clause.operator
    }
    found = tried(dict.fromkeys(clauses.values(), ()))
    for where, pattern in clauses.items():
        if error := found[pattern].error:
            problems.add(where, pattern, f"not a regular expression: {error}", "Correct it")
