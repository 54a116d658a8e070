"""What several scenarios do with a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import world
from tests.advice import is_action
from tests.scenarios.stacks import ROOT, Command, Lab, Said, Stack, short
from xtsync_resources.operate import doctor, in_scope, recorded


def forget(stack: Stack, *kinds: str) -> list[str]:
    """Let the state lose assignments, as when a run is killed before it could note them."""
    names = [short(r["urn"]) for r in stack.resources() if "appRoleAssignment" in r["type"]]
    stack.keep_only(lambda resource: not short(resource["urn"]).startswith(kinds))
    return [name for name in names if name.startswith(kinds)]


def forget_ours(lab: Lab) -> None:
    """Let the state know of the application and the assignments only, as after `pulumi import`."""
    lab.stack.keep_only(lambda resource: "dynamic/xtsync" not in resource["type"])


KEPT = {"pair", "source", "target", "source-azuread", "application"}


def made_by_hand(stack: Stack) -> None:
    """Let the state know only what `pulumi import` brings in."""
    stack.keep_only(lambda r: "pulumi:Stack" in r["type"] or short(r["urn"]) in KEPT)


def variant(lab: Lab, folder: Path, old: str, new: str) -> Path:
    """The program with one change."""
    folder.mkdir()
    text = (ROOT / "__main__.py").read_text()
    assert old in text
    (folder / "__main__.py").write_text(text.replace(old, new))
    (folder / "xtsync_resources").symlink_to(ROOT / "xtsync_resources")
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    return folder


PAIR = ["--source", world.SOURCE_TENANT, "--target", world.TARGET_TENANT, "--auth", "secret"]


CLIENTS = ["--source-client-id", world.SOURCE_CLIENT, "--target-client-id", world.TARGET_CLIENT]


NAMES = ["--source-name", "Contoso", "--target-name", "Fabrikam"]


def export(lab: Lab, xtsync: Command, *more: str) -> Said:
    return xtsync("export", *PAIR, *CLIENTS, *NAMES, "--metadata-host", lab.server.host, *more)


def held_back(lab: Lab, xtsync: Command) -> None:
    """Two people have left the scope, and the job holds their deletion back."""
    lab.stack.config["xtsync:deletionThreshold"] = 2
    xtsync.up()
    lab.pass_time()
    lab.stack.config |= {"xtsync:groups": [], "xtsync:allowDeletions": 2}
    xtsync.up()
    lab.pass_time()
    assert lab.jobs()[0].quarantine is not None


Found = dict[tuple[str, str], list[tuple[str, str]]]


def findings(xtsync: Command, code: int) -> Found:
    said = xtsync("doctor", "-s", "dev", "--json")
    assert said.exit_code == code, said
    found: Found = {}
    for one in said.document:
        assert one["found"]
        assert is_action(one["do"]) or one["level"] == "ok", one
        found.setdefault((one["side"], one["area"]), []).append((one["level"], one["found"]))
    return found


LOOKS = ("status", "doctor", "plan")
ASSIGN_THEM = (
    "restore whose account is deleted in the target already (Deleted users, 30 days), and run `pulumi up --refresh "
    "--diff`, which assigns whoever is missing"
)


def knows_the_state(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands read the state as well, which they do not where the outputs are given in a file."""
    monkeypatch.setattr(recorded, "exported", lambda _: lab.stack.engine.export())
    for module in (doctor, in_scope):
        monkeypatch.setattr(module, "recorded_of", recorded.recorded)
    monkeypatch.setattr(recorded, "beside_outputs", recorded.recorded)


def finance(lab: Lab) -> str:
    (found,) = (one for one in lab.source.directory.groups.values() if one.display_name == "Finance")
    return found.id


def flat(text: str) -> str:
    """A table's text, whatever the width it was broken to."""
    return " ".join(text.split())


def says(xtsync: Command, *typed: str) -> str:
    said = xtsync(*typed, "-s", "dev")
    return flat(said.out + said.errors)
