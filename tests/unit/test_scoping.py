"""Who would be in scope of the configured filters, evaluated offline."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.stack_files import parsed, scoped
from xtsync_resources.config.schema_keys import Clause, FilterGroup
from xtsync_resources.operate.scoping import PATTERNS, TESTS, attributes_needed, evaluate
from xtsync_resources.sync_schema import matching
from xtsync_resources.sync_schema.model import OPERATORS

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
    assert {*TESTS, *PATTERNS} == {*OPERATORS.values()}
    assert not {*TESTS} & {*PATTERNS}


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
    assert evaluate([group(attribute, operator, value)], [USER])[0].holds is holds


def test_all_clauses_of_one_group_must_hold() -> None:
    both = FilterGroup(name="both", clauses=(Clause("department", "EQUALS", "Sales"), Clause("city", "IS NOT NULL")))
    assert evaluate([both], [USER])[0].holds is False
    assert evaluate([both], [USER])[0].why == "both: city IS NOT NULL, but it is not set"
    assert evaluate([both, group("department", "equals", "Sales")], [USER])[0].holds is True
    assert evaluate([both, group("jobTitle", "isNull")], [USER])[0].holds is None
    assert "jobTitle is not known here" in evaluate([both, group("jobTitle", "isNull")], [USER])[0].why
    assert evaluate([], [USER])[0].holds is True


def test_a_clause_that_fails_outweighs_one_that_is_unsure() -> None:
    mixed = FilterGroup(name="mixed", clauses=(Clause("jobTitle", "IS NULL"), Clause("department", "EQUALS", "Legal")))
    verdict = evaluate([mixed], [USER])[0]
    assert (verdict.holds, verdict.why) == (False, 'mixed: department EQUALS "Legal", but it is "Sales"')


def test_only_what_graph_knows_is_asked_for() -> None:
    filters = [group("objectId", "isNotNull"), group("extensionAttribute1", "isNull"), group("mobile", "isNull")]
    assert attributes_needed(filters) == ["id", "mobilePhone"]


@pytest.mark.parametrize("pattern", ["(.+)+!", "(a|a)*!", "((.*)*)*!", "(.*,){30}!"])
@pytest.mark.parametrize("operator", ["matches", "notMatches"])
def test_a_pattern_that_comes_to_no_end_is_ended(operator: str, pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python itself would be at it for years, and not hear Ctrl-C."""
    monkeypatch.setattr(matching, "MATCH_SECONDS", 0.5)
    verdicts = evaluate([group("city", operator, pattern)], [{"city": "a" * 60 + "," * 60}, {"city": "Oslo"}])
    assert [verdict.holds for verdict in verdicts] == [None, None]
    assert "takes too long to find out" in verdicts[0].why


def test_many_patterns_that_come_to_no_end_have_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found out before the first of them counts; a pattern each of its own must not take its own time."""
    monkeypatch.setattr(matching, "MATCH_SECONDS", 1.0)
    patterns = ["O.*o", *(f"(.+)+!{number}" for number in range(1000))]
    began = time.monotonic()
    verdicts = evaluate([group("city", "matches", one) for one in patterns], [{"city": "a" * 60}, {"city": "Oslo"}])
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert [verdict.holds for verdict in verdicts] == [None, True]


def test_a_pattern_that_takes_long_to_understand_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of an hour of Python's time, in a stack file of some 300 KB."""
    monkeypatch.setattr(matching, "MATCH_SECONDS", 1.0)
    pattern = "(?i)" + "[\u0100-\ud7a3]" * 40_000
    began = time.monotonic()
    found = parsed(**scoped(attribute="mail", operator="matches", value=pattern))
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert found.scoping_filters


@pytest.mark.parametrize("pattern", ["(", r"\p{Lu}+", "(?>a)b(?<!x*)", "(((a{1000}){1000}){1000}){1000}", "(" * 5000])
def test_a_pattern_that_only_the_service_may_know_is_unsure(pattern: str) -> None:
    assert evaluate([group("city", "matches", pattern)], [{"city": "Oslo"}])[0].holds in (None, False)


def test_who_looks_at_patterns_has_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    real, seen = subprocess.run, []

    def run(*arguments: Any, **options: Any) -> Any:
        seen.append(options["env"])
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setenv("XTSYNC_SOURCE_CLIENT_SECRET", "x")
    people = [{"city": f"Oslo {number}"} for number in range(1000)]
    verdicts = evaluate([group("city", "matches", "Oslo [0-9]*5"), group("city", "matches", "Bergen")], people)
    assert sum(bool(verdict.holds) for verdict in verdicts) == 100
    assert [{*one} - {"SYSTEMROOT"} for one in seen] == [set()]
