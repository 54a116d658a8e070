"""A command in a message may be pasted into a shell: nothing that somebody else has said is more than a word of it."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for
from xtsync_resources.application import orphans
from xtsync_resources.config import Tenant
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.graph.credentials import check_tenant
from xtsync_resources.graph.errors import ConfigurationError, TenantName, WrongTenantError
from xtsync_resources.graph.hosts import how_to_agree
from xtsync_resources.graph.refusals import REFUSALS, filled
from xtsync_resources.operate.needs import needs_of
from xtsync_resources.operate.permissions import commands
from xtsync_resources.operate.stack import Stack

GUID = "0e9d6a72-4c5b-4f81-a3d7-8b26f1c5e044"
EVIL = [
    "x; touch ran",
    "x`touch ran`",
    "x$(touch ran)",
    "x\ntouch ran",
    "x' ; touch ran #",
    "--id x | touch ran",
    "x & touch ran",
    f"{GUID}; touch ran",
    "../../x",
    "",
]


def run(text: str, folder: Any) -> None:
    """As somebody would who pastes it: a message's commands are between backticks, or behind `export`."""
    pasted = re.findall(r"`((?:az|pulumi) [^\n]*)`(?!\()", text) + re.findall(r"export [^\n]*?(?= where |$)", text)
    subprocess.run(["sh", "-c", "\n".join(pasted)], cwd=folder, capture_output=True, check=False, timeout=60)
    assert not [*folder.iterdir()], text


@pytest.fixture(autouse=True)
def nothing_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither `az` nor `pulumi` is run: what runs is what was smuggled in."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")


# Of an id that is empty the whole answer is refused.
@pytest.mark.parametrize("id_", [one for one in EVIL if one])
def test_an_id_that_is_none_stands_in_no_command(id_: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(orphans, "report", lambda text, **_: told.append(text))
    twin = {"id": id_, "appId": "z", "displayName": "x", "createdDateTime": "2026"}
    operation, _ = operation_for(ScriptedTransport(answer(200, {"value": [twin]})))
    orphans.remove_orphans(operation, "x", None)
    assert "It is left alone" in told[0]
    run(told[0], tmp_path)


@pytest.mark.parametrize("evil", EVIL)
def test_what_the_state_or_a_stack_file_says_is_a_word(evil: str, tmp_path: Any) -> None:
    tenant = TenantName("source", "Contoso", evil)
    with pytest.raises(WrongTenantError) as caught:
        check_tenant(tenant, "e30.e30.x")
    run(caught.value.do, tmp_path)
    for refusal in REFUSALS.values():
        run(filled(refusal.do, tenant), tmp_path)
    run(how_to_agree([evil, "localhost:1"]), tmp_path)


@pytest.mark.parametrize("evil", EVIL)
def test_what_permissions_prints_can_be_pasted(evil: str, tmp_path: Any) -> None:
    for auth in ("secret", "certificate", "managedIdentity"):
        tenant = Tenant(evil, evil, auth=auth, client_id=evil, certificate_path=evil or "x", side="source")
        printed = commands(tenant, needs_of("source"), (), CLOUDS["public"])
        subprocess.run(["sh", "-c", "\n".join(printed)], cwd=tmp_path, capture_output=True, check=False, timeout=60)
        assert "ran" not in [one.name for one in tmp_path.iterdir()], printed


@pytest.mark.parametrize("name", EVIL)
def test_the_name_of_a_stack_is_a_word(name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xtsync_resources.operate.stack.read_outputs", lambda *_: {})
    with pytest.raises(ConfigurationError) as caught:
        Stack(name, None).output("jobId")  # type: ignore[arg-type]
    run(caught.value.do, tmp_path)
