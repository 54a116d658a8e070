"""Promise 3: who comes into scope and who leaves it is said in people, before anything happens."""

from __future__ import annotations

import pytest

from lab import world
from lab.entra import Fault
from lab.entra.directory.models import Group
from tests.scenarios.stacks import Lab, changed, messages, told, writes
from tests.scenarios.tenants import assign, delete_user, grant
from xtsync_resources.sync_scope.leavers import MOST_LEAVING

pytestmark = pytest.mark.real
A, B, C = "alice@contoso.com", "bob@contoso.com", "carol@contoso.com"


def group(lab: Lab, name: str) -> Group:
    return next(one for one in lab.source.directory.groups.values() if one.display_name == name)


def test_promise_3_a_group_that_comes_is_counted(lab: Lab) -> None:
    lab.stack.config["xtsync:groups"] = ["Finance", "Nested"]
    said = told(lab.stack.run("preview"), "scope")
    assert "come into scope: group Finance, group Nested, user alice@contoso.com" in said
    assert "group Finance brings 2 people into scope" in said
    assert (
        "group Nested brings 0 people into scope; not the members of the 1 group in it: only direct members are" in said
    )
    assert not writes(lab.calls_since(0))


def test_promise_3_who_leaves_is_named_with_the_members_of_the_group(lab: Lab) -> None:
    lab.stack.run("up")
    lab.stack.config["xtsync:groups"] = []
    said = told(lab.stack.run("preview"), "scope")
    assert "2 people leave the target with this change: " in said
    assert "carol@contoso.com" in said
    assert "dave@contoso.com" in said


def test_promise_3_who_stays_by_a_group_does_not_leave(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [A, C]
    lab.stack.run("up")
    lab.stack.config["xtsync:users"] = [A]
    said = told(lab.stack.run("preview"), "scope")
    assert "leaves the scope: user carol@contoso.com" in said
    assert "nobody leaves the target with this change" in said
    assert "removes" not in said


def test_promise_3_what_else_is_in_a_group_is_said(lab: Lab) -> None:
    guest = lab.source.add_user("guest_other.com#EXT#@contoso.com", user_type="Guest")
    group(lab, "Finance").members.append(guest.id)
    said = told(lab.stack.run("preview"), "scope")
    assert "group Finance brings 2 people into scope; the service skips what else is in it: 1 guest" in said


def test_promise_3_who_is_assigned_by_hand_is_adopted_and_does_not_come(lab: Lab) -> None:
    lab.stack.run("up")
    assign(lab, B)
    lab.stack.config["xtsync:users"] = [A, B]
    said = told(lab.stack.run("preview"), "scope")
    assert f"adopts assignments, of who is in scope already: user {B}" in said
    assert "comes into scope" not in said


def test_promise_3_a_group_of_more_than_a_page_comes_with_its_number(lab: Lab) -> None:
    for number in range(1200):
        group(lab, "Finance").members.append(lab.source.add_user(f"person{number}@contoso.com").id)
    number = len(group(lab, "Finance").members)
    said = told(lab.stack.run("preview"), "scope")
    assert f"group Finance brings more than 999 people into scope; it has {number:,} direct members" in said


@pytest.mark.parametrize(("allowed", "threshold"), [(0, 20), (MOST_LEAVING, 20), (MOST_LEAVING + 1, 20), (0, 0)])
def test_promise_6_more_than_are_listed_are_not_let_go(lab: Lab, allowed: int, threshold: int) -> None:
    for number in range(MOST_LEAVING - 1):
        group(lab, "Finance").members.append(lab.source.add_user(f"person{number}@contoso.com").id)
    lab.stack.config["xtsync:deletionThreshold"] = threshold
    lab.stack.run("up")
    lab.stack.config |= {"xtsync:groups": [], "xtsync:allowDeletions": allowed}
    refused = threshold > 0 and allowed <= MOST_LEAVING
    said = "\n".join(messages(lab.stack.run("preview", fails=refused)))
    assert (f"Will not let more than {MOST_LEAVING} people leave the scope" in said) == refused
    assert (f"{MOST_LEAVING + 1} people leave the target with this change" in said) == (allowed > MOST_LEAVING)


def test_promise_6_members_of_other_kinds_hide_nobody(lab: Lab) -> None:
    finance = group(lab, "Finance")
    people = list(finance.members)
    finance.members[:] = [lab.source.directory.add_group(f"Group {n}").id for n in range(MOST_LEAVING + 1)] + people
    lab.stack.config["xtsync:deletionThreshold"] = 20
    lab.stack.run("up")
    lab.stack.config["xtsync:groups"] = []
    said = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert f"Will not let more than {MOST_LEAVING} people leave the scope" in said


def test_promise_6_whom_the_service_skips_and_who_is_gone_does_not_leave(lab: Lab) -> None:
    for number in range(5):
        guest = lab.source.add_user(f"guest{number}_other.com#EXT#@contoso.com", user_type="Guest")
        group(lab, "Finance").members.append(guest.id)
    lab.stack.config |= {"xtsync:deletionThreshold": 3, "xtsync:users": [A, B]}
    lab.stack.run("up")
    delete_user(lab, A)
    lab.stack.config |= {"xtsync:groups": [], "xtsync:users": [B]}
    said = told(lab.stack.run("preview"), "scope")
    assert "2 people leave the target with this change: " in said
    assert "1 person is deleted in the source already" in said


def test_promise_3_who_is_deleted_in_the_source_is_not_said_to_stay(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    delete_user(lab, A)
    lab.stack.config["xtsync:users"] = [B]
    words = "1 person is deleted in the source already, so that no assignment keeps them"
    said = told(lab.stack.run("preview"), "scope")
    assert words in said
    assert "nobody leaves" not in said


def test_promise_6_a_count_that_fails_of_who_comes_lets_nobody_go(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:deletionThreshold": 2, "xtsync:users": [], "xtsync:groups": ["Finance"]}
    lab.stack.run("up")
    large = lab.source.directory.add_group("Large")
    large.members.extend(lab.source.add_user(f"person{number}@contoso.com").id for number in range(1200))
    lab.stack.config["xtsync:groups"] = ["Large"]
    lab.entra.faults.add(Fault("hollow", path=f"groups/{large.id}/members$", in_batch=True, skip=1))
    assert "people leave the scope" in "\n".join(messages(lab.stack.run("preview", fails=True)))


@pytest.mark.parametrize("what", ["unreadable", "gone", "out of order"])
def test_promise_6_what_cannot_be_read_of_a_group_lets_no_users_go(lab: Lab, what: str) -> None:
    lab.stack.config |= {"xtsync:deletionThreshold": 2, "xtsync:users": [A, B]}
    lab.stack.run("up")
    lab.source.add_user("erin@contoso.com")
    lab.stack.config |= {"xtsync:users": ["erin@contoso.com"], "xtsync:groups": [], "xtsync:deadlineMinutes": 0.2}
    if what == "gone":
        lab.source.directory.delete_group(group(lab, "Finance").id)
    else:
        status = 403 if what == "unreadable" else 500
        lab.entra.faults.add(Fault(method="GET", path="/members$", status=status, code="Denied", times=999))
    said = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "2 people and the members of group Finance leave the scope" in said


@pytest.mark.parametrize("threshold", [1, 500])
def test_promise_6_leavers_are_counted_where_those_who_stay_may_not_be_read(lab: Lab, threshold: int) -> None:
    lab.stack.config["xtsync:deletionThreshold"] = threshold
    lab.stack.run("up")
    lab.stack.config["xtsync:users"] = []
    lab.entra.faults.add(Fault(method="GET", path="/members$", status=403, code="Denied", times=99))
    said = "\n".join(messages(lab.stack.run("preview", fails=threshold == 1)))
    assert f"up to 1 person leaves the target with this change: {A}" in said
    assert ("Will not let up to 1 person leave" in said) == (threshold == 1)


@pytest.mark.parametrize("allowed", [False, True])
def test_promise_6_more_leavers_than_the_threshold_stop_the_preview(lab: Lab, *, allowed: bool) -> None:
    lab.stack.config |= {"xtsync:deletionThreshold": 2, "xtsync:flowTypes": ["update", "delete"]}
    lab.stack.run("up")
    lab.stack.config["xtsync:groups"] = []
    if allowed:
        lab.stack.config["xtsync:allowDeletions"] = 2
    before = len(lab.entra.traffic)
    for operation in ("preview", "up"):
        said = "\n".join(messages(lab.stack.run(operation, fails=not allowed)))
        assert allowed or "Will not let 2 people leave the scope" in said
        assert allowed or "set xtsync:allowDeletions to 2" in said
    assert allowed or not writes(lab.calls_since(before))
    if allowed:
        assert lab.stack.run("up", expect_no_changes=True).exit_code == 0


def test_promise_6_nobody_is_counted_where_the_job_keeps_people(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:deletionThreshold": 1, "xtsync:flowTypes": ["add", "update"]}
    lab.stack.run("up")
    lab.stack.config["xtsync:groups"] = []
    lab.stack.run("up")


def test_promise_8_members_that_may_not_be_read_stop_nothing(lab: Lab) -> None:
    lab.stack.run("up")
    lab.stack.config["xtsync:groups"] = []
    lab.entra.faults.add(Fault(method="GET", path="/members$", status=403, code="Denied", times=99))
    said = told(lab.stack.run("up"), "scope")
    where = "leave the target with this change"
    assert (
        f"how many members of group Finance {where}, was not counted: it takes the permission GroupMember.Read.All"
        in said
    )


def test_promise_3_accounts_that_people_may_be_matched_with_are_named(lab: Lab) -> None:
    said = told(lab.stack.run("preview"), "target-identity-sync")
    assert (
        "whether Fabrikam has accounts already of people who come was not looked at: that takes User.Read.All" in said
    )
    grant(lab.target, world.TARGET_CLIENT, more={"User.Read.All"})
    assert "already" not in told(lab.stack.run("preview"), "target-identity-sync")
    frank = lab.target.directory.user("frank@fabrikam.com")
    frank.mail = C
    said = told(lab.stack.run("preview"), "target-identity-sync")
    assert (
        "Fabrikam has 1 account already with mail addresses of people who come, whom the job may match: "
        "frank@fabrikam.com" in said
    )


def test_promise_3_matches_are_no_part_of_the_state(lab: Lab) -> None:
    lab.stack.run("up")
    lab.stack.config["xtsync:users"] = [A, C]
    changed_ = changed(lab.stack.run("preview"))
    assert "target-identity-sync" not in changed_
    lab.stack.run("up")
    assert "newcomers" not in lab.stack.state()
    before = len(lab.entra.traffic)
    lab.stack.run("preview", expect_no_changes=True)
    assert not [call for call in lab.calls_since(before) if call.tenant_id == world.TARGET_TENANT]


@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_promise_3_a_hint_that_cannot_be_had_fails_no_preview(lab: Lab, status: int) -> None:
    grant(lab.target, world.TARGET_CLIENT, more={"User.Read.All"})
    refused = Fault(method="GET", path="^/users", status=status, code="x", headers={"Retry-After": "1000"}, times=100)
    lab.entra.faults.add(refused)
    lab.stack.config |= {"xtsync:users": [], "xtsync:deadlineMinutes": 0.1}
    said = told(lab.stack.run("preview"), "target-identity-sync")
    assert "was not looked at" in said


def test_promise_3_members_that_may_not_be_read_are_no_silence(lab: Lab) -> None:
    grant(lab.target, world.TARGET_CLIENT, more={"User.Read.All"})
    lab.entra.faults.add(Fault(method="GET", path="/members$", status=403, code="Authorization_RequestDenied", times=9))
    said = told(lab.stack.run("preview"), "target-identity-sync")
    assert "was not looked at for all of them: that takes GroupMember.Read.All in the source" in said


def test_promise_6_of_two_runs_in_a_cycle_that_let_too_many_go_together_the_job_holds_them_back(lab: Lab) -> None:
    """docs/limits.md: the stop of a preview counts a run, the job a cycle."""
    lab.stack.config |= {"xtsync:deletionThreshold": 2, "xtsync:users": [A, B], "xtsync:groups": ["Finance"]}
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    for users in ([A], []):
        lab.stack.config["xtsync:users"] = users
        lab.stack.run("up")
    lab.pass_time()
    (job,) = lab.jobs()
    assert job.quarantine is not None
    assert job.quarantine.reason == "TooManyDeletes"
    assert lab.arrived() == people
