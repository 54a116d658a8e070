"""The lab's small engine is for trying the program: unless told otherwise it acts on loopback only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from lab.application import app
from lab.endpoints import hosts_of_state, is_loopback, refuse_elsewhere
from lab.engine import ProjectError
from lab.program import link_program
from lab.pulumi.engine import PulumiEngine
from lab.pulumi.installation import find
from tests.scenarios.conftest import lab
from tests.scenarios.stacks import Lab

__all__ = ["lab"]
ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = (
    "",
    "graph.microsoft.com",
    "10.0.0.1",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil@localhost.e",
)


@pytest.mark.parametrize("host", ["localhost", "localhost:8443", "127.0.0.1:1", "127.9.9.9", "[::1]:8443"])
def test_what_is_this_machine(host: str, tmp_path: Path) -> None:
    assert is_loopback(host)
    (tmp_path / "stack").write_text(yaml.safe_dump({"config": {"xtsync:metadataHost": host}}))
    refuse_elsewhere(tmp_path, tmp_path / "stack", state_of(host), runs_program=True)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_what_is_elsewhere(host: str, tmp_path: Path) -> None:
    assert not is_loopback(host)
    (tmp_path / "stack").write_text(yaml.safe_dump({"config": {"xtsync:metadataHost": host}}))
    with pytest.raises(ProjectError, match="on this machine only"):
        refuse_elsewhere(tmp_path, tmp_path / "stack", state_of(), runs_program=True)
    with pytest.raises(ProjectError, match="on this machine only"):
        refuse_elsewhere(tmp_path, tmp_path / "stack", state_of("localhost", host), runs_program=False)


@pytest.mark.parametrize(
    "config",
    [
        {"foo:metadataHost": "localhost:1"},
        {"xtsync:metadataHosts": "localhost:1"},
        {"xtsync:metadataHost": "localhost:1", "metadataHost": "evil.example"},
        {"xtsync:metadataHost": "localhost:1", "xtsync:config:metadataHost": "evil.example"},
        {"metadataHost": {"a": "localhost"}},
    ],
)
def test_only_the_key_that_counts_makes_it_this_machine(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: xtsync\nruntime: python\n")
    (tmp_path / "stack").write_text(yaml.safe_dump({"config": config}))
    with pytest.raises(ProjectError, match="on this machine only"):
        refuse_elsewhere(tmp_path, tmp_path / "stack", state_of(), runs_program=True)


@pytest.mark.parametrize("key", ["metadataHost", "xtsync:metadataHost", "xtsync:config:metadataHost"])
def test_every_way_to_write_it_counts(key: str, tmp_path: Path) -> None:
    (tmp_path / "stack").write_text(yaml.safe_dump({"config": {key: "localhost:1"}}))
    refuse_elsewhere(tmp_path, tmp_path / "stack", state_of(), runs_program=True)


def state_of(*hosts: str) -> dict[str, Any]:
    providers = [{"type": "pulumi:providers:azuread", "inputs": {"metadataHost": host}} for host in hosts]
    return {"deployment": {"resources": providers}}


DEPLOYING = [
    ("lab", ["preview"]),
    ("lab", ["up"]),
    ("pulumi", ["preview"]),
    ("pulumi", ["up"]),
    ("pulumi", ["pulumi", "up"]),
]


@pytest.mark.parametrize(
    ("kind", "inputs", "hosts"),
    [
        ("pulumi", {}, []),
        ("pulumi-python", {}, [""]),
        ("azuread", {"metadataHost": "evil.example"}, ["evil.example"]),
    ],
)
def test_only_pulumis_own_provider_acts_nowhere(kind: str, inputs: dict[str, str], hosts: list[str]) -> None:
    resource = {"type": f"pulumi:providers:{kind}", "inputs": inputs}
    assert list(hosts_of_state({"deployment": {"resources": [resource]}})) == hosts


@pytest.mark.parametrize(("engine", "command"), DEPLOYING)
def test_a_stack_of_real_tenants_is_refused(
    engine: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "pulumi" and find() is None:
        pytest.skip("there is no Pulumi CLI here")
    stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    del stack["config"]["xtsync:metadataHost"]
    for side in ("SOURCE", "TARGET"):
        monkeypatch.setenv(f"XTSYNC_{side}_CLIENT_SECRET", "x")
    program = link_program(ROOT, tmp_path / "program")
    (program / "Pulumi.prod.yaml").write_text(yaml.safe_dump(stack))
    given = ["--stack", "prod", "--state", str(tmp_path / "state"), "--cwd", str(program), "--engine", engine]
    told = CliRunner().invoke(app, [*command, *given])
    assert told.exit_code == 1
    assert "on this machine only" in told.output
    assert "--any-endpoint" in told.output
    assert "pulumi:providers" not in "".join(path.read_text() for path in (tmp_path / "state").rglob("*.json"))


def test_a_state_of_real_tenants_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    if lab.installation is not None:
        pytest.skip("the small engine's own: it is its state that is looked at")
    lab.stack.run("up")
    state = lab.folder / "state" / "xtsync" / "dev.json"
    state.write_text(state.read_text().replace(lab.server.host, "metadata.example:443"))
    for name, value in lab.stack.environment.items():
        monkeypatch.setenv(name, value)
    calls = len(lab.entra.traffic)
    given = ["--stack", "dev", "--state", str(lab.folder / "state"), "--cwd", str(ROOT), "--engine", "lab"]
    for command in (["refresh"], ["refresh", "--preview-only"], ["destroy"], ["destroy", "--refresh"]):
        told = CliRunner().invoke(app, [*command, *given])
        assert told.exit_code == 1, told.output
        assert "on this machine only" in told.output
    assert len(lab.entra.traffic) == calls


NAMING = [
    ["up", "--config-file", "elsewhere.yaml"],
    ["up", "--config-file=elsewhere.yaml"],
    ["--stack=prod", "up"],
    ["up", "-s", "prod"],
    ["up", "-sprod"],
    ["up", "-s=organization/xtsync/prod"],
    ["up", "--config", "xtsync:metadataHost=evil.example"],
    ["up", "-c=xtsync:metadataHost=evil.example"],
    ["destroy", "--stack", "dev", "--stack=prod"],
]


@pytest.mark.parametrize("words", NAMING)
def test_the_files_that_are_used_are_those_that_are_looked_at(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find() is None:
        pytest.skip("there is no Pulumi CLI here")
    ran: list[list[str]] = []

    def command(_: PulumiEngine, arguments: Sequence[str]) -> int:
        ran.append([*arguments])
        return 0

    monkeypatch.setattr(PulumiEngine, "command", command)
    monkeypatch.setattr(PulumiEngine, "export", lambda _: state_of())
    program = link_program(ROOT, tmp_path / "program")
    here = (ROOT / "Pulumi.dev.yaml").read_text()
    (program / "Pulumi.dev.yaml").write_text(here)
    for name in ("Pulumi.prod.yaml", "elsewhere.yaml"):
        (program / name).write_text(here.replace("metadataHost: localhost", "metadataHost: evil.example"))
    monkeypatch.chdir(program)
    stack = [] if any(word.startswith(("-s", "--stack")) for word in words) else ["--stack", "dev"]
    told = CliRunner().invoke(app, ["pulumi", *words, *stack, "--engine", "pulumi", "--state", str(tmp_path / "state")])
    assert told.exit_code == 1, told.output
    assert "on this machine only" in told.output or "write it there instead" in told.output
    assert ran == []
    told = CliRunner().invoke(app, ["pulumi", "up", "-sdev", "--engine", "pulumi", "--state", str(tmp_path / "state")])
    assert ran == [["up", "--stack", "dev"]], told.output
