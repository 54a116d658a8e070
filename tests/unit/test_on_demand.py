"""What provisioning on demand answers, in all the forms that were seen, and how quickly it may be asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.graph_fakes import SettableClock
from xtsync_resources.graph.pace import Pace
from xtsync_resources.on_demand.operations import Verdict, read_verdict, rule_for_users


def step(status: str, code: str = "", reason: str = "") -> dict[str, Any]:
    return {"name": "EntryExportAdd", "status": status, "statusInfo": {"errorCode": code, "reason": reason}}


def answer(value: Any, key: Any = "Microsoft.Identity.Health.CPP.Common.DataContracts.SyncFabric.StatusInfo") -> Any:
    return {"key": key, "value": json.dumps(value)}


@pytest.mark.parametrize(
    ("found", "result", "code", "good"),
    [
        (answer([{"provisioningSteps": [step("Success"), step("Success")]}]), "Success", "", True),
        (answer({"provisioningSteps": [step("success")]}), "Success", "", True),
        (answer([{"provisioningSteps": [step("Success"), step("Skipped", "RedundantExport")]}]), "Skipped",
         "RedundantExport", True),
        (answer([{"provisioningSteps": [step("Success"), step("Failure", "X", "no")]}]), "Failure", "X", False),
        (answer([{"provisioningSteps": [step("Failure", "X"), step("Success")]}]), "Failure", "X", False),
        (answer([{"provisioningSteps": [step("Warning")]}]), "Warning", "", True),
        (answer({}, json.dumps({"result": "Skipped", "details": {"errorCode": "NotEffectivelyEntitled"}})), "Skipped",
         "NotEffectivelyEntitled", False),
        (answer({"result": "Success", "provisioningSteps": [step("Success", "None")]}), "Success", "", True),
        (answer([{"statusInfo": {"status": "Failure", "errorCode": "Y"}}]), "Failure", "Y", False),
        (answer([{"provisioningSteps": [step("Failure", "Z", '{"Message": "inside"}')]}]), "Failure", "Z", False),
        (answer([]), "Unknown", "", False),
        ({"key": "x", "value": "not JSON"}, "Unknown", "", False),
        ({}, "Unknown", "", False),
    ],
)  # fmt: skip
def test_a_verdict_is_read_from_every_form(found: Any, result: str, code: str, good: bool) -> None:
    verdict = read_verdict(found)
    assert (verdict.result, verdict.code, verdict.good) == (result, code, good)


def test_verdicts_in_words() -> None:
    assert str(Verdict("Success")) == "Success"
    assert str(Verdict("Skipped", "RedundantExport", "x")) == "Success: nothing to change"
    assert str(Verdict("Failure", "X", "it broke")) == "Failure (X): it broke"


def rule(identifier: str, supports: str | None, source: str = "User", enabled: bool = True) -> dict[str, Any]:
    metadata = [] if supports is None else [{"key": "supportsProvisionOnDemand", "value": supports}]
    mapping = {"sourceObjectName": source, "enabled": enabled}
    return {"id": identifier, "metadata": metadata, "objectMappings": [mapping]}


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([rule("a", "True")], "a"),
        ([rule("a", None), rule("b", "True")], "b"),
        ([rule("a", "False"), rule("b", None)], "b"),
        ([rule("a", "True", source="Group"), rule("b", "True", enabled=False)], ""),
        ([], ""),
    ],
)
def test_the_rule_for_users(rules: list[Any], found: str) -> None:
    assert rule_for_users({"synchronizationRules": rules}) == found


def test_the_pace_lets_five_through_and_then_waits_no_longer_than_it_has_to() -> None:
    clock = SettableClock()
    pace = Pace(clock)
    for _ in range(5):
        pace.wait()
    assert clock.slept == []
    clock.sleep(4)
    pace.wait()
    assert clock.slept == [4, 6]
    clock.sleep(20)
    pace.wait()
    assert clock.slept == [4, 6, 20]


def test_a_verdict_is_not_as_long_as_graph_likes() -> None:
    """It is kept in the state, and told with those of everybody else."""
    long = {"result": "Failure", "details": {"errorCode": "x" * 10_000, "reason": "ö" * 10**6}}
    assert len(str(read_verdict({"value": long}))) < 5000
