"""docs/runbooks.md, row by row: what an administrator sees at three in the morning, and that what to do works."""

from __future__ import annotations

import re

import pytest

from lab.entra import Fault
from tests.scenarios.stacks import ROOT, Command, Lab, changed, messages, told, writes

PAGE = (ROOT / "docs" / "runbooks.md").read_text()
SOURCES = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", PAGE))))
def test_a_row_names_a_scenario_that_is_there(name: str) -> None:
    assert re.search(rf"def {name}\w*\(", SOURCES)


@pytest.mark.real
def test_the_state_is_lost(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people, before = lab.arrived(), len(lab.entra.traffic)
    lost = lab.new_stack("lost")
    for operation in ("preview", "up"):
        text = "\n".join(messages(lost.run(operation, fails=True)))
        assert "Will not make a second configuration" in text
        assert "docs/operations.md" in text
    assert writes(lab.calls_since(before)) == []
    lab.pass_time()
    assert lab.arrived() == people


@pytest.mark.real
def test_somebody_paused_the_job(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    (job,) = lab.jobs()
    job.schedule_state, job.status_code = "Paused", "Paused"
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert "paused" in said.out.lower()
    lab.stack.run("refresh")
    assert changed(lab.stack.run("up")) == {"start": "update"}
    assert lab.jobs()[0].schedule_state == "Active"
    assert xtsync("status", "-s", "dev").exit_code == 0


@pytest.mark.real
def test_an_application_is_restored(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    (application,) = (one for one in lab.source.applications.applications.values())
    lab.source.applications.delete_application(application.id)
    lab.source.applications.restore(application.id)
    lab.stack.run("up", refresh=True)
    lab.pass_time()
    assert lab.arrived() == people
    assert len(lab.source.applications.applications) == 1


@pytest.mark.real
def test_conditional_access_is_in_the_way(lab: Lab) -> None:
    refused = Fault(method="POST", path="/oauth2/", status=400, code="invalid_grant", message=BLOCKED, times=100)
    lab.entra.faults.add(refused)
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "a conditional access policy of the tenant blocks the sign-in" in text
    assert "Traceback" not in text


BLOCKED = "AADSTS53003: Access has been blocked by Conditional Access policies. Trace ID: 1 Correlation ID: 2"


@pytest.mark.real
def test_a_wrong_change_is_taken_back(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "carol@contoso.com"]
    lab.stack.config["xtsync:groups"] = []
    lab.stack.run("up")
    lab.pass_time()
    (carol,) = (user for user in lab.target.directory.users.values() if user.mail == "carol@contoso.com")
    lab.stack.config["xtsync:users"] = ["alice@contoso.com"]
    lab.stack.run("up")
    lab.pass_time()
    assert lab.arrived() == {"alice@contoso.com"}
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "carol@contoso.com"]
    assert "carol@contoso.com" in told(lab.stack.run("up"), "scope")
    lab.target.directory.restore(carol.id)
    lab.pass_time()
    back = [user.id for user in lab.target.directory.users.values() if user.mail == "carol@contoso.com"]
    assert back == [carol.id], "the same account, and no other"
    assert lab.jobs()[0].schedule_state == "Active"
