"""`xtsync plan`: the next `up` in people, for both tenants, without a change. Promise 3."""

from __future__ import annotations

from typing import Any

import pytest

from lab import world
from lab.entra import Fault
from tests.scenarios.stacks import Command, Lab, told, writes
from tests.scenarios.steps import held_back, knows_the_state
from tests.scenarios.tenants import assign, delete_user, grant, synchronization, unassign
from xtsync_resources.application.orphans import APPLICATION_TYPE
from xtsync_resources.operate import recorded

A, B = "alice@contoso.com", "bob@contoso.com"
FILTER = {"name": "Staff", "clauses": [{"attribute": "department", "operator": "isNotNull"}]}


@pytest.fixture
def planned(lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    knows_the_state(lab, monkeypatch)
    return xtsync


def document(xtsync: Command, code: int = 0) -> dict[str, Any]:
    before = len(xtsync.lab.entra.traffic)
    said = xtsync("plan", "-s", "dev", "--json")
    assert said.exit_code == code, said
    made = [call for call in writes(xtsync.lab.calls_since(before)) if not call.path.endswith("$batch")]
    assert made == []
    found: dict[str, Any] = said.document
    return found


def test_before_the_first_up_everybody_comes_and_both_tenants_are_opened(planned: Command) -> None:
    found = document(planned)
    assert found["comes"] == ["group Finance", f"user {A}"]
    assert found["groups"] == ["group Finance brings 2 people into scope"]
    assert found["leaves"] == found["peopleWhoLeave"] == []
    assert found["opens"] == {
        "Contoso": ["its people get into the partner without being asked for consent (outboundAllowed)"],
        "Fabrikam": [
            "the partner's people come in without being asked for consent (inboundAllowed)",
            "the partner may synchronize people into it (userSyncInbound)",
        ],
    }
    assert found["existing"] is None
    assert "whether Fabrikam has accounts of theirs was not seen" in planned("plan", "-s", "dev").out


def test_accounts_that_may_be_matched_are_named(lab: Lab, planned: Command) -> None:
    grant(lab.target, world.TARGET_CLIENT, more={"User.Read.All"})
    assert document(planned)["existing"] == []
    frank = next(iter(lab.target.directory.users.values()))
    frank.mail = lab.source.directory.user(A).mail
    assert document(planned)["existing"] == [frank.user_principal_name]


def test_a_pair_in_step_has_an_empty_plan(planned: Command) -> None:
    planned.up()
    assert "Nobody comes or goes, and nothing is opened or closed" in planned("plan", "-s", "dev").out


def test_who_is_deleted_in_the_source_is_not_said_to_stay(lab: Lab, planned: Command) -> None:
    planned.up()
    delete_user(lab, A)
    lab.stack.config["xtsync:users"] = []
    assert document(planned)["deletedInSource"] == 1
    said = " ".join(planned("plan", "-s", "dev").out.split())
    assert "1 person is deleted in the source already, so that no assignment keeps them" in said
    assert "nobody" not in said


def test_what_somebody_has_shut_is_drift_which_a_preview_does_not_see(lab: Lab, planned: Command) -> None:
    planned.up()
    members = lab.target.policies.partners[world.SOURCE_TENANT].members
    members["automaticUserConsentSettings"] = {"inboundAllowed": False, "outboundAllowed": None}
    shut = ["the partner's people come in without being asked for consent (inboundAllowed)"]
    found = document(planned)
    assert found["opens"] == found["drift"] == {"Fabrikam": shut}
    said = " ".join(planned("plan", "-s", "dev").out.split())
    assert f"closed by hand: {shut[0]}" in said
    assert "`pulumi preview` does not see it; `pulumi up --refresh --diff` takes it back. Ask there before" in said
    said = " ".join(planned("doctor", "-s", "dev").out.split())
    assert "opens that again; ask in Fabrikam before who has closed it" in said
    assert lab.stack.run("preview", expect_no_changes=True).exit_code == 0
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True}
    found = document(planned)
    assert len(found["opens"]["Fabrikam"]) == 2
    assert found["drift"] == {"Fabrikam": shut}, "what the stack file asks for anew is none"
    lab.stack.run("up", refresh=True)
    assert document(planned)["drift"] == {}


STAFF, OTHERS = "7c6ad9f7-4d83-4f5b-8f2d-0f6f5cd7d0a1", "7c6ad9f7-4d83-4f5b-8f2d-0f6f5cd7d0a2"
INBOUND = "b2bCollaborationInbound"


def let_in(*groups: str) -> dict[str, Any]:
    targets = [{"target": one, "targetType": "group"} for one in groups]
    everyone = [{"target": "AllUsers", "targetType": "user"}]
    return {"usersAndGroups": {"accessType": "allowed", "targets": targets or everyone}, "applications": None}


def test_what_somebody_has_opened_is_to_be_closed_without_asking(lab: Lab, planned: Command) -> None:
    named = {"accessType": "allowed", "groups": [STAFF]}
    lab.stack.config["xtsync:b2bCollaboration"] = {"inbound": {"usersAndGroups": named}}
    planned.up()
    members = lab.target.policies.partners[world.SOURCE_TENANT].members
    then, ones = ", then only those it will name (1)", "those it names (1) may come in as guests"
    wide = f"everyone may come in as guests{then} ({INBOUND})"
    for live, opens, closes in (
        (let_in(), [], [wide]),
        ({"usersAndGroups": None, "applications": None}, [], [wide]),
        (let_in(OTHERS), [f"{ones} ({INBOUND})"], [f"{ones}{then} ({INBOUND})"]),
    ):
        members[INBOUND] = live
        found = document(planned)
        assert (found["opens"].get("Fabrikam", []), found["closes"].get("Fabrikam", [])) == (opens, closes)
        assert found["drift"] == {"Fabrikam": [*opens, *closes]}
        said = " ".join(planned("plan", "-s", "dev").out.split())
        assert f"opened by hand: {closes[0]}" in said
        assert ("closed by hand" in said, "Ask there before who has closed it" in said) == (bool(opens), bool(opens))
        for name in ("doctor", "status"):
            said = " ".join(planned(name, "-s", "dev").out.split())
            assert "and closes what somebody has opened by hand" in said, name
            assert ("ask in Fabrikam before who has closed it" in said) == bool(opens), name
    lab.stack.run("up", refresh=True)
    assert document(planned)["drift"] == {}
    lab.stack.config["xtsync:b2bCollaboration"] = {"inbound": {"usersAndGroups": {**named, "groups": [OTHERS]}}}
    assert document(planned)["drift"] == {}, "what the stack file changes is none"
    assert "closes Fabrikam" in told(lab.stack.run("preview"), "target-partner")


def test_a_key_that_no_up_has_applied_was_closed_by_nobody_and_a_policy_that_is_gone_by_somebody(
    lab: Lab, planned: Command
) -> None:
    planned.up()
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True}
    policies = lab.target.policies.partners[world.SOURCE_TENANT]
    for name in ("doctor", "status"):
        said = " ".join(planned(name, "-s", "dev").out.split())
        assert "and opens that" in said, name
        assert "ask in Fabrikam" not in said, name
    del lab.stack.config["xtsync:inboundTrust"]
    policies.identity_sync = None
    for name in ("doctor", "status"):
        said = " ".join(planned(name, "-s", "dev").out.split())
        assert "and opens that again; ask in Fabrikam before who has closed it" in said, name
    del lab.target.policies.partners[world.SOURCE_TENANT]
    for name in ("doctor", "status"):
        said = " ".join(planned(name, "-s", "dev").out.split())
        assert "which puts it back, and opens that again; ask in Fabrikam before who has closed it" in said, name


@pytest.mark.parametrize("threshold", [500, 2])
def test_who_leaves_is_named_and_a_refusal_is_foreseen(lab: Lab, planned: Command, threshold: int) -> None:
    lab.stack.config["xtsync:deletionThreshold"] = threshold
    planned.up()
    lab.stack.config |= {"xtsync:groups": [], "xtsync:users": [A, B]}
    found = document(planned, int(threshold == 2))
    assert (found["comes"], found["leaves"]) == ([f"user {B}"], ["group Finance"])
    assert found["peopleWhoLeave"] == ["carol@contoso.com", "dave@contoso.com"]
    assert ("allowDeletions is 2" in found["refused"]) == (threshold == 2)
    assert "2 people: carol@contoso.com, dave@contoso.com" in planned("plan", "-s", "dev").out
    lab.stack.run("preview", fails=threshold == 2)


def test_what_up_refuses_is_foreseen(lab: Lab, planned: Command) -> None:
    lab.stack.config |= {"xtsync:users": [A, B], "xtsync:neverRemove": [B]}
    planned.up()
    lab.stack.config["xtsync:users"] = [A]
    lab.stack.config["xtsync:neverRemove"] = []
    assert "xtsync:neverRemove names them" in document(planned, 1)["refused"]


STOPPED: dict[str, tuple[dict[str, Any], str]] = {
    "a guardrail": ({"xtsync:guardrails": {"allowedTenants": []}}, "the guardrail tenants-allowed: "),
    "a drain while somebody leaves": (
        {"xtsync:groups": [], "xtsync:onDestroy": "drain"},
        "ill not set xtsync:onDestroy to drain while somebody leaves",
    ),
}


@pytest.mark.parametrize("why", STOPPED)
def test_what_else_stops_a_preview_is_foreseen(lab: Lab, planned: Command, why: str) -> None:
    planned.up()
    config, words = STOPPED[why]
    lab.stack.config |= config
    assert words in document(planned, 1)["refused"]
    lab.stack.run("preview", fails=True)


def test_a_job_that_up_pauses_or_starts_is_told(lab: Lab, planned: Command) -> None:
    planned.up()
    for running, words in ((False, "is paused with this change"), (True, "is started at the end of this run")):
        lab.stack.config["xtsync:running"] = running
        found = document(planned)
        assert words in found["job"]
        assert found["jobDo"] == ""
        assert words in told(lab.stack.run("preview"), "start")
        planned.up()


def test_a_pause_under_deletions_that_are_held_back_is_foreseen(lab: Lab, planned: Command) -> None:
    held_back(lab, planned)
    lab.stack.config["xtsync:running"] = False
    assert "pausing and starting it could release them" in document(planned, 1)["refused"]
    lab.stack.run("up", fails=True)


def test_a_filter_that_changes_is_no_nothing(lab: Lab, planned: Command) -> None:
    planned.up()
    lab.stack.config["xtsync:scopingFilters"] = [FILTER]
    assert document(planned)["schema"] == ["scopingFilters"]
    said = planned("plan", "-s", "dev").out
    assert "Nobody comes or goes" not in said
    assert "scopingFilters change" in said


def test_people_whom_the_job_keeps_do_not_leave_the_target(lab: Lab, planned: Command) -> None:
    lab.stack.config["xtsync:flowTypes"] = ["add", "update"]
    planned.up()
    lab.stack.config["xtsync:groups"] = []
    assert document(planned)["leaversAreDeleted"] is False
    said = planned("plan", "-s", "dev").out
    assert "They stay in Fabrikam (xtsync:flowTypes)" in said
    assert "Leaves Fabrikam" not in said


def test_who_was_assigned_by_hand_is_adopted_or_taken_out(lab: Lab, planned: Command) -> None:
    planned.up()
    assign(lab, B)
    lab.stack.config["xtsync:users"] = [A, B]
    assert document(planned)["adopts"] == [f"user {B}"]
    lab.stack.config |= {"xtsync:users": [A], "xtsync:foreignAssignments": "remove", "xtsync:deletionThreshold": 1}
    found = document(planned, 1)
    assert found["removedByHand"] == found["peopleWhoLeave"] == [B]
    assert "1 person would leave" in found["refused"]


def test_who_stays_through_a_group_does_not_leave(lab: Lab, planned: Command) -> None:
    lab.stack.config["xtsync:users"] = [A, "carol@contoso.com"]
    planned.up()
    lab.stack.config["xtsync:users"] = [A]
    assert document(planned)["peopleWhoLeave"] == []
    assert "nobody: everybody stays in scope" in planned("plan", "-s", "dev").out


# --- the job ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["gone", "application gone", "paused", "held back", "unreadable"])
def test_a_job_that_does_not_do_it_is_no_silence(lab: Lab, planned: Command, what: str) -> None:
    words, do = {
        "gone": ("is gone: somebody has deleted it", "pulumi up --replace"),
        "application gone": ("somebody deleted the configuration application", "pulumi up --refresh --diff"),
        "paused": ("paused: nothing is synchronized", "`xtsync resume`"),
        "held back": ("deleted in Fabrikam, as of the last cycle: carol@contoso.com", "`xtsync approve-deletions`"),
        "unreadable": ("how it does could not be read", "Synchronization.Read"),
    }[what]
    if what == "held back":
        held_back(lab, planned)
    planned.up()
    state = synchronization(lab)
    if what == "gone":
        state.jobs.clear()
    elif what == "application gone":
        (application,) = lab.source.applications.applications.values()
        lab.source.applications.delete_application(application.id)
    elif what == "paused":
        lab.jobs()[0].schedule_state = "Paused"
    elif what == "unreadable":
        lab.entra.faults.add(Fault(method="GET", path="synchronization/jobs/", status=403, code="Denied", times=99))
    found = document(planned)
    assert words in found["job"]
    assert do in found["jobDo"]
    said = " ".join(planned("plan", "-s", "dev").out.split())
    assert words in said
    assert do in said
    assert "Nobody comes or goes" not in said
    assert "Without `--refresh` the next `pulumi up` brings nobody into scope" in said


def test_a_pause_that_is_wanted_is_told_and_asks_for_nothing(lab: Lab, planned: Command) -> None:
    lab.stack.config["xtsync:running"] = False
    planned.up()
    found = document(planned)
    assert "as xtsync:running: false wants it" in found["job"]
    assert found["jobDo"] == ""


def test_a_raised_threshold_that_up_refuses_is_foreseen(lab: Lab, planned: Command) -> None:
    held_back(lab, planned)
    lab.stack.config |= {"xtsync:deletionThreshold": 500, "xtsync:allowDeletions": 0}
    assert "the job holds back the deletion of 2 people" in document(planned, 1)["refused"]
    lab.stack.config["xtsync:allowDeletions"] = 2
    assert document(planned)["refused"] == ""


def test_a_second_configuration_is_foreseen(lab: Lab, planned: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    planned.up()
    lab.pass_time()
    monkeypatch.setattr(recorded, "exported", lambda _: {"deployment": {"resources": []}})
    assert "will not make a second configuration in" in document(planned, 1)["refused"]
    lab.stack.config["xtsync:allowSecondConfiguration"] = True
    assert document(planned)["refused"] == ""
    lab.stack.config["xtsync:allowSecondConfiguration"] = False
    ours = [one for one in lab.stack.resources() if one["type"] == APPLICATION_TYPE]
    monkeypatch.setattr(recorded, "exported", lambda _: {"deployment": {"resources": ours}})
    assert document(planned)["refused"] == "", "a first run that was cut off has made it"


def test_as_many_as_the_threshold_are_held_back_and_fewer_deleted(planned: Command) -> None:
    planned.lab.stack.config |= {"xtsync:deletionThreshold": 2, "xtsync:allowDeletions": 2}
    planned.up()
    planned.lab.stack.config["xtsync:groups"] = []
    assert "The job holds their deletion back" in " ".join(planned("plan", "-s", "dev").out.split())
    assert "The job holds their deletion back" in told(planned.lab.stack.run("preview"), "scope")
    planned.lab.stack.config["xtsync:deletionThreshold"] = 3
    assert "deletes them in the target" in " ".join(planned("plan", "-s", "dev").out.split())
    assert "deletes them in the target" in told(planned.lab.stack.run("preview"), "scope")


def test_who_is_configured_and_not_in_scope_is_no_silence(lab: Lab, planned: Command) -> None:
    planned.up()
    lab.pass_time()
    (finance,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
    unassign(lab, finance.id)
    deletes = "when it runs next, the job deletes in the target whom nothing else keeps"
    words = f"Finance, though configured; {deletes}"
    assert f"not in scope: {words}" in document(planned)["job"].replace("group ", "")
    for name in ("plan", "status"):
        said = " ".join(planned(name, "-s", "dev").out.split()).replace("group ", "")
        assert words in said.replace(" (`xtsync doctor` says why)", "")
    assert deletes in " ".join(planned("doctor", "-s", "dev").out.split())
    assert "pulumi up --refresh --diff" in planned("plan", "-s", "dev").out


def test_a_job_at_rest_is_not_to_be_started_where_somebody_is_not_in_scope(lab: Lab, planned: Command) -> None:
    planned.up()
    lab.pass_time()
    (finance,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
    assert planned("pause", "-s", "dev", "--yes").exit_code == 0
    unassign(lab, finance.id)
    assert planned("resume", "-s", "dev", "--yes").exit_code == 2
    for name in ("plan", "status", "doctor"):
        said = " ".join(planned(name, "-s", "dev").out.split())
        assert "paused: nothing is synchronized" in said, name
        assert "assigns whoever is missing and starts the job then; `xtsync resume` refuses before" in said, name
        assert "run `xtsync resume`" not in said, name
    lab.stack.run("up", refresh=True)
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]


def test_who_comes_by_up_is_not_missed_before(lab: Lab, planned: Command) -> None:
    planned.up()
    lab.pass_time()
    lab.stack.config["xtsync:users"] = [A, B]
    found = document(planned)
    assert found["comes"] == [f"user {B}"]
    assert found["job"] == ""
