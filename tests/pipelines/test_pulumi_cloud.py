"""The examples for Pulumi Cloud are what it takes: its own evaluator of ESC, and the options of its own CLI."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lab.pulumi.installation import Installation
from tests.pipelines.go_tools import built
from tests.pipelines.workflows import PIPELINES
from tests.terminal import only_real
from tests.typist import shell_commands

ESC = Path(__file__).parent / "esc"
PAGE = (PIPELINES / "README.md").read_text()
(ENVIRONMENT,) = (text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if text.startswith("values:"))
WRONG = {
    "clientId: CLIENT-ID": ("clientID: CLIENT-ID", "missing required properties: clientId"),
    "vault: VAULT": ("vaults: VAULT", "missing required properties: vault"),
    "oidc: true": ("oidc: often", "expected boolean"),
    "${azure.secrets.source}": ("${azure.secret.source}", 'unknown property "secret"'),
    "values:": ("value:", "Field 'value' does not exist"),
    "fn::open::azure-secrets": ("fn::open::azure-vault", 'no provider "azure-vault"'),
}


def test_the_environment_is_one_that_esc_takes(tmp_path: Path) -> None:
    checker = built(ESC, ".", tmp_path)

    def said(environment: str) -> str:
        return subprocess.run([checker], input=environment, capture_output=True, text=True, check=False).stdout

    assert said(ENVIRONMENT) == ""
    for right, (wrong, words) in WRONG.items():
        assert words in said(ENVIRONMENT.replace(right, wrong, 1)), wrong


@pytest.mark.real
def test_the_deployment_settings_are_options_that_the_cli_takes(installation: Installation | None) -> None:
    """Only an account could take them; an option that is not there is refused before the help is shown."""
    cli = only_real(installation).command
    (edit,) = (command for command in shell_commands(PAGE) if command.startswith("pulumi deployment settings"))

    def code(command: str) -> int:
        script = f'pulumi() {{ "{cli}" "$@"; }}\n{command} --help'
        return subprocess.run(["bash", "-c", script], capture_output=True, check=False).returncode

    assert code(edit) == 0
    assert code(edit.replace("--push-to-deploy", "--deploy-commits")) != 0
    assert code(edit.replace("--push-to-deploy", "--push-to-deploy=never")) != 0
