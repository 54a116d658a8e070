"""Promise 8 where people, groups or the application are gone in the source, or are called otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from lab.entra import Fault
from tests.scenarios.stacks import Lab, changed, messages, told, writes
from tests.scenarios.tenants import delete_user, unassign

pytestmark = pytest.mark.real


def delete_group(lab: Lab, name: str) -> str:
    """Somebody deletes a group, whose assignments go along; its object id."""
    (group,) = (one for one in lab.source.directory.groups.values() if one.display_name == name)
    lab.source.directory.delete_group(group.id)
    unassign(lab, group.id)
    return group.id


def remembered(lab: Lab) -> Any:
    """Whom the state has in scope, by name."""
    (scope,) = (one for one in lab.stack.resources() if one["type"].endswith(":SyncScope"))
    return scope["outputs"]["principals"]


def test_promise_8_people_who_are_gone_are_taken_out_without_an_error(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    alice, finance = delete_user(lab, "alice@contoso.com"), delete_group(lab, "Finance")
    lab.stack.config["xtsync:users"] = ["bob@contoso.com"]
    lab.stack.config["xtsync:groups"] = []
    bob = lab.source.directory.user("bob@contoso.com").id
    assert changed(lab.stack.run("up")) == {
        "scope-record": "update",
        "scope": "update",
        f"user-{alice[:8]}": "delete",
        f"group-{finance[:8]}": "delete",
        f"user-{bob[:8]}": "create",
        "start": "update",
    }
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    lab.stack.run("destroy")
    assert lab.source.applications.applications == {}


def test_refresh_names_who_is_gone_and_who_is_disabled(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    lab.stack.run("up")
    delete_user(lab, "alice@contoso.com")
    lab.source.directory.user("bob@contoso.com").account_enabled = False
    said = told(lab.stack.run("refresh"), "scope")
    assert "user alice@contoso.com was deleted in the source: take them out of the stack file" in said
    assert "user bob@contoso.com is disabled in the source, and so in the target" in said
    lab.entra.faults.add(Fault(method="GET", path="^/users", status=403, code="Denied", times=99))
    lab.stack.run("refresh")


def test_a_name_that_another_group_has_now_stops_preview_and_up(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    (finance,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
    finance.display_name = "Finance of old"
    carol = lab.source.directory.user("carol@contoso.com")
    again = lab.source.directory.add_group("Finance", [carol])
    lab.stack.config["xtsync:deletionThreshold"] = 5
    before, there, scope = len(lab.entra.traffic), lab.settings(), remembered(lab)
    for operation in ("preview", "up"):
        text = "\n".join(messages(lab.stack.run(operation, fails=True)))
        for part in (
            'xtsync:groups[0] = "Finance": the name belongs to another group now in Contoso: ',
            f"{again.id}, where it was {finance.id} (now called Finance of old). Find out who gave the name to ",
            "put the object id of the one that is meant into xtsync:groups in its place; or take the name out, run ",
        ):
            assert part in text, text
        assert "Traceback" not in text
    assert not writes(lab.calls_since(before))
    assert lab.settings() == there
    assert remembered(lab) == scope
    lab.stack.config["xtsync:groups"] = ["finance"]
    lab.stack.run("preview", fails=True)


@pytest.mark.parametrize("way", ["the new object's id", "the former object's id", "out and in again"])
def test_the_ways_out_of_a_name_that_another_group_has(lab: Lab, way: str) -> None:
    lab.stack.run("up")
    lab.pass_time()
    former = delete_group(lab, "Finance") if way != "the former object's id" else ""
    if not former:
        (finance,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
        finance.display_name, former = "Finance of old", finance.id
    carol = lab.source.directory.user("carol@contoso.com")
    again = lab.source.directory.add_group("Finance", [carol])
    lab.stack.run("up", fails=True)
    if way == "the former object's id":
        lab.stack.config["xtsync:groups"] = [former]
        assert f"group-{again.id[:8]}" not in changed(lab.stack.run("up"))
        return
    if way == "out and in again":
        lab.stack.config["xtsync:groups"] = []
        lab.stack.run("up")
        del lab.stack.config["xtsync:groups"]
    else:
        lab.stack.config["xtsync:groups"] = [again.id]
    done = changed(lab.stack.run("up"))
    assert done[f"group-{again.id[:8]}"] == "create"
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.pass_time()
    assert "carol@contoso.com" in lab.arrived()
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    lab.stack.run("destroy")


def test_a_person_who_was_made_again_under_the_same_name_is_another_person(lab: Lab) -> None:
    lab.stack.run("up")
    was = delete_user(lab, "alice@contoso.com")
    again = lab.source.directory.add_user("alice@contoso.com")
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert 'xtsync:users[0] = "alice@contoso.com": the name belongs to another person now in Contoso: ' in text, text
    assert f"{again.id}, where it was {was} (deleted since)" in text
    lab.stack.config["xtsync:users"] = [again.id]
    assert changed(lab.stack.run("up"))[f"user-{again.id[:8]}"] == "create"


@pytest.mark.parametrize("operation", ["destroy", "up"])
def test_promise_8_an_application_that_somebody_deleted_is_no_error(lab: Lab, operation: str) -> None:
    before = lab.settings()
    lab.stack.run("up")
    lab.pass_time()
    (application,) = lab.source.applications.applications
    lab.source.applications.delete_application(application)
    if operation == "up":
        lab.stack.config["xtsync:users"] = ["bob@contoso.com"]
        text = "\n".join(messages(lab.stack.run("up", fails=True)))
        assert "Will not let 1 person leave the scope in the source tenant Contoso" in text
        assert "the job that has synchronized them is gone" in text
        assert "Traceback" not in text
        lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
        text = "\n".join(messages(lab.stack.run("up", fails=True)))
        assert "pulumi refresh" in text
        assert "Traceback" not in text
        lab.stack.run("refresh")
        lab.stack.run("up")
        assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.stack.run("destroy")
    assert lab.settings() == before
    assert lab.source.applications.applications == {}


def test_entries_that_were_renamed_or_deleted_are_told_by_what_became_of_them(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    lab.stack.config["xtsync:provisionOnDemand"] = ["alice@contoso.com"]
    lab.stack.run("up")
    alice = lab.source.directory.user("alice@contoso.com")
    alice.user_principal_name = "alice.smith@contoso.com"
    bob = delete_user(lab, "bob@contoso.com")
    (finance,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
    finance.display_name = "Finance and Law"
    lab.stack.config["xtsync:users"] = ["Alice@contoso.com", "bob@contoso.com", "nobody@contoso.com"]
    before = len(lab.entra.traffic)
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    for part in (
        'xtsync:users[0] = "Alice@contoso.com": the user is now called alice.smith@contoso.com. '
        f"Write that name, or the object id, which stays: {alice.id}.",
        f'xtsync:users[1] = "bob@contoso.com": the user was deleted in Contoso (object id {bob}), and '
        "the job's next cycle deletes the account in the target. If that was a mistake, let the job rest",
        'xtsync:users[2] = "nobody@contoso.com": Contoso has no such user. Check the spelling',
        'xtsync:provisionOnDemand[0] = "alice@contoso.com": the user is now called alice.smith@contoso.com',
        'xtsync:groups[0] = "Finance": the group is now called Finance and Law. Write that name',
    ):
        assert part in text, text
    assert "Traceback" not in text
    assert not writes(lab.calls_since(before))
    lab.stack.config["xtsync:users"] = ["alice.smith@contoso.com"]
    lab.stack.config["xtsync:groups"] = ["Finance and Law"]
    lab.stack.config["xtsync:provisionOnDemand"] = []
    before = len(lab.entra.traffic)
    done = changed(lab.stack.run("up"))
    records = {"job": "update", "scope-record": "update", "scope": "update", "start": "update"}
    assert done == {**records, f"user-{bob[:8]}": "delete", "provision-on-demand": "delete"}
    assert [one for one in writes(lab.calls_since(before)) if "assign" in one.path.lower()] == []


def test_promise_6_a_pair_whose_job_somebody_deleted_cannot_be_drained(lab: Lab) -> None:
    before = lab.settings()
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    (principal,) = (one for one in lab.source.applications.principals.values() if one.template_id)
    principal.synchronization.jobs.clear()
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "Cannot drain the pair: the job" in text, text
    assert "is gone" in text
    assert lab.arrived() == people
    lab.stack.config["xtsync:onDestroy"] = "release"
    lab.stack.run("refresh")
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert lab.arrived() == people
    assert lab.settings() == before


def test_a_deleted_group_takes_its_people_along_and_says_so(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    (finance,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
    delete_group(lab, "Finance")
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert f"(object id {finance.id}), and the job's next cycle deletes its people in the target" in text
    assert (
        "let the job rest (`xtsync pause`; one that holds deletions back is not paused: it deletes nobody as long as"
        in text
    )
    assert "run `pulumi up --refresh --diff`" in text
    lab.source.directory.restore(finance.id)
    lab.stack.run("up", refresh=True)
    lab.pass_time()
    assert lab.arrived() == people
