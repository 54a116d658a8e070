"""Running a pair day to day: provision people now, read the logs, pause, resume and restart the job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lab import world
from lab.entra.synchronization.models import Quarantine
from tests.scenarios.stacks import Command, Lab, changed, told, writes
from tests.scenarios.steps import held_back
from tests.scenarios.tenants import unassign
from xtsync_resources.operate import approve, control
from xtsync_resources.operate.screen import Screen

ALICE = "alice@contoso.com"


def test_step_10_one_person_is_provisioned_now_with_the_verdict_step_by_step(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    said = xtsync("provision", ALICE, "-s", "dev")
    assert said.exit_code == 0, said
    assert f"{ALICE}  Success" in said.out
    assert "EntryExport" in said.out
    assert ALICE in lab.arrived()
    again = xtsync("provision", ALICE, "-s", "dev", "--json")
    assert again.document[0]["code"] == "RedundantExport"
    assert again.document[0]["good"] is True


def test_an_answer_of_200_is_not_success(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    said = xtsync("provision", "bob@contoso.com", "-s", "dev")
    assert said.exit_code == 1
    assert "bob@contoso.com  Skipped (NotEffectivelyEntitled)" in said.out
    assert "put the person in scope" in said.out
    before = len(lab.entra.traffic)
    said = xtsync("provision", "nobody@contoso.com", "noone@contoso.com", "-s", "dev")
    assert said.exit_code == 2
    assert "Cannot find nobody@contoso.com, noone@contoso.com in the source tenant Contoso" in said.errors
    assert not writes(lab.calls_since(before))


def test_the_log_has_a_line_an_event_and_finds_a_person_and_failures(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    said = xtsync("logs", "-s", "dev", "--since", "7d", "--details")
    assert said.exit_code == 0, said
    line = next(line for line in said.out.splitlines() if ALICE in line)
    assert "success" in line
    assert "create" in line
    assert "import" in said.out
    only = xtsync("logs", ALICE, "-s", "dev", "--since", "7d", "--json").document
    assert len(only) == 1
    assert "Nothing since" in xtsync("logs", "-s", "dev", "--failures").out
    assert "neither a span nor a time" in xtsync("logs", "-s", "dev", "--since", "soon").errors


def test_step_10_and_12_the_log_waits_its_turn(lab: Lab, xtsync: Command) -> None:
    lab.source.settings = lab.source.settings.__class__(audit_throttled=True, page_size=100)
    xtsync.up()
    assert xtsync("logs", "-s", "dev").exit_code == 0


def test_pause_resume_and_restart_say_what_they_mean_and_ask(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    declined = xtsync("pause", "-s", "dev", answer="n\n")
    assert declined.exit_code == 1
    assert "Nobody is created, changed or removed in Fabrikam" in declined.errors
    assert lab.jobs()[0].schedule_state == "Active"
    assert xtsync("pause", "-s", "dev", answer="y\n").exit_code == 0
    assert lab.jobs()[0].schedule_state == "Paused"
    assert "xtsync resume" in xtsync("restart", "-s", "dev", "--yes").errors
    assert xtsync("resume", "-s", "dev", "--yes").exit_code == 0
    assert xtsync("restart", "-s", "dev", "--yes").exit_code == 0
    assert xtsync("restart", "--full", "-s", "dev", "--yes").exit_code == 0
    scopes = [c.request_body["criteria"]["resetScope"] for c in lab.calls_since(0) if c.path.endswith("/restart")]
    assert scopes == ["Watermark, Escrows, QuarantineState", "Full"]
    assert lab.jobs()[0].schedule_state == "Active"


def test_what_was_done_is_told_and_no_advice_about_what_was_before(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    lab.jobs()[0].last_execution.state = "Failed"
    for command, sentence in (
        (
            "pause",
            "the job is paused: nobody is created, changed or removed in Fabrikam until it goes on. `xtsync resume`",
        ),
        ("resume", "the job is started: what has changed since comes with its next cycle"),
        ("restart", "the job is restarted: its next cycle looks at everybody again"),
    ):
        said = xtsync(command, "-s", "dev", "--yes")
        assert said.exit_code == 0
        assert sentence in " ".join(said.out.split())
        assert "Do " not in said.out
        assert "Settings, scope and policies were not looked at: `xtsync status`" in " ".join(said.out.split())
    document = xtsync("restart", "-s", "dev", "--yes", "--json").document
    assert document["doneNow"].startswith("the job is restarted")
    assert (document["remedy"], document["findings"], document["outOfScope"]) == ("", None, None)


def test_a_job_that_runs_already_is_not_said_to_be_started(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    lab.jobs()[0].last_execution.state = "Failed"
    before = len(lab.entra.traffic)
    said = xtsync("resume", "-s", "dev", "--yes")
    assert said.exit_code == 0
    words = " ".join(said.out.split())
    assert "nothing: the job runs already, and was not started again" in words
    assert "quarantine" not in words
    assert "Do " in words, "what was true before is true now"
    assert not writes(lab.calls_since(before))
    assert "quarantine" not in xtsync("resume", "-s", "dev", answer="n\n").errors


def test_a_job_at_rest_is_not_said_to_be_brought_there(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    xtsync("pause", "-s", "dev", "--yes")
    assert (
        xtsync("pause", "-s", "dev", "--yes", "--json").document["doneNow"].startswith("nothing new: the job did not")
    )


def test_a_quarantine_is_said_to_be_over_only_where_there_was_one(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    job, now = lab.jobs()[0], lab.entra.clock.now()
    job.status_code = "Quarantine"
    job.quarantine = Quarantine("IngestionInterrupted", "Error", "no answer", now, now + timedelta(hours=6))
    assert "The quarantine (IngestionInterrupted) ends with it." in xtsync("resume", "-s", "dev", answer="n\n").errors
    done = xtsync("resume", "-s", "dev", "--yes", "--json").document["doneNow"]
    assert done.startswith("the job is started")
    assert "The quarantine (IngestionInterrupted) is over" in done
    xtsync("pause", "-s", "dev", "--yes")
    assert "quarantine" not in xtsync("resume", "-s", "dev", "--yes", "--json").document["doneNow"]


def test_what_another_look_sees_held_back_is_not_said_to_be_started(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look may be old: a job that seems to run holds deletions back."""
    held_back(lab, xtsync)
    old = {"id": "j", "schedule": {"state": "Active"}, "status": {"code": "Active"}}
    monkeypatch.setattr(control, "read_job", lambda *_: old)
    before = len(lab.entra.traffic)
    said = xtsync("resume", "-s", "dev", "--yes")
    assert said.exit_code == 2
    assert "it is in quarantine (TooManyDeletes)" in said.errors
    assert not writes(lab.calls_since(before))


def test_held_back_deletions_are_released_by_no_other_command(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    job, now = lab.jobs()[0], lab.entra.clock.now()
    job.status_code = "Quarantine"
    job.quarantine = Quarantine("TooManyDeletes", "Error", "600 people", now, now + timedelta(hours=6))
    before = len(lab.entra.traffic)
    for command in (["resume"], ["restart"], ["restart", "--full"]):
        said = xtsync(*command, "-s", "dev", "--yes")
        assert said.exit_code == 2
        assert "xtsync approve-deletions" in said.errors
    assert not writes(lab.calls_since(before))


@pytest.mark.parametrize("typed", [["--count", "2"], []])
def test_held_back_deletions_are_approved_by_number(lab: Lab, xtsync: Command, typed: list[str]) -> None:
    held_back(lab, xtsync)
    everybody = lab.arrived()
    said = xtsync("approve-deletions", *typed, "-s", "dev", answer="" if typed else "2\n")
    assert said.exit_code == 0, said.errors
    assert "2 people would be deleted in Fabrikam" in said.errors
    assert "carol@contoso.com" in said.errors
    lab.pass_time()
    assert everybody - lab.arrived() == {"carol@contoso.com", "dave@contoso.com"}
    again = xtsync("approve-deletions", "--count", "2", "-s", "dev")
    assert again.exit_code == 2
    assert "it holds no deletions back" in again.errors


def test_a_log_that_tells_of_some_only_approves_nothing(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    staged = [entry for entry in lab.source.audit.provisioning if entry["provisioningAction"] == "stagedDelete"]
    lab.source.audit.provisioning.remove(staged[-1])
    said = xtsync("approve-deletions", "--count", "1", "-s", "dev")
    assert said.exit_code == 2
    assert "names 1 person so far, of at least 2" in said.errors
    staged[0]["sourceIdentity"]["id"] = ""
    assert "does not say whose it is" in xtsync("approve-deletions", "--count", "1", "-s", "dev").errors


def test_others_than_those_who_were_shown_are_not_approved(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back(lab, xtsync)

    def number(screen: Screen, question: str) -> int:
        unassign(lab, lab.source.directory.user(ALICE).id)
        lab.entra.pass_time(minutes=7 * 60)
        return 2

    monkeypatch.setattr(Screen, "number", number)
    monkeypatch.setattr(approve, "refuse_to_ask_nobody", lambda _: None)
    before = len(lab.entra.traffic)
    said = xtsync("approve-deletions", "-s", "dev")
    assert said.exit_code == 2
    assert "they are others now than those who were shown" in said.errors
    assert not writes(lab.calls_since(before))


def test_two_people_of_the_same_name_are_two(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    for entry in lab.source.audit.provisioning:
        entry["sourceIdentity"]["displayName"] = "Carol Dane"
    said = xtsync("approve-deletions", "--count", "2", "-s", "dev", "--json")
    assert said.exit_code == 0, said.errors
    assert [one["name"] for one in said.document["approved"]] == ["Carol Dane", "Carol Dane"]
    assert len({one["id"] for one in said.document["approved"]}) == 2


@pytest.mark.parametrize(("typed", "answer", "code"), [(["--count", "3"], "", 2), ([], "3\n", 1), ([], "", 2)])
def test_another_number_approves_nothing(lab: Lab, xtsync: Command, typed: list[str], answer: str, code: int) -> None:
    held_back(lab, xtsync)
    before = len(lab.entra.traffic)
    assert xtsync("approve-deletions", *typed, "-s", "dev", answer=answer).exit_code == code
    assert not writes(lab.calls_since(before))


# --- the resource ------------------------------------------------------------------------------------------------


def test_people_in_the_list_are_provisioned_once_with_their_verdict_as_an_output(lab: Lab) -> None:
    lab.stack.config["xtsync:provisionOnDemand"] = [ALICE]
    result = lab.stack.run("up")
    assert result.outputs["provisionedOnDemand"] == {ALICE: "Success"}
    assert ALICE in lab.arrived()
    before = len(lab.entra.traffic)
    assert not changed(lab.stack.run("up"))
    lab.stack.config["xtsync:provisionOnDemand"] = [ALICE, "carol@contoso.com"]
    assert changed(lab.stack.run("up")) == {"provision-on-demand": "update"}
    tried = [call for call in lab.calls_since(before) if call.path.endswith("/provisionOnDemand")]
    carol = next(
        user.id for user in lab.source.directory.users.values() if user.user_principal_name.startswith("carol")
    )
    assert [c.request_body["parameters"][0]["subjects"][0]["objectId"] for c in tried] == [carol]
    lab.stack.config["xtsync:provisionOnDemand"] = []
    assert changed(lab.stack.run("up")) == {"job": "update", "provision-on-demand": "delete"}
    lab.stack.run("destroy")


def test_a_person_who_cannot_be_provisioned_fails_the_run_and_is_tried_again(lab: Lab) -> None:
    lab.stack.config["xtsync:provisionOnDemand"] = [ALICE]
    lab.stack.run("up")
    lab.target.policies.partners[world.SOURCE_TENANT].members["automaticUserConsentSettings"] = None
    lab.stack.config["xtsync:provisionOnDemand"] = [ALICE, "dave@contoso.com"]
    result = lab.stack.run("up", fails=True)
    assert "dave@contoso.com could not be provisioned" in told(result, "provision-on-demand")
    lab.stack.run("refresh")
    result = lab.stack.run("up")
    assert result.outputs["provisionedOnDemand"]["dave@contoso.com"] == "Success"
    lab.stack.run("destroy")
