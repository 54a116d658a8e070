"""Promise 7: what a run has written whose end nobody saw, and which is taken back then, does not stay unseen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lab.entra import Fault
from lab.entra.faults import Faults
from lab.entra.gateway import Incoming
from tests.scenarios.stacks import Lab, changed, messages, told
from tests.scenarios.steps import made_by_hand
from tests.scenarios.tenants import synchronization

ALICE, BOB, CAROL, DAVE = (f"{name}@contoso.com" for name in ("alice", "bob", "carol", "dave"))
ONLY_BOB = [{"name": "Only Bob", "clauses": [{"attribute": "userPrincipalName", "operator": "equals", "value": BOB}]}]


class Outage(Faults):
    """From a write on, which is carried out, this stack gets no more answers."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__()
        self._method, self._path, self.began = method, path, False

    def take(self, tenant: str | None, call: Incoming) -> Fault | None:
        if self.began and call.version and call.client.startswith("xtsync"):
            return Fault(status=503, code="ServiceUnavailable")
        if call.method == self._method and re.search(self._path, call.below):
            self.began = True
            return Fault(status=504, code="UnknownError", when="after")
        return super().take(tenant, call)


def cut_off(lab: Lab, method: str, path: str) -> None:
    """Run an `up` that never hears of what it writes."""
    lab.stack.environment["XTSYNC_DEADLINE_MINUTES"] = "0.1"
    outage = Outage(method, path)
    lab.entra.faults = outage
    lab.stack.run("up", fails=True)
    assert outage.began
    lab.entra.faults = Faults()
    del lab.stack.environment["XTSYNC_DEADLINE_MINUTES"]


CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "threshold": ({"xtsync:deletionThreshold": 2}, {"xtsync:deletionThreshold": 400}, "PUT", "/secrets$"),
    "pause": ({"xtsync:running": True}, {"xtsync:running": False}, "POST", "/pause$"),
    "start": ({"xtsync:running": False}, {"xtsync:running": True}, "POST", "/start$"),
    "trust": (
        {"xtsync:inboundTrust": {"mfa": False}},
        {"xtsync:inboundTrust": {"mfa": True, "compliantDevice": True}},
        "PATCH",
        "/partners/[^/]+$",
    ),
    "groups": ({}, {"xtsync:syncGroups": True}, "PATCH", "/identitySynchronization$"),
    "mapping": (
        {"xtsync:attributeMappings": [{"target": "department", "constant": "Right"}]},
        {"xtsync:attributeMappings": [{"target": "department", "constant": "Wrong"}]},
        "PUT",
        "/schema$",
    ),
    "filter": (
        {"xtsync:scopingFilters": ONLY_BOB, "xtsync:users": [ALICE, BOB]},
        {"xtsync:scopingFilters": [{**ONLY_BOB[0], "name": "Only Bob again"}]},
        "POST",
        "/pause$",
    ),
    "filter that is written": (
        {"xtsync:flowTypes": ["add", "update", "delete"], "xtsync:users": [ALICE, BOB]},
        {"xtsync:scopingFilters": ONLY_BOB},
        "PUT",
        "/schema$",
    ),
}


def said(settings: Any) -> Any:
    """What settings say: nothing by nulls, what is empty or shut; and no version, which counts writes."""
    if isinstance(settings, dict):
        kept = {key: said(value) for key, value in sorted(settings.items()) if key != "version"}
        return {key: value for key, value in kept.items() if value not in (None, {}, [], {"isSyncAllowed": False})}
    return [*map(said, settings)] if isinstance(settings, list | tuple) else settings


def wanted_state(lab: Lab) -> dict[str, Any]:
    """What a stack file decides: policies, settings, schema, and whether the job runs."""
    (job,) = lab.jobs()
    found = {
        "policies": (lab.source_partner, lab.target_partner),
        "identity sync": [
            one.identity_sync and one.identity_sync.members for one in lab.target.policies.partners.values()
        ],
        "secrets": dict(synchronization(lab).secrets),
        "schema": job.schema,
        "runs": job.schedule_state,
    }
    return {key: said(value) for key, value in found.items()}


@pytest.mark.real
@pytest.mark.parametrize("what", CHANGES)
def test_promise_7_a_change_that_is_taken_back_is_taken_back(lab: Lab, what: str) -> None:
    first, then, method, path = CHANGES[what]
    lab.stack.config |= first
    lab.stack.run("up")
    lab.pass_time()
    was = wanted_state(lab)
    config = dict(lab.stack.config)
    lab.stack.config |= then
    cut_off(lab, method, path)
    lab.stack.config = config
    preview = lab.stack.run("preview")
    assert changed(preview), "the failed run is not forgotten"
    assert any("the last run sent a change and did not see its end" in one.message for one in preview.diagnostics)
    lab.stack.run("up")
    assert wanted_state(lab) == was
    again = lab.stack.run("up", expect_no_changes=True)
    assert changed(again) == {}
    assert not any("did not see its end" in one.message for one in again.diagnostics)


@pytest.mark.parametrize("what", CHANGES)
def test_promise_7_a_change_that_is_kept_goes_on(lab: Lab, what: str) -> None:
    first, then, method, path = CHANGES[what]
    lab.stack.config |= first
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.config |= then
    cut_off(lab, method, path)
    lab.stack.run("up")
    assert changed(lab.stack.run("up", expect_no_changes=True)) == {}
    assert changed(lab.stack.run("up", refresh=True)) == {}
    assert lab.jobs()[0].schedule_state == ("Paused" if what == "pause" else "Active")


# --- a pair that was there before --------------------------------------------------------------------------------


FIRST_WRITES: dict[str, tuple[dict[str, Any], str, str]] = {
    "job": ({}, "POST", "/pause$"),
    "settings": ({"xtsync:deletionThreshold": 400}, "PUT", "/secrets$"),
    "partner policy": ({"xtsync:inboundTrust": {"mfa": True}}, "PATCH", "/partners/[^/]+$"),
    "schema": ({"xtsync:scopingFilters": ONLY_BOB}, "PUT", "/schema$"),
}


@pytest.mark.real
@pytest.mark.parametrize("way", ["destroy", "up and destroy"])
@pytest.mark.parametrize("what", FIRST_WRITES)
def test_promise_5_what_was_adopted_is_as_it_was_found(lab: Lab, what: str, way: str) -> None:
    lab.stack.config |= {"xtsync:users": [ALICE, BOB], "xtsync:deletionThreshold": 2}
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    was, people = wanted_state(lab), lab.arrived()
    then, method, path = FIRST_WRITES[what]
    config = dict(lab.stack.config)
    lab.stack.config |= then
    cut_off(lab, method, path)
    if way == "up and destroy":
        lab.stack.config = config
        said = told(lab.stack.run("preview"), "job")
        assert "does not run" not in said
        lab.stack.run("up")
        assert changed(lab.stack.run("up", expect_no_changes=True)) == {}
    lab.stack.run("destroy")
    assert wanted_state(lab) == was
    lab.pass_time()
    assert lab.arrived() == people


# --- killed while the schema was written for the first time -------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("way", ["destroy", "back"])
@pytest.mark.parametrize("whose", ["adopted", "own"])
@pytest.mark.parametrize(
    "then",
    [
        {"xtsync:scopingFilters": ONLY_BOB},
        {"xtsync:flowTypes": ["add"], "xtsync:attributeMappings": [{"target": "department", "constant": "Ours"}]},
    ],
)
def test_promise_7_what_a_killed_run_wrote_of_the_schema_is_put_back(
    lab: Lab, then: dict[str, Any], whose: str, way: str
) -> None:
    lab.stack.config["xtsync:users"] = [ALICE, BOB]
    lab.stack.run("up")
    lab.pass_time()
    if whose == "adopted":
        made_by_hand(lab.stack)
    was, people = wanted_state(lab), lab.arrived()
    config = dict(lab.stack.config)
    lab.stack.config |= then
    cut_off(lab, "PUT", "/schema$")
    # A kill leaves nothing of what was being made.
    lab.stack.keep_only(lambda resource: not resource["type"].endswith(":SyncSchema"))
    lab.stack.config = config
    if way == "back":
        said = told(lab.stack.run("up"), "schema-baseline")
        assert "puts back what a run that was cut off has written of the job's schema" in said
        assert changed(lab.stack.run("up", expect_no_changes=True)) == {}
        assert wanted_state(lab) == was
    lab.pass_time()
    lab.stack.run("destroy")
    if whose == "adopted":
        assert wanted_state(lab) == was
    lab.pass_time()
    assert lab.arrived() == people


@pytest.mark.parametrize("killed", [True, False])
def test_promise_5_a_door_that_a_killed_run_opened_is_shut_at_the_end(lab: Lab, *, killed: bool) -> None:
    lab.stack.config["xtsync:users"] = [ALICE]
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    was = wanted_state(lab)
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True, "compliantDevice": True}
    cut_off(lab, "PATCH", "/partners/[^/]+$")
    assert lab.target_partner is not None
    assert lab.target_partner["inboundTrust"]["isMfaAccepted"] is True
    if killed:
        lab.stack.keep_only(lambda resource: not resource["urn"].endswith("-target-partner"))
    lab.stack.run("destroy")
    assert wanted_state(lab) == was


# --- a drain -------------------------------------------------------------------------------------------------------


def test_promise_6_a_drain_is_not_half_agreed(lab: Lab) -> None:
    lab.stack.config["xtsync:neverRemove"] = [ALICE]
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    lab.stack.config |= {"xtsync:onDestroy": "drain", "xtsync:deadlineMinutes": 0.2}
    lab.entra.faults.add(Fault(method="GET", path="/groups/[^/]+/members", status=503, code="Unavailable", times=999))
    result = lab.stack.run("up")
    assert "the people could not be counted" in told(result, "scope")
    assert result.outputs["onDestroy"].startswith("drain: ")
    lab.entra.faults.clear()
    assert "and xtsync:neverRemove names them" in "\n".join(messages(lab.stack.run("destroy", fails=True)))
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_6_a_drain_is_said_in_a_run_of_its_own(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    lab.stack.config |= {"xtsync:onDestroy": "drain", "xtsync:users": []}
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert "Will not set xtsync:onDestroy to drain while somebody leaves the scope" in text
    lab.stack.run("destroy")
    lab.pass_time()
    assert lab.arrived() == people
