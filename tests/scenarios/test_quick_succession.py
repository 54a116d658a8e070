"""A command right after another: reads that are older than our own last write decide nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lab import world
from lab.entra.replica import _Stale
from lab.entra.synchronization.schema import object_mapping
from tests.scenarios.stacks import Lab, writes
from tests.scenarios.tenants import lag, schema_of

TRUSTED = {"isMfaAccepted": False, "isCompliantDeviceAccepted": True, "isHybridAzureADJoinedDeviceAccepted": None}


@pytest.fixture
def adopted(lab: Lab) -> Lab:
    """Policies that somebody made before."""
    refused: dict[str, Any] = {"automaticUserConsentSettings": {"inboundAllowed": False}, "inboundTrust": TRUSTED}
    lab.target.policies.create(world.SOURCE_TENANT, refused)
    lab.target.policies.put_identity_sync(
        world.SOURCE_TENANT, {"displayName": "By hand", "userSyncInbound": {"isSyncAllowed": False}}
    )
    lab.source.policies.create(world.TARGET_TENANT, {"automaticUserConsentSettings": {"outboundAllowed": False}})
    return lab


@pytest.mark.parametrize("reads", [1, 3])
def test_promise_5_what_was_adopted_a_moment_ago_is_put_back(adopted: Lab, reads: int) -> None:
    before = adopted.settings()
    lag(adopted, reads)
    adopted.stack.run("up")
    adopted.stack.run("destroy")
    assert adopted.settings() == before


def test_what_was_set_a_moment_ago_is_taken_back(adopted: Lab) -> None:
    adopted.stack.run("up")
    lag(adopted, 2)
    adopted.stack.config |= {"xtsync:inboundTrust": {"mfa": True}, "xtsync:displayName": "Another"}
    adopted.stack.run("up")
    del adopted.stack.config["xtsync:inboundTrust"], adopted.stack.config["xtsync:displayName"]
    adopted.stack.run("up")
    assert adopted.target_partner is not None
    assert adopted.target_partner["inboundTrust"] == TRUSTED
    policy = adopted.target.policies.partners[world.SOURCE_TENANT].identity_sync
    assert policy is not None
    assert policy.members["displayName"] == "Contoso to Fabrikam"


def test_what_was_not_touched_is_not_written_again(adopted: Lab) -> None:
    """The opposite direction's flag in the same complex value may be newer than what we read."""
    assert adopted.target_partner is not None
    adopted.target_partner["automaticUserConsentSettings"]["inboundAllowed"] = True
    adopted.stack.run("up")
    first = len(adopted.entra.traffic)
    adopted.stack.run("destroy")
    calls = writes(adopted.calls_since(first))
    assert not [call for call in calls if call.path.endswith(f"partners/{world.SOURCE_TENANT}")]


def test_a_schema_changed_a_moment_ago_is_changed_back(lab: Lab) -> None:
    lab.stack.config["xtsync:flowTypes"] = ["add", "update"]
    lab.stack.run("up")
    lag(lab, 2)
    lab.stack.config["xtsync:flowTypes"] = ["add"]
    lab.stack.run("up")
    lab.stack.config["xtsync:flowTypes"] = ["add", "update"]
    lab.stack.run("up")
    assert object_mapping(schema_of(lab), "User")["flowTypes"] == "Add, Update"
    del lab.stack.config["xtsync:flowTypes"]
    lab.stack.run("up")
    assert object_mapping(schema_of(lab), "User")["flowTypes"] == "Add, Update, Delete"


def test_a_job_paused_a_moment_ago_is_started_again(lab: Lab) -> None:
    lab.stack.run("up")
    (job,) = lab.jobs()
    lab.stack.config["xtsync:running"] = False
    lab.stack.run("up")
    stale(lab, job, "Active")
    lab.stack.config["xtsync:running"] = True
    lab.stack.run("up")
    assert job.schedule_state == "Active"
    assert job.starts_while_running == 0


def stale(lab: Lab, job: Any, state: str) -> None:
    """The next read of the job sees it as it was before the last write."""
    old = copy.deepcopy(job)
    old.schedule_state = old.status_code = state
    lab.source.synchronization._context.replica._stale["jobs", job.id] = _Stale(old, 1, lab.entra.clock.now())
