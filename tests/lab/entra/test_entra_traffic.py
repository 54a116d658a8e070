"""The record of exchanges, what the emulator does not know, snapshots, and the command that serves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import typer
from typer.testing import CliRunner

from lab import world as lab_world
from lab.entra import commands, serve
from lab.world import FOREIGN_TENANT, SOURCE_SECRET, SOURCE_TENANT, TARGET_SECRET, TARGET_TENANT, dev_world
from tests.patience import PATIENCE_SECONDS

PARTNERS = "/policies/crossTenantAccessPolicy/partners"
ROOT = Path(__file__).parents[3]


def test_exchanges_are_recorded_without_secrets(world: Any) -> None:
    headers = {"client-request-id": "11111111-2222-3333-4444-555555555555", "User-Agent": "xtsync/1"}
    answer = world.source("POST", PARTNERS, {"tenantId": TARGET_TENANT}, headers=headers)
    exchange = world.entra.traffic[-1]
    assert (exchange.method, exchange.version, exchange.path, exchange.status) == ("POST", "v1.0", PARTNERS, 201)
    assert (exchange.tenant_id, exchange.client, exchange.known) == (SOURCE_TENANT, "xtsync/1", True)
    assert exchange.request_body == {"tenantId": TARGET_TENANT}
    assert exchange.response_body == answer.json()
    assert answer.headers["request-id"] == exchange.request_id
    assert answer.headers["client-request-id"] == exchange.client_request_id == headers["client-request-id"]
    assert [one.number for one in world.entra.traffic] == list(range(1, len(world.entra.traffic) + 1))
    everything = str(world.entra.traffic)
    token = world.source.session.headers["Authorization"].removeprefix("Bearer ")
    for secret in (SOURCE_SECRET, TARGET_SECRET, token):
        assert secret not in everything


def test_error_bodies_carry_the_ids_of_the_exchange(world: Any) -> None:
    answer = world.source("GET", f"{PARTNERS}/{TARGET_TENANT}", headers={"client-request-id": "mine"})
    inner = answer.json()["error"]["innerError"]
    assert inner["request-id"] == answer.headers["request-id"]
    assert inner["client-request-id"] == answer.headers["client-request-id"] == "mine"


def test_the_file_has_a_line_for_every_exchange(tmp_path: Path) -> None:
    entra = dev_world(traffic_file=tmp_path / "traffic.jsonl")
    with serve(entra) as server:
        url = f"{server.url}/metadata/endpoints?api-version=2022-09-01"
        assert requests.get(url, verify=str(server.ca_file), timeout=PATIENCE_SECONDS).status_code == 200
    (line,) = (tmp_path / "traffic.jsonl").read_text().splitlines()
    assert json.loads(line)["path"] == "/metadata/endpoints"


@pytest.mark.parametrize("path", ["/me", "/servicePrincipals/x/nonsense", "/policies/somethingElse"])
def test_unknown_calls_are_loud(world: Any, path: str, caplog: pytest.LogCaptureFixture) -> None:
    assert world.source("GET", path).status_code == 501
    assert world.entra.traffic[-1].known is False
    assert "does not know this call" in caplog.text


def test_known_addresses_refuse_other_methods(world: Any) -> None:
    answer = world.source("PUT", PARTNERS, {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "Request_BadRequest")


def test_snapshots_show_what_changed_and_only_that(world: Any) -> None:
    before = world.entra.snapshot()
    world.source("GET", PARTNERS)
    assert world.entra.snapshot() == before
    world.source("POST", PARTNERS, {"tenantId": TARGET_TENANT})
    after = world.entra.snapshot()
    assert after[TARGET_TENANT] == before[TARGET_TENANT]
    assert set(after[SOURCE_TENANT]["partners"]) == {FOREIGN_TENANT, TARGET_TENANT}
    world.source("DELETE", f"{PARTNERS}/{TARGET_TENANT}")
    assert world.entra.snapshot(deleted=False)[SOURCE_TENANT]["partners"] == before[SOURCE_TENANT]["partners"]
    assert world.entra.snapshot() != before


def test_the_dev_world_is_the_dev_stacks() -> None:
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    for known in (
        lab_world.SOURCE_TENANT,
        lab_world.TARGET_TENANT,
        lab_world.SOURCE_CLIENT,
        lab_world.TARGET_CLIENT,
    ):
        assert known in text
    assert [tenant.display_name for tenant in dev_world().tenants.values()] == ["Contoso", "Fabrikam"]


def test_a_taken_port_is_an_error() -> None:
    entra = dev_world()
    with serve(entra) as server:
        port = int(server.host.partition(":")[2])
        with pytest.raises(OSError, match="address already in use"), serve(entra, port):
            pass


def test_the_command_is_registered() -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    commands.register(app)
    assert "--traffic" in CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "120", "NO_COLOR": "1"}).output


def test_the_command_serves_until_interrupted() -> None:
    program = "from lab.entra.commands import serve_world; serve_world(port=0, quiet=True)"
    process = subprocess.Popen([sys.executable, "-u", "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        lines: list[str] = []
        while not lines or "Interrupt to stop" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], "the server ended early"
        exports = dict(
            line.removeprefix("export ").strip().split("=", 1) for line in lines if line.startswith("export")
        )
        assert exports["XTSYNC_SOURCE_CLIENT_SECRET"] == SOURCE_SECRET
        host = urlsplit(exports["XTSYNC_LAB_DOOR"]).netloc
        url = f"https://{host}/metadata/endpoints?api-version=2022-09-01"
        assert requests.get(url, verify=exports["REQUESTS_CA_BUNDLE"], timeout=PATIENCE_SECONDS).status_code == 200
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
