"""Promise 4: a pair has one configuration; a second one is refused unless it is asked for."""

from __future__ import annotations

import pytest

from lab.entra import Fault
from tests.scenarios.stacks import Lab, Stack, changed, messages, told, writes

pytestmark = pytest.mark.real


def lost(lab: Lab) -> Stack:
    """A stack of the same pair that knows nothing of it, as after its state was lost."""
    return lab.new_stack("again", displayName="Another name")


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_promise_4_a_second_configuration_is_refused_before_anything_is_made(lab: Lab, operation: str) -> None:
    lab.stack.run("up")
    lab.pass_time()
    (job,) = lab.jobs()
    before = len(lab.entra.traffic)
    text = "\n".join(messages(lost(lab).run(operation, fails=True)))
    assert "Will not make a second configuration in the source tenant Contoso" in text
    for part in ("Contoso to Fabrikam", job.id, "Active", "3 people", "pulumi import", "allowSecondConfiguration"):
        assert part in text, text
    assert "Traceback" not in text
    made = [one.path for one in writes(lab.calls_since(before)) if "instantiate" in one.path or "/jobs" in one.path]
    assert made == []
    assert lab.jobs() == [job]


def test_promise_4_a_configuration_of_another_target_is_no_second_one(lab: Lab) -> None:
    lab.stack.run("up")
    (principal,) = (one for one in lab.source.applications.principals.values() if one.template_id)
    principal.synchronization.secrets["CompanyId"] = "99999999-9999-4999-8999-999999999999"
    other = lost(lab)
    other.run("up")
    assert len(lab.jobs()) == 2


def test_promise_4_one_that_cannot_be_judged_is_named_and_the_run_goes_on(lab: Lab) -> None:
    lab.stack.run("up")
    (principal,) = (one for one in lab.source.applications.principals.values() if one.template_id)
    principal.synchronization.secrets["CompanyId"] = "*"
    text = "\n".join(messages(lost(lab).run("preview")))
    assert "it could not be seen whether these synchronize into the same target: Contoso to Fabrikam" in text


def test_promise_4_without_the_permission_one_line_says_what_could_not_be_judged(lab: Lab) -> None:
    forbidden = Fault(
        method="GET", path="/servicePrincipals$", status=403, code="Authorization_RequestDenied", times=99
    )
    lab.entra.faults.add(forbidden)
    text = "\n".join(messages(lab.stack.run("up")))
    assert "could not look for other configurations of this pair: Microsoft Graph answered 403" in text
    assert "Application.Read.All" in text
    lab.entra.faults.clear()


def test_promise_4_of_two_configurations_neither_takes_the_policies_from_the_other(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    second = lost(lab)
    second.config["xtsync:allowSecondConfiguration"] = True
    assert "another configuration synchronizes this pair" in "\n".join(messages(second.run("up")))
    lab.pass_time()
    assert "another configuration synchronizes this pair as well: Another name" in told(
        lab.stack.run("refresh"), "scope"
    )
    assert ", as xtsync:allowSecondConfiguration has it: Contoso to" in told(second.run("refresh"), "scope")
    before = len(lab.entra.traffic)
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "Will not take this pair apart in the source tenant Contoso" in text
    assert writes(lab.calls_since(before)) == []
    second.run("destroy")
    assert lab.target_partner is not None
    assert len(lab.jobs()) == 1
    lab.pass_time()
    assert lab.arrived() == people
    lab.stack.run("destroy")
    assert lab.target_partner is None


def test_promise_4_whoever_ends_first_leaves_the_policies_where_it_is_told_to(lab: Lab) -> None:
    lab.stack.run("up")
    second = lost(lab)
    second.config["xtsync:allowSecondConfiguration"] = True
    second.run("up")
    lab.stack.config["xtsync:allowSecondConfiguration"] = True
    lab.stack.run("up")
    result = lab.stack.run("destroy")
    assert "stays as it is" in told(result, "target-partner")
    assert lab.target_partner is not None
    assert len(lab.jobs()) == 1
    second.config["xtsync:allowSecondConfiguration"] = False
    second.run("up")
    second.run("destroy")
    assert lab.jobs() == []


def test_promise_4_a_pair_that_lives_is_not_asked_again(lab: Lab) -> None:
    lab.stack.run("up")
    before = len(lab.entra.traffic)
    lab.stack.config["xtsync:users"] = ["bob@contoso.com"]
    lab.stack.run("up")
    assert [one for one in lab.calls_since(before) if one.path == "/servicePrincipals"] == []
    assert "application" in changed(lab.stack.run("up", replace=("application",))), "and one's own is no other"


def test_promise_6_adopted_people_of_another_configuration_are_not_drained(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:users": ["alice@contoso.com"], "xtsync:groups": []}
    lab.stack.run("up")
    first = {one.id for one in lab.source.applications.principals.values()}
    second = lost(lab)
    second.config |= {"xtsync:users": ["bob@contoso.com"], "xtsync:groups": []}
    second.config |= {"xtsync:allowSecondConfiguration": True, "xtsync:onDestroy": "drain"}
    second.run("up")
    (principal,) = (one for one in lab.source.applications.principals.values() if one.id not in first)
    alice = lab.source.directory.user("alice@contoso.com").id
    lab.source.applications.assign(principal, principal.roles[0]["id"], lab.source.directory.assignee(alice))
    second.config["xtsync:foreignAssignments"] = "adopt"
    second.run("up")
    lab.pass_time()
    people = lab.arrived()
    text = "\n".join(messages(second.run("destroy", fails=True)))
    assert "has people of it in scope as well, alice@contoso.com" in text
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_6_people_of_another_configuration_are_not_drained(lab: Lab) -> None:
    lab.stack.run("up")
    second = lost(lab)
    second.config |= {"xtsync:allowSecondConfiguration": True, "xtsync:onDestroy": "drain"}
    second.run("up")
    lab.pass_time()
    people = lab.arrived()
    text = "\n".join(messages(second.run("destroy", fails=True)))
    assert "Contoso to Fabrikam (" in text
    assert "has people of it in scope as well" in text
    assert "alice@contoso.com" in text
    lab.pass_time()
    assert lab.arrived() == people
