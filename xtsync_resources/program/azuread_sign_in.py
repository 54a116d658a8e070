"""The same way to sign in, said to the azuread provider. Pure, but for a secret that a command gives.

azuread takes the first proof it finds: certificate, secret, federated token, managed identity, Azure CLI; and what is
no argument it takes from the environment (ARM_...), the host it sends proofs to included. So every argument it has is
said, most of them off: what another set-up has left in the environment must not choose how or where we sign in. An
empty argument is off. Of the variables it reads besides (user agent, logs, proxies), none names a proof or its host.

What may change between two commands travels by environment, not by argument: `pulumi refresh` and `destroy` use the
arguments of the last `up`, but today's environment. These arguments alone are not said, and our variables are mapped
to theirs.

Sources: https://www.pulumi.com/registry/packages/azuread/installation-configuration/ and
https://github.com/hashicorp/terraform-provider-azuread/blob/main/internal/provider/provider.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from ..config import Settings
from ..graph.secret_origin import FILE, SecretOrigin, certificate_password, client_secret
from ..graph.token_origin import (
    AZURE_DEVOPS_TOKEN,
    AZURE_DEVOPS_URL,
    GITHUB_TOKEN,
    GITHUB_URL,
    WORKLOAD_FILE,
    Origin,
    origin_of,
)

SIDE = "source"
# Every argument of azuread.Provider, off. Pulumi marks some as secret, so that they show as [secret].
OFF: Mapping[str, Any] = {
    "ado_pipeline_service_connection_id": "",
    "client_certificate": "",
    "client_certificate_password": "",
    "client_certificate_path": "",
    "client_id": "",  # an ARM_CLIENT_ID would make azuread an application where we are none
    "client_id_file_path": "",
    "client_secret": "",
    "client_secret_file_path": "",
    "disable_terraform_partner_id": False,
    "environment": "",
    "metadata_host": "",
    "msi_endpoint": "",
    "oidc_request_token": "",
    "oidc_request_url": "",
    "oidc_token": "",
    "oidc_token_file_path": "",
    "partner_id": "",
    "tenant_id": "",
    "use_aks_workload_identity": False,
    "use_cli": False,
    "use_msi": False,
    "use_oidc": False,
}
# What an argument that is not said is taken from.
VARIABLES: Mapping[str, str] = {
    "client_certificate_password": "ARM_CLIENT_CERTIFICATE_PASSWORD",
    "client_secret": "ARM_CLIENT_SECRET",
    "client_secret_file_path": "ARM_CLIENT_SECRET_FILE_PATH",
    "oidc_request_token": "ARM_OIDC_REQUEST_TOKEN",
    "oidc_request_url": "ARM_OIDC_REQUEST_URL",
    "oidc_token_file_path": "ARM_OIDC_TOKEN_FILE_PATH",
}


@dataclass(frozen=True)
class Proof:
    """What proves us, in azuread's words.

    Attributes:
        said: arguments.
        mapped: arguments that are not said, by the variable of ours that holds them.
    """

    said: Mapping[str, Any] = field(default_factory=dict)
    mapped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SignInAs:
    """How azuread signs in.

    Attributes:
        arguments: of `azuread.Provider`; all but those that variables hold.
        variables: the environment variables it gets, by the name they have outside.
    """

    arguments: Mapping[str, Any]
    variables: Mapping[str, str]


def sign_in_as(settings: Settings, environment: Mapping[str, str]) -> SignInAs:
    """The source's way to sign in.

    Args:
        settings: the stack's configuration.
        environment: the environment; where a secret or a federated token comes from depends on it.

    Raises:
        SecretError: a secret cannot be had.
    """
    proof = KINDS[settings.source.auth](settings, environment)
    arguments = {
        **OFF,
        "tenant_id": settings.source.id,
        "client_id": settings.source.client_id,
        "environment": settings.cloud.azuread_environment,
        "metadata_host": settings.metadata_host,
        **proof.said,
    }
    return SignInAs(
        {name: value for name, value in arguments.items() if name not in proof.mapped.values()},
        {ours: VARIABLES[argument] for ours, argument in proof.mapped.items()},
    )


def by_cli(_settings: Settings, _environment: Mapping[str, str]) -> Proof:
    """As the person of `az login`: without a client id no other proof is looked at."""
    return Proof({"use_cli": True})


def by_secret(settings: Settings, environment: Mapping[str, str]) -> Proof:
    """With the client secret: from where the environment says, or the stack's."""
    origin = client_secret(SIDE, environment)
    if origin.file:
        return Proof(mapped={origin.variable + FILE: "client_secret_file_path"})
    if origin.named or settings.source_client_secret is None:
        return by_variable(origin, "client_secret")
    return Proof({"client_secret": settings.source_client_secret})


def by_certificate(settings: Settings, environment: Mapping[str, str]) -> Proof:
    """With the certificate's file, and its password."""
    password = by_variable(certificate_password(SIDE, environment), "client_certificate_password")
    return Proof({"client_certificate_path": settings.source.certificate_path, **password.said}, password.mapped)


def by_variable(origin: SecretOrigin, argument: str) -> Proof:
    """With a secret that the environment holds. azuread runs no command: what one gives is said, and kept encrypted."""
    if origin.file or origin.command:
        return Proof({argument: pulumi.Output.secret(origin.read())})
    return Proof(mapped={origin.variable: argument})


def by_federated_token(settings: Settings, environment: Mapping[str, str]) -> Proof:
    """With a federated token, from where we get ours."""
    source = settings.source
    said = {"use_oidc": True, "ado_pipeline_service_connection_id": source.service_connection_id}
    origin = origin_of(source.token_file, source.service_connection_id, environment)
    if origin is Origin.FILE:
        return Proof({**said, "oidc_token_file_path": source.token_file})
    if origin is Origin.WORKLOAD:
        return Proof(said, {WORKLOAD_FILE: "oidc_token_file_path"})
    url, token = (AZURE_DEVOPS_URL, AZURE_DEVOPS_TOKEN) if origin is Origin.AZURE_DEVOPS else (GITHUB_URL, GITHUB_TOKEN)
    return Proof(said, {url: "oidc_request_url", token: "oidc_request_token"})


def by_managed_identity(_settings: Settings, _environment: Mapping[str, str]) -> Proof:
    """As the identity of the Azure resource this runs on."""
    return Proof({"use_msi": True})


KINDS: Mapping[str, Callable[[Settings, Mapping[str, str]], Proof]] = {
    "cli": by_cli,
    "secret": by_secret,
    "certificate": by_certificate,
    "oidc": by_federated_token,
    "managedIdentity": by_managed_identity,
}
