"""`xtsync permissions`: exactly what is needed, as commands that can be run; it is enough, and not too much."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab import world
from tests.proofs import self_signed
from tests.scenarios.stacks import Command, Lab, messages
from tests.scenarios.steps import CLIENTS, PAIR
from xtsync_resources.graph.certificates import read
from xtsync_resources.operate.needs import GRAPH, ROLE_IDS, needs_of

STAND_IN = """#!/bin/sh
for word in "$@"; do printf '%s\\037' "$word" >>"$CALLS"; done
echo >>"$CALLS"
case "$*" in
  login*) exit "${LOGIN:-0}" ;;
  *"app create"*) echo 11111111-1111-4111-8111-111111111111 ;;
  *"--create-cert"*) echo "$MADE" ;;
  *"sp show"*) echo id-of ;;
  *"credential reset"*) echo canary-secret ;;
esac
"""


def run_in_shell(script: str, folder: Path, **environment: str) -> tuple[str, list[list[str]]]:
    """Run printed commands in a shell, as pasted, with a stand-in for `az`: what was shown, and what `az` was given."""
    az, calls = folder / "az", folder / "calls"
    az.write_text(STAND_IN)
    az.chmod(0o755)
    calls.write_text("")
    environment |= {"PATH": f"{folder}:/usr/bin:/bin", "CALLS": str(calls), "HOME": str(folder)}
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.stderr == ""
    return done.stdout, [line.split("\037")[:-1] for line in calls.read_text().splitlines()]


def grant(lab: Lab, side: str, permissions: set[str]) -> None:
    tenant, client = {"source": (lab.source, world.SOURCE_CLIENT), "target": (lab.target, world.TARGET_CLIENT)}[side]
    tenant.login.clients[client] = replace(tenant.login.clients[client], permissions=frozenset(permissions))


SALES = [{"name": "", "clauses": [{"attribute": "mail", "operator": "includes", "value": "@"}]}]
EVERYTHING: dict[str, Any] = {
    "xtsync:provisionOnDemand": ["alice@contoso.com"],
    "xtsync:attributeMappings": [{"target": "department", "expression": 'Join(" ", [city], [country])'}],
    "xtsync:scopingFilters": SALES,
    "xtsync:syncGroups": True,
    "xtsync:inboundTrust": {"mfa": True},
    "xtsync:onDestroy": "drain",
    "xtsync:deadlineMinutes": 5,
}
# What each command may be refused: `doctor` looks further than anybody needs, and the logs are optional.
# What doctor looks at where it may; the report makes the same checks.
OPTIONAL = "subscribedSkus|authorizationPolicy|findTenantInformation|default$"
COMMANDS = (
    (["status"], ""),
    (["doctor"], OPTIONAL),
    (["pause", "--yes"], ""),
    (["resume", "--yes"], ""),
    (["restart", "--yes"], ""),
    (["provision", "alice@contoso.com"], ""),
    (["logs"], "auditLogs/provisioning"),
    (["report", "--output", "-"], f"auditLogs/provisioning|{OPTIONAL}"),
)


@pytest.mark.real
def test_exactly_these_permissions_are_enough_for_everything(lab: Lab, xtsync: Command) -> None:
    for side in ("source", "target"):
        grant(lab, side, {need.permission for need in needs_of(side) if not need.optional})
    lab.stack.config |= EVERYTHING
    lab.stack.run("preview")
    xtsync.up()
    lab.pass_time()
    for operation in ("refresh", "up"):
        lab.stack.run(operation, expect_no_changes=True)
    assert refused(lab) == []
    for words, optional in COMMANDS:
        before = len(refused(lab))
        said = xtsync(*words, "-s", "dev")
        assert "Usage:" not in said.errors, said
        assert optional or said.exit_code == 0, said
        more = [path for path in refused(lab)[before:] if not optional or not re.search(optional, path)]
        assert more == [], words
    before = len(refused(lab))
    said = xtsync("export", *PAIR, *CLIENTS, "--metadata-host", lab.server.host)
    assert said.exit_code == 0, said
    lab.pass_time()
    lab.stack.config["xtsync:users"] = ["bob@contoso.com"]
    lab.stack.run("up")
    lab.stack.config["xtsync:onDestroy"] = "release"
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert refused(lab)[before:] == []


def refused(lab: Lab) -> list[str]:
    """The calls that the permissions did not cover."""
    return [call.path for call in lab.calls_since(0) if call.status in (401, 403)]


NEEDED = [
    (side, need.permission)
    for side in ("source", "target")
    for need in needs_of(side)
    if not need.optional and not need.without
]


@pytest.mark.parametrize(("side", "missing"), NEEDED)
def test_none_of_them_is_too_much(lab: Lab, side: str, missing: str) -> None:
    grant(lab, side, {need.permission for need in needs_of(side) if not need.optional} - {missing})
    before = len(lab.entra.traffic)
    result = lab.stack.run("up", fails=True)
    refused = [call for call in lab.calls_since(before) if call.status in (401, 403)]
    assert refused, messages(result)
    assert "Insufficient privileges" in "\n".join(messages(result)) or missing in "\n".join(messages(result))


def test_the_commands_make_an_application_with_exactly_these_before_there_is_one(lab: Lab, xtsync: Command) -> None:
    source = {"tenantId": world.SOURCE_TENANT, "name": "Contoso; rm -rf $HOME", "auth": "secret"}
    lab.stack.config["xtsync:source"] = source
    of_pipeline = [f"github:example/tenants:environment:{one}" for one in ("production", "drift")]
    federate = [word for one in of_pipeline for word in ("--federate", one)]
    document = xtsync("permissions", "-s", "dev", "--json", *federate).document
    for side, found in document.items():
        words = [shlex.split(line) for line in found["commands"]]
        granted = next(line for line in words if line[:4] == ["az", "ad", "app", "permission"])
        assert granted[granted.index("--api") + 1] == GRAPH
        ids = {word.removesuffix("=Role") for word in granted if word.endswith("=Role")}
        assert ids == {ROLE_IDS[need.permission] for need in needs_of(side)}
        bodies = [json.loads(line[line.index("--parameters") + 1]) for line in words[-2:]]
        assert [one["subject"] for one in bodies] == [f"repo:{one.removeprefix('github:')}" for one in of_pipeline]
        assert [one["name"] for one in bodies] == [
            f"xtsync-github-example-tenants-environment-{one}" for one in ("production", "drift")
        ]
    create = next(line for line in document["source"]["commands"] if "app create" in line)
    assert "'xtsync source (Contoso; rm -rf $HOME)'" in create
    assert f"CLIENT_ID={world.TARGET_CLIENT}" in document["target"]["commands"]
    assert lab.entra.traffic == []


def test_an_application_of_somebody_else_needs_one_more_on_request(lab: Lab, xtsync: Command) -> None:
    least, more = (
        {one["permission"] for one in xtsync("permissions", "--json", *words).document["source"]["permissions"]}
        for words in (["-s", "dev"], ["-s", "dev", "--adopt"])
    )
    assert more - least == {"Synchronization.ReadWrite.All"}


def printed(out: str) -> str:
    """The commands in what was printed for people."""
    lines = out.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("az "))
    return "\n".join(lines[first : lines.index("", first)])


def test_the_printed_commands_run_as_they_are_and_show_no_secret(lab: Lab, xtsync: Command, tmp_path: Path) -> None:
    name = "[prod] $(touch here); 'x' \"y\""
    lab.stack.config["xtsync:source"] = {"tenantId": world.SOURCE_TENANT, "name": name, "auth": "secret"}
    script = printed(xtsync("permissions", "-s", "dev", "--side", "source").out)
    show = '; echo "$XTSYNC_SOURCE_CLIENT_SECRET" >secret'
    shown, calls = run_in_shell(f"cd {tmp_path}; {script}{show}", tmp_path)
    assert shown == "clientId of xtsync:source: 11111111-1111-4111-8111-111111111111\n"
    assert (tmp_path / "secret").read_text() == "canary-secret\n"
    assert not (tmp_path / "here").exists()
    assert calls[0][:3] == ["login", "--tenant", world.SOURCE_TENANT]
    assert calls[1][:4] == ["ad", "app", "create", "--display-name"]
    assert calls[1][4] == f"xtsync source ({name})"
    assert [call[:4] for call in calls[2:]] == [
        ["ad", "sp", "create", "--id"],
        ["ad", "app", "permission", "add"],
        ["ad", "app", "permission", "admin-consent"],
        ["ad", "app", "credential", "reset"],
    ]
    ids = [word.removesuffix("=Role") for word in calls[3] if word.endswith("=Role")]
    assert ids == [need.role_id for need in needs_of("source")]


def test_after_a_sign_in_that_failed_nothing_is_done_in_another_tenant(
    lab: Lab, xtsync: Command, tmp_path: Path
) -> None:
    script = printed(xtsync("permissions", "-s", "dev", "--side", "source").out)
    _, calls = run_in_shell(script, tmp_path, LOGIN="1")
    assert [call[0] for call in calls] == ["login"]


def test_other_clouds_get_what_azure_cli_can_do_there(lab: Lab, xtsync: Command) -> None:
    lab.stack.config["xtsync:cloud"] = "usgovernment"
    federate = ["--federate", "github:example/tenants:ref:refs/heads/main"]
    lines = xtsync("permissions", "-s", "dev", "--json", *federate).document["source"]["commands"]
    assert lines[0] == "az cloud set --name AzureUSGovernment"
    assert not any("admin-consent" in line for line in lines)
    assert any("https://entra.microsoft.us: App registrations" in line for line in lines)
    assert "api://AzureADTokenExchangeUSGov" in lines[-1]
    lab.stack.config["xtsync:cloud"] = "usgovernmentl5"
    said = xtsync("permissions", "-s", "dev")
    assert "Azure CLI does not know the cloud usgovernmentl5: use bootstrap/" in said.out
    assert "az login" not in said.out


def test_tables_for_people_and_roles_for_az_login(lab: Lab, xtsync: Command) -> None:
    lab.stack.config["xtsync:target"] = {"tenantId": world.TARGET_TENANT, "name": "Fabrikam"}
    said = xtsync("permissions", "-s", "dev")
    assert said.exit_code == 0, said
    assert "xtsync logs, report and approve-deletions, the names of held-back deletions" in said.out
    assert "who needs: Security Administrator." in said.out
    assert "az ad app credential reset" in said.out
    wrong = xtsync("permissions", "-s", "dev", "--side", "sauce")
    assert wrong.exit_code == 2
    assert "'source', 'target'" in wrong.errors
    assert "has another form" in xtsync("permissions", "-s", "dev", "--federate", "gitlab:x").errors


def test_the_commands_for_a_certificate_write_a_file_that_signs_in(lab: Lab, xtsync: Command, tmp_path: Path) -> None:
    file = tmp_path / "it's.pfx"
    source = {"tenantId": world.SOURCE_TENANT, "clientId": world.SOURCE_CLIENT, "auth": "certificate"}
    lab.stack.config["xtsync:source"] = {**source, "certificatePath": str(file)}
    made = self_signed().write(tmp_path / "made.pem")
    script = printed(xtsync("permissions", "-s", "dev", "--side", "source").out)
    run = f'{script} && echo "$XTSYNC_SOURCE_CERTIFICATE_PASSWORD" >password'
    folder = tmp_path / "bin"
    folder.mkdir()
    shown, calls = run_in_shell(f"cd {tmp_path}; {run}", folder, MADE=str(made))
    assert shown == ""
    assert calls[-1][:4] == ["ad", "app", "credential", "reset"]
    password = (tmp_path / "password").read_text().strip()
    assert read(str(file), password, "X").is_pkcs12
    assert (file.stat().st_mode & 0o077, made.exists()) == (0, False)


def test_a_managed_identity_gets_its_roles_directly(lab: Lab, xtsync: Command, tmp_path: Path) -> None:
    source = {"tenantId": world.SOURCE_TENANT, "clientId": world.SOURCE_CLIENT, "auth": "managedIdentity"}
    lab.stack.config["xtsync:source"] = source
    script = printed(xtsync("permissions", "-s", "dev", "--side", "source").out)
    _, calls = run_in_shell(script, tmp_path)
    posted = [json.loads(call[-1]) for call in calls if call[:3] == ["rest", "--method", "POST"]]
    assert [one["appRoleId"] for one in posted] == [need.role_id for need in needs_of("source")]
    assert {(one["principalId"], one["resourceId"]) for one in posted} == {("id-of", "id-of")}
    url = "https://graph.microsoft.com/v1.0/servicePrincipals/id-of/appRoleAssignments"
    assert all(url in call for call in calls if call[0] == "rest")
    del lab.stack.config["xtsync:source"]["clientId"]
    lines = xtsync("permissions", "-s", "dev", "--json").document["source"]["commands"]
    assert lines[1].startswith(': "${PRINCIPAL_ID:?set it')


def test_what_proves_an_application_may_still_be_missing(lab: Lab, xtsync: Command) -> None:
    lab.stack.config["xtsync:source"] = {"tenantId": world.SOURCE_TENANT, "auth": "certificate"}
    lab.stack.config["xtsync:target"] = {"tenantId": world.TARGET_TENANT, "auth": "oidc"}
    document = xtsync("permissions", "-s", "dev", "--json").document
    assert any("source.pfx" in line for line in document["source"]["commands"])
    assert not any("credential" in line for line in document["target"]["commands"])
