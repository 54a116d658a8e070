"""What the documents have their reader type is typed, in their order, on the real CLI and in the lab's tenants."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import typer

from lab import world
from lab.pulumi.installation import Installation
from tests.terminal import only_real
from tests.typist import ROOT, Typist, shell_commands, typist
from xtsync_resources.operate import cli

BY_HAND = "a pair is made by hand first: tests/docs/test_by_hand.py types it"
NO_AZURE = "Azure itself"
NO_CLOUD = "Pulumi Cloud itself; tests/pipelines/test_pulumi_cloud.py checks the options"
BROKEN = "tests/scenarios/test_breaking.py breaks it, tests/docs/test_documentation.py types it beside served tenants"
LINKS = "the program's folder is made of links"
OWN_BACKEND = "it keeps states beside those of whoever runs this; here the backend is a folder"
NO_APPLICATIONS = "the lab's azuread makes no application that signs in; tests/unit/test_bootstrap.py runs that program"
# What is not typed here, by document, each with the reason. One that stands in two folders has its folder before it.
NOT_HERE: Mapping[str, Mapping[str, str]] = {
    "CONTRIBUTING.md": {
        "make lab": "tests/scenarios/test_pictures.py tells its story",
        ".venv/bin/python -m pytest tests/unit": "these tests",
        "make test": "these tests",
    },
    "README.md": {
        "git clone REPOSITORY xtsync": LINKS,
        "cd xtsync": LINKS,
        "pulumi login --local": OWN_BACKEND,
        "make lab": "tests/scenarios/test_pictures.py tells its story",
        "make test": "these tests",
        "make install": "it makes the environment this runs in; tests/security/test_install.py looks at it",
        ".venv/bin/python -m lab preview --stack dev": "tests/docs/test_documentation.py",
        ".venv/bin/python -m lab up --stack dev": "tests/docs/test_documentation.py",
        ".venv/bin/python -m lab refresh --stack dev": "tests/docs/test_documentation.py",
        ".venv/bin/python -m lab outputs --stack dev": "tests/docs/test_documentation.py",
        ".venv/bin/python -m lab destroy --stack dev": "tests/docs/test_documentation.py",
    },
    "docs/index.md": {
        "make lab": "tests/scenarios/test_pictures.py tells its story",
        "make test": "these tests",
    },
    "docs/lab.md": {
        "python -m lab break group Finance": BROKEN,
        "python -m lab break application": BROKEN,
        "python -m lab break application --undo": BROKEN,
        "python -m lab break held-back": BROKEN,
        "python -m lab break held-back --undo": BROKEN,
        "python -m lab break sign-in": BROKEN,
        "python -m lab pass-time 60": BROKEN,
    },
    "docs/first-pair.md": {
        "git clone REPOSITORY xtsync": LINKS,
        "cd xtsync": LINKS,
        "make install": "it makes the environment this runs in; tests/security/test_install.py looks at it",
        "pulumi login --local": OWN_BACKEND,
        "az login --tenant SOURCE-TENANT-ID --allow-no-subscriptions": NO_AZURE,
        "bootstrap> pulumi up": NO_APPLICATIONS,
        "bootstrap> pulumi stack output stackFile": NO_APPLICATIONS,
        "bootstrap> export XTSYNC_SOURCE_CLIENT_SECRET="
        '"$(pulumi stack output clientSecret --show-secrets)"': NO_APPLICATIONS,
    },
    "bootstrap/README.md": {
        "az login --tenant SOURCE-TENANT-ID --allow-no-subscriptions": NO_AZURE,
        "bootstrap> pulumi up": NO_APPLICATIONS,
        "bootstrap> pulumi stack output stackFile": NO_APPLICATIONS,
    },
    "docs/operations.md": {
        "xtsync export --source SOURCE-TENANT-ID --target TARGET-TENANT-ID --stack contoso-fabrikam "
        "--output Pulumi.contoso-fabrikam.yaml --import-file xtsync-import.json": BY_HAND,
        "pulumi stack init contoso-fabrikam": BY_HAND,
        "pulumi preview --target '**::pair' --target '**::pair-source-azuread'": BY_HAND,
        "pulumi up --target '**::pair' --target '**::pair-source-azuread'": BY_HAND,
        "pulumi import --file xtsync-import.json --generate-code=false": BY_HAND,
        "pulumi preview": BY_HAND,
        "pulumi up": BY_HAND,
        "pulumi preview --expect-no-changes": BY_HAND,
    },
    "docs/pipelines/README.md": {
        "pulumi deployment settings edit --stack ORGANIZATION/xtsync/contoso-fabrikam --vcs-provider github "
        "--repo OWNER/REPOSITORY --branch refs/heads/main --push-to-deploy --preview-prs=false --skip-install-deps "
        '--pre-run-command "make install" --pre-run-command "pulumi plugin install resource azuread 6.11.1" '
        "--env PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true": NO_CLOUD,
        "az storage container create --account-name ACCOUNT --name state --auth-mode login": NO_AZURE,
        "az keyvault key create --vault-name VAULT --name contoso-fabrikam --kty RSA": NO_AZURE,
        'export PULUMI_BACKEND_URL="azblob://state?storage_account=ACCOUNT"': NO_AZURE,
        "pulumi stack init contoso-fabrikam --secrets-provider "
        '"azurekeyvault://VAULT.vault.azure.net/keys/contoso-fabrikam"': NO_AZURE,
    },
}
# Commands of Pulumi that are two words, and three.
GROUPS = ("stack", "state", "config", "plugin", "deployment")
GROUPS_IN_GROUPS = (["deployment", "settings"],)
# What stands for something of the reader's own.
PLACEHOLDERS = {
    "XTSYNC_SOURCE_CLIENT_SECRET=... XTSYNC_TARGET_CLIENT_SECRET=...": (
        f"XTSYNC_SOURCE_CLIENT_SECRET={world.SOURCE_SECRET} XTSYNC_TARGET_CLIENT_SECRET={world.TARGET_SECRET}"
    ),
    "SOURCE-TENANT-ID": world.SOURCE_TENANT,
    "--source GUID": f"--source {world.SOURCE_TENANT}",
    "--target GUID": f"--target {world.TARGET_TENANT}",
}


def a_pair(types: Typist) -> None:
    types("pulumi stack init before")
    types("pulumi up --skip-preview")


def a_policy_of_the_organisation(types: Typist) -> None:
    a_pair(types)
    page = (ROOT / "docs" / "guardrails.md").read_text()
    (example,) = re.findall(r"```json\n(\{\n.*?)```", page, re.DOTALL)
    example = example.replace("management.private.example", types.server.host).replace("mandatory", "advisory")
    (types.folder / "guardrails.json").write_text(example)


def no_passphrase(types: Typist) -> None:
    del types.environment["PULUMI_CONFIG_PASSPHRASE"]


# What a page takes for granted where its first command stands.
BEFORE: Mapping[str, Callable[[Typist], None]] = {
    "docs/first-pair.md": no_passphrase,
    "docs/operations.md": a_pair,
    "docs/guardrails.md": a_policy_of_the_organisation,
}
PAGES = {
    str(path.relative_to(ROOT)): commands
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "bootstrap" / "README.md"])
    if (commands := shell_commands(path.read_text()))
}


def as_a_reader(command: str, types: Typist) -> str:
    """A command with what is a reader's own; only what it asks for is answered."""
    for placeholder, own in PLACEHOLDERS.items():
        command = command.replace(placeholder, own)
    words = command.split()
    if words[:2] == ["xtsync", "export"]:
        clients = f"--source-client-id {world.SOURCE_CLIENT} --target-client-id {world.TARGET_CLIENT}"
        return f"{command} --auth secret --metadata-host {types.server.host} {clients}"
    if words[:2] in (["xtsync", "pause"], ["xtsync", "resume"], ["xtsync", "restart"]):
        return f"{command} --yes"
    if words[:2] in (["xtsync", "forget"], ["xtsync", "approve-deletions"]):
        return f"! {command}"  # What needs neither is refused.
    if "--wait first-cycle" in command:
        types.entra.pass_time(minutes=41)
    return command


@pytest.mark.real
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_are_typed_in_their_order(
    page: str, tmp_path: Path, installation: Installation | None
) -> None:
    reasons, typed = NOT_HERE.get(page, {}), set[str]()
    if {*PAGES[page]} <= {*reasons}:
        return
    with typist(tmp_path, only_real(installation)) as types:
        if page in BEFORE:
            BEFORE[page](types)
        for command in PAGES[page]:
            place = "" if types.cwd == types.folder else f"{types.cwd.name}> "
            row = next((row for row in (command, place + command) if row in reasons), None)
            if row is not None:
                typed.add(row)
            else:
                types(as_a_reader(command, types))
    assert {*reasons} == typed


def test_the_table_of_what_is_not_typed_names_commands_that_are_there() -> None:
    for page, rows in NOT_HERE.items():
        for row in rows:
            assert row.rpartition("> ")[2] in PAGES[page] or row in PAGES[page], f"{page}: {row}"


# --- commands that are mentioned ---------------------------------------------------------------------------------


def mentioned(text: str, program: str) -> Iterator[list[str]]:
    """The commands of a program in a text's running words."""
    for found in re.findall(rf"(?<!`)`({program} [^`]+)`(?!`)", re.sub(r"\s*\n\s*", " ", text)):
        yield found.split()


DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), ROOT / "bootstrap" / "README.md"]


def options_of(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_xtsync_command_that_is_mentioned_exists(document: Path) -> None:
    program = typer.main.get_command(cli.app)
    assert isinstance(program, typer.core.TyperGroup)
    general = {option for parameter in program.params for option in parameter.opts}
    for _, name, *words in mentioned(document.read_text(), "xtsync"):
        if name.startswith("-"):
            assert name in general, name
        elif name not in ("...", "COMMAND"):
            known = {option for parameter in program.commands[name].params for option in parameter.opts}
            assert options_of(words) <= known | {"--help"}, (name, words)


@pytest.mark.real
def test_a_pulumi_command_that_is_mentioned_exists(installation: Installation | None) -> None:
    command = only_real(installation).command
    wanted: dict[str, set[str]] = {}
    for document in DOCUMENTS:
        for _, *words in mentioned(document.read_text(), "pulumi"):
            length = 3 if words[:2] in GROUPS_IN_GROUPS else 2 if words[0] in GROUPS else 1
            name = " ".join(word for word in words[:length] if not word.startswith("-"))
            wanted.setdefault(name, set()).update(options_of(words))
    for name, options in wanted.items():
        said = subprocess.run([command, *name.split(), "--help"], capture_output=True, text=True, check=True).stdout
        # Of a command that is not there it is the help of its group.
        assert " " not in name or "[command]" not in said, name
        assert not {option for option in options if option not in said}, name
