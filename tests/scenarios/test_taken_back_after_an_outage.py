"""Promise 7: what a run has written whose end nobody saw, and which is taken back then, does not stay unseen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

from lab.entra import Fault
from lab.entra.faults import Faults
from lab.entra.gateway import Incoming
from tests.scenarios.stacks import Command, Lab, changed, messages, told, writes
from tests.scenarios.steps import held_back, made_by_hand
from tests.scenarios.tenants import synchronization

ALICE, BOB, CAROL, DAVE = (f"{name}@contoso.com" for name in ("alice", "bob", "carol", "dave"))
ONLY_BOB = [{"name": "Only Bob", "clauses": [{"attribute": "userPrincipalName", "operator": "equals", "value": BOB}]}]


class Outage(Faults):
    """From a write on, which is carried out or not, this stack gets no more answers."""

    def __init__(self, method: str, path: str, *, done: bool) -> None:
        super().__init__()
        self._method, self._path, self.began = method, path, False
        self._fault = Fault(status=504, code="UnknownError", when="after" if done else "before")

    def take(self, tenant: str | None, call: Incoming) -> Fault | None:
        if self.began and call.version and call.client.startswith("xtsync"):
            return Fault(status=503, code="ServiceUnavailable")
        if call.method == self._method and re.search(self._path, call.below):
            self.began = True
            return self._fault
        return super().take(tenant, call)


def cut_off(lab: Lab, method: str, path: str, *, done: bool = True) -> None:
    """Run an `up` that never hears of what it writes."""
    lab.stack.environment["XTSYNC_DEADLINE_MINUTES"] = "0.1"
    outage = Outage(method, path, done=done)
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
    "trust that is dropped": (
        {"xtsync:inboundTrust": {"mfa": True, "compliantDevice": True}},
        {"xtsync:inboundTrust": {"compliantDevice": True}},
        "PATCH",
        "/partners/[^/]+$",
    ),
    "groups": ({}, {"xtsync:syncGroups": True}, "PATCH", "/identitySynchronization$"),
    "groups that are dropped": (
        {"xtsync:syncGroups": True},
        {"xtsync:syncGroups": False},
        "PATCH",
        "/identitySynchronization$",
    ),
    "address": ({}, {"xtsync:notifyEmail": "operators@contoso.com"}, "PUT", "/secrets$"),
    "address that is dropped": (
        {"xtsync:notifyEmail": "operators@contoso.com"},
        {"xtsync:notifyEmail": ""},
        "PUT",
        "/secrets$",
    ),
    "filter that is dropped": (
        {
            "xtsync:flowTypes": ["add", "update", "delete"],
            "xtsync:scopingFilters": ONLY_BOB,
            "xtsync:users": [ALICE, BOB],
        },
        {"xtsync:scopingFilters": []},
        "PUT",
        "/schema$",
    ),
    "mapping that is dropped": (
        {
            "xtsync:flowTypes": ["add", "update", "delete"],
            "xtsync:attributeMappings": [
                {"target": "department", "constant": "One"},
                {"target": "jobTitle", "constant": "Two"},
            ],
        },
        {"xtsync:attributeMappings": [{"target": "department", "constant": "One"}]},
        "PUT",
        "/schema$",
    ),
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
    "filter that is new": (
        {"xtsync:flowTypes": ["add", "update", "delete"], "xtsync:users": [ALICE, BOB]},
        {"xtsync:scopingFilters": ONLY_BOB},
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


def undisturbed(lab: Lab, what: str) -> dict[str, Any]:
    """What an `up` makes of a change that nothing disturbs; it is taken back again."""
    first, then, *_ = CHANGES[what]
    lab.stack.config |= first
    lab.stack.run("up")
    lab.pass_time()
    config = dict(lab.stack.config)
    lab.stack.config |= then
    lab.stack.run("up")
    wanted = wanted_state(lab)
    lab.stack.config = config
    lab.stack.run("up")
    return wanted


def on_the_real_engine(rows: Iterable[str], *real: str) -> list[Any]:
    return [pytest.param(row, marks=pytest.mark.real) if row in real else row for row in rows]


@pytest.mark.parametrize("what", on_the_real_engine(CHANGES, "threshold", "filter"))
def test_promise_7_a_change_that_is_taken_back_is_taken_back(lab: Lab, what: str) -> None:
    taken_back(lab, what, done=True)


@pytest.mark.parametrize("what", ["trust that is dropped", "mapping that is dropped", "filter that is new"])
def test_promise_7_a_change_that_was_not_made_is_taken_back(lab: Lab, what: str) -> None:
    taken_back(lab, what, done=False)


def taken_back(lab: Lab, what: str, *, done: bool) -> None:
    first, then, method, path = CHANGES[what]
    lab.stack.config |= first
    lab.stack.run("up")
    lab.pass_time()
    was = wanted_state(lab)
    config = dict(lab.stack.config)
    lab.stack.config |= then
    cut_off(lab, method, path, done=done)
    lab.stack.config = config
    preview = lab.stack.run("preview")
    assert changed(preview), "the failed run is not forgotten"
    assert any("the last run sent a change and did not see its end" in one.message for one in preview.diagnostics)
    lab.stack.run("up")
    assert wanted_state(lab) == was
    again = lab.stack.run("up", expect_no_changes=True)
    assert changed(again) == {}
    assert not any("did not see its end" in one.message for one in again.diagnostics)


@pytest.mark.parametrize(
    ("what", "done"),
    [
        *((what, True) for what in CHANGES if "dropped" not in what),
        *((what, False) for what in CHANGES if "dropped" in what or what == "filter that is new"),
    ],
)
def test_promise_7_a_change_that_is_kept_goes_on(lab: Lab, what: str, *, done: bool) -> None:
    wanted = undisturbed(lab, what)
    _, then, method, path = CHANGES[what]
    lab.stack.config |= then
    cut_off(lab, method, path, done=done)
    before = len(lab.entra.traffic)
    lab.stack.run("up")
    assert wanted_state(lab) == wanted
    if what.startswith("filter"):
        written = [call.path.rsplit("/", 1)[-1] for call in writes(lab.calls_since(before)) if "/jobs/" in call.path]
        assert written == (["schema", "start"] if done or path == "/schema$" else ["pause", "schema", "start"])
    assert changed(lab.stack.run("up", expect_no_changes=True)) == {}
    assert changed(lab.stack.run("up", refresh=True)) == {}


@pytest.mark.parametrize("what", ["trust that is dropped", "groups that are dropped", "address that is dropped"])
def test_promise_7_a_refresh_in_between_forgets_nothing(lab: Lab, what: str) -> None:
    wanted = undisturbed(lab, what)
    _, then, method, path = CHANGES[what]
    lab.stack.config |= then
    cut_off(lab, method, path, done=False)
    lab.stack.run("refresh")
    lab.stack.run("up")
    assert wanted_state(lab) == wanted


def test_promise_6_what_may_be_let_go_is_asked_again(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    lab.stack.config |= {"xtsync:deletionThreshold": 500, "xtsync:allowDeletions": 2}
    cut_off(lab, "PUT", "/secrets$", done=False)
    lab.stack.config["xtsync:allowDeletions"] = 0
    assert "holds back the deletion of 2 people" in "\n".join(messages(lab.stack.run("up", fails=True)))
    lab.stack.config["xtsync:allowDeletions"] = 2
    lab.stack.run("up")
    assert changed(lab.stack.run("up", expect_no_changes=True)) == {}


def test_promise_3_doors_are_announced_again(lab: Lab) -> None:
    lab.stack.run("up")
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True}
    first = told(lab.stack.run("preview"), "target-partner")
    assert "opens" in first
    cut_off(lab, "PATCH", "/partners/[^/]+$", done=False)
    assert told(lab.stack.run("preview"), "target-partner") == first


# --- a pair that was there before --------------------------------------------------------------------------------


FIRST_WRITES: dict[str, tuple[dict[str, Any], str, str]] = {
    "job": ({}, "POST", "/pause$"),
    "settings": ({"xtsync:deletionThreshold": 400}, "PUT", "/secrets$"),
    "partner policy": ({"xtsync:inboundTrust": {"mfa": True}}, "PATCH", "/partners/[^/]+$"),
    "schema": ({"xtsync:scopingFilters": ONLY_BOB}, "PUT", "/schema$"),
}


@pytest.mark.parametrize("way", ["destroy", "up and destroy"])
@pytest.mark.parametrize("what", on_the_real_engine(FIRST_WRITES, "schema"))
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


@pytest.mark.parametrize(
    ("then", "whose", "way"),
    [
        pytest.param({"xtsync:scopingFilters": ONLY_BOB}, "adopted", "back", marks=pytest.mark.real),
        ({"xtsync:scopingFilters": ONLY_BOB}, "adopted", "destroy"),
        ({"xtsync:scopingFilters": ONLY_BOB}, "own", "back"),
        (
            {"xtsync:flowTypes": ["add"], "xtsync:attributeMappings": [{"target": "department", "constant": "Ours"}]},
            "adopted",
            "back",
        ),
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


def test_promise_6_a_drain_that_the_scope_did_not_agree_to_spares_the_protected(lab: Lab) -> None:
    lab.stack.config["xtsync:neverRemove"] = [ALICE]
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()

    def change(resources: list[dict[str, Any]]) -> None:
        (record,) = (one for one in resources if one["type"].endswith(":ScopeRecord"))
        for properties in (record["inputs"], record["outputs"]):
            properties["onDestroy"] = "drain"

    lab.stack.rewrite(change)
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert f"{ALICE} would be deleted in the target, and xtsync:neverRemove names them" in text
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
