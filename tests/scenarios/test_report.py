"""`xtsync report`: one page about a pair, or about all of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from lab import world
from tests.scenarios.stacks import Command, Lab, Said, writes
from tests.scenarios.tenants import assign, principal_of
from xtsync_resources.graph.pace import Pace

MARKDOWN = ("--format", "markdown", "--output", "-")


def of_all(lab: Lab, xtsync: Command) -> Said:
    """`xtsync report --all`, with a folder of outputs in which only dev has some."""
    folder = lab.folder / "outputs"
    folder.mkdir(exist_ok=True)
    (folder / "dev.json").write_text((lab.folder / "outputs.json").read_text())
    return xtsync("--outputs", str(folder), "report", "--all", *MARKDOWN)


def section_of(said: Said, stack: str) -> str:
    (found,) = (
        part for part in said.out.split("\n## ") if f"stack {stack}" in part.splitlines()[0] or part.startswith(stack)
    )
    return found


def test_a_page_of_a_healthy_pair(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    page = lab.folder / "page.html"
    before = len(lab.entra.traffic)
    said = xtsync("report", "-s", "dev", "--output", str(page))
    assert said.exit_code == 0, said
    assert writes(lab.calls_since(before)) == []
    text = page.read_text()
    for part in ("Contoso → Fabrikam", "the last cycle went well", "alice@contoso.com", "stack file", "Recent cycles"):
        assert part in text, part
    markdown = xtsync("report", "-s", "dev", "--format", "markdown", "--output", "-").out
    assert "### Recent cycles" in markdown
    assert "| deletionThreshold | 500 | default |" in markdown
    secret = "| sourceClientSecret | (not shown) | environment (XTSYNC_SOURCE_CLIENT_SECRET) |"
    assert secret in markdown.replace("\\", "")
    assert world.SOURCE_SECRET not in text + markdown
    nowhere = xtsync("report", "-s", "dev", "--output", str(lab.folder / "none" / "page.html"))
    assert nowhere.exit_code == 2
    assert "Cannot write" in nowhere.errors


def test_whom_somebody_has_put_in_scope_by_hand_is_named_and_everybody_is_a_problem(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    assign(lab, "bob@contoso.com")
    bob = lab.source.directory.user("bob@contoso.com")
    said = xtsync("report", "-s", "dev", *MARKDOWN)
    assert (said.exit_code, "### What was found" in said.out, bob.id in said.out) == (0, True, True)
    principal_of(lab).synchronization.secrets["SyncAll"] = "True"
    said = xtsync("report", "-s", "dev", *MARKDOWN)
    assert (said.exit_code, "### Needs somebody" in said.out, "SyncAll" in said.out) == (1, True, True)


def test_failures_are_listed_with_their_reason(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.target.guest_invitations_allowed = False
    lab.pass_time()
    text = xtsync("report", "-s", "dev", "--format", "markdown", "--output", "-").out
    assert "### Last failures" in text
    assert "AzureActiveDirectoryForbidden" in text
    said = xtsync("logs", "-s", "dev", "--failures", "--since", "7d")
    assert "AzureActiveDirectoryForbidden" in said.out


def test_a_pair_that_is_held_back_says_so_in_the_place_of_failures(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    xtsync("pause", "-s", "dev", "--yes")
    said = xtsync("report", "-s", "dev", *MARKDOWN)
    assert said.exit_code == 1
    plain = said.out.replace("\\", "")
    assert "### Needs somebody: paused: nothing is synchronized; run `xtsync resume --stack dev`" in plain
    assert "The log has none among these entries, and the job does not run as it should: it is paused" in plain


def test_the_last_writes_are_those_of_the_audit(lab: Lab, xtsync: Command) -> None:
    path = lab.folder / "audit.jsonl"
    lab.stack.environment["XTSYNC_AUDIT"] = str(path)
    xtsync.up()
    xtsync("pause", "-s", "dev", "--yes")
    other = {**json.loads(path.read_text().splitlines()[0]), "stack": "other", "action": "done elsewhere"}
    path.write_text(path.read_text() + json.dumps({**other, "time": "2090-01-01T00:00:00Z"}) + "\n")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    mine = [line for line in lines if line.get("stack") == "dev"]
    answers = [line for line in lines if "status" in line]
    text = xtsync("report", "-s", "dev", "--audit", str(path), *MARKDOWN).out
    writes_ = text.partition("### Last writes")[2].replace("\\", "")
    rows = [row for row in writes_.splitlines() if row.startswith("| 2")]
    assert f"{len(mine)} writes of this stack in the audit." in writes_
    assert len(rows) == len(mine) > 5
    assert "pause" in rows[0]
    assert all(f" {line['requestId']} |" in writes_ for line in answers if "requestId" in line)
    assert "done elsewhere" not in text
    page = xtsync("report", "-s", "dev", "--audit", str(path), "--output", "-").out
    assert page.count("<h3>Last writes</h3>") == 1
    assert world.SOURCE_SECRET not in text + page
    before = len(lab.entra.traffic)
    path.write_text(path.read_text() + "and so on\n")
    said = xtsync("report", "-s", "dev", "--audit", str(path), *MARKDOWN)
    assert (said.exit_code, said.out) == (2, "")
    assert f"Cannot show the writes of {path}." in said.errors
    assert f"line {len(lines) + 1} is no JSON" in said.errors
    assert lab.calls_since(before) == []


def test_what_cannot_be_read_is_said_and_hides_nothing_else(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    client = lab.source.login.clients[world.SOURCE_CLIENT]
    kept = client.permissions - {"ProvisioningLog.Read.All"}
    lab.source.login.clients[world.SOURCE_CLIENT] = replace(client, permissions=kept)
    (lab.folder / "Pulumi.broken.yaml").write_text("config:\n  xtsync:source: {}\n")
    (lab.folder / "Pulumi.other.yaml").write_text("config:\n  else:key: 1\n")
    (lab.folder / "Pulumi.torn.yaml").write_text("config: [unclosed\n")
    (lab.folder / "Pulumi.latin.yaml").write_bytes(b"config:\n  xtsync:displayName: \xe9\n")
    said = of_all(lab, xtsync)
    assert said.exit_code == 2
    assert "## broken" in said.out
    assert "it is not YAML" in section_of(said, "torn")
    assert "it is not UTF-8" in section_of(said, "latin").replace("\\", "")
    assert "## other" not in said.out
    assert "Contoso → Fabrikam" in said.out
    assert "ProvisioningLog.Read.All" in said.out.replace("\\", "")
    assert "Recent cycles" not in said.out
    assert "the first cycle is not done yet" in section_of(said, "dev")


def test_every_pair_is_shown_with_its_own_job(lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    xtsync.up()
    lab.pass_time()
    waits: list[int] = []
    monkeypatch.setattr(Pace, "wait", lambda self: waits.append(id(self)))
    config: dict[str, Any] = xtsync.config()
    target = {**config["xtsync:target"], "tenantId": world.FOREIGN_TENANT, "name": "Never set up"}
    for name, values in (("never", {**config, "xtsync:target": target}), ("twin", config)):
        (lab.folder / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": values}))
    (lab.folder / "outputs").mkdir()
    outputs = json.loads((lab.folder / "outputs.json").read_text())
    (lab.folder / "outputs" / "twin.json").write_text(json.dumps(outputs))
    said = of_all(lab, xtsync)
    assert said.exit_code == 2
    assert "the last cycle went well" in section_of(said, "dev")
    assert "the last cycle went well" in section_of(said, "twin")
    assert "could not be read" in section_of(said, "never")
    assert "in step" not in section_of(said, "never")
    # Two pairs asked for the logs of one tenant, at one common pace.
    assert (len(waits), len(set(waits))) == (2, 1)
    shared = xtsync("report", "--all", *MARKDOWN)
    assert (shared.exit_code, shared.out) == (2, "")
    assert "a folder with a file STACK.json for each" in shared.errors


def test_a_job_that_is_gone_has_its_log_all_the_same(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    for principal in lab.source.applications.principals.values():
        principal.synchronization.jobs.clear()
    said = xtsync("report", "-s", "dev", *MARKDOWN)
    assert said.exit_code == 1
    assert "is gone" in said.out
    assert "### Recent cycles" in said.out


def test_a_folder_without_pairs_is_not_all_well(lab: Lab, xtsync: Command) -> None:
    empty = lab.folder / "empty"
    empty.mkdir()
    said = xtsync("--cwd", str(empty), "--outputs", str(empty), "report", "--all", *MARKDOWN)
    assert said.exit_code == 2
    assert "There is no pair" in said.errors
