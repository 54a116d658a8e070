"""Hostile names through the whole program: whatever somebody in either tenant is called, nobody obeys it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import world
from lab.engine import Result
from lab.entra import Fault
from lab.entra.policies.models import IdentitySyncPolicy, PartnerPolicy
from lab.entra.synchronization.models import Quarantine
from tests.scenarios.conftest import lab, xtsync
from tests.scenarios.stacks import Command, Lab, Said, changed, told
from tests.security.untrusted_samples import NAME, obeyed_by, texts_in

__all__ = ["lab", "xtsync"]  # fixtures
ALICE = "alice@contoso.com"


def obeyed_in(result: Result, lab: Lab) -> list[str]:
    """Who obeys what an operation has said, given out, or written to the state."""
    said = [d.message.rstrip("\n") for d in result.diagnostics]
    found = [f"{who}: {text[:60]!r}" for text in said for who in obeyed_by(text, engine=True, lines=True)]
    values = [json.loads(lab.stack.state()), dict(result.outputs)]
    found += [
        f"{who}: {text[:60]!r}"
        for text in texts_in(values)
        for who in obeyed_by(text, engine=True)
        if who != "GitHub"  # values are shown in quotes
    ]
    return found


def policy_of(lab: Lab) -> dict[str, Any]:
    found = lab.target.policies.partners[world.SOURCE_TENANT].identity_sync
    assert found is not None
    return found.members


def hostile_target(lab: Lab) -> None:
    """A partner policy and an identity sync policy that are there before, the latter with a hostile name."""
    partner = PartnerPolicy(
        world.SOURCE_TENANT,
        {"inboundTrust": None, "automaticUserConsentSettings": {"inboundAllowed": None, "outboundAllowed": None}},
    )
    partner.identity_sync = IdentitySyncPolicy({"displayName": NAME, "userSyncInbound": {"isSyncAllowed": False}})
    lab.target.policies.partners[world.SOURCE_TENANT] = partner


# --- Pulumi ----------------------------------------------------------------------------------------------------------


def test_a_policy_with_a_hostile_name_is_adopted_drifts_and_is_put_back_exactly(lab: Lab) -> None:
    hostile_target(lab)
    before = lab.settings()
    preview = lab.stack.run("preview")
    assert "adopts the existing identity sync policy" in told(preview, "target-identity-sync")
    assert [d.message for d in preview.diagnostics if obeyed_by(d.message.rstrip("\n"), engine=True, lines=True)] == []
    assert obeyed_in(lab.stack.run("up"), lab) == []
    wanted = policy_of(lab)["displayName"]
    assert wanted == "Contoso to Fabrikam"

    policy_of(lab)["displayName"] = NAME
    drift = lab.stack.run("refresh")
    assert drift.summary["update"] == 1
    assert obeyed_in(drift, lab) == []
    assert obeyed_in(lab.stack.run("refresh", expect_no_changes=True), lab) == []
    repaired = lab.stack.run("up")
    assert changed(repaired) == {"target-identity-sync": "update"}
    assert policy_of(lab)["displayName"] == wanted
    assert changed(lab.stack.run("up")) == {}
    assert changed(lab.stack.run("refresh")) == {}

    assert obeyed_in(lab.stack.run("destroy"), lab) == []
    assert policy_of(lab)["displayName"] == NAME
    assert lab.settings() == before


@pytest.mark.parametrize("status", [400, 403])
def test_a_hostile_error_of_graph_is_told_without_effect(lab: Lab, status: int) -> None:
    lab.entra.faults.add(Fault(method="PUT", path="identitySynchronization", status=status, code="x", message=NAME))
    result = lab.stack.run("up", fails=True)
    assert "Failed to" in told(result, "target-identity-sync")
    assert obeyed_in(result, lab) == []
    assert obeyed_in(lab.stack.run("up"), lab) == []


def test_a_hostile_status_and_quarantine_are_told_without_effect(lab: Lab) -> None:
    lab.stack.run("up")
    job, now = lab.jobs()[0], lab.entra.clock.now()
    job.status_code = "Quarantine"
    job.quarantine = Quarantine(NAME, NAME, NAME, now, now + timedelta(hours=6))
    result = lab.stack.run("refresh")
    assert "the job is in quarantine" in told(result, "start")
    assert obeyed_in(result, lab) == []


def test_a_stack_file_with_hostile_keys_and_values_is_refused_without_effect(lab: Lab) -> None:
    key = NAME.replace(":", "")  # Pulumi refuses keys with more colons
    trust = {NAME: True}
    lab.stack.config |= {f"xtsync:{key}": "x", "xtsync:inboundTrust": trust, "xtsync:displayName": NAME}
    lab.stack.config |= {"xtsync:users": [NAME]}
    result = lab.stack.run("preview", fails=True)
    text = "\n".join(d.message for d in result.diagnostics)
    assert "4 problems" in text
    assert obeyed_by(text.rstrip("\n"), engine=True, lines=True) == []


@pytest.mark.parametrize("name", ["N <{%boom%}>", "N ##vso[task.complete]", "::add-mask::x", '"<\\u007b%boom%}>"'])
def test_what_the_engine_shows_before_we_do_is_refused_in_the_configuration(lab: Lab, name: str) -> None:
    lab.stack.config["xtsync:displayName"] = name
    result = lab.stack.run("preview", fails=True)
    assert "not one line of plain text" in "\n".join(d.message for d in result.diagnostics)


# --- xtsync ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def hostile(lab: Lab, xtsync: Command) -> Command:
    """A pair that runs, between tenants in which everything is called something hostile."""
    for user in (*lab.source.directory.users.values(), *lab.target.directory.users.values()):
        user.display_name = NAME
    for group in lab.source.directory.groups.values():
        if group.display_name != "Finance":  # it is in the configuration
            group.display_name = NAME
    xtsync.up()
    lab.pass_time()
    policy_of(lab)["displayName"] = NAME
    for entry in lab.source.audit.provisioning:
        names = {"displayName": NAME, "id": NAME}
        info = {
            "status": NAME,
            "errorInformation": dict.fromkeys(("errorCode", "reason", "recommendedAction"), NAME),
        }
        step = {"name": NAME, "provisioningStepType": NAME, "status": NAME, "description": NAME}
        change = {"displayName": NAME, "oldValue": NAME, "newValue": NAME}
        entry |= {"sourceIdentity": names, "targetIdentity": names, "provisioningStatusInfo": info}
        entry |= {"provisioningSteps": [step], "modifiedProperties": [change]}
    job, now = lab.jobs()[0], lab.entra.clock.now()
    job.status_code = "Quarantine"
    job.quarantine = Quarantine(NAME, NAME, NAME, now, now + timedelta(hours=6))
    return xtsync


def obeyed(said: Said) -> list[str]:
    return obeyed_by(said.out, lines=True) + obeyed_by(said.errors, lines=True)


COMMANDS: dict[str, tuple[str, ...]] = {
    "status": ("status",),
    "status, as JSON": ("status", "--json"),
    "logs": ("logs", "--since", "7d", "--details"),
    "logs, as JSON": ("logs", "--since", "7d", "--json"),
    "logs of nobody": ("logs", NAME),
    "doctor": ("doctor",),
    "doctor, as JSON": ("doctor", "--json"),
    "provision": ("provision", ALICE),
    "provision nobody": ("provision", NAME),
    "resume": ("resume", "--yes"),
    "report": ("report", "--output", "-"),
    "report in Markdown": ("report", "--format", "markdown", "--output", "-"),
    "a stack that is not there": ("status", "--stack", NAME),
}
EXPORT = (
    "export", "--source", world.SOURCE_TENANT, "--target", world.TARGET_TENANT, "--auth", "secret",
    "--source-client-id", world.SOURCE_CLIENT, "--target-client-id", world.TARGET_CLIENT,
)  # fmt: skip


def test_no_command_shows_a_name_with_effect(lab: Lab, hostile: Command) -> None:
    export = (*EXPORT, "--metadata-host", lab.server.host)
    runs = COMMANDS | {"export": export, "export, as JSON": (*export, "--json")}
    for name, arguments in runs.items():
        stack = () if "--stack" in arguments or "export" in name else ("--stack", "dev")
        said = hostile(*arguments, *stack)
        assert said.out + said.errors, name
        assert (name, obeyed(said)) == (name, [])
        if "JSON" in name:
            assert said.out.isascii(), name
            json.loads(said.out)
    events = hostile("logs", "--since", "7d", "--json", "--stack", "dev").document
    assert NAME in {event["status"] for event in events}, "who decodes it gets it as it is"


def test_files_are_private_and_hold_no_command(lab: Lab, hostile: Command, tmp_path: Path) -> None:
    page, markdown, stack_file, imported = (tmp_path / name for name in ("r.html", "r.md", "s.yaml", "i.json"))
    hostile("report", "--stack", "dev", "--output", str(page))
    hostile("report", "--stack", "dev", "--format", "markdown", "--output", str(markdown))
    for principal in lab.source.applications.principals.values():
        principal.display_name = NAME
    files = ("--output", str(stack_file), "--import-file", str(imported))
    said = hostile(*EXPORT, "--metadata-host", lab.server.host, *files)
    assert said.exit_code == 0, said
    for path in (page, markdown, stack_file, imported):
        assert path.stat().st_mode & 0o777 == 0o600, path.name
        assert (path.name, obeyed_by(path.read_text(), lines=True)) == (path.name, [])
    assert "<img" not in page.read_text()
    config = yaml.safe_load(stack_file.read_text())["config"]
    assert config["xtsync:displayName"].startswith(NAME[:500])


def test_an_unknown_key_is_told_without_effect(lab: Lab, xtsync: Command) -> None:
    lab.stack.config |= {f"xtsync:{NAME}": "x", "xtsync:source": {NAME: NAME}}
    said = xtsync("status", "--stack", "dev")
    assert said.exit_code == 2
    assert "unknown key" in said.errors
    assert obeyed(said) == []


@pytest.mark.parametrize("act", [lambda x: x("status", "--stack", "dev"), lambda x: x("doctor", "--stack", "dev")])
def test_an_error_of_graph_is_told_without_effect(lab: Lab, xtsync: Command, act: Callable[[Command], Said]) -> None:
    xtsync.up()
    lab.entra.faults.add(*(Fault(status=400, code=NAME, message=NAME, version="v1.0") for _ in range(30)))
    said = act(xtsync)
    assert "Microsoft Graph answered" in said.out + said.errors
    assert obeyed(said) == []
