"""`xtsync permissions`: the least permissions for a configuration, and the commands that grant them.

Step 1 of the how-to. Nothing is called: the commands are the reader's to run.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import Tenant
from ..graph.clouds import Cloud
from ..graph.secret_origin import password_variable, secret_variable
from ..graph.sign_in import az_login
from . import federation
from .choices import Side
from .needs import GRAPH, ROLES, Need, needs
from .screen import Rows

if TYPE_CHECKING:
    from .screen import Screen
    from .stack import Stack

# What Azure CLI calls the clouds; it has none for the rest (usgovernmentl5).
AZURE_CLI_CLOUDS: Mapping[str, str] = {
    "public": "AzureCloud",
    "usgovernment": "AzureUSGovernment",
    "china": "AzureChinaCloud",
}


def commands(
    tenant: Tenant, wanted: Sequence[Need], federate: Sequence[federation.Federation], cloud: Cloud
) -> list[str]:
    """Azure CLI commands that make a sign-in application with exactly these permissions.

    They are for a POSIX shell, each only after the one before has succeeded: after a sign-in that failed the
    rest would act in whatever tenant was signed in to before.
    """
    if cloud.name not in AZURE_CLI_CLOUDS:
        return []
    roles = " ".join(f"{need.role_id}=Role" for need in wanted)
    lines = [f"az cloud set --name {AZURE_CLI_CLOUDS[cloud.name]}"] if cloud.name != "public" else []
    lines.append(f"{az_login(tenant.id)} --output none")
    if tenant.auth == "managedIdentity":
        return [*lines, *of_managed_identity(tenant, wanted, cloud)]
    lines += [
        *identity(tenant),
        f'az ad app permission add --id "$CLIENT_ID" --api {GRAPH} --api-permissions {roles}',
        consent(cloud),
    ]
    if federate:
        bodies = [shlex.quote(json.dumps(one.body())) for one in federate]
        create = 'az ad app federated-credential create --id "$CLIENT_ID"'
        lines += [f"{create} --parameters {body} --output none" for body in bodies]
    elif tenant.auth == "secret":
        variable = secret_variable(tenant.side)
        reset = 'az ad app credential reset --id "$CLIENT_ID" --append --display-name xtsync --years 1'
        # Into the variable that `pulumi up` reads, so that it is on no screen and in no scrollback.
        lines += [f"{variable}=$({reset} --query password --output tsv)", f"export {variable}"]
    elif tenant.auth == "certificate":
        lines += certificate(tenant)
    return lines


def certificate(tenant: Tenant) -> list[str]:
    """Commands that make a certificate, register it, and put it with its key where the configuration says."""
    variable = password_variable(tenant.side)
    path = shlex.quote(tenant.certificate_path or f"{tenant.side}.pfx")
    reset = 'az ad app credential reset --id "$CLIENT_ID" --append --display-name xtsync --years 1 --create-cert'
    convert = f'openssl pkcs12 -export -in "$CERTIFICATE" -out {path} -passout env:{variable}'
    return [
        f'{{ test ! -e {path} || {{ echo {path} "exists already" >&2; false; }}; }}',
        f"CERTIFICATE=$({reset} --query fileWithCertAndPrivateKey --output tsv)",
        f"{variable}=$(openssl rand -hex 24)",
        f"export {variable}",
        f"(umask 077; {convert})",
        'rm -- "$CERTIFICATE"',
    ]


def of_managed_identity(tenant: Tenant, wanted: Sequence[Need], cloud: Cloud) -> list[str]:
    """Commands that give a managed identity its permissions: it has no application to ask with and consent to."""
    missing = "set it to the object id of the managed identity"
    principal = f"PRINCIPAL_ID=$(az ad sp show --id {shlex.quote(tenant.client_id)} --query id --output tsv)"
    url = f"{cloud.endpoints.graph}/v1.0/servicePrincipals/$PRINCIPAL_ID/appRoleAssignments"
    post = f'az rest --method POST --url "{url}" --headers Content-Type=application/json --output none'
    body = '{{\\"principalId\\": \\"$PRINCIPAL_ID\\", \\"resourceId\\": \\"$GRAPH_ID\\", \\"appRoleId\\": \\"{}\\"}}'
    return [
        principal if tenant.client_id else f': "${{PRINCIPAL_ID:?{missing}}}"',
        f"GRAPH_ID=$(az ad sp show --id {GRAPH} --query id --output tsv)",
        *(f'{post} --body "{body.format(need.role_id)}"' for need in wanted),
    ]


def identity(tenant: Tenant) -> list[str]:
    """Commands that give CLIENT_ID: of the configured application, or of a new one, which they tell."""
    if tenant.client_id:
        return [f"CLIENT_ID={shlex.quote(tenant.client_id)}"]
    name = shlex.quote(f"xtsync {tenant.side} ({tenant.name})")
    # With auth: cli it is no setting, but what the pipeline gives to `az login --service-principal`.
    told = f"client id of {tenant.side}" if tenant.auth == "cli" else f"clientId of xtsync:{tenant.side}"
    create = f"az ad app create --display-name {name} --sign-in-audience AzureADMyOrg --query appId --output tsv"
    return [
        f"CLIENT_ID=$({create})",
        'az ad sp create --id "$CLIENT_ID" --output none',
        f'echo "{told}: $CLIENT_ID"',
    ]


def consent(cloud: Cloud) -> str:
    """The command that consents; Azure CLI can do that in the public cloud only."""
    if cloud.name == "public":
        return 'az ad app permission admin-consent --id "$CLIENT_ID"'
    where = f"{cloud.portal}: App registrations, $CLIENT_ID, API permissions, Grant admin consent"
    return f'echo "Azure CLI cannot consent in this cloud. Consent in {where}"'


def as_table(tenant: Tenant, wanted: Sequence[Need]) -> Rows:
    """One tenant's permissions."""
    table = Rows("application permission", "for", title=f"{tenant.side}: {tenant.name}", boxed=True)
    for need in wanted:
        table.add(need.permission, f"{need.reason} (optional)" if need.optional else need.reason)
    return table


@dataclass(frozen=True)
class NeededPermission:
    """A permission, for machines.

    Attributes:
        permission: its name.
        reason: what it is for.
        optional: whether only commands besides `pulumi` need it.
        without: what happens without it, where that is no failure.
        role_id: its id among Graph's application roles.
    """

    permission: str
    reason: str
    optional: bool
    without: str
    role_id: str


@dataclass(frozen=True)
class Permissions:
    """What signing in to one tenant takes, for machines.

    Attributes:
        tenant_id: of the tenant.
        auth: how the stack file signs in to it.
        permissions: those of an application that signs in.
        directory_roles: those of a person who signs in instead.
        commands: of Azure CLI, which make the application and grant it these; none where a person signs in.
    """

    tenant_id: str
    auth: str
    permissions: Sequence[NeededPermission]
    directory_roles: Sequence[str]
    commands: Sequence[str]


def as_document(tenant: Tenant, wanted: Sequence[Need], lines: Sequence[str]) -> Permissions:
    """One tenant for machines."""
    permissions = [NeededPermission(**vars(need), role_id=need.role_id) for need in wanted]
    return Permissions(tenant.id, tenant.auth, permissions, ROLES[tenant.side], lines)


def command(stack: Stack, screen: Screen, side: Side | None, federate: Sequence[str], adopt: bool) -> int:
    """Print them for both tenants, or one."""
    cloud = stack.settings.cloud
    how = [federation.parse(whose, cloud.name) for whose in federate]
    documents = {}
    asked = {name: wanted for name, wanted in needs(stack.settings, adopt=adopt).items() if side in (None, name)}
    other = [name for name in asked if getattr(stack.settings, name).auth != "oidc"]
    if how and other:
        screen.tell(
            f"The stack file signs in without a federated credential yet: set auth: oidc for {' and '.join(other)}.",
            style="yellow",
        )
    for name, wanted in asked.items():
        tenant: Tenant = getattr(stack.settings, name)
        by_application = tenant.auth != "cli" or bool(how)
        lines = commands(tenant, wanted, how, cloud) if by_application else []
        documents[name] = as_document(tenant, wanted, lines)
        if screen.as_json:
            continue
        if by_application:
            none = f"Azure CLI does not know the cloud {cloud.name}: use bootstrap/, or the portal {cloud.portal}."
            screen.print(as_table(tenant, wanted), *(" &&\n".join(lines) or none).split("\n"), "")
        else:
            words = f"auth: cli signs in as the person of `az login`, who needs: {', '.join(ROLES[name])}."
            screen.print(f"{name}: {tenant.name}", words, "")
    if screen.as_json:
        screen.json(documents)
    return 0
