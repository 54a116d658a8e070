"""Promise 6: a higher deletion threshold does not delete whom the job holds back, unless the stack file says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lab import world
from lab.entra import Fault
from lab.entra.synchronization.models import Quarantine
from tests.scenarios.stacks import Command, Lab, changed, messages, short, told, writes
from tests.scenarios.steps import held_back, made_by_hand
from tests.scenarios.tenants import grant, set_in_portal, synchronization
from xtsync_resources.graph.clock import SystemClock
from xtsync_resources.operate import approve, recorded
from xtsync_resources.program.stack_state import Recorded

REFUSED = "Will not raise xtsync:deletionThreshold of the job"
BOTH = "2 people: carol@contoso.com, dave@contoso.com"


def refuses(lab: Lab, *operations: str) -> str:
    """What each operation says that refuses; nothing is written, and nobody leaves with the next cycles."""
    everybody, before, said = lab.arrived(), len(lab.entra.traffic), ""
    for operation in operations:
        said = "\n".join(messages(lab.stack.run(operation, fails=True)))
        assert REFUSED in said
    assert not writes(lab.calls_since(before))
    lab.pass_time(24 * 60)
    assert lab.arrived() == everybody
    return said


def raised(lab: Lab, threshold: int | None = 500, allowed: int = 0) -> None:
    """Somebody changes the stack file; None takes the threshold out."""
    lab.stack.config |= {"xtsync:deletionThreshold": threshold, "xtsync:allowDeletions": allowed}
    if threshold is None:
        del lab.stack.config["xtsync:deletionThreshold"]


@pytest.mark.real
@pytest.mark.parametrize("allowed", [0, 1])
@pytest.mark.parametrize("threshold", [500, 0, None, 3])
def test_promise_6_a_higher_threshold_is_refused(
    lab: Lab, xtsync: Command, threshold: int | None, allowed: int
) -> None:
    held_back(lab, xtsync)
    raised(lab, threshold, allowed)
    said = refuses(lab, "preview", "up")
    assert f"the job holds back the deletion of {BOTH}" in said
    assert "Contoso" in said
    assert "`xtsync approve-deletions`" in said
    assert "put them back in scope" in said
    assert "set xtsync:allowDeletions to 2" in said


@pytest.mark.real
def test_promise_6_a_higher_threshold_is_refused_after_a_refresh_too(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    raised(lab)
    before = len(lab.entra.traffic)
    assert REFUSED in "\n".join(messages(lab.stack.run("up", fails=True, refresh=True)))
    assert not writes(lab.calls_since(before))
    lab.stack.config["xtsync:deletionThreshold"] = 2
    assert "secrets" not in changed(lab.stack.run("preview"))


@pytest.mark.real
def test_promise_6_the_number_in_the_stack_file_lets_them_go(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    raised(lab, 500, allowed=2)
    said = f"with this change the next cycle deletes in the target, as xtsync:allowDeletions allows, {BOTH}"
    assert said in told(lab.stack.run("preview"), "secrets")
    assert said in told(lab.stack.run("up"), "secrets")
    lab.pass_time(7 * 60)
    assert lab.arrived() == {"alice@contoso.com"}
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0


@pytest.mark.parametrize("how", ["by up", "in the portal"])
def test_promise_6_whom_a_raised_threshold_has_let_go_is_not_said_to_be_held_back(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    held_back(lab, xtsync)
    monkeypatch.setattr(recorded, "exported", lambda _: lab.stack.engine.export())
    if how == "by up":
        raised(lab, 500, allowed=2)
        said = f"the next cycle deletes in the target, as xtsync:allowDeletions allows, {BOTH}"
        assert f"Leaves Fabrikam with this change {said}" in " ".join(xtsync("plan", "-s", "dev").out.split())
        planned = xtsync("plan", "-s", "dev", "--json").document
        assert BOTH in planned["letsGo"]
        assert planned["jobDo"] == ""
        lab.stack.run("up")
    else:
        set_in_portal(lab, 500)
    said = " ".join(xtsync("status", "-s", "dev").out.split())
    assert "Unless the log, which is some minutes late, lacks others: the next cycle DELETES 2 people" in said
    assert "approve-deletions" not in said
    later = lab.entra.clock.now() + timedelta(minutes=16)
    monkeypatch.setattr(SystemClock, "now", lambda _: later)
    for name in ("status", "doctor", "plan"):
        said = " ".join(xtsync(name, "-s", "dev").out.split())
        assert f"the next cycle DELETES {BOTH.replace(':', ' in Fabrikam:')}" in said, name
        assert "Put back in scope before that cycle whoever is to stay" in said.replace("put back", "Put back"), name
        assert "approve-deletions" not in said, name
    lab.pass_time(7 * 60)
    assert lab.arrived() == {"alice@contoso.com"}


@pytest.mark.parametrize("threshold", [2, 500])
@pytest.mark.parametrize("filtered", [False, True])
def test_promise_6_who_is_put_back_is_not_said_to_be_deleted(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch, filtered: bool, threshold: int
) -> None:
    held_back(lab, xtsync)
    monkeypatch.setattr(recorded, "exported", lambda _: lab.stack.engine.export())
    lab.stack.config["xtsync:groups"] = ["Finance"]
    lab.stack.run("up")
    set_in_portal(lab, threshold)
    if filtered:  # who is assigned may be kept out all the same
        clause = {"attribute": "department", "operator": "equals", "value": "Sales"}
        lab.stack.config["xtsync:scopingFilters"] = [{"clauses": [clause]}]
    for name in ("status", "doctor", "plan"):
        said = " ".join(xtsync(name, "-s", "dev").out.split())
        assert ("Assigned by now: carol@contoso.com, dave@contoso.com" in said) is not filtered, name
        waits = not filtered and threshold == 2
        assert ("ait for the next cycle, which ends the quarantine" in said) is waits, name
        assert ("nothing asks again" in said) is (threshold == 500), name
        assert ("the next cycle DELETES" in said) is (filtered and threshold == 500), name
    lab.pass_time(7 * 60)
    assert lab.arrived() == {"alice@contoso.com", "carol@contoso.com", "dave@contoso.com"}


@pytest.mark.parametrize("unseen", ["no permission", "late", "a nameless event"])
def test_promise_6_where_nobody_can_see_whose_they_are_no_number_will_do(
    lab: Lab, xtsync: Command, unseen: str
) -> None:
    held_back(lab, xtsync)
    log = lab.source.audit.provisioning
    if unseen == "no permission":
        grant(lab.source, world.SOURCE_CLIENT, less={"ProvisioningLog.Read.All"})
    elif unseen == "late":
        log.remove(next(one for one in log if one["provisioningAction"] == "stagedDelete"))
    else:
        next(one for one in log if one["provisioningAction"] == "stagedDelete")["sourceIdentity"]["id"] = ""
    raised(lab, 500, allowed=1_000)
    said = refuses(lab, "preview", "up")
    assert "whose cannot be told here" in said
    assert "set xtsync:allowDeletions" not in said


def test_promise_6_a_job_that_cannot_be_read_raises_nothing(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    raised(lab, 500, allowed=2)
    lab.entra.faults.add(Fault(method="GET", path="synchronization/jobs$", status=403, code="Denied", times=99))
    before = len(lab.entra.traffic)
    said = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "list the jobs of" in said
    assert "Do: " in said
    assert not writes(lab.calls_since(before))


@pytest.mark.parametrize("quarantine", ["", "EncounteredQuarantineException", "Unknown", "gone"])
def test_a_higher_threshold_is_written_where_nothing_is_held_back(lab: Lab, quarantine: str) -> None:
    lab.stack.config["xtsync:deletionThreshold"] = 2
    lab.stack.run("up")
    lab.pass_time()
    state = synchronization(lab)
    (job,) = state.jobs.values()
    if quarantine == "gone":
        state.jobs.clear()
    elif quarantine:
        now = lab.entra.clock.now()
        job.quarantine = Quarantine(quarantine, "Error", "as Graph says it", now, now + timedelta(hours=6))
    raised(lab, None)
    assert changed(lab.stack.run("preview")) == changed(lab.stack.run("up")) == {"secrets": "update"}
    assert state.delete_threshold() == 500


def test_a_lower_threshold_is_written_and_asks_for_nothing(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    raised(lab, 1)
    before = len(lab.entra.traffic)
    assert changed(lab.stack.run("preview")) == {"secrets": "update"}
    assert not [call for call in lab.calls_since(before) if "/jobs" in call.path or "auditLogs" in call.path]
    lab.stack.run("up")
    assert synchronization(lab).delete_threshold() == 1


def test_other_settings_ask_for_nothing(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    lab.stack.config["xtsync:notifyEmail"] = "it@contoso.com"
    before = len(lab.entra.traffic)
    assert "secrets" in changed(lab.stack.run("preview"))
    assert not [call for call in lab.calls_since(before) if "/jobs" in call.path or "auditLogs" in call.path]


# --- somebody has changed the threshold in the portal --------------------------------------------------------------


@pytest.mark.real
def test_promise_6_drift_of_the_threshold_lets_nobody_go(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    set_in_portal(lab, 1)
    raised(lab, 2)
    assert "secrets" not in changed(lab.stack.run("preview"))
    lab.stack.run("refresh")
    assert synchronization(lab).delete_threshold() == 1
    refuses(lab, "preview", "up")
    lab.stack.config["xtsync:deletionThreshold"] = 1
    assert "secrets" not in changed(lab.stack.run("up"))


def test_promise_6_what_no_preview_has_shown_is_not_raised_with_something_else(lab: Lab, xtsync: Command) -> None:
    held_back(lab, xtsync)
    set_in_portal(lab, 1)
    lab.stack.config["xtsync:notifyEmail"] = "it@contoso.com"
    said = refuses(lab, "up")
    assert "run `pulumi refresh --diff`" in said
    assert "allowDeletions" not in said


@pytest.mark.parametrize("threshold", [3, 500, None])
@pytest.mark.parametrize("known", ["by the state", "by the time"])
def test_what_is_held_back_is_approved_whatever_the_threshold_reads_now(
    lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch, threshold: int | None, known: str
) -> None:
    """The state tells from how many on they were held back; where it does not, the log has had time to name all."""
    held_back(lab, xtsync)
    set_in_portal(lab, threshold)
    if known == "by the state":
        recorded = [Recorded(short(one["urn"]), one["type"], one.get("outputs") or {}) for one in lab.stack.resources()]
        monkeypatch.setattr(approve, "beside_outputs", lambda _: recorded)
    elif threshold:
        early = xtsync("approve-deletions", "--count", "2", "-s", "dev")
        assert early.exit_code == 2
        assert f"names 2 people so far, of at least {threshold}" in early.errors
    if known == "by the time":
        later = lab.entra.clock.now() + timedelta(minutes=16)
        monkeypatch.setattr(SystemClock, "now", lambda _: later)
    said = xtsync("approve-deletions", "--count", "2", "-s", "dev")
    assert said.exit_code == 0, said
    assert "2 people would be deleted in Fabrikam" in said.errors
    assert "it was raised since" in said.errors
    lab.pass_time()
    assert lab.arrived() == {"alice@contoso.com"}


# --- settings that are made anew, or put back ---------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("allowed", [0, 2])
def test_promise_6_settings_that_are_made_anew_raise_nothing(lab: Lab, xtsync: Command, allowed: int) -> None:
    held_back(lab, xtsync)
    raised(lab, 500, allowed)
    said = "\n".join(messages(lab.stack.run("up", fails=not allowed, replace=("secrets",))))
    assert (REFUSED in said) == (not allowed)
    assert synchronization(lab).delete_threshold() == (500 if allowed else 2)
    lab.pass_time(7 * 60)
    assert ("carol@contoso.com" in lab.arrived()) == (not allowed)


def test_promise_6_the_threshold_of_before_comes_back_only_where_nothing_is_held_back(
    lab: Lab, xtsync: Command
) -> None:
    lab.stack.config["xtsync:groups"] = []
    xtsync.up()
    lab.pass_time()
    made_by_hand(lab.stack)
    del lab.stack.config["xtsync:groups"]
    held_back(lab, xtsync)
    everybody = lab.arrived()
    said = told(lab.stack.run("destroy"), "secrets")
    assert "the deletion threshold stays as it is" in said
    assert synchronization(lab).delete_threshold() == 2
    lab.pass_time(24 * 60)
    assert lab.arrived() == everybody
