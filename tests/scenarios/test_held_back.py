"""Who is about to be deleted: told wherever a job that holds deletions back is looked at."""

from __future__ import annotations

import pytest

from lab import world
from tests.scenarios.stacks import Command, Lab, told
from tests.scenarios.steps import findings, held_back
from tests.scenarios.tenants import grant
from xtsync_resources.operate import approve

BOTH = "2 people would be deleted in Fabrikam, as of the last cycle: carol@contoso.com, dave@contoso.com"


def of_doctor(xtsync: Command) -> str:
    (text,) = (said for level, said in findings(xtsync, 1)["source", "synchronization"] if level == "problem")
    return text


def test_status_and_doctor_name_who_would_be_deleted(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    assert BOTH in " ".join(xtsync("status", "-s", "dev").out.split())
    found = xtsync("status", "-s", "dev", "--json").document["heldBack"]
    assert [one["name"] for one in found] == ["carol@contoso.com", "dave@contoso.com"]
    assert BOTH in of_doctor(xtsync)


def test_the_report_says_in_the_row_of_the_cycle_how_many(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    said = xtsync("report", "-s", "dev", "--format", "markdown", "--output", "-").out.partition("### Recent cycles")[2]
    head, _, *rows = [line.split("|")[2:-1] for line in said.partition("From the newest")[0].split("\n") if "|" in line]
    assert dict(zip(map(str.strip, head), map(str.strip, rows[-1]), strict=True))["held back"] == "2"
    assert xtsync("report", "-s", "dev", "--json").document[0]["cycles"][-1]["counts"] == {"stagedDelete": 2}


def test_without_the_permission_it_says_what_would_tell(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    grant(lab.source, world.SOURCE_CLIENT, less={"ProvisioningLog.Read.All"})
    said = " ".join(xtsync("status", "-s", "dev").out.split())
    assert "whose deletion is held back cannot be told here" in said
    assert "ProvisioningLog.Read.All" in said
    assert xtsync("status", "-s", "dev", "--json").document["heldBack"] is None
    assert "cannot be told here" in of_doctor(xtsync)
    refused = xtsync("approve-deletions", "--count", "2", "-s", "dev")
    assert refused.exit_code == 2
    assert "nobody can see here whose they are" in refused.errors
    assert "give the sign-in of Contoso ProvisioningLog.Read.All" in refused.errors
    assert lab.stack.run("up").outputs["portalUrl"] in refused.errors


def test_a_log_that_is_late_is_said_to_be_so(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    lab.source.audit.provisioning.clear()
    assert "its events come some minutes late" in " ".join(xtsync("status", "-s", "dev").out.split())
    assert xtsync("status", "-s", "dev", "--json").document["heldBack"] is None
    assert "in a quarter of an hour" in xtsync("approve-deletions", "--count", "2", "-s", "dev").errors


def test_of_too_many_events_nobody_is_left_out_in_silence(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back(lab, xtsync)
    monkeypatch.setattr(approve, "MOST_EVENTS", 1)
    said = xtsync("approve-deletions", "--count", "1", "-s", "dev")
    assert said.exit_code == 2
    assert "whoever is in older ones would be left out" in said.errors


def test_only_the_newest_cycle_counts(lab: Lab, xtsync: Command) -> None:
    """Each attempt stages them anew; whoever was put back in scope meanwhile is not in the newest."""
    held_back(lab, xtsync)
    lab.pass_time(minutes=7 * 60)
    staged = [one for one in lab.source.audit.provisioning if one["provisioningAction"].lower() == "stageddelete"]
    assert len({one["cycleId"] for one in staged}) > 1
    assert BOTH in of_doctor(xtsync)


def test_a_job_that_holds_nothing_back_is_not_asked_about(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    before = len(lab.entra.traffic)
    assert xtsync("status", "-s", "dev", "--json").document["heldBack"] == []
    assert not [call for call in lab.calls_since(before) if "auditLogs" in call.path]


def test_approving_says_from_how_many_they_are_held_back_and_where_to_look(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    said = xtsync("approve-deletions", "-s", "dev", answer="1\n")
    assert "The job holds deletions back where a cycle has 2 or more (xtsync:deletionThreshold)." in said.errors
    assert lab.stack.run("up").outputs["portalUrl"] in said.errors


def test_of_a_job_that_microsoft_has_disabled_nothing_leads_in_a_circle(lab: Lab, xtsync: Command) -> None:
    """`restart` would say to resume first, and `resume` refuses: it says what can be done instead."""
    held_back(lab, xtsync)
    lab.jobs()[0].schedule_state = "Disabled"
    before = len(lab.entra.traffic)
    said = xtsync("approve-deletions", "--count", "2", "-s", "dev")
    assert said.exit_code == 2
    assert "start provisioning in the portal" in said.errors
    assert "xtsync resume" not in said.errors
    assert "start provisioning in the portal" in " ".join(xtsync("status", "-s", "dev").out.split())
    assert not [call for call in lab.calls_since(before) if call.method == "POST" and "/jobs/" in call.path]


def test_after_an_approval_everything_says_the_same_of_the_last_cycle(lab: Lab, xtsync: Command) -> None:
    """Graph goes on counting the cycle that was held back, though it went well and the quarantine is over."""
    held_back(lab, xtsync)
    approved = xtsync("approve-deletions", "--count", "2", "-s", "dev", "--json").document
    assert lab.jobs()[0].failures_in_a_row
    found = xtsync("status", "-s", "dev", "--json")
    assert found.exit_code == 0
    assert found.document["headline"] == approved["headline"]
    assert "fail" not in xtsync("status", "-s", "dev").out
    assert ("ok", approved["headline"]) in findings(xtsync, 0)["source", "synchronization"]
    for operation in ("refresh", "up"):
        assert "fail" not in told(lab.stack.run(operation), "start")


@pytest.mark.parametrize(
    "command",
    [["status"], ["doctor"], ["logs", "--failures"], ["report", "--format", "markdown", "--output", "-"]],
    ids=lambda command: command[0],
)
def test_the_way_to_the_portal_stands_there(lab: Lab, xtsync: Command, command: list[str]) -> None:
    xtsync.up()
    lab.pass_time()
    url = lab.stack.run("up").outputs["portalUrl"]
    said = xtsync(*command, "-s", "dev")
    assert url in said.out + said.errors
    if command == ["status"]:
        assert xtsync("status", "-s", "dev", "--json").document["portalUrl"] == url


def test_the_page_links_to_the_portal(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    page = lab.folder / "page.html"
    xtsync("report", "-s", "dev", "--output", str(page))
    url = lab.stack.run("up").outputs["portalUrl"]
    assert f'<a href="{url}">The configuration in the portal</a>' in page.read_text()


# --- names -------------------------------------------------------------------------------------------------------


def test_logs_name_both_tenants_and_the_people_in_the_target_where_that_may_be_read(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    (alice,) = (one for one in lab.target.directory.users.values() if one.mail == "alice@contoso.com")
    alice.display_name = "Alice of Contoso"
    said = xtsync("logs", "-s", "dev")
    assert said.errors.startswith("Contoso → Fabrikam (stack dev)")
    assert f"alice@contoso.com → {alice.id}" in said.out, "without User.Read.All it is as the log has it"
    grant(lab.target, world.TARGET_CLIENT, more={"User.Read.All"})
    before = len(lab.entra.traffic)
    assert "alice@contoso.com → Alice of Contoso" in xtsync("logs", "-s", "dev").out
    batches = [call for call in lab.calls_since(before) if call.path.endswith("/$batch")]
    assert len(batches) == 1
    (event,) = xtsync("logs", "alice@contoso.com", "-s", "dev", "--json").document
    assert event["target"] == {"name": "Alice of Contoso", "id": alice.id}


def test_logs_do_without_the_target(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    lab.stack.environment["XTSYNC_TARGET_CLIENT_SECRET"] = "guessed"
    said = xtsync("logs", "-s", "dev")
    assert said.exit_code == 0
    assert "alice@contoso.com → " in said.out


def test_status_says_which_tenants(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    said = xtsync("status", "-s", "dev").out
    assert f"Contoso {world.SOURCE_TENANT}" in said
    assert f"Fabrikam {world.TARGET_TENANT}" in said
