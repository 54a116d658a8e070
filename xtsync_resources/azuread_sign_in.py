"""The same way to sign in, said to the azuread provider. Pure.

azuread takes the first proof it finds: certificate, secret, federated token, managed identity, Azure CLI; and what is
no argument it takes from the environment (ARM_...). So every argument that would come before or beside ours is said
off: what another set-up has left in the environment must not choose how we sign in. An empty argument is off.
The two oldest ways, `cli` and `secret`, say off only what is set: their stacks have states without these arguments.

What may change between two commands travels by environment, not by argument: `pulumi refresh` and `destroy` use the
arguments of the last `up`, but today's environment.

Sources: https://www.pulumi.com/registry/packages/azuread/installation-configuration/ and
https://github.com/hashicorp/terraform-provider-azuread/tree/main/docs/guides
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .config import Settings, password_variable, secret_variable
from .graph.token_origin import (
    AZURE_DEVOPS_TOKEN,
    AZURE_DEVOPS_URL,
    GITHUB_TOKEN,
    GITHUB_URL,
    WORKLOAD_FILE,
    Origin,
    origin_of,
)

SIDE = "source"
# Proofs azuread would take before a later kind. Pulumi marks some as secret, so that they show as [secret].
NO_CERTIFICATE: Mapping[str, Any] = {"client_certificate": "", "client_certificate_path": ""}
NO_SECRET: Mapping[str, Any] = {"client_secret": "", "client_secret_file_path": ""}
OFF: Mapping[str, Any] = {
    "client_id_file_path": "",
    "use_aks_workload_identity": False,
    "use_cli": False,
    "use_msi": False,
    "use_oidc": False,
}
# What the oldest ways say off only where it is set.
SAID_IF_SET: Mapping[str, str] = {
    "client_certificate": "ARM_CLIENT_CERTIFICATE",
    "client_certificate_path": "ARM_CLIENT_CERTIFICATE_PATH",
    "client_id": "ARM_CLIENT_ID",
    "client_id_file_path": "ARM_CLIENT_ID_FILE_PATH",
    "client_secret_file_path": "ARM_CLIENT_SECRET_FILE_PATH",
    "use_aks_workload_identity": "ARM_USE_AKS_WORKLOAD_IDENTITY",
}


@dataclass(frozen=True)
class SignInAs:
    """How azuread signs in.

    Attributes:
        arguments: of `azuread.Provider`.
        variables: the environment variables it gets, by the name they have outside.
    """

    arguments: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)


def sign_in_as(settings: Settings, environment: Mapping[str, str]) -> SignInAs:
    """The source's way to sign in.

    Args:
        settings: the stack's configuration.
        environment: the environment; where a federated token comes from depends on it.
    """
    found = KINDS[settings.source.auth](settings, environment)
    # "" and not None: an ARM_CLIENT_ID would make azuread an application where we are none.
    arguments = {**OFF, "client_id": settings.source.client_id, **found.arguments}
    if settings.source.auth in ("cli", "secret"):
        arguments = {
            name: value
            for name, value in arguments.items()
            if value or name not in SAID_IF_SET or environment.get(SAID_IF_SET[name])
        }
    return SignInAs(arguments, found.variables)


def by_cli(_settings: Settings, _environment: Mapping[str, str]) -> SignInAs:
    """As the person of `az login`: without a client id no other proof is looked at."""
    return SignInAs({"use_cli": True}, {secret_variable(SIDE): "ARM_CLIENT_SECRET"})


def by_secret(settings: Settings, environment: Mapping[str, str]) -> SignInAs:
    """With the client secret: by environment, or the stack's."""
    variable = secret_variable(SIDE)
    # As an argument it would win over the environment, which is to win.
    secret = None if environment.get(variable) else settings.source_client_secret
    return SignInAs(
        {**NO_CERTIFICATE, "client_secret": secret, "client_secret_file_path": ""}, {variable: "ARM_CLIENT_SECRET"}
    )


def by_certificate(settings: Settings, _environment: Mapping[str, str]) -> SignInAs:
    """With the certificate's file; its password by environment."""
    return SignInAs(
        {"client_certificate": "", "client_certificate_path": settings.source.certificate_path},
        {password_variable(SIDE): "ARM_CLIENT_CERTIFICATE_PASSWORD"},
    )


def by_federated_token(settings: Settings, environment: Mapping[str, str]) -> SignInAs:
    """With a federated token, from where we get ours."""
    source = settings.source
    origin = origin_of(source.token_file, source.service_connection_id, environment)
    arguments = {
        **NO_CERTIFICATE,
        **NO_SECRET,
        "use_oidc": True,
        "oidc_token": "",
        "ado_pipeline_service_connection_id": source.service_connection_id,
    }
    if origin is Origin.WORKLOAD:
        return SignInAs(arguments, {WORKLOAD_FILE: "ARM_OIDC_TOKEN_FILE_PATH"})
    arguments["oidc_token_file_path"] = source.token_file
    if origin is Origin.FILE:
        return SignInAs(arguments)
    url, token = (AZURE_DEVOPS_URL, AZURE_DEVOPS_TOKEN) if origin is Origin.AZURE_DEVOPS else (GITHUB_URL, GITHUB_TOKEN)
    return SignInAs(arguments, {url: "ARM_OIDC_REQUEST_URL", token: "ARM_OIDC_REQUEST_TOKEN"})


def by_managed_identity(settings: Settings, _environment: Mapping[str, str]) -> SignInAs:
    """As the identity of the Azure resource this runs on; with a client id, other proofs would come first."""
    others = {**NO_CERTIFICATE, **NO_SECRET} if settings.source.client_id else {}
    return SignInAs({**others, "use_msi": True})


KINDS: Mapping[str, Callable[[Settings, Mapping[str, str]], SignInAs]] = {
    "cli": by_cli,
    "secret": by_secret,
    "certificate": by_certificate,
    "oidc": by_federated_token,
    "managedIdentity": by_managed_identity,
}
