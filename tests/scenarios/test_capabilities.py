"""What Microsoft 365 keeps in a partner policy, and a plain read does not show: it is not deleted with the pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab import world
from lab.entra import Fault, Settings
from tests.scenarios.stacks import Command, Lab, told

NOTHING = {"inboundAllowed": None, "outboundAllowed": None}
PATH = "/m365Capabilities$"


def emptied(lab: Lab) -> bool:
    return lab.target_partner is not None and lab.target_partner["automaticUserConsentSettings"] == NOTHING


@pytest.mark.real
def test_promise_5_what_microsoft_365_keeps_stays_with_an_emptied_policy(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.target.policies.partners[world.SOURCE_TENANT].capabilities.append({"id": "1", "capability": "freeBusy"})
    assert "`pulumi destroy` leaves it, emptied of ours" in " ".join(xtsync("doctor", "--all", "-s", "dev").out.split())
    result = lab.stack.run("destroy")
    assert "stays, emptied of ours: others have set Microsoft 365 capabilities" in told(result, "target-partner")
    assert emptied(lab)
    assert told(result, "target-baseline") == ""
    assert lab.source_partner is None


def test_a_service_that_does_not_know_them_has_none(lab: Lab) -> None:
    lab.entra.settings = Settings(m365_capabilities="unknown")
    before = lab.settings()
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert lab.settings() == before


@pytest.mark.parametrize(
    "unknown",
    [
        Fault(method="GET", path=PATH, status=405, code="Request_BadRequest", times=99),
        Fault(
            method="GET",
            path=PATH,
            status=400,
            code="Request_BadRequest",
            message="Could not find a property named 'm365Capabilities' on type 'partner'.",
            times=99,
        ),
        Fault(method="GET", path="identitySynchronization$", version="beta", status=405, code="Denied", times=99),
    ],
    ids=["405", "no such property", "405 of beta"],
)
def test_promise_5_what_a_service_does_not_offer_keeps_nothing(lab: Lab, unknown: Fault) -> None:
    before = lab.settings()
    lab.stack.run("up")
    lab.entra.faults.add(unknown)
    lab.stack.run("destroy")
    assert unknown in lab.entra.faults.pending, "it is met, and not used up"
    assert lab.settings() == before


def test_what_may_not_be_seen_is_not_deleted_and_doctor_says_so_before(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    client = lab.target.login.clients[world.TARGET_CLIENT]
    fewer = client.permissions - {"Policy.Read.All"}
    lab.target.login.clients[world.TARGET_CLIENT] = replace(client, permissions=fewer)
    said = " ".join(xtsync("doctor", "-s", "dev").out.split())
    assert "Policy.Read.All is missing" in said
    assert "its m365Capabilities cannot be seen: `pulumi destroy` will leave it" in said
    (line,) = told(lab.stack.run("destroy"), "target-partner").splitlines()
    assert "Policy.Read.All" in line
    assert "az rest --method DELETE" in line
    assert f"/v1.0/policies/crossTenantAccessPolicy/partners/{world.SOURCE_TENANT}`" in line
    assert emptied(lab)


def test_what_has_no_clear_answer_is_asked_again(lab: Lab) -> None:
    before = lab.settings()
    lab.stack.run("up")
    lab.entra.faults.add(
        Fault(method="GET", path=PATH, tenant=world.TARGET_TENANT, status=400, code="Request_BadRequest")
    )
    lab.stack.run("destroy")
    assert lab.settings() == before
