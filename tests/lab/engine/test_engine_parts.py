"""The engine's parts: configuration, state, lock, display, interruption, processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from lab import world
from lab.engine import Engine, ProjectError, Secret, StateError
from lab.engine.project import load
from lab.engine.state import Crypter, Store
from lab.entra import Clock, Entra, Fault, Server, serve

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """import pulumi
pulumi.export("text", pulumi.Config().get("text"))
pulumi.export("hidden", pulumi.Config().get_secret("hidden"))
"""


def project(folder: Path, config: object = None, stack: object = None, program: str = PROGRAM) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "__main__.py").write_text(program)
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "p", "runtime": "python", "config": config or {}}))
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(stack or {}))
    return folder


def test_declared_defaults_apply_and_types_are_checked(tmp_path: Path) -> None:
    declared = {"size": {"type": "integer", "default": 3}, "names": {"type": "array", "items": {"type": "string"}}}
    folder = project(tmp_path / "p", declared, {"config": {"p:names": ["a"]}})
    assert load(folder, "dev", None, {}, "lab").config == {"p:size": 3, "p:names": ["a"]}
    with pytest.raises(ProjectError, match="missing configuration value 'names'"):
        load(project(tmp_path / "q", declared), "dev", None, {}, "lab")
    with pytest.raises(ProjectError, match="'size' must be of type 'integer'"):
        load(folder, "dev", None, {"p:size": "three"}, "lab")


def test_secure_values_of_a_stack_file_are_decrypted_with_the_passphrase(tmp_path: Path) -> None:
    crypter = Crypter("open sesame")
    stack = {"encryptionsalt": crypter.salt_text, "config": {"p:hidden": {"secure": crypter.encrypt("treasure")}}}
    folder = project(tmp_path / "p", None, stack)
    assert load(folder, "dev", None, {}, "open sesame").config["p:hidden"] == Secret("treasure")
    with pytest.raises(StateError, match="incorrect passphrase"):
        load(folder, "dev", None, {}, "open barley")


def test_secrets_are_encrypted_in_the_state_and_masked_in_outputs(tmp_path: Path) -> None:
    engine = Engine(
        project(tmp_path / "p"), "dev", tmp_path / "state", config={"p:hidden": Secret("treasure"), "text": "t"}
    )
    assert engine.up().exit_code == 0
    assert engine.outputs() == {"text": "t", "hidden": "[secret]"}
    assert engine.outputs(show_secrets=True)["hidden"] == "treasure"
    assert "treasure" not in (tmp_path / "state" / "p" / "dev.json").read_text()


def test_two_commands_cannot_hold_a_stack_at_once(tmp_path: Path) -> None:
    engine = Engine(project(tmp_path / "p"), "dev", tmp_path / "state")
    with Store(tmp_path / "state", "p", "dev", "lab").locked(), pytest.raises(StateError, match="currently locked"):
        engine.up()
    assert engine.up().exit_code == 0


def test_a_failing_program_is_told_in_one_line(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", program='import pulumi\nraise pulumi.RunError("no way")\n')
    result = Engine(folder, "dev", tmp_path / "state").up()
    assert result.exit_code == 1
    assert [d.message for d in result.diagnostics if d.severity == "error"] == ["no way"]


# --- the command line, in processes that can be interrupted --------------------------------------------------


def start(server: Server, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    stack["config"]["xtsync:metadataHost"] = server.host
    path = folder / "Pulumi.dev.yaml"
    path.write_text(yaml.safe_dump(stack))
    environment = {
        **os.environ,
        **server.environment(),
        "XTSYNC_SOURCE_CLIENT_SECRET": world.SOURCE_SECRET,
        "XTSYNC_TARGET_CLIENT_SECRET": world.TARGET_SECRET,
    }
    command = [sys.executable, "-m", "lab", *arguments, "--stack", "dev"]
    return subprocess.Popen(
        [*command, "--config-file", str(path), "--state", str(folder / "state")],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def children(process_id: int) -> set[int]:
    found = {
        int(child) for path in Path(f"/proc/{process_id}/task").glob("*/children") for child in path.read_text().split()
    }
    return found.union(*(children(child) for child in found)) if found else found


def until_taken(entra: Entra, process: subprocess.Popen[str]) -> None:
    """Wait for the planned fault to have hit its call."""
    ends = time.monotonic() + 30
    while entra.faults.pending and process.poll() is None and time.monotonic() < ends:
        os.sched_yield()
    assert not entra.faults.pending


def test_json_is_one_document_and_plain_lines_have_no_control_codes(tmp_path: Path) -> None:
    with serve(world.dev_world(Clock())) as server:
        document, _ = start(server, tmp_path, "preview", "--json").communicate(timeout=60)
        assert json.loads(document)["summary"] == {"create": 19}
        text, _ = start(server, tmp_path, "preview").communicate(timeout=60)
        assert "\x1b" not in text
        assert "Resources: + 19 to create" in text


def test_control_c_ends_after_the_running_step_with_a_state_to_go_on_from(tmp_path: Path) -> None:
    entra = world.dev_world(Clock())
    entra.faults.add(Fault(kind="delay", seconds=1.5, method="POST", path=r"/jobs$"))
    with serve(entra) as server:
        process = start(server, tmp_path, "up")
        until_taken(entra, process)
        started = children(process.pid)
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Traceback" not in text
        assert not [child for child in started if Path(f"/proc/{child}").exists()]
        jobs = [
            j
            for p in entra.tenants[world.SOURCE_TENANT].applications.principals.values()
            for j in p.synchronization.jobs
        ]
        assert len(jobs) == 1
        state = json.loads((tmp_path / "state" / "xtsync" / "dev.json").read_text())["deployment"]
        assert state["pending_operations"] == []
        assert jobs[0] in {r.get("id") for r in state["resources"]}
        assert start(server, tmp_path, "up").wait(60) == 0
        assert start(server, tmp_path, "destroy").wait(60) == 0


def test_provider_processes_do_not_outlive_a_killed_engine(tmp_path: Path) -> None:
    entra = world.dev_world(Clock())
    entra.faults.add(Fault(kind="delay", seconds=30, method="POST", path=r"/jobs$"))
    with serve(entra) as server:
        process = start(server, tmp_path, "up")
        until_taken(entra, process)
        started = children(process.pid)
        assert started
        process.kill()
        process.wait(10)
        ends = time.monotonic() + 10
        while any(running(child) for child in started) and time.monotonic() < ends:
            os.sched_yield()
        assert not [child for child in started if running(child)]


def running(process_id: int) -> bool:
    """Whether a process is there and not only waiting to be reaped."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
