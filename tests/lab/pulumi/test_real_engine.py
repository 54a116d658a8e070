"""What only the real Pulumi CLI can show: its own commands, interruption, and the language host beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab import world
from lab.engine import Secret
from lab.entra import Entra, Fault
from lab.pulumi.installation import OLDEST, Installation, find_built, pinned
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.terminal import Shell, only_real, terminal

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.real


@pytest.fixture
def shell(tmp_path: Path, installation: Installation | None) -> Iterator[Shell]:
    with terminal(tmp_path, only_real(installation)) as made:
        yield made


def test_stack_config_and_state_commands_work_beside_a_pair(shell: Shell) -> None:
    shell("up", "--yes", "--skip-preview")
    assert json.loads(shell("stack", "output", "--json"))["jobState"] == "Active"
    assert "start" in shell("stack", "--show-urns")
    assert "alice@contoso.com" in shell("config")
    shell("config", "set", "displayName", "Connected")
    (urn,) = (
        one["urn"] for one in shell.engine.export()["deployment"]["resources"] if one["urn"].endswith("::pair-start")
    )
    shell("state", "delete", urn, "--yes")
    assert "create" in shell("preview")
    shell("up", "--yes", "--skip-preview")
    assert "19 unchanged" in shell("up", "--yes", "--skip-preview", "--expect-no-changes")
    shell("destroy", "--yes", "--skip-preview")


def test_a_tainted_resource_is_replaced_and_lives(shell: Shell) -> None:
    shell("up", "--yes", "--skip-preview")
    resources = shell.engine.export()["deployment"]["resources"]
    (job,) = (one for one in resources if one["urn"].endswith("::pair-job"))
    shell("state", "taint", job["urn"], "--yes")
    assert "replaced" in shell("up", "--yes", "--skip-preview")
    shell("up", "--yes", "--skip-preview", "--expect-no-changes")
    principals = shell.entra.tenants[world.SOURCE_TENANT].applications.principals.values()
    states = [one.schedule_state for principal in principals for one in principal.synchronization.jobs.values()]
    assert states == ["Active"]
    shell("destroy", "--yes", "--skip-preview")


def test_azuread_resources_are_imported(shell: Shell) -> None:
    shell("up", "--yes", "--skip-preview")
    kept = ("Stack", "TenantPair", "providers:")
    document = shell.engine.export()
    urns = {one["urn"].rsplit("::", 1)[-1]: one["urn"] for one in document["deployment"]["resources"]}
    (application,) = (
        one["id"] for one in document["deployment"]["resources"] if one["urn"].endswith("::pair-application")
    )
    resources = document["deployment"]["resources"]
    resources[:] = [one for one in resources if any(kind in one["type"] for kind in kept)]
    for one in resources:
        one["dependencies"] = []
    shell.engine.import_state(document)
    kind, name = "azuread:index/applicationFromTemplate:ApplicationFromTemplate", "pair-application"
    options = ["--parent", f"pair={urns['pair']}", "--provider", f"source={urns['pair-source-azuread']}"]
    words = ["import", kind, name, application, *options, "--yes", "--skip-preview"]
    assert "1 imported" in shell(*words, "--generate-code=false")
    assert any(one["urn"].endswith(f"::{name}") for one in shell.engine.export()["deployment"]["resources"])
    shell("state", "unprotect", "--all", "--yes")
    assert "adopts" in shell("up", "--yes", "--skip-preview")


def test_a_policy_pack_runs_beside_the_program(shell: Shell) -> None:
    said = shell("preview", "--policy-pack", "policy")
    assert "Policies" in said or "policy" in said.lower()
    assert "19 to create" in said
    shell("config", "set", "--path", "guardrails.allowedTenants[0]", "11111111-2222-4333-8444-555555555555")
    assert "not in allowedTenants" in shell("preview", "--policy-pack", "policy", fails=True)


def test_the_automation_api_drives_the_program(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from pulumi import automation

    monkeypatch.setenv("PATH", shell.engine.environment["PATH"])
    options = automation.LocalWorkspaceOptions(env_vars=dict(shell.engine.environment))
    stack = automation.select_stack("dev", work_dir=str(shell.engine.folder), opts=options)
    assert stack.preview().change_summary == {automation.OpType.CREATE: 19}
    assert stack.up().outputs["jobState"].value == "Active"
    assert stack.destroy().summary.result == "succeeded"


def test_a_failing_program_says_its_error_once(shell: Shell) -> None:
    path = shell.engine.folder / "Pulumi.dev.yaml"
    stack = yaml.safe_load(path.read_text())
    stack["config"]["xtsync:users"] = ["ghost@contoso.com"]
    path.write_text(yaml.safe_dump(stack))
    said = shell("up", "--yes", "--skip-preview", fails=True)
    assert said.split("Diagnostics:")[1].count("Contoso has no such user") == 1
    assert "Traceback" not in said


def test_a_failing_resource_says_its_error_once(shell: Shell) -> None:
    said = shell("preview", fails=True, environment={"XTSYNC_TARGET_CLIENT_SECRET": "wrong"})
    (diagnostics,) = said.split("Diagnostics:")[1:]
    assert diagnostics.count("the client secret is wrong") == 1
    assert diagnostics.count("error:") == 1
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said


def test_control_c_ends_everything_without_a_traceback(shell: Shell) -> None:
    shell.entra.faults.add(Fault(kind="delay", seconds=2, method="POST", path=r"/jobs$"))
    process = shell.start("up", "--yes", "--skip-preview")
    taken(shell.entra, process)
    started = descendants(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert "KeyboardInterrupt" not in said
    assert not [child for child in started if Path(f"/proc/{child}").exists()]
    document = shell.engine.export()["deployment"]
    assert not document.get("pending_operations")
    assert any(one["urn"].endswith("::pair-job") for one in document["resources"])
    shell("up", "--yes", "--skip-preview")
    shell("destroy", "--yes", "--skip-preview")


def test_no_provider_process_outlives_a_cli_that_was_killed(shell: Shell) -> None:
    shell.entra.faults.add(Fault(kind="hold", method="POST", path=r"/jobs$"))
    process = shell.start("up", "--yes", "--skip-preview")
    taken(shell.entra, process)
    providers = [child for child in descendants(process.pid) if "pulumi.dynamic" in command_line(child)]
    assert len(providers) == 2, "one for each tenant"
    process.kill()
    process.wait(PATIENCE_SECONDS)
    assert wait_until(lambda: not any(command_line(one) for one in providers))


def command_line(pid: int) -> str:
    """What a process was started as; "" where there is none, or only its exit code is left."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_the_oldest_cli_that_is_allowed_takes_a_pair_up_and_down(
    tmp_path: Path, installation: Installation | None
) -> None:
    only_real(installation)
    oldest = find_built(pinned(OLDEST))
    if oldest is None:
        pytest.skip("needs the oldest CLI: make pulumi OLDEST=1")
    with terminal(tmp_path, oldest) as shell:
        shell("preview")
        shell("up", "--yes", "--skip-preview")
        shell("up", "--yes", "--skip-preview", "--expect-no-changes")
        shell("refresh", "--yes", "--skip-preview", "--expect-no-changes")
        shell("destroy", "--yes", "--skip-preview")


def test_a_secret_of_the_stack_file_never_stands_on_a_command_line(shell: Shell, tmp_path: Path) -> None:
    shell.engine._config["xtsync:sourceClientSecret"] = Secret("treasure")
    shell.engine.prepare()
    assert (
        "secure"
        in yaml.safe_load((shell.engine.folder / "Pulumi.dev.yaml").read_text())["config"]["xtsync:sourceClientSecret"]
    )


def taken(entra: Entra, process: subprocess.Popen[str]) -> None:
    """Wait for the planned fault to have hit its call."""
    wait_until(lambda: not entra.faults.pending or process.poll() is not None)
    assert not entra.faults.pending


def descendants(process_id: int) -> set[int]:
    found = {
        int(child) for path in Path(f"/proc/{process_id}/task").glob("*/children") for child in path.read_text().split()
    }
    return found.union(*(descendants(child) for child in found)) if found else found


def test_a_secret_that_was_copied_to_another_key_is_refused_unseen(shell: Shell) -> None:
    shell("config", "set", "--secret", "--path", "inboundTrust.mfa", "abC8Q~Zyxwvutsrqponmlkjihgfedcba0123.456")
    said = shell("preview", fails=True)
    assert "xtsync:inboundTrust: it is encrypted" in said
    assert "abC8Q" not in said
