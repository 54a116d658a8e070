"""How azuread is told to sign in: ours, and nobody else's."""

from __future__ import annotations

import inspect
from typing import Any

import pulumi_azuread as azuread
import pytest

from tests.unit.graph_fakes import SOURCE_ID, TARGET_ID
from xtsync_resources.azuread_sign_in import KINDS, OFF, sign_in_as
from xtsync_resources.config import SIGN_IN_KINDS, Settings, Tenant
from xtsync_resources.config.sign_in import WAYS
from xtsync_resources.graph import credentials
from xtsync_resources.graph.clouds import CLOUDS

CLIENT = "33333333-3333-4333-8333-333333333333"
GITHUB = {"ACTIONS_ID_TOKEN_REQUEST_URL": "https://x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t"}
SECRET = {"XTSYNC_SOURCE_CLIENT_SECRET": "ARM_CLIENT_SECRET"}
PROOFS = ("client_secret", "client_certificate", "client_certificate_path", "oidc_token")


def settings(auth: str, stack_secret: str | None = None, **how: str) -> Settings:
    source = Tenant(SOURCE_ID, "Contoso", auth=auth, side="source", **how)
    return Settings(source, Tenant(TARGET_ID, "F", side="target"), stack_secret, None, CLOUDS["public"])


CASES: list[tuple[str, dict[str, str], dict[str, str], dict[str, Any], dict[str, str]]] = [
    ("cli", {}, {}, {"use_cli": True, "client_id": None}, SECRET),
    ("cli", {}, {"ARM_CLIENT_ID": CLIENT}, {"use_cli": True, "client_id": "", "client_id_file_path": None}, SECRET),
    (
        "secret",
        {"client_id": CLIENT},
        {},
        {"client_secret": "of the stack", "client_certificate": None, "client_certificate_path": None},
        SECRET,
    ),
    (
        "secret",
        {"client_id": CLIENT},
        {"XTSYNC_SOURCE_CLIENT_SECRET": "s", "ARM_CLIENT_CERTIFICATE": "x", "ARM_USE_AKS_WORKLOAD_IDENTITY": "1"},
        {"client_secret": None, "client_certificate": "", "use_aks_workload_identity": False, "client_id": CLIENT},
        SECRET,
    ),
    (
        "certificate",
        {"client_id": CLIENT, "certificate_path": "x.pfx"},
        {},
        {"client_certificate": "", "client_certificate_path": "x.pfx"},
        {"XTSYNC_SOURCE_CERTIFICATE_PASSWORD": "ARM_CLIENT_CERTIFICATE_PASSWORD"},
    ),
    (
        "oidc",
        {"client_id": CLIENT, "token_file": "token"},
        GITHUB,
        {**dict.fromkeys(PROOFS, ""), "use_oidc": True, "oidc_token_file_path": "token"},
        {},
    ),
    (
        "oidc",
        {"client_id": CLIENT, "service_connection_id": "connection"},
        GITHUB,
        {"use_oidc": True, "ado_pipeline_service_connection_id": "connection", "oidc_token_file_path": ""},
        {"SYSTEM_OIDCREQUESTURI": "ARM_OIDC_REQUEST_URL", "SYSTEM_ACCESSTOKEN": "ARM_OIDC_REQUEST_TOKEN"},
    ),
    (
        "oidc",
        {"client_id": CLIENT},
        {**GITHUB, "AZURE_FEDERATED_TOKEN_FILE": "f"},
        {**dict.fromkeys(PROOFS, ""), "ado_pipeline_service_connection_id": "", "oidc_token_file_path": ""},
        {
            "ACTIONS_ID_TOKEN_REQUEST_URL": "ARM_OIDC_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "ARM_OIDC_REQUEST_TOKEN",
        },
    ),
    (
        "oidc",
        {"client_id": CLIENT},
        {"AZURE_FEDERATED_TOKEN_FILE": "f"},
        {"use_oidc": True, "oidc_token": ""},
        {"AZURE_FEDERATED_TOKEN_FILE": "ARM_OIDC_TOKEN_FILE_PATH"},
    ),
    ("managedIdentity", {}, {}, {"use_msi": True, "client_id": ""}, {}),
    ("managedIdentity", {"client_id": CLIENT}, {}, {"use_msi": True, "client_secret": "", "client_id": CLIENT}, {}),
]


@pytest.mark.parametrize(("auth", "how", "environment", "arguments", "variables"), CASES)
def test_arguments_and_variables(
    auth: str, how: dict[str, str], environment: dict[str, str], arguments: dict[str, Any], variables: dict[str, str]
) -> None:
    found = sign_in_as(settings(auth, "of the stack" if auth == "secret" else None, **how), environment)
    assert {name: found.arguments.get(name) for name in arguments} == arguments
    assert found.variables == variables
    flags = {name: found.arguments.get(name, False) for name in OFF if name.startswith("use_")}
    assert sum(flags.values()) == (0 if auth in ("secret", "certificate") else 1)
    assert "s" not in found.arguments.values()
    assert set(found.arguments) <= set(inspect.signature(azuread.ProviderArgs.__init__).parameters)


@pytest.mark.parametrize(("auth", "how"), [("cli", {}), ("secret", {"client_id": CLIENT})])
def test_stacks_of_the_first_version_see_no_change(auth: str, how: dict[str, str]) -> None:
    found = sign_in_as(settings(auth, **how), {"XTSYNC_SOURCE_CLIENT_SECRET": "s"}).arguments
    given = {name for name, value in found.items() if value is not None}
    assert given == {"use_cli", "use_msi", "use_oidc", *how}


def test_every_kind_is_known_everywhere() -> None:
    assert set(SIGN_IN_KINDS) == set(KINDS) == set(WAYS) == set(credentials.KINDS)
