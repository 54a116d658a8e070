"""`xtsync permissions`: exactly what is needed, as commands that can be run; it is enough, and not too much."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import pytest
from conftest import Command, Lab

from lab import world
from xtsync_resources.operate.needs import GRAPH, ROLE_IDS, needs_of

SOURCE = [need for need in needs_of("source") if not need.optional]


def grant(lab: Lab, side: str, permissions: set[str]) -> None:
    tenant, client = {"source": (lab.source, world.SOURCE_CLIENT), "target": (lab.target, world.TARGET_CLIENT)}[side]
    tenant.login.clients[client] = replace(tenant.login.clients[client], permissions=frozenset(permissions))


def test_exactly_these_permissions_are_enough_for_the_life_of_a_pair(lab: Lab) -> None:
    for side in ("source", "target"):
        grant(lab, side, {need.permission for need in needs_of(side) if not need.optional})
    lab.stack.config["xtsync:provisionOnDemand"] = ["alice@contoso.com"]
    for operation in ("preview", "up", "refresh", "destroy"):
        lab.stack.run(operation)


# For what the sign-in owns, OwnedBy and Synchronization.ReadWrite.All stand in for each other and for reading.
REPLACEABLE = ("Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All", "Application.Read.All")


@pytest.mark.parametrize("missing", sorted({need.permission for need in SOURCE}.difference(REPLACEABLE)))
def test_none_of_them_is_too_much(lab: Lab, missing: str) -> None:
    grant(lab, "source", {need.permission for need in SOURCE} - {missing})
    lab.stack.run("up", fails=True)


def test_the_commands_make_an_application_with_exactly_these_before_there_is_one(lab: Lab, xtsync: Command) -> None:
    source = {"tenantId": world.SOURCE_TENANT, "name": "Contoso; rm -rf $HOME", "auth": "secret"}
    lab.stack.config["xtsync:source"] = source
    federate = "github:example/tenants:environment:production"
    document = xtsync("permissions", "-s", "dev", "--json", "--federate", federate).document
    for side, found in document.items():
        words = [shlex.split(line) for line in found["commands"]]
        granted = next(line for line in words if line[:4] == ["az", "ad", "app", "permission"])
        assert granted[granted.index("--api") + 1] == GRAPH
        ids = {word.removesuffix("=Role") for word in granted if word.endswith("=Role")}
        assert ids == {ROLE_IDS[need.permission] for need in needs_of(side)}
        body = json.loads(words[-1][words[-1].index("--parameters") + 1])
        assert body["subject"] == "repo:example/tenants:environment:production"
    create = next(line for line in document["source"]["commands"] if "app create" in line)
    assert "'xtsync source (Contoso; rm -rf $HOME)'" in create
    assert f"CLIENT_ID={world.TARGET_CLIENT}" in document["target"]["commands"]
    assert lab.entra.traffic == []


def test_tables_for_people_and_roles_for_az_login(lab: Lab, xtsync: Command) -> None:
    lab.stack.config["xtsync:target"] = {"tenantId": world.TARGET_TENANT, "name": "Fabrikam"}
    said = xtsync("permissions", "-s", "dev")
    assert said.exit_code == 0, said
    assert "xtsync logs and xtsync report (optional)" in said.out
    assert "who needs: Security Administrator." in said.out
    assert "az ad app credential reset" in said.out
    assert "has another form" in xtsync("permissions", "-s", "dev", "--federate", "gitlab:x").errors
