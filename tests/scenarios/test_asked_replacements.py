"""Promise 7 where somebody asks for a replacement (`pulumi up --replace URN`): every resource survives it."""

from __future__ import annotations

from typing import Any

import pytest

from lab import world
from lab.entra import Fault
from lab.entra.synchronization.schema import object_mapping
from tests.scenarios.stacks import Lab, Stack, changed, messages, short, told, writes

RESOURCES = (
    "target-baseline", "source-baseline", "target-partner", "source-partner", "target-identity-sync", "application",
    "service-principal", "job", "secrets", "schema-baseline", "schema", "scope-record", "scope", "user-", "group-",
    "start", "provision-on-demand",
)  # fmt: skip
# The rest runs on the real engine in `make real`.
MARKED = ("application", "service-principal", "job", "scope", "user-")
EVERYTHING = {
    "xtsync:flowTypes": ["add", "delete"],
    "xtsync:provisionOnDemand": ["alice@contoso.com"],
    "xtsync:inboundTrust": {"mfa": True},
    "xtsync:onDestroy": "drain",
}


def named(stack: Stack, start: str) -> str:
    """The one resource whose name starts so."""
    names = {short(resource["urn"]) for resource in stack.resources()}
    (found,) = (name for name in names if name == start or (start.endswith("-") and name.startswith(start)))
    return found


def live(lab: Lab) -> Any:
    """Everything in both tenants but ids, which a replacement changes, and when the job runs next."""
    principals = [p for p in lab.source.applications.principals.values() if p.template_id]
    return (
        {tenant: settings["partners"] for tenant, settings in lab.settings().items()},
        [sorted(one.principal_id for one in principal.assignments.values()) for principal in principals],
        [principal.synchronization.secrets for principal in principals],
        [(job.schedule_state, object_mapping(job.schema, "User")["flowTypes"]) for job in lab.jobs()],
    )


@pytest.mark.parametrize(
    "start", [pytest.param(one, marks=pytest.mark.real if one in MARKED else ()) for one in RESOURCES]
)
def test_promise_7_a_resource_that_is_to_be_replaced_is_there_afterwards(lab: Lab, start: str) -> None:
    before = lab.settings()
    lab.stack.config |= EVERYTHING
    lab.stack.run("up")
    lab.pass_time()
    people, made = lab.arrived(), live(lab)
    name = named(lab.stack, start)
    result = lab.stack.run("up", replace=(name,))
    assert changed(result)[name] in ("create-replacement", "delete-replaced")
    assert live(lab) == made
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    lab.pass_time()
    lab.pass_time()
    assert lab.arrived() == people, "nobody was deleted, though the end would be"
    assert lab.target.directory.deleted_users == {}
    lab.stack.config["xtsync:onDestroy"] = "release"
    lab.stack.run("up")
    assert lab.arrived() == people
    lab.stack.run("destroy")
    assert lab.settings() == before


@pytest.mark.parametrize("start", ["scope", "scope-record"])
def test_promise_6_draining_goes_on_after_a_replacement(lab: Lab, start: str) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.run("up", replace=(start,))
    lab.stack.config["xtsync:deadlineMinutes"] = 0.05
    lab.stack.run("up")
    lab.stack.run("destroy", fails=True)
    lab.pass_time()
    assert lab.arrived() == set()
    assert "nobody of this pair is left" in told(lab.stack.run("destroy"), "scope-record")


@pytest.mark.parametrize("path", ["/pause$", r"/\$batch$", "appRoleAssignedTo$", "/start$"])
def test_promise_6_a_replacement_of_the_scope_that_fails_deletes_nobody_and_goes_on(lab: Lab, path: str) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.run("up")
    lab.pass_time()
    people, made = lab.arrived(), live(lab)
    lab.entra.faults.add(Fault(method="POST", path=path, status=403, code="Denied", times=1000))
    lab.stack.run("up", replace=("scope",), fails=True)
    lab.pass_time()
    assert lab.arrived() == people
    lab.entra.faults.clear()
    lab.stack.run("up")
    assert live(lab) == made
    assert changed(lab.stack.run("up")) == {}
    lab.pass_time()
    assert lab.arrived() == people


@pytest.mark.parametrize("name", ["schema", "job"])
def test_promise_6_who_would_leave_is_refused_late_without_a_preview_and_nobody_is_deleted(lab: Lab, name: str) -> None:
    """docs/limits.md: the scope is apart by then, under a job at rest."""
    lab.stack.config |= {"xtsync:flowTypes": ["add", "delete"], "xtsync:deletionThreshold": 2}
    lab.stack.run("up")
    lab.pass_time()
    people, made = lab.arrived(), live(lab)
    lab.stack.config["xtsync:groups"] = []
    refusal = "Will not let 2 people leave the scope"
    before = len(lab.entra.traffic)
    assert refusal in "\n".join(messages(lab.stack.run("preview", replace=(name,), fails=True)))
    assert writes(lab.calls_since(before)) == []
    assert refusal in "\n".join(messages(lab.stack.run("up", replace=(name,), fails=True)))
    assert [job for job in lab.jobs() if job.schedule_state == "Active"] == []
    lab.pass_time()
    assert lab.arrived() == people
    lab.stack.config["xtsync:groups"] = ["Finance"]
    lab.stack.run("up")
    assert live(lab) == made
    lab.pass_time()
    assert lab.arrived() == people


def test_promise_5_what_was_adopted_is_given_back_after_a_replacement_of_its_record(lab: Lab) -> None:
    trust = {"isMfaAccepted": False, "isCompliantDeviceAccepted": True, "isHybridAzureADJoinedDeviceAccepted": None}
    lab.target.policies.create(world.SOURCE_TENANT, {"inboundTrust": trust})
    lab.target.policies.put_identity_sync(
        world.SOURCE_TENANT, {"displayName": "by hand", "userSyncInbound": {"isSyncAllowed": False}}
    )
    before = lab.settings()
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True}
    lab.stack.run("up")
    for name in ("target-baseline", "target-partner", "target-identity-sync"):
        lab.stack.run("up", replace=(name,))
        assert lab.target_partner is not None
        assert lab.target_partner["inboundTrust"] == {**trust, "isMfaAccepted": True}
        assert changed(lab.stack.run("up")) == {}
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_a_replacement_of_an_assignment_pauses_the_job_that_runs(lab: Lab) -> None:
    lab.stack.run("up")
    before = len(lab.entra.traffic)
    lab.stack.run("up", replace=(named(lab.stack, "user-"),))
    done = [call for call in writes(lab.calls_since(before)) if call.status < 400]
    assert [call.path.rsplit("/", 1)[-1] for call in done if "/jobs/" in call.path] == ["pause", "start"]
    assert [call.method for call in done if "appRoleAssignedTo" in call.path] == ["DELETE", "POST"]
