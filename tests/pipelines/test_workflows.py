"""The ready workflows are what their hosts take, and give away no more than they need."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.pulumi.installation import pinned
from tests.pipelines.go_tools import built
from tests.pipelines.workflows import AZURE, CI, GITHUB, PIPELINES, ROOT, SETUP, read, shell_steps, steps

ACTIONLINT = Path(__file__).parent / "actionlint"
WORKFLOWS = [*GITHUB, CI]
JOBS = [pytest.param(job, id=f"{path.name}:{name}") for path in WORKFLOWS for name, job in read(path)["jobs"].items()]
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-actions": [SETUP],
    "vendor.azure-pipelines": AZURE,
}


def test_there_are_workflows_for_both_hosts() -> None:
    names = {"xtsync-preview.yml", "xtsync-deploy.yml", "xtsync-drift.yml"}
    assert names <= {path.name for path in GITHUB}
    assert names <= {path.name for path in AZURE}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_they_are_as_their_published_schemas_say(schema: str) -> None:
    azure = ["--data-transform", "azure-pipelines", "--regex-variant", "python"] if "azure" in schema else []
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    command: list[str | Path] = [*checker, *azure, *SCHEMAS[schema]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    linter = built(ACTIONLINT, "github.com/rhysd/actionlint/cmd/actionlint", tmp_path)
    # As in a repository that uses them.
    repository = tmp_path / "repository"
    workflows = repository / ".github" / "workflows"
    workflows.mkdir(parents=True)
    for path in WORKFLOWS:
        shutil.copy(path, workflows)
    shutil.copytree(PIPELINES, repository / "docs" / "pipelines")
    subprocess.run(["git", "init", "-q", repository], check=True)
    done = subprocess.run([linter, "-no-color"], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# --- what they trust ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*WORKFLOWS, SETUP], ids=lambda path: path.name)
def test_every_action_is_pinned_by_hash_with_its_version_beside_it(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for one in used:
        assert re.fullmatch(r"\./docs/pipelines/github/setup|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one


def test_the_same_action_is_the_same_everywhere() -> None:
    text = "".join(path.read_text() for path in (*WORKFLOWS, SETUP))
    pins = set(re.findall(r"uses: ([\w-]+/[\w-]+)(@.*)", text))
    assert len(pins) == len({name for name, _ in pins})


def test_the_versions_are_those_of_the_project() -> None:
    plugin = next(
        text.removeprefix("pulumi-azuread==")
        for text in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        if text.startswith("pulumi-azuread")
    )
    setups = [path.read_text() for path in (SETUP, PIPELINES / "azure-devops" / "setup.yml")]
    assert all(f"pulumi plugin install resource azuread {plugin}\n" in f"{text}\n" for text in setups)
    assert f"pulumi-version: {pinned().removeprefix('v')}\n" in setups[0]
    assert f"install_pulumi.sh {pinned().removeprefix('v')} " in setups[1]
    assert f"pulumi-version: {pinned().removeprefix('v')}\n" in CI.read_text()


# --- what they may do --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_right_that_a_job_does_not_ask_for(path: Path) -> None:
    document = read(path)
    assert document["permissions"] == {}
    assert "pull_request_target" not in document["on"]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_has_the_credentials_of_the_tenants_or_the_right_to_write_never_both(job: dict[str, Any]) -> None:
    permissions = job["permissions"]
    assert permissions["contents"] == "read"
    writes = {name for name, level in permissions.items() if level == "write"}
    assert len(writes) <= 1
    assert writes <= {"id-token", "pull-requests", "issues"}


@pytest.mark.parametrize("job", JOBS)
def test_credentials_are_behind_an_environment(job: dict[str, Any]) -> None:
    assert ("id-token" in job["permissions"]) == ("environment" in job)


@pytest.mark.parametrize("path", [*WORKFLOWS, SETUP, *AZURE], ids=lambda path: path.name)
def test_no_workflow_holds_a_secret_or_keeps_the_checkouts_token(path: Path) -> None:
    text = path.read_text()
    assert "secrets." not in text
    for step in steps(path):
        if "checkout" in step.content or "actions/checkout" in step.content.get("uses", ""):
            assert (step.content.get("with") or step.content)[
                "persist-credentials" if "uses" in step.content else "persistCredentials"
            ] == "false"


def test_what_a_shell_runs_is_short_and_takes_no_text_from_outside_into_its_own() -> None:
    found = shell_steps()
    assert len(found) > 15
    for step in found:
        assert len(step.command.splitlines()) <= 3, step
        if (
            step.command != "${{ parameters.command }}"
        ):  # of pair.yml, whose commands are looked at where they are given
            assert "${{" not in step.command, step


def test_up_is_never_cancelled_and_asks_nobody() -> None:
    job = read(PIPELINES / "github" / "xtsync-deploy.yml")["jobs"]["up"]
    assert job["concurrency"]["cancel-in-progress"] == "false"
    assert job["environment"] == "production"
    (stage,) = (one for one in read(PIPELINES / "azure-devops" / "xtsync-deploy.yml")["stages"] if one["stage"] == "up")
    assert stage["lockBehavior"] == "sequential"


# --- what the page says ------------------------------------------------------------------------------------


def test_the_page_says_what_each_name_is_that_a_team_has_to_fill_in() -> None:
    page = (PIPELINES / "README.md").read_text()
    text = "".join(path.read_text() for path in (*GITHUB, SETUP, *AZURE))
    names = {*re.findall(r"vars\.(\w+)", text), *re.findall(r"environment: ([\w-]+)", text)}
    names |= {*re.findall(r"\b(?:WORK_ITEM|PULUMI_SHA)\w+", text)}
    assert len(names) > 12
    assert not [name for name in names if f"`{name}`" not in page]


def test_its_examples_are_yaml() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (PIPELINES / "README.md").read_text(), re.DOTALL)
    assert len(examples) == 2
    assert all(yaml.safe_load(text) for text in examples)
