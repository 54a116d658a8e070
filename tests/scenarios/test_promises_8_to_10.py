"""Promises 8 to 10 of the README, a scenario or more for each."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from lab import world
from lab.entra import Fault
from tests.scenarios.stacks import Lab, changed, leaks, messages, told, writes

pytestmark = pytest.mark.real

# --- 8. Faults are absorbed or explained (a first selection) ----------------------------------------------------


def test_promise_8_lag_throttling_and_lost_answers_are_absorbed(lab: Lab) -> None:
    before = lab.settings()
    lab.entra.faults.add(
        Fault(method="POST", path="partners$", when="after", kind="reset", tenant=world.TARGET_TENANT),
        Fault(
            method="PUT",
            path="identitySynchronization",
            status=429,
            code="TooManyRequests",
            headers={"Retry-After": "1"},
        ),
        Fault(method="POST", path="/jobs$", when="after", status=504, code="UnknownError"),
        Fault(method="POST", path="/start$", when="after", kind="reset"),
        Fault(method="PUT", path="secrets", status=503),
    )
    lab.stack.run("up")
    assert len(lab.jobs()) == 1
    assert lab.jobs()[0].starts_while_running == 0
    assert not lab.entra.faults.pending
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_promise_8_a_missing_permission_names_the_least_one(lab: Lab) -> None:
    client = lab.target.login.clients[world.TARGET_CLIENT]
    lab.target.login.clients[world.TARGET_CLIENT] = type(client)(
        client.client_id, client.object_id, client.secret, frozenset({"Policy.Read.All"})
    )
    result = lab.stack.run("up", fails=True)
    text = told(result, "target-partner")
    assert "Failed to create the partner policy" in text
    assert "the target tenant Fabrikam" in text
    assert "Policy.ReadWrite.CrossTenantAccess" in text
    assert "request-id" in text
    assert "Traceback" not in text


# --- 9. No secrets leak --------------------------------------------------------------------------------------


def test_promise_9_no_secret_and_no_token_is_anywhere(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    lab.stack.environment["XTSYNC_DEBUG"] = "1"
    places = {}
    for operation in ("preview", "up", "refresh", "destroy"):
        lab.stack.run(operation)
        places[f"the output of {operation}"] = "".join(capfd.readouterr())
        if operation in ("up", "refresh"):
            places[f"the state after {operation}"] = lab.stack.state()
    places |= {"messages": "\n".join(lab.texts), "traffic": "\n".join(map(repr, lab.entra.traffic))}
    assert "GET /v1.0/" in places["messages"] + places["the output of up"], "the log of calls was not on"
    assert leaks(places) == []


def test_promise_9_a_secret_of_the_stack_is_only_stored_encrypted(lab: Lab) -> None:
    from lab.engine import Secret

    for variable in ("XTSYNC_SOURCE_CLIENT_SECRET", "XTSYNC_TARGET_CLIENT_SECRET"):
        del lab.stack.environment[variable]
    lab.stack.config["xtsync:sourceClientSecret"] = Secret(world.SOURCE_SECRET)
    lab.stack.config["xtsync:targetClientSecret"] = Secret(world.TARGET_SECRET)
    lab.stack.run("up")
    lab.stack.run("destroy", preview_only=True)
    assert world.SOURCE_SECRET not in lab.stack.state()
    assert world.TARGET_SECRET not in lab.stack.state()
    assert "ciphertext" in lab.stack.state()
    lab.stack.run("destroy")


def test_promise_9_a_secret_of_the_stack_beside_an_exported_one_is_no_change(lab: Lab) -> None:
    """The exported one is used; the preview after it shows no `~ clientSecret`."""
    from lab.engine import Secret

    lab.stack.config["xtsync:sourceClientSecret"] = Secret(world.SOURCE_SECRET)
    lab.stack.config["xtsync:targetClientSecret"] = Secret(world.TARGET_SECRET)
    lab.stack.run("up")
    for _ in range(2):
        result = lab.stack.run("preview", expect_no_changes=True)
        assert (result.exit_code, changed(result)) == (0, {})


# --- 10. The right tenant or nothing --------------------------------------------------------------------------


def azure_cli(lab: Lab, folder: Path, tenant: str) -> None:
    """An `az` that is signed in to one tenant only, whichever is asked for."""
    claims = base64.urlsafe_b64encode(json.dumps({"tid": tenant, "oid": "o"}).encode()).decode().rstrip("=")
    token = {"accessToken": f"e30.{claims}.c2ln", "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800}
    program = folder / "az"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(token)}\nEND\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    lab.stack.environment["PATH"] = f"{folder}:{lab.stack.environment['PATH']}"


def test_promise_10_a_token_of_another_tenant_is_never_used(lab: Lab, tmp_path: Path) -> None:
    azure_cli(lab, tmp_path, world.SOURCE_TENANT)
    target = {"tenantId": world.TARGET_TENANT, "name": "Fabrikam", "auth": "cli"}
    lab.stack.config["xtsync:target"] = target
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert f"the token is for tenant {world.SOURCE_TENANT}" in text
    assert f"az login --tenant {world.TARGET_TENANT}" in text
    assert not [call for call in lab.calls_since(0) if call.tenant_id == world.TARGET_TENANT]


def test_promise_10_a_changed_tenant_id_is_refused_before_any_call(lab: Lab) -> None:
    lab.stack.run("up")
    other = lab.entra.add_tenant("Third", tenant_id="11111111-2222-4333-8444-555555555555", domain="third.example")
    other.register_client(world.TARGET_CLIENT, world.TARGET_SECRET, world.TARGET_PERMISSIONS)
    lab.stack.config["xtsync:target"] = {
        "tenantId": other.tenant_id,
        "name": "Third",
        "clientId": world.TARGET_CLIENT,
        "auth": "secret",
    }
    before = len(lab.entra.traffic)
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert "a stack is one pair for life" in text
    assert not writes(lab.calls_since(before))
