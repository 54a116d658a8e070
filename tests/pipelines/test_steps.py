"""Every step of the workflows in which a shell runs something is run here against the lab, or says why not."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import world
from lab.entra import Entra, serve
from lab.entra.synchronization.models import Job, Quarantine
from lab.program import link_program
from lab.pulumi.engine import PulumiEngine
from lab.pulumi.installation import Installation
from tests.pipelines import hosts
from tests.pipelines.workflows import ROOT, shell_steps

STACK = "contoso-fabrikam"
SECRETS = (world.SOURCE_SECRET, world.TARGET_SECRET)
SCRIPT = ".venv/bin/python docs/pipelines"
PREVIEW, DRIFT = f'{SCRIPT}/plan.py preview "$STACK" plans', f'{SCRIPT}/plan.py drift "$STACK" plans'
UP = 'pulumi up --yes --non-interactive --stack "$STACK"'
COMMENT = f'{SCRIPT}/publish.py github-comment --stacks "$STACKS" plans'
ISSUE = f'{SCRIPT}/publish.py github-issue --stacks "$STACKS" plans'
AZURE_COMMENT = f'{SCRIPT}/publish.py azure-comment --stacks "$STACKS" plans'
WORK_ITEM = f'{SCRIPT}/publish.py azure-work-item --stacks "$STACKS" plans'
LIST = f"{SCRIPT}/stack_files.py"
LIST_OF_PULL_REQUEST, EXACTLY = f'{LIST} --against "HEAD^1"', f'{LIST} --exactly "$STACKS"'
LIST_AND_EXACTLY = f'{LIST} --against "HEAD^1" --exactly "$STACKS"'
INSTALL = 'bash docs/pipelines/install_pulumi.sh 3.274.1 "$PULUMI_SHA256" "$AGENT_TEMPDIRECTORY"'
ON_PATH = 'echo "##vso[task.prependpath]$AGENT_TEMPDIRECTORY/pulumi"'
RUN_HERE = {
    PREVIEW, DRIFT, UP, COMMENT, ISSUE, AZURE_COMMENT, WORK_ITEM, LIST, LIST_OF_PULL_REQUEST, EXACTLY,
    LIST_AND_EXACTLY, INSTALL, ON_PATH,
}  # fmt: skip
ELSEWHERE = {
    "make install": "tests/security/test_install.py looks at it; it makes the environment this runs in",
    "pulumi plugin install resource azuread 6.11.1": "needs Pulumi's own host of plugins",
    "az account show --output none": "needs Azure DevOps and a service connection",
    "${{ parameters.command }}": "of pair.yml: each command it is given is here",
}


def test_every_step_is_run_or_explained() -> None:
    assert {step.command for step in shell_steps()} == {*RUN_HERE, *ELSEWHERE}


# --- a runner ----------------------------------------------------------------------------------------------


@dataclass
class Runner:
    """A checkout with one stack file, between two tenants of the lab."""

    folder: Path
    entra: Entra
    environment: dict[str, str]
    config: dict[str, object]

    def __call__(self, command: str, code: int = 0, **environment: str) -> str:
        """What a step prints; it must end with this exit code."""
        given = {**self.environment, "STACK": STACK, "STACKS": json.dumps([{"name": STACK}]), **environment}
        shell = ["bash", "-e", "-c", command]
        done = subprocess.run(shell, cwd=self.folder, env=given, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert not [secret for secret in SECRETS if secret in said]
        return done.stdout

    def configure(self, **config: object) -> None:
        """Change the stack file, and nothing that Pulumi wrote there."""
        self.config |= {f"xtsync:{key}": value for key, value in config.items()}
        path = self.folder / f"Pulumi.{STACK}.yaml"
        before = yaml.safe_load(path.read_text()) if path.exists() else {}
        path.write_text(yaml.safe_dump({**before, "config": self.config}))

    def document(self) -> dict[str, Any]:
        """What was written last for programs, which holds no secret."""
        text = (self.folder / "plans" / f"{STACK}.json").read_text()
        assert not [secret for secret in SECRETS if secret in text]
        found: dict[str, Any] = json.loads(text)
        return found

    def plan(self) -> str:
        """What was described last."""
        return str(self.document()["markdown"])


@pytest.fixture
def runner(tmp_path: Path, installation: Installation | None) -> Iterator[Runner]:
    entra = world.dev_world()
    with serve(entra) as server:
        environment = {
            **os.environ,
            **server.environment(),
            "XTSYNC_SOURCE_CLIENT_SECRET": world.SOURCE_SECRET,
            "XTSYNC_TARGET_CLIENT_SECRET": world.TARGET_SECRET,
        }
        given = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
        config = {**given, "xtsync:metadataHost": server.host}
        if installation is None:
            folder = link_program(ROOT, tmp_path / "checkout")
            environment |= {
                "PATH": f"{small_pulumi(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}",
                "SMALL_PULUMI_STATE": str(tmp_path / "state"),
                "PYTHONPATH": str(ROOT),
            }
        else:
            engine = PulumiEngine(installation, ROOT, STACK, tmp_path / "state", environment=environment, config=config)
            engine.prepare()
            folder, environment = engine.folder, engine.environment
            command = tmp_path / "bin" / "pulumi"
            command.parent.mkdir()
            command.symlink_to(installation.command)
            environment["PATH"] = f"{command.parent}{os.pathsep}{environment['PATH']}"
        made = Runner(folder, entra, environment, config)
        made.configure()
        yield made


def small_pulumi(folder: Path) -> Path:
    """A folder with a command `pulumi`."""
    folder.mkdir()
    command = folder / "pulumi"
    arguments = shlex.join([sys.executable, str(Path(__file__).with_name("small_pulumi.py"))])
    command.write_text(f'#!/bin/sh\nexec {arguments} "$@"\n')
    command.chmod(0o755)
    return folder


def turn_redemption(entra: Entra, allowed: bool) -> None:
    """As somebody does in the target's portal."""
    partner = entra.tenants[world.TARGET_TENANT].policies.partners[world.SOURCE_TENANT]
    partner.members["automaticUserConsentSettings"]["inboundAllowed"] = allowed


def quarantined(entra: Entra) -> Job:
    """The job, of which Microsoft says that it does not work."""
    now, principals = entra.clock.now(), entra.tenants[world.SOURCE_TENANT].applications.principals.values()
    (job,) = (job for principal in principals for job in principal.synchronization.jobs.values())
    job.status_code = "Quarantine"
    job.quarantine = Quarantine("EncounteredQuarantineException", "Error", "m", now, now + timedelta(hours=6))
    return job


# --- the steps ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.real
def test_a_pair_from_pull_request_to_drift_and_back(runner: Runner) -> None:
    with hosts.serve() as host:
        github: dict[str, Any] = {**host.github(), "PULL_REQUEST": "7"}
        azure: dict[str, Any] = {**host.azure(), "WORK_ITEM_TYPE": "Issue", "WORK_ITEM_DONE": "Done"}
        summary = runner.folder.parent / "summary.md"
        runner(PREVIEW, GITHUB_STEP_SUMMARY=str(summary))
        assert "19 would change" in runner.plan()
        assert "group Finance brings 2 people into scope" in runner.plan()
        assert summary.read_text() == runner.plan()
        runner(COMMENT, **github)
        runner(AZURE_COMMENT, **azure)

        runner(UP)
        shown = runner(DRIFT, TF_BUILD="True")
        assert "no drift" in shown
        assert f"##vso[task.uploadsummary]{(runner.folder / 'plans' / STACK).resolve()}.md" in shown
        runner(ISSUE, **github)
        runner(WORK_ITEM, **azure)
        assert host.issues == []
        assert host.work_items == {}

        source = runner.entra.tenants[world.SOURCE_TENANT].applications
        job = quarantined(runner.entra)
        runner(DRIFT, code=7)
        assert "no drift, not well" in runner.plan()
        assert "the target could not be reached, or refused" in runner.plan()
        job.status_code, job.quarantine = "Active", None

        (principal,) = (one for one in source.principals.values() if one.synchronization.jobs)
        gone = next(iter(principal.assignments))
        taken_out = principal.assignments.pop(gone)
        runner(DRIFT, code=7)
        (change,) = (one for one in runner.document()["changes"] if one["change"] == "gone")
        assert change["tenantId"] == world.SOURCE_TENANT
        assert change["id"] == f"/servicePrincipals/{principal.id}/appRoleAssignedTo/{gone}"
        principal.assignments[gone] = taken_out

        turn_redemption(runner.entra, False)
        runner(DRIFT, code=7)
        row = "| changed | pair-target-partner | automaticUserConsentSettings.inboundAllowed | true | false |"
        assert row in runner.plan()
        for _ in range(2):
            runner(ISSUE, **github)
            runner(WORK_ITEM, **azure)
        (issue,), (work_item,) = host.issues, host.work_items.values()
        assert issue["labels"] == ["xtsync-drift"]
        assert row in issue["body"]
        assert row in work_item["System.Description"]

        turn_redemption(runner.entra, True)
        runner(DRIFT)
        runner(ISSUE, **github)
        runner(WORK_ITEM, **azure)
        assert issue["state"] == "closed"
        assert work_item["System.State"] == "Done"

        runner.configure(groups=[])
        runner(PREVIEW)
        assert "2 people leave the target with this change" in runner.plan()
        runner(COMMENT, **github)
        runner(AZURE_COMMENT, **azure)
        (comment,), (thread,) = host.comments, host.threads
        for text in (comment["body"], thread["comments"][0]["content"]):
            assert "2 people leave the target with this change" in text
            assert all(name in text.lower() for name in ("carol", "dave")), text
            assert "19 would change" not in text

        runner.configure(groups=["Nobody"])
        runner(PREVIEW, code=1)
        assert "Contoso has no such group" in runner.plan()


def test_the_stack_files_are_listed(tmp_path: Path) -> None:
    folder = link_program(ROOT, tmp_path / "checkout")
    runner = Runner(folder, world.dev_world(), dict(os.environ), {})
    settings = (ROOT / "Pulumi.dev.yaml").read_text()
    for name in ("Pulumi.b-c.yaml", "Pulumi.a-b.yaml", "Pulumi.a-b.deploy.yaml", "Pulumi.dev.yaml"):
        (folder / name).write_text(settings)
    output = tmp_path / "output"
    assert json.loads(runner(LIST, GITHUB_OUTPUT=str(output))) == ["a-b", "b-c"]
    assert output.read_text() == 'stacks=["a-b", "b-c"]\n'
    stacks = json.dumps([{"name": "b-c"}, {"name": "a-b"}])
    runner(EXACTLY, STACKS=stacks)
    runner(EXACTLY, code=1)

    commit: dict[str, Any] = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    runner(
        "git init -q && git add Pulumi.a-b.yaml && git commit -qm base && git commit -qm head --allow-empty", **commit
    )
    runner(LIST_OF_PULL_REQUEST)
    runner(LIST_AND_EXACTLY, STACKS=stacks)
    (folder / "Pulumi.a-b.yaml").write_text(f"{settings}secretsprovider: azurekeyvault://evil.example/keys/mine\n")
    (folder / "Pulumi.b-c.yaml").write_text(f"{settings}secretsprovider: azurekeyvault://vault.example/keys/new\n")
    assert json.loads(runner(LIST)) == ["a-b", "b-c"]
    runner(LIST_OF_PULL_REQUEST, code=1)


def test_the_cli_is_installed_only_with_its_hash(tmp_path: Path) -> None:
    releases, folder = tmp_path / "releases", tmp_path / "tools"
    (releases / "pulumi").mkdir(parents=True)
    folder.mkdir()
    (releases / "pulumi" / "pulumi").write_text("the CLI")
    runner = Runner(ROOT, world.dev_world(), dict(os.environ), {})
    name = "pulumi-v3.274.1-linux-x64.tar.gz"
    subprocess.run(["tar", "-czf", name, "pulumi"], cwd=releases, check=True)
    digest = subprocess.run(["sha256sum", name], cwd=releases, capture_output=True, text=True, check=True).stdout[:64]
    given: dict[str, Any] = {"PULUMI_RELEASES": releases.as_uri(), "AGENT_TEMPDIRECTORY": str(folder)}
    runner(INSTALL, code=1, PULUMI_SHA256="0" * 64, **given)
    assert not (folder / "pulumi").exists()
    runner(INSTALL, PULUMI_SHA256=digest, **given)
    assert (folder / "pulumi" / "pulumi").read_text() == "the CLI"
    assert runner(ON_PATH, **given) == f"##vso[task.prependpath]{folder}/pulumi\n"
