"""A project of another name, as `pulumi new` makes one: the program, its providers and `xtsync` name its own keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import engines
from lab.engine import Options, Result
from lab.program import link_program
from lab.project import read
from tests.scenarios.stacks import ROOT, Command, Lab, messages

NAME = "contoso-sync"


def renamed(lab: Lab, folder: Path) -> Path:
    """The program's folder as it is, in a project of another name."""
    link_program(ROOT, folder, but=("Pulumi.yaml",))
    project = read(ROOT / "Pulumi.yaml")
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({**project, "name": NAME}))
    return folder


def run(lab: Lab, operation: str, folder: Path, config: dict[str, Any]) -> Result:
    """An operation on the stack with this configuration."""
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}))
    engine = engines.engine(lab.installation, folder, "dev", lab.folder / "state", environment=lab.stack.environment)
    result: Result = getattr(engine, operation)(Options())
    lab.texts += messages(result)
    return result


@pytest.mark.real
def test_a_renamed_project_has_one_namespace(lab: Lab, xtsync: Command, tmp_path: Path) -> None:
    folder = renamed(lab, tmp_path / "renamed")
    config = {key.replace("xtsync:", f"{NAME}:"): value for key, value in xtsync.config().items()}
    assert run(lab, "up", folder, config).exit_code == 0
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]

    # In the program, and in a provider's own process.
    refused = run(lab, "up", folder, {**config, f"{NAME}:groups": ["Nobody"]})
    assert f"{NAME}:groups[0]" in "\n".join(messages(refused))
    lab.jobs()[0].schedule_state = "Paused"
    second = {**config, f"{NAME}:allowSecondConfiguration": True}
    assert run(lab, "up", folder, second).exit_code == 0
    ended = run(lab, "destroy", folder, second)
    assert f"as {NAME}:allowSecondConfiguration is true" in "\n".join(one.message for one in ended.diagnostics)

    # The lab's own stack file is another project's.
    strange = run(lab, "up", folder, xtsync.config())
    assert f"Write {NAME}:groups, {NAME}:metadataHost" in "\n".join(messages(strange))
    assert "xtsync:users" not in "\n".join(lab.texts)
