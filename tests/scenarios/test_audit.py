"""Every write is in the audit, once, and nothing secret is; a write that cannot be recorded is not made."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lab.entra import Exchange, Fault
from tests.fixtures.record import EVERYTHING
from tests.scenarios.stacks import CANARIES, Lab, messages, writes

pytestmark = pytest.mark.real
# Asked of Graph by POST, and nothing is changed by it.
ASKED = re.compile(r"/(validateCredentials|parseExpression)$")


@pytest.fixture
def audit(lab: Lab, tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    lab.stack.environment |= {"XTSYNC_AUDIT": str(path), "XTSYNC_RUN": "change 4711"}
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    """The writes, each with its answer."""
    found: dict[str, dict[str, Any]] = {}
    for line in map(json.loads, path.read_text().splitlines()):
        found.setdefault(line["write"], {}).update(line)
    return list(found.values())


def written(calls: list[Exchange]) -> list[tuple[str, str, str]]:
    return sorted(
        (str(call.tenant_id), call.method, call.path)
        for call in writes(calls)
        if call.version and not ASKED.search(call.path)
    )


def recorded(path: Path) -> list[tuple[str, str, str]]:
    return sorted((line["tenant"]["id"], line["method"], line["object"]) for line in lines(path))


def test_every_write_of_a_life_is_recorded(lab: Lab, audit: Path) -> None:
    stack = lab.stack
    stack.config |= {**EVERYTHING, "xtsync:onDestroy": "release"}
    stack.run("up")
    lab.pass_time()
    stack.config |= {"xtsync:inboundTrust": {"mfa": False}, "xtsync:groups": [], "xtsync:deletionThreshold": 30}
    stack.run("up")
    stack.run("destroy")
    assert recorded(audit) == written(lab.entra.traffic)
    found = lines(audit)
    assert {line["run"] for line in found} == {"change 4711"}
    assert {line["stack"] for line in found} == {"dev"}
    assert all(line["resource"] and line["time"].endswith("Z") and line["action"] for line in found)
    ids = {call.request_id for call in writes(lab.entra.traffic)} | {c.request_id for c in lab.entra.traffic}
    assert all(line["requestId"] in ids for line in found if "requestId" in line)
    assert sum("requestId" not in line for line in found) == 3  # what azuread makes: the application, two assignments
    assert not any(canary in audit.read_text() for canary in CANARIES)
    left = next(line for line in found if line["resource"] == "pair-scope" and line["action"].startswith("remove"))
    assert {"field": "principalDisplayName", "old": "Finance"} in left["changes"]
    assert "of Finance (" in left["action"]
    made = {line["action"] for line in found if line["object"].endswith("appRoleAssignedTo")}
    assert made == {"assign a user or group: alice@contoso.com", "assign a user or group: Finance"}
    threshold = "value[SyncNotificationSettings].value.DeleteThresholdValue"
    changes = [change for line in found for change in line["changes"]]
    assert {"field": threshold, "old": 20, "new": 30} in changes
    trust = [change for change in changes if change["field"] == "inboundTrust.isMfaAccepted"]
    assert trust[:2] == [
        {"field": "inboundTrust.isMfaAccepted", "new": True},
        {"field": "inboundTrust.isMfaAccepted", "old": True, "new": False},
    ]


def test_a_refused_write_is_recorded_as_refused(lab: Lab, audit: Path) -> None:

    lab.entra.faults.add(
        Fault(method="POST", path="/partners$", status=403, code="Authorization_RequestDenied", times=9)
    )
    lab.stack.run("up", fails=True)
    refused = [line for line in lines(audit) if line["status"] == 403]
    assert refused
    assert all(line["object"].endswith("/partners") and line["requestId"] for line in refused)


def test_nothing_is_written_that_cannot_be_recorded(lab: Lab, tmp_path: Path) -> None:
    lab.stack.environment["XTSYNC_AUDIT"] = str(tmp_path / "missing" / "audit.jsonl")
    before = lab.entra.snapshot()
    result = lab.stack.run("up", fails=True)
    told = [message for message in messages(result) if "XTSYNC_AUDIT" in message]
    assert told
    assert all("Cannot record what is written in the" in message for message in told)
    assert lab.entra.snapshot() == before
