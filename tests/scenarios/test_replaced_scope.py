"""Promise 6 where the scope is made anew: who leaves is told and held as in any other run."""

from __future__ import annotations

import pytest

from tests.scenarios.stacks import Lab, messages, told, writes

pytestmark = pytest.mark.real
A, B = "alice@contoso.com", "bob@contoso.com"
FILTER = {"name": "Staff", "clauses": [{"attribute": "department", "operator": "isNotNull"}]}


# What makes the schema anew takes the scope apart before the scope is looked at: the preview refuses.
@pytest.mark.parametrize(("name", "operation"), [("scope", "up"), ("scope", "preview"), ("schema", "preview")])
def test_promise_6_whoever_is_never_to_be_removed_is_not_by_a_replacement(lab: Lab, name: str, operation: str) -> None:
    lab.stack.config |= {"xtsync:neverRemove": [B], "xtsync:users": [A, B], "xtsync:flowTypes": ["add", "delete"]}
    lab.stack.run("up")
    lab.pass_time()
    del lab.stack.config["xtsync:neverRemove"]
    lab.stack.config["xtsync:users"] = [A]
    before = len(lab.entra.traffic)
    said = "\n".join(messages(lab.stack.run(operation, replace=(name,), fails=True)))
    assert f"Will not take user {B} out of the scope" in said
    assert not [call for call in writes(lab.calls_since(before)) if "appRoleAssignedTo" in call.path]
    lab.pass_time()
    assert B in lab.arrived()


@pytest.mark.parametrize("allowed", [0, 2])
def test_promise_6_as_many_as_the_threshold_are_held_in_a_replacement(lab: Lab, allowed: int) -> None:
    lab.stack.config |= {"xtsync:deletionThreshold": 2, "xtsync:allowDeletions": allowed}
    lab.stack.run("up")
    lab.stack.config["xtsync:groups"] = []
    result = lab.stack.run("preview", replace=("scope",), fails=not allowed)
    assert ("Will not let 2 people leave the scope" in "\n".join(messages(result))) == (not allowed)
    if allowed:
        assert "2 people leave the target with this change" in told(result, "scope")
        assert "into scope" not in told(result, "scope")


def test_promise_6_a_job_that_is_gone_lets_nobody_leave(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:neverRemove": [B], "xtsync:users": [A, B]}
    lab.stack.run("up")
    lab.stack.config["xtsync:users"] = [A]
    lab.stack.config["xtsync:neverRemove"] = []
    lab.stack.config["xtsync:scopingFilters"] = [FILTER]
    for principal in lab.source.applications.principals.values():
        principal.synchronization.jobs.clear()
    lab.stack.run("refresh")
    said = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert f"Will not take user {B} out of the scope" in said
