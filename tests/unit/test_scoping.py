"""Who would be in scope of the configured filters, evaluated offline."""

from __future__ import annotations

from typing import Any

import pytest

from xtsync_resources.config.schema_keys import OPERATORS, Clause, FilterGroup
from xtsync_resources.scoping import TESTS, attributes_needed, evaluate

USER: dict[str, Any] = {
    "id": "1",
    "department": "Sales",
    "employeeId": "42",
    "accountEnabled": True,
    "city": None,
    "userPrincipalName": "alice@contoso.com",
}


def group(attribute: str, operator: str, value: str | None = None, name: str = "g") -> FilterGroup:
    return FilterGroup(name=name, clauses=(Clause(attribute, OPERATORS[operator], value),))


def test_every_operator_can_be_evaluated() -> None:
    assert set(TESTS) == set(OPERATORS.values())


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "holds"),
    [
        ("department", "equals", "Sales", True),
        ("department", "equals", "sales", False),
        ("department", "notEquals", "Legal", True),
        ("department", "notEquals", "Sales", False),
        ("city", "equals", "", False),
        ("city", "notEquals", "Paris", False),
        ("city", "notMatches", "P.*", False),
        ("city", "isNull", None, True),
        ("city", "isNotNull", None, False),
        ("accountEnabled", "isTrue", None, True),
        ("accountEnabled", "isFalse", None, False),
        ("employeeId", "matches", "[0-9]+", True),
        ("employeeId", "matches", "[a-z]", False),
        ("employeeId", "matches", "4", None),
        ("employeeId", "notMatches", "[0-9]+", False),
        ("employeeId", "notMatches", "4", None),
        ("employeeId", "greaterThan", "41", True),
        ("employeeId", "greaterThan", "42", False),
        ("employeeId", "greaterThanOrEquals", "42", True),
        ("department", "greaterThan", "1", None),
        ("userPrincipalName", "includes", "@contoso", True),
        ("userPrincipalName", "endsWith", "@contoso.com", True),
        ("userPrincipalName", "endsWith", "@contoso", False),
        ("extensionAttribute1", "equals", "x", None),
        ("jobTitle", "equals", "x", None),
    ],
)
def test_a_clause(attribute: str, operator: str, value: str | None, holds: bool | None) -> None:
    assert evaluate([group(attribute, operator, value)], USER).holds is holds


def test_all_clauses_of_one_group_must_hold() -> None:
    both = FilterGroup(name="both", clauses=(Clause("department", "EQUALS", "Sales"), Clause("city", "IS NOT NULL")))
    assert evaluate([both], USER).holds is False
    assert evaluate([both], USER).why == "both: city IS NOT NULL, but it is None"
    assert evaluate([both, group("department", "equals", "Sales")], USER).holds is True
    assert evaluate([both, group("jobTitle", "isNull")], USER).holds is None
    assert "jobTitle is not known here" in evaluate([both, group("jobTitle", "isNull")], USER).why
    assert evaluate([], USER).holds is True


def test_a_clause_that_fails_outweighs_one_that_is_unsure() -> None:
    mixed = FilterGroup(name="mixed", clauses=(Clause("jobTitle", "IS NULL"), Clause("department", "EQUALS", "Legal")))
    verdict = evaluate([mixed], USER)
    assert (verdict.holds, verdict.why) == (False, "mixed: department EQUALS 'Legal', but it is 'Sales'")


def test_only_what_graph_knows_is_asked_for() -> None:
    filters = [group("objectId", "isNotNull"), group("extensionAttribute1", "isNull"), group("mobile", "isNull")]
    assert attributes_needed(filters) == ["id", "mobilePhone"]
