"""Living with a stack: bad input, rotation, quarantine, renaming, older states, live changes, failing sign-ins."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import certifi
import pytest

from lab import world
from lab.entra import Fault
from lab.entra.synchronization.models import Quarantine
from tests.scenarios.stacks import Lab, changed, messages, told, writes
from tests.scenarios.steps import forget_ours, variant
from tests.scenarios.tenants import synchronization
from xtsync_resources.sync_secrets.model import deletion_threshold

# --- configuration -----------------------------------------------------------------------------------------------


def test_every_problem_of_a_configuration_is_reported_at_once_before_any_call(lab: Lab) -> None:
    lab.stack.config.update(
        {
            "xtsync:source": {"tenantId": "contoso.com", "auth": "secret", "clientId": world.SOURCE_CLIENT},
            "xtsync:onExisting": "adpot",
            "xtsync:notifyMail": "a@b.example",
            "xtsync:users": [],
            "xtsync:groups": [],
        }
    )
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    for part in (
        'xtsync:source.tenantId = "contoso.com": not a GUID',
        'xtsync:onExisting = "adpot": not a choice',
        "xtsync:notifyMail: unknown key. Did you mean notifyEmail",
        "nobody is in scope",
    ):
        assert part in text, text
    assert lab.entra.traffic == []
    assert "Traceback" not in text


def test_every_unknown_user_and_group_is_reported_at_once_before_any_write(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "nobody@contoso.com", "noone@contoso.com"]
    lab.stack.config["xtsync:groups"] = ["Finanse"]
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    for part in (
        'xtsync:users[1] = "nobody@contoso.com"',
        'xtsync:users[2] = "noone@contoso.com"',
        'xtsync:groups[0] = "Finanse": Contoso has no such group',
    ):
        assert part in text, text
    assert not writes(lab.calls_since(0))
    assert "Traceback" not in text


@pytest.mark.parametrize("operation", ["refresh", "destroy"])
def test_a_rotated_secret_is_used_by_the_next_command(lab: Lab, operation: str) -> None:
    lab.stack.run("up")
    for tenant, client, side in (
        (lab.source, world.SOURCE_CLIENT, "SOURCE"),
        (lab.target, world.TARGET_CLIENT, "TARGET"),
    ):
        tenant.login.clients[client].secret = "rotated"
        lab.stack.environment[f"XTSYNC_{side}_CLIENT_SECRET"] = "rotated"
    lab.stack.run(operation)


# --- quarantine, twins, renaming, state that lasts -------------------------------------------------------------------


def quarantine(lab: Lab, reason: str) -> None:
    now = lab.entra.clock.now()
    job = lab.jobs()[0]
    job.status_code = "Quarantine"
    job.quarantine = Quarantine(reason, "Error", "it does not work", now, now + timedelta(hours=6))


def test_a_quarantined_job_is_shown_with_its_reason_and_started_again(lab: Lab) -> None:
    lab.stack.run("up")
    quarantine(lab, "EncounteredQuarantineException")
    assert "in quarantine (EncounteredQuarantineException): the target could not be reached, or refused" in told(
        lab.stack.run("refresh"), "start"
    )
    assert changed(lab.stack.run("up")) == {"start": "update"}
    assert lab.jobs()[0].quarantine is None
    assert told(lab.stack.run("refresh"), "start") == ""


def test_held_back_deletions_are_never_approved(lab: Lab) -> None:
    lab.stack.run("up")
    quarantine(lab, "TooManyDeletes")
    assert "TooManyDeletes" in told(lab.stack.run("refresh"), "start")
    before = len(lab.entra.traffic)
    assert "`xtsync approve-deletions` shows who they are and lets them go" in told(lab.stack.run("up"), "start")
    assert not writes(lab.calls_since(before))
    assert lab.jobs()[0].quarantine is not None


def test_a_twin_application_left_by_a_lost_answer_is_removed(lab: Lab) -> None:
    lab.entra.faults.add(Fault(method="POST", path="instantiate", when="after", status=504, code="UnknownError"))
    result = lab.stack.run("up")
    assert list(lab.source.applications.applications) == [result.outputs["applicationId"]]
    (twin,) = lab.source.applications.deleted_applications
    assert f"removed another configuration application of this name: {twin}" in told(result, "service-principal")


@pytest.mark.real
def test_a_renamed_component_keeps_everything(lab: Lab, tmp_path: Path) -> None:
    if lab.installation is None:
        pytest.skip("needs the Pulumi CLI: the small engine refuses aliases")
    lab.stack.run("up")
    alias = 'TenantPair("contoso", config.load(), pulumi.ResourceOptions(aliases=[pulumi.Alias(name="pair")]))'
    lab.stack.program = variant(lab, tmp_path / "renamed", 'TenantPair("pair", config.load())', alias)
    before = len(lab.entra.traffic)
    assert changed(lab.stack.run("up")) == {}
    assert not writes(lab.calls_since(before))
    lab.stack.run("destroy")


def test_a_notification_address_comes_and_goes(lab: Lab) -> None:
    def notification() -> dict[str, object]:
        (principal,) = (p for p in lab.source.applications.principals.values() if p.template_id)
        found: dict[str, object] = json.loads(principal.synchronization.secrets["SyncNotificationSettings"])
        return found

    lab.stack.run("up")
    at_first = notification()
    lab.stack.config["xtsync:notifyEmail"] = "admins@contoso.com"
    assert changed(lab.stack.run("up")) == {"secrets": "update"}
    assert notification() == {**at_first, "Enabled": True, "Recipients": "admins@contoso.com"}
    del lab.stack.config["xtsync:notifyEmail"]
    lab.stack.run("up")
    assert notification() == at_first


def test_people_come_into_scope_and_leave_it(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.config["xtsync:users"] = ["bob@contoso.com"]
    bob, alice = (lab.source.directory.user(f"{name}@contoso.com").id for name in ("bob", "alice"))
    done = {
        "scope-record": "update",
        "scope": "update",
        f"user-{bob[:8]}": "create",
        f"user-{alice[:8]}": "delete",
        "start": "update",
    }
    assert changed(lab.stack.run("up")) == done
    lab.pass_time()
    assert lab.arrived() == {"bob@contoso.com", "carol@contoso.com", "dave@contoso.com"}
    lab.stack.config["xtsync:users"] = [bob]
    before = len(lab.entra.traffic)
    assert changed(lab.stack.run("up")) == {"scope": "update"}, "only what he is called"
    assert not writes(lab.calls_since(before))


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        ("wrong secret", "the client secret is wrong (AADSTS7000215)"),
        ("expired secret", "the client secret has expired (AADSTS7000222)"),
        ("unknown application", "this tenant does not know the application (AADSTS700016)"),
        ("unknown tenant", "there is no such tenant in this cloud"),
        ("untrusted certificate", "the server's certificate is not trusted"),
        ("unreachable host", "the connection was refused. Check xtsync:metadataHost"),
    ],
)
def test_a_sign_in_that_fails_says_why_and_what_to_do(lab: Lab, break_it: str, says: str) -> None:
    target = {"tenantId": world.TARGET_TENANT, "name": "Fabrikam", "clientId": world.TARGET_CLIENT, "auth": "secret"}
    unknown = "99999999-9999-4999-8999-999999999999"
    if break_it == "wrong secret":
        lab.stack.environment["XTSYNC_TARGET_CLIENT_SECRET"] = "guessed"
    elif break_it == "expired secret":
        lab.target.login.clients[world.TARGET_CLIENT].secret_expired = True
    elif break_it == "unknown application":
        lab.stack.config["xtsync:target"] = {**target, "clientId": unknown}
    elif break_it == "unknown tenant":
        lab.stack.config["xtsync:target"] = {**target, "tenantId": unknown}
    elif break_it == "untrusted certificate":
        lab.stack.environment.pop("REQUESTS_CA_BUNDLE")
        lab.stack.environment["REQUESTS_CA_BUNDLE"] = certifi.where()
    else:
        lab.stack.config["xtsync:metadataHost"] = "localhost:1"
        lab.stack.config["xtsync:users"] = []
        lab.stack.config["xtsync:groups"] = ["11111111-1111-4111-8111-111111111111"]
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert says in text, text
    assert "Traceback" not in text
    assert "get_token failed" not in "\n".join(lab.texts), "a library speaks beside us"
    assert not writes(lab.calls_since(0))


# --- a pair that was made by hand --------------------------------------------------------------------------------


def test_a_pair_made_by_hand_comes_under_management_and_ends_in_no_changes(lab: Lab) -> None:
    lab.stack.run("up")
    (job,) = lab.jobs()
    made_by_hand, due = lab.settings(), job.next_cycle
    forget_ours(lab)

    preview = lab.stack.run("preview")
    for name in ("source-partner", "target-partner", "target-identity-sync"):
        assert "adopts" in told(preview, name)
    before = len(lab.entra.traffic)
    result = lab.stack.run("up")
    assert f"adopts the existing job {job.id} (Active)" in told(result, "job")
    assert "adopts the existing synchronization settings" in told(result, "secrets")
    for name in ("job", "secrets"):
        assert told(preview, name) == told(result, name)
    changing = [call for call in writes(lab.calls_since(before)) if not call.path.endswith("/validateCredentials")]
    assert [call.path.rsplit("/", 1)[-1] for call in changing] == ["pause", "secrets", "start"]
    assert lab.jobs() == [job]
    assert job.starts_while_running == 0
    job.next_cycle = due  # it was paused and started
    assert lab.settings() == made_by_hand
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0


def test_a_preview_says_what_becomes_of_a_paused_job_and_of_its_settings(lab: Lab) -> None:
    lab.stack.config["xtsync:deletionThreshold"] = 20
    lab.stack.run("up")
    lab.jobs()[0].schedule_state = "Paused"
    forget_ours(lab)
    lab.stack.config["xtsync:deletionThreshold"] = 40
    before = len(lab.entra.traffic)
    preview = lab.stack.run("preview")
    assert not writes(lab.calls_since(before))
    assert f"adopts the existing job {lab.jobs()[0].id} (Paused)" in told(preview, "job")
    assert "the adopted job does not run" in told(preview, "job")
    assert "DeleteThresholdValue: 20 -> 40" in told(preview, "secrets")
    result = lab.stack.run("up")
    for name in ("job", "secrets"):
        assert told(preview, name) == told(result, name)


def test_a_preview_refuses_a_job_as_up_does(lab: Lab) -> None:
    lab.stack.run("up")
    quarantine(lab, "TooManyDeletes")
    forget_ours(lab)
    preview, result = (told(lab.stack.run(operation, fails=True), "job") for operation in ("preview", "up"))
    assert "TooManyDeletes" in preview
    assert preview == result


def only_the_job_is_there(lab: Lab) -> None:
    """Let nobody know of it, and let the policies be gone."""
    forget_ours(lab)
    lab.source.policies.delete(world.TARGET_TENANT)
    lab.target.policies.delete_identity_sync(world.SOURCE_TENANT)
    lab.target.policies.delete(world.SOURCE_TENANT)


def test_on_existing_fail_refuses_a_job_that_is_there(lab: Lab) -> None:
    lab.stack.run("up")
    only_the_job_is_there(lab)
    lab.stack.config["xtsync:onExisting"] = "fail"
    for operation in ("preview", "up"):
        text = told(lab.stack.run(operation, fails=True), "job")
        assert "onExisting is fail" in text
        assert lab.jobs()[0].id in text


@pytest.mark.real
@pytest.mark.parametrize("ran", [True, False], ids=["disabled by a long quarantine", "never started"])
def test_promise_4_a_disabled_job_made_by_hand_is_left_as_it_was_found(lab: Lab, ran: bool) -> None:
    lab.stack.config["xtsync:deletionThreshold"] = 20
    lab.stack.run("up")
    (job,) = lab.jobs()
    if ran:
        lab.pass_time()
        quarantine(lab, "EncounteredQuarantineException")
    else:
        job.started, job.last_execution = False, None
    job.schedule_state = "Disabled"
    synchronization(lab).secrets["Domain"] = "kept"
    only_the_job_is_there(lab)
    lab.stack.config |= {"xtsync:onExisting": "fail", "xtsync:deletionThreshold": 40}
    assert "onExisting is fail" in told(lab.stack.run("preview", fails=True), "job")
    lab.stack.config["xtsync:onExisting"] = "adopt"
    for operation in ("preview", "up"):
        result = lab.stack.run(operation)
        assert f"adopts the existing job {job.id} (Disabled)" in told(result, "job")
        assert "the adopted job does not run" in told(result, "job")
        assert "DeleteThresholdValue: 20 -> 40" in told(result, "secrets")
    assert synchronization(lab).secrets["Domain"] == "kept"
    lab.stack.run("destroy")
    assert lab.jobs() == [job], "it is not ours to delete"
    assert job.schedule_state == "Paused"
    assert deletion_threshold(synchronization(lab).secrets) == 20
    assert synchronization(lab).secrets["Domain"] == "kept"


def test_promise_4_settings_that_somebody_left_without_a_job_come_back(lab: Lab) -> None:
    lab.stack.config["xtsync:deletionThreshold"] = 20
    lab.stack.run("up")
    theirs = synchronization(lab)
    theirs.secrets["Domain"] = "kept"
    only_the_job_is_there(lab)
    theirs.jobs.clear()
    lab.stack.config["xtsync:deletionThreshold"] = 40
    preview, result = (told(lab.stack.run(operation), "secrets") for operation in ("preview", "up"))
    assert "DeleteThresholdValue: 20 -> 40" in preview
    assert preview == result
    lab.stack.run("destroy")
    assert not lab.jobs()
    assert deletion_threshold(theirs.secrets) == 20
    assert theirs.secrets["Domain"] == "kept"
