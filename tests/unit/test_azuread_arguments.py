"""How azuread is told to sign in: ours, and nobody else's."""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import Any

import pulumi
import pulumi_azuread as azuread
import pytest

from tests.unit.graph_fakes import SOURCE_ID, TARGET_ID
from xtsync_resources.config import SIGN_IN_KINDS, Settings, Tenant
from xtsync_resources.config.sign_in import WAYS
from xtsync_resources.graph import credentials
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.program.azuread_sign_in import KINDS, OFF, VARIABLES, sign_in_as

CLIENT = "33333333-3333-4333-8333-333333333333"
GITHUB = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}
SECRET = {"XTSYNC_SOURCE_CLIENT_SECRET": "ARM_CLIENT_SECRET"}
EVERY_ARGUMENT = set(inspect.signature(azuread.ProviderArgs.__init__).parameters) - {"__self__"}
WHERE = {"tenant_id": SOURCE_ID, "environment": "public", "metadata_host": ""}


def settings(auth: str, stack_secret: str | None = None, **how: str) -> Settings:
    source = Tenant(SOURCE_ID, "Contoso", auth=auth, side="source", **how)
    return Settings(source, Tenant(TARGET_ID, "F", side="target"), stack_secret, cloud=CLOUDS["public"])


CASES: list[tuple[str, dict[str, str], dict[str, str], dict[str, Any], dict[str, str]]] = [
    ("cli", {}, {}, {"use_cli": True}, {}),
    ("secret", {"client_id": CLIENT}, {}, {"client_secret": "of the stack"}, {}),
    ("secret", {"client_id": CLIENT}, {"XTSYNC_SOURCE_CLIENT_SECRET": "s"}, {}, SECRET),
    (
        "secret",
        {"client_id": CLIENT},
        {"XTSYNC_SOURCE_CLIENT_SECRET_FILE": "f"},
        {},
        {"XTSYNC_SOURCE_CLIENT_SECRET_FILE": "ARM_CLIENT_SECRET_FILE_PATH"},
    ),
    (
        "certificate",
        {"client_id": CLIENT, "certificate_path": "x.pfx"},
        {},
        {"client_certificate_path": "x.pfx"},
        {"XTSYNC_SOURCE_CERTIFICATE_PASSWORD": "ARM_CLIENT_CERTIFICATE_PASSWORD"},
    ),
    (
        "oidc",
        {"client_id": CLIENT, "token_file": "token"},
        GITHUB,
        {"use_oidc": True, "oidc_token_file_path": "token"},
        {},
    ),
    (
        "oidc",
        {"client_id": CLIENT, "service_connection_id": "connection"},
        GITHUB,
        {"use_oidc": True, "ado_pipeline_service_connection_id": "connection"},
        {"SYSTEM_OIDCREQUESTURI": "ARM_OIDC_REQUEST_URL", "SYSTEM_ACCESSTOKEN": "ARM_OIDC_REQUEST_TOKEN"},
    ),
    (
        "oidc",
        {"client_id": CLIENT},
        {**GITHUB, "AZURE_FEDERATED_TOKEN_FILE": "f"},
        {"use_oidc": True},
        {
            "ACTIONS_ID_TOKEN_REQUEST_URL": "ARM_OIDC_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "ARM_OIDC_REQUEST_TOKEN",
        },
    ),
    (
        "oidc",
        {"client_id": CLIENT},
        {"AZURE_FEDERATED_TOKEN_FILE": "f"},
        {"use_oidc": True},
        {"AZURE_FEDERATED_TOKEN_FILE": "ARM_OIDC_TOKEN_FILE_PATH"},
    ),
    ("managedIdentity", {}, {}, {"use_msi": True}, {}),
    ("managedIdentity", {"client_id": CLIENT}, {}, {"use_msi": True}, {}),
]


@pytest.mark.parametrize(("auth", "how", "environment", "said", "variables"), CASES)
def test_what_proves_us_is_said_and_everything_else_is_off(
    auth: str, how: dict[str, str], environment: dict[str, str], said: dict[str, Any], variables: dict[str, str]
) -> None:
    found = sign_in_as(settings(auth, "of the stack" if auth == "secret" else None, **how), environment)
    assert found.variables == variables
    mapped = {argument for argument, variable in VARIABLES.items() if variable in variables.values()}
    rest = {name: value for name, value in OFF.items() if name not in mapped}
    assert found.arguments == {**rest, **WHERE, "client_id": how.get("client_id", ""), **said}


def test_azuread_has_no_argument_that_is_left_to_the_environment_unnoticed() -> None:
    """A new version of azuread with a new argument takes it from a new variable: decide what it is to be."""
    assert set(OFF) == EVERY_ARGUMENT
    assert set(VARIABLES) < EVERY_ARGUMENT
    for auth in KINDS:
        found = sign_in_as(settings(auth, client_id=CLIENT), {})
        left_out = EVERY_ARGUMENT - set(found.arguments)
        assert {VARIABLES[name] for name in left_out} == set(found.variables.values()), auth
        assert None not in found.arguments.values(), auth


def test_azuread_itself_knows_no_other_variables() -> None:
    """What the SDK reads in this process: all of it belongs to arguments that are said."""
    code = "".join(path.read_text() for path in Path(azuread.__file__).parent.glob("*.py"))
    read = set(re.findall(r"get_env(?:_\w+)?\('(\w+)'", code))
    assert read == {"ARM_ENVIRONMENT", "ARM_MSI_ENDPOINT", "ARM_USE_MSI"}


@pytest.mark.parametrize(
    ("auth", "variable", "argument"),
    [
        ("secret", "XTSYNC_SOURCE_CLIENT_SECRET_COMMAND", "client_secret"),
        ("certificate", "XTSYNC_SOURCE_CERTIFICATE_PASSWORD_COMMAND", "client_certificate_password"),
    ],
)
def test_what_a_command_gives_is_a_secret_of_pulumi(auth: str, variable: str, argument: str) -> None:
    found = sign_in_as(settings(auth, client_id=CLIENT), {variable: "echo from-a-command", "PATH": os.environ["PATH"]})
    assert isinstance(found.arguments[argument], pulumi.Output)
    assert found.variables == {}


def test_every_kind_is_known_everywhere() -> None:
    assert set(SIGN_IN_KINDS) == set(KINDS) == set(WAYS) == set(credentials.KINDS)
