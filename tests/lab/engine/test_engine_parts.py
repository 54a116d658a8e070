"""The engine's parts: configuration, state, lock, display, interruption, processes."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lab import world
from lab.engine import Engine, ProjectError, Secret, StateError
from lab.engine.state import Store
from lab.entra import Entra, Fault, Server, serve
from lab.project import load
from lab.pulumi.installation import find
from tests.patience import PATIENCE_SECONDS, wait_until

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
    assert load(folder, "dev", None, {}).config == {"p:size": 3, "p:names": ["a"]}
    with pytest.raises(ProjectError, match="missing configuration value 'names'"):
        load(project(tmp_path / "q", declared), "dev", None, {})
    with pytest.raises(ProjectError, match="'size' must be of type 'integer'"):
        load(folder, "dev", None, {"p:size": "three"})


def test_secure_values_of_a_stack_file_are_refused_by_name(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", None, {"config": {"p:hidden": {"secure": "v1:x:y"}}})
    with pytest.raises(ProjectError, match=r"does not support `secure` values: p:hidden in .*Pulumi\.dev\.yaml"):
        load(folder, "dev", None, {})


BROKEN = [
    ("config:\n  a: [1\n", r" is not valid YAML at line 3, column 1: expected ',' or '\]'"),
    ("config:\n\ta: 1\n", r" is not valid YAML at line 2, column 1: found character '\\t' that cannot start"),
    ("- a\n", " must hold a mapping"),
    ("\x00", " cannot be read: .*special characters are not allowed"),
]


@pytest.mark.parametrize("name", ["Pulumi.yaml", "Pulumi.dev.yaml"])
@pytest.mark.parametrize(("text", "says"), BROKEN)
def test_a_file_that_is_no_yaml_is_told_with_the_place_and_the_cause(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    folder = project(tmp_path / "p")
    (folder / name).write_text(text)
    with pytest.raises(ProjectError, match=re.escape(str(folder / name)) + says):
        load(folder, "dev", None, {})


def test_a_project_without_name_or_file_is_told(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    (folder / "Pulumi.yaml").write_text("runtime: python\n")
    with pytest.raises(ProjectError, match="gives the project no name"):
        load(folder, "dev", None, {})
    (folder / "Pulumi.yaml").unlink()
    with pytest.raises(ProjectError, match=r"Pulumi\.yaml cannot be read: .*No such file"):
        load(folder, "dev", None, {})


def test_secrets_are_encrypted_in_the_state_and_masked_in_outputs(tmp_path: Path) -> None:
    engine = Engine(
        project(tmp_path / "p"), "dev", tmp_path / "state", config={"p:hidden": Secret("treasure"), "text": "t"}
    )
    assert engine.up().exit_code == 0
    assert engine.outputs() == {"text": "t", "hidden": "[secret]"}
    assert engine.outputs(show_secrets=True)["hidden"] == "treasure"
    assert "treasure" not in (tmp_path / "state" / "p" / "dev.json").read_text()
    environment = {**os.environ, "PULUMI_CONFIG_PASSPHRASE": "another"}
    with pytest.raises(StateError, match="incorrect passphrase"):
        Engine(tmp_path / "p", "dev", tmp_path / "state", environment=environment).outputs()


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


@pytest.mark.parametrize(
    ("failing", "left"),
    [
        ("import nowhere", {"kept": 1, "changed": 1}),
        ('pulumi.export("changed", 2)\nraise ValueError', {"kept": 1, "changed": 2}),
        ('pulumi.export("changed", 2)\npulumi.log.error("no")', {"kept": 1, "changed": 2}),
    ],
)
def test_a_failed_up_takes_no_output_away(tmp_path: Path, failing: str, left: dict[str, int]) -> None:
    program = 'import pulumi\npulumi.export("kept", 1)\npulumi.export("changed", 1)\n'
    assert Engine(project(tmp_path / "p", program=program), "dev", tmp_path / "state").up().exit_code == 0
    engine = Engine(project(tmp_path / "p", program=f"import pulumi\n{failing}\n"), "dev", tmp_path / "state")
    result = engine.up()
    assert result.exit_code == 1
    assert result.outputs == engine.outputs() == left
    engine = Engine(project(tmp_path / "p", program="import pulumi\n"), "dev", tmp_path / "state")
    assert engine.up().exit_code == 0
    assert engine.outputs() == {}


# --- the command line, in processes that can be interrupted --------------------------------------------------

COMPONENTS = """import pulumi
for number in range(40):
    pulumi.ComponentResource("p:index:Part", f"part-{number}")
"""


def command(folder: Path, operation: str) -> list[str]:
    words = ["--engine", "lab", "--any-endpoint", "--stack", "dev"]
    words += ["--cwd", str(folder), "--state", str(folder / "state")]
    return [sys.executable, "-m", "lab", operation, *words]


def test_an_operation_whose_output_nobody_reads_any_more_goes_on_to_its_end(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", program=COMPONENTS)
    script = f"set -o pipefail; {shlex.join(command(folder, 'up'))} | head -3"
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "Updating (dev):"
    resources = Engine(folder, "dev", folder / "state").export()["deployment"]["resources"]
    assert len(resources) == 41


@pytest.mark.parametrize("name", ["Pulumi.yaml", "Pulumi.dev.yaml"])
def test_broken_yaml_is_told_by_its_own_path_on_the_real_engine(tmp_path: Path, name: str) -> None:
    if find() is None:
        pytest.skip("there is no Pulumi CLI here")
    folder = project(tmp_path / "p")
    (folder / name).write_text("config: [")
    words = [*command(folder, "up"), "--engine", "pulumi"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert text.startswith(f"error: {folder / name} is not valid YAML at line 1, column 10: expected the node content")


@pytest.mark.parametrize("name", ["Pulumi.yaml", "Pulumi.dev.yaml"])
def test_broken_yaml_is_one_error_at_the_command_line(tmp_path: Path, name: str) -> None:
    folder = project(tmp_path / "p")
    (folder / name).write_text("config: [")
    done = subprocess.run(command(folder, "up"), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    assert re.fullmatch(
        r"Updating \(dev\): error: .*\.yaml is not valid YAML at line 1, column 10: expected the node content.*", said
    )
    assert done.stderr == ""


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
    words = [sys.executable, "-m", "lab", *arguments, "--engine", "lab", "--stack", "dev"]
    return subprocess.Popen(
        [*words, "--config-file", str(path), "--state", str(folder / "state")],
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
    wait_until(lambda: not entra.faults.pending or process.poll() is not None)
    assert not entra.faults.pending


def test_json_is_one_document_and_plain_lines_have_no_control_codes(tmp_path: Path) -> None:
    with serve(world.dev_world()) as server:
        document, _ = start(server, tmp_path, "preview", "--json").communicate(timeout=PATIENCE_SECONDS)
        assert json.loads(document)["summary"] == {"create": 19}
        text, _ = start(server, tmp_path, "preview").communicate(timeout=PATIENCE_SECONDS)
        assert "\x1b" not in text
        assert "Resources: + 19 to create" in text


def interrupted(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, and wait until the engine has said that it heard."""
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert any("interrupted" in line for line in process.stdout)


def jobs_of(entra: Entra) -> list[str]:
    principals = entra.tenants[world.SOURCE_TENANT].applications.principals.values()
    return [job for principal in principals for job in principal.synchronization.jobs]


def test_control_c_ends_after_the_running_step_with_a_state_to_go_on_from(tmp_path: Path) -> None:
    entra = world.dev_world()
    with serve(entra) as server:
        for operation, method, path in (("up", "POST", r"/jobs$"), ("destroy", "DELETE", r"/jobs/[^/]+$")):
            entra.faults.released.clear()
            entra.faults.add(Fault(kind="hold", when="after", method=method, path=path))
            process = start(server, tmp_path, operation)
            until_taken(entra, process)
            started = children(process.pid)
            interrupted(process)
            entra.faults.release()
            text, errors = process.communicate(timeout=PATIENCE_SECONDS)
            assert process.returncode == 1
            assert "Traceback" not in text + errors
            assert not [child for child in started if Path(f"/proc/{child}").exists()]
            state = json.loads((tmp_path / "state" / "xtsync" / "dev.json").read_text())["deployment"]
            assert state["pending_operations"] == []
            known = [r["id"] for r in state["resources"] if "dynamic/xtsync:SyncJob" in r["type"]]
            assert known == jobs_of(entra)
            assert len(known) == (1 if operation == "up" else 0)
        assert start(server, tmp_path, "destroy").wait(PATIENCE_SECONDS) == 0


def test_the_second_control_c_ends_at_once_and_the_state_says_what_was_going_on(tmp_path: Path) -> None:
    entra = world.dev_world()
    entra.faults.add(Fault(kind="hold", when="after", method="POST", path=r"/jobs$"))
    with serve(entra) as server:
        process = start(server, tmp_path, "up")
        until_taken(entra, process)
        interrupted(process)
        process.send_signal(signal.SIGINT)
        text, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 1
        assert "Traceback" not in text + errors
        state = json.loads((tmp_path / "state" / "xtsync" / "dev.json").read_text())["deployment"]
        assert [entry["type"] for entry in state["pending_operations"]] == ["creating"]


def test_provider_processes_do_not_outlive_a_killed_engine(tmp_path: Path) -> None:
    entra = world.dev_world()
    entra.faults.add(Fault(kind="hold", method="POST", path=r"/jobs$"))
    with serve(entra) as server:
        process = start(server, tmp_path, "up")
        until_taken(entra, process)
        started = children(process.pid)
        assert started
        process.kill()
        process.wait(PATIENCE_SECONDS)
        assert wait_until(lambda: not any(running(child) for child in started))


def running(process_id: int) -> bool:
    """Whether a process is there and not only waiting to be reaped."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
