"""A pair that ends leaves each tenant as it was found; where that stands open, it says so by name."""

from __future__ import annotations

from typing import Any

import pytest

from lab import world
from lab.entra.policies.models import IdentitySyncPolicy, PartnerPolicy
from tests.scenarios.stacks import Lab, told

pytestmark = pytest.mark.real
EVERYONE = {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]}
STAFF = "7c6ad9f7-4d83-4f5b-8f2d-0f6f5cd7d0a1"
NAMED = {"inbound": {"usersAndGroups": {"accessType": "allowed", "groups": [STAFF]}}}


def found_in_target(lab: Lab, **members: Any) -> None:
    lab.target.policies.partners[world.SOURCE_TENANT] = PartnerPolicy(world.SOURCE_TENANT, members)


def test_doors_that_stood_open_before_are_named_when_they_are_given_back(lab: Lab) -> None:
    found_in_target(
        lab,
        automaticUserConsentSettings={"inboundAllowed": True, "outboundAllowed": None},
        inboundTrust={
            "isMfaAccepted": True,
            "isCompliantDeviceAccepted": False,
            "isHybridAzureADJoinedDeviceAccepted": None,
        },
        b2bCollaborationInbound={"usersAndGroups": EVERYONE},
    )
    lab.stack.config["xtsync:b2bCollaboration"] = NAMED
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": False, "compliantDevice": True}
    before = lab.settings()
    lab.stack.run("up")
    text = told(lab.stack.run("destroy"), "target-partner")
    assert "leave the target tenant Fabrikam" in text
    for door in (
        "automaticUserConsentSettings.inboundAllowed (true)",
        "inboundTrust.isMfaAccepted (true)",
        "b2bCollaborationInbound.usersAndGroups (everyone)",
    ):
        assert door in text, text
    assert "isCompliantDeviceAccepted" not in text
    assert lab.settings() == before


def test_a_dropped_setting_that_was_open_before_is_named(lab: Lab) -> None:
    found_in_target(lab, b2bCollaborationInbound={"usersAndGroups": EVERYONE})
    lab.stack.config["xtsync:b2bCollaboration"] = NAMED
    lab.stack.run("up")
    del lab.stack.config["xtsync:b2bCollaboration"]
    assert "b2bCollaborationInbound.usersAndGroups (everyone)" in told(lab.stack.run("up"), "target-partner")
    assert told(lab.stack.run("destroy"), "target-partner") == ""


def test_inheriting_a_default_again_is_named_where_less_was_let_in(lab: Lab) -> None:
    lab.stack.config["xtsync:b2bCollaboration"] = NAMED
    lab.stack.run("up")
    text = told(lab.stack.run("destroy"), "target-partner")
    assert "b2bCollaborationInbound.usersAndGroups (the tenant's default, which is everyone unless" in text


def test_a_preview_of_a_narrowing_says_that_it_closes(lab: Lab) -> None:
    everyone = {"inbound": {"usersAndGroups": {"accessType": "allowed", "users": ["AllUsers"]}}}
    narrower = "closes Fabrikam: everyone may come in as guests, then only those it will name (1)"
    wider = "opens Fabrikam: everyone may come in as guests"
    lab.stack.config["xtsync:b2bCollaboration"] = everyone
    assert "everyone may come in as guests" in told(lab.stack.run("preview"), "target-partner")
    lab.stack.run("up")
    lab.stack.config["xtsync:b2bCollaboration"] = NAMED
    said = told(lab.stack.run("preview"), "target-partner")
    assert narrower in said
    assert "opens" not in said
    lab.stack.run("up")
    lab.stack.config["xtsync:b2bCollaboration"] = everyone
    said = told(lab.stack.run("preview"), "target-partner")
    assert wider in said
    assert "closes" not in said


def test_a_synchronization_that_was_allowed_before_is_named_and_a_pair_without_open_doors_says_nothing(
    lab: Lab,
) -> None:
    found_in_target(lab, automaticUserConsentSettings={"inboundAllowed": None, "outboundAllowed": None})
    lab.target.policies.partners[world.SOURCE_TENANT].identity_sync = IdentitySyncPolicy(
        {"userSyncInbound": {"isSyncAllowed": True}}
    )
    lab.stack.run("up")
    destroyed = lab.stack.run("destroy")
    assert "userSyncInbound.isSyncAllowed (true)" in told(destroyed, "target-identity-sync")
    assert "leave" not in told(destroyed, "target-partner")
