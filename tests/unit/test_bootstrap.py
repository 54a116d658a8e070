"""The bootstrap program, with Pulumi's mocks: the azuread plugin is not needed to see what it declares."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xtsync_resources.operate.needs import needs_of

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import asyncio, json, runpy, sys
import pulumi
class Mocks(pulumi.runtime.Mocks):
    def __init__(self): self.made = []
    def new_resource(self, args):
        self.made.append({"type": args.typ, "name": args.name, "inputs": args.inputs})
        return args.name + "-id", {**args.inputs, "clientId": "client", "objectId": "object", "value": "canary"}
    def call(self, args): return {**args.args, "objectId": "graph"}
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
mocks = Mocks()
pulumi.runtime.set_mocks(mocks, project="xtsync-bootstrap", stack="test")
pulumi.runtime.set_all_config(json.loads(sys.argv[2]))
async def run():
    await pulumi.runtime.stack.run_pulumi_func(lambda: runpy.run_path(sys.argv[1], run_name="__main__"))
loop.run_until_complete(run())
print(json.dumps(mocks.made))
"""


def declared(**config: str) -> list[dict[str, Any]]:
    values = json.dumps({f"xtsync-bootstrap:{key}": value for key, value in config.items()})
    command = [sys.executable, "-c", RUN, str(ROOT / "bootstrap" / "__main__.py"), values]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ}, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def of_type(found: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [one["inputs"] for one in found if one["type"].endswith(f":{name}")]


@pytest.mark.parametrize(
    ("federate", "subject"),
    [
        ("github:example/tenants:environment:production", "repo:example/tenants:environment:production"),
        ("azure-devops:11111111-2222-4333-8444-555555555555:org/project/connection", "sc://org/project/connection"),
    ],
)
def test_the_application_has_exactly_the_permissions_and_the_federation(federate: str, subject: str) -> None:
    found = declared(side="source", name="Contoso", federate=federate)
    wanted = {need.role_id for need in needs_of("source") if not need.optional}
    (application,) = of_type(found, "Application")
    access = application["requiredResourceAccesses"][0]["resourceAccesses"]
    assert {one["id"] for one in access} == wanted
    assigned = of_type(found, "AppRoleAssignment")
    assert {one["appRoleId"] for one in assigned} == wanted
    assert {one["resourceObjectId"] for one in assigned} == {"graph"}
    (credential,) = of_type(found, "ApplicationFederatedIdentityCredential")
    assert credential["subject"] == subject
    assert not of_type(found, "ApplicationPassword")


def test_a_target_needs_one_permission_and_gets_a_password_only_when_asked() -> None:
    found = declared(side="target", password="true")
    assert len(of_type(found, "AppRoleAssignment")) == 1
    assert len(of_type(found, "ApplicationPassword")) == 1
    assert not of_type(found, "ApplicationFederatedIdentityCredential")
