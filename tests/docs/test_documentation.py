"""What README and docs say: every command runs, every file is there, every table is complete."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_type_hints

import jsonschema
import pytest
import typer
import yaml

from docs import outputs
from lab.pulumi.installation import Installation
from tests.patience import PATIENCE_SECONDS
from tests.typist import shell_commands
from xtsync_resources import config, state
from xtsync_resources.config.published import json_schema, published
from xtsync_resources.graph import permissions
from xtsync_resources.operate import cli

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
XTSYNC_COMMANDS = [command for command in shell_commands(README) if command.startswith("xtsync ")]
# These ask before they act.
ASKING = ("pause", "resume", "restart")
LAB_COMMANDS = [command for command in shell_commands(README) if command.startswith(".venv/bin/python -m lab")]


# Pages beside the README that say what to type; tests/docs/test_commands.py types it.
INSTRUCTING = [path for path in DOCUMENTS if path.name != "README.md" and shell_commands(path.read_text())]


@contextmanager
def served(engine: str) -> Iterator[str]:
    """`python -m lab serve`; what a second terminal types first, as it prints it."""
    command = [sys.executable, "-u", "-m", "lab", "serve", "--port", "0", "--quiet", "--engine", engine]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            if "Interrupt to stop" in line:
                break
        yield "".join(printed)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def typed(command: str, before: str) -> str:
    """What a command says, typed in a new terminal that has nothing of this process but how to find programs."""
    mine = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    script = f"{before}\n{command}"
    done = subprocess.run(["bash", "-c", script], cwd="/", env=mine, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_xtsync_is_a_command_after_the_path_as_written() -> None:
    """`activate` puts the folder on the PATH in which `make install` puts the command."""
    commands = shell_commands(README)
    assert commands.index("make install") < commands.index(". .venv/bin/activate") < commands.index(XTSYNC_COMMANDS[0])
    done = subprocess.run(
        ["bash", "-c", ". .venv/bin/activate && command -v xtsync && xtsync --version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].endswith(".venv/bin/xtsync")


def test_every_type_that_a_preview_names_is_explained() -> None:
    text = (ROOT / "docs" / "concepts.md").read_text()
    table = text.partition("## Names in a preview")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    explained = {name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)}
    of_azuread = {"ApplicationFromTemplate", "AppRoleAssignment", "TenantPair", "azuread", "pulumi-python"}
    assert {*state.PROVIDERS, *of_azuread} <= explained


# What the first pages, and the first screens, take for granted of their subject.
SPECIAL_WORDS = (
    *(
        "source",
        "target",
        "pair",
        "stack",
        "state",
        "scope",
        "job",
        "cycle",
        "drift",
        "quarantine",
        "schema",
        "settings",
    ),
    *("partner policy", "identity sync policy", "automatic redemption", "configuration", "baseline", "B2B member"),
    *("provisioning log", "on demand", "deletion threshold", "guardrail", "adopt", "restore", "release", "drain"),
)


def test_every_special_word_is_explained_and_the_first_pages_say_where() -> None:
    table = (ROOT / "docs" / "concepts.md").read_text().partition("## Words")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    explained = {word for word, meaning, *_ in rows if meaning for word in word.split(", ")}
    assert explained == {"word", *SPECIAL_WORDS}
    for page in (ROOT / "README.md", ROOT / "docs" / "index.md"):
        opening = page.read_text().partition("\n## ")[0]
        assert "concepts.md#words)" in opening, page.name


def test_the_readme_has_every_xtsync_command() -> None:
    assert {command.split()[1] for command in XTSYNC_COMMANDS} == {
        command.name for command in cli.app.registered_commands
    }


@pytest.mark.parametrize("document", INSTRUCTING, ids=lambda path: path.name)
def test_every_command_of_a_page_exists(document: Path) -> None:
    """A target of make, or a command of `xtsync` with options that it has."""
    program = typer.main.get_command(cli.app)
    assert isinstance(program, typer.core.TyperGroup)
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for command in shell_commands(document.read_text()):
        name, *words = command.split()
        if name == "make":
            assert {*words} <= targets, command
        elif name == "xtsync":
            found = program.commands[words[0]]
            options = {option for parameter in found.params for option in parameter.opts}
            assert {word for word in words if word.startswith("-")} <= options, command


def test_the_first_pair_names_outputs_and_keys_that_are_there() -> None:
    page = (ROOT / "docs" / "first-pair.md").read_text()
    exported = (ROOT / "xtsync_resources" / "pair.py").read_text() + (ROOT / "bootstrap" / "__main__.py").read_text()
    outputs = set(re.findall(r"pulumi stack output (\w+)", page))
    assert outputs == {"portalUrl", "onDestroy", "stackFile", "clientSecret"}
    assert all(f'"{output}"' in exported for output in outputs)
    keys = re.findall(r"^\| (`.*`) \|", (ROOT / "bootstrap" / "README.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"pulumi config set (\w+)", page)) <= set(re.findall(r"`(\w+)`", " ".join(keys)))


def test_the_stack_file_of_the_first_pair_is_taken_before_the_applications_exist() -> None:
    page = (ROOT / "docs" / "first-pair.md").read_text()
    first = re.findall(r"```yaml\n(config:.*?)```", page, re.DOTALL)[0]
    for one in ("a5c2f7d0-3b6e-4c1a-9d52-6f1e0b7c4a11", "d81e4b3c-92f5-4a07-8b6d-2c94e7f0a522"):
        first = first.replace("<GUID>", one, 1)
    stack = yaml.safe_load(first)["config"]
    assert "pulumi:disable-default-providers" in stack
    texts = {key.removeprefix("xtsync:"): json.dumps(value) for key, value in stack.items() if "xtsync:" in key}
    assert config.parse(texts, {}, {}, before_sign_in=True).groups == ("Pilot",)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_test_modules_that_are_named_are_there(document: Path) -> None:
    for name in re.findall(r"`(tests/[\w/]+\.py)`", document.read_text()):
        assert (ROOT / name).is_file(), name


def test_the_evidence_says_which_modules_run_on_the_real_cli() -> None:
    page = (ROOT / "docs" / "evidence.md").read_text()
    named = dict(re.findall(r"`(tests/[\w/]+\.py)`( \(CI\))?", page))
    assert len(named) > 30
    for name, marked in named.items():
        assert ("mark.real" in (ROOT / name).read_text()) == bool(marked), name


def in_the_lab(command: str, stack: Mapping[str, Any]) -> str:
    """A command of the README; only what it asks for is answered, and what it leaves open is filled in."""
    if command.split()[1] in ASKING:
        return f"{command} --yes"
    if command.split()[1] in ("forget", "approve-deletions"):  # What needs neither is refused.
        return f"! {command} 2>&1"
    if command.split()[1] == "export":  # It has no stack yet: tenants and sign-in are given.
        source, target = (stack[f"xtsync:{side}"] for side in ("source", "target"))
        command = command.replace("GUID", source["tenantId"], 1).replace("GUID", target["tenantId"], 1)
        clients = f"--source-client-id {source['clientId']} --target-client-id {target['clientId']}"
        return f"{command} --auth secret --metadata-host {stack['xtsync:metadataHost']} {clients}"
    return command


def test_the_commands_of_the_readme_run_in_the_lab_as_they_are_typed(installation: Installation | None) -> None:
    with served("lab" if installation is None else "pulumi") as printed:
        stack = yaml.safe_load(typed("cat Pulumi.dev.yaml", printed))["config"]
        for command in LAB_COMMANDS:
            assert typed(command, printed)
            if " up " in command:
                for xtsync in XTSYNC_COMMANDS:
                    assert typed(in_the_lab(xtsync, stack), printed)


def test_what_goes_wrong_in_the_served_tenants_is_seen_in_the_second_terminal(
    installation: Installation | None,
) -> None:
    """On the CLI `pulumi` itself is typed; each engine is asked by `xtsync` for what it has deployed."""
    with served("lab" if installation is None else "pulumi") as printed:
        up, refresh, destroy = (
            ("python -m lab up", "python -m lab refresh", "python -m lab destroy")
            if installation is None
            else ("pulumi up --yes --skip-preview", "pulumi refresh --yes --skip-preview", "pulumi destroy --yes")
        )
        stack = " --stack dev" if installation is None else ""
        assert "created" in typed(up + stack, printed)
        assert "41 minutes have passed" in typed("python -m lab pass-time", printed)
        told = typed("xtsync status", printed)
        assert re.search(r"First cycle +done \d+ (second|minute)s? ago", told), told
        assert re.search(r"Last run +(\d+ (second|minute)s? ago|now)", told), told
        assert "3 " in typed("xtsync status | grep 'In the target'", printed)
        assert typed("python -m lab break pause", printed) == "the job is paused\n"
        assert "paused" in typed("! xtsync status", printed)
        assert "changed" in typed("python -m lab break redemption && " + refresh + stack, printed)
        assert "updated" in typed(up + stack, printed)
        assert typed("xtsync status", printed)
        wrong = typed("! python -m lab break group Nobody && ! python -m lab break job --undo", printed)
        assert wrong.splitlines()[0] == "error: Contoso has no group Nobody"
        assert "there is nothing to give back" in wrong
        assert "XTSYNC_LAB_DOOR is not set" in typed("unset XTSYNC_LAB_DOOR; ! python -m lab pass-time", printed)
        other = "XTSYNC_LAB_DOOR=${XTSYNC_LAB_DOOR}x; ! python -m lab pass-time"
        assert "other tenants are served" in typed(other, printed)
        assert "deleted" in typed(destroy + stack, printed)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        if not target.startswith("https://"):
            assert (document.parent / target).exists(), target


def test_what_is_published_of_the_keys_is_current() -> None:
    """`make keys` writes it."""
    for path, text in published(ROOT).items():
        assert path.read_text() == text, path.name


def test_what_is_published_of_outputs_is_current_and_complete() -> None:
    """`make keys` writes it."""
    assert outputs.FILE.read_text() == outputs.published()
    commands = {one.name for one in cli.app.registered_commands if "as_json" in get_type_hints(one.callback)}
    assert commands == set(outputs.DOCUMENTS) - {outputs.ERROR}


@pytest.mark.parametrize("stack", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_stack_files_are_as_the_schema_says(stack: Path) -> None:
    jsonschema.validate(yaml.safe_load(stack.read_text()), json_schema())


def test_examples_of_the_configuration_are_taken() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    examples = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    ours = {key: value for one in examples for key, value in one.items() if key.startswith("xtsync:")}
    assert {"xtsync:b2bCollaboration", "xtsync:attributeMappings", "xtsync:scopingFilters"} <= set(ours)
    stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"] | ours
    texts = {
        key.removeprefix("xtsync:"): value if isinstance(value, str) else json.dumps(value)
        for key, value in stack.items()
        if key.startswith("xtsync:")
    }
    assert config.parse(texts, {"source": "s", "target": "s"}, {}).flow_types == ("Add", "Update")


def test_the_permissions_page_names_every_permission_a_call_needs() -> None:
    page = (ROOT / "docs" / "permissions.md").read_text()
    greater = frozenset[str]().union(*permissions.ALSO_ACCEPTED.values())
    source = Path(permissions.__file__).read_text()
    named = set(re.findall(r'"(\w+\.Read[\w.]*)"', source)) - greater
    assert len(named) > 6
    assert named >= permissions.ALSO_ACCEPTED.keys()
    for permission in named:
        assert permission in page, permission
