"""`xtsync permissions`: the least permissions for a configuration, and the commands that grant them.

Step 1 of the how-to. Nothing is called: the commands are the reader's to run.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from ..config import Tenant
from . import federation
from .needs import GRAPH, ROLES, Need, needs
from .stack import NO_CLIENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .cli import Screen
    from .stack import Stack


def commands(tenant: Tenant, wanted: Sequence[Need], federate: federation.Federation | None) -> list[str]:
    """Azure CLI commands that make a sign-in application with exactly these permissions."""
    roles = " ".join(f"{need.role_id}=Role" for need in wanted)
    lines = [f"az login --tenant {tenant.id} --allow-no-subscriptions"]
    if tenant.client_id in ("", NO_CLIENT):
        name = shlex.quote(f"xtsync {tenant.side} ({tenant.name})")
        create = f"az ad app create --display-name {name} --sign-in-audience AzureADMyOrg --query appId --output tsv"
        lines += [f"CLIENT_ID=$({create})", 'az ad sp create --id "$CLIENT_ID"']
    else:
        lines.append(f"CLIENT_ID={tenant.client_id}")
    lines += [
        f'az ad app permission add --id "$CLIENT_ID" --api {GRAPH} --api-permissions {roles}',
        'az ad app permission admin-consent --id "$CLIENT_ID"',
    ]
    if federate is not None:
        body = shlex.quote(json.dumps(federate.body()))
        lines.append(f'az ad app federated-credential create --id "$CLIENT_ID" --parameters {body}')
    elif tenant.auth == "secret":
        lines.append('az ad app credential reset --id "$CLIENT_ID" --append --display-name xtsync --years 1')
    return lines


def as_table(tenant: Tenant, wanted: Sequence[Need]) -> Table:
    """One tenant's permissions."""
    table = Table(title=Text(f"{tenant.side}: {tenant.name}"), title_justify="left")
    for column in ("application permission", "for"):
        table.add_column(column)
    for need in wanted:
        table.add_row(need.permission, f"{need.reason} (optional)" if need.optional else need.reason)
    return table


def as_document(tenant: Tenant, wanted: Sequence[Need], lines: Sequence[str]) -> dict[str, Any]:
    """One tenant for machines."""
    return {
        "tenantId": tenant.id,
        "auth": tenant.auth,
        "permissions": [{**asdict(need), "roleId": need.role_id} for need in wanted],
        "directoryRoles": list(ROLES[tenant.side]),
        "commands": list(lines),
    }


def command(stack: Stack, screen: Screen, side: str | None, federate: str) -> int:
    """Print them for both tenants, or one."""
    how = federation.parse(federate) if federate else None
    documents = {}
    for name, wanted in needs(stack.settings).items():
        if side not in (None, name):
            continue
        tenant: Tenant = getattr(stack.settings, name)
        lines = [] if tenant.auth == "cli" and how is None else commands(tenant, wanted, how)
        documents[name] = as_document(tenant, wanted, lines)
        if screen.as_json:
            continue
        if lines:
            screen.print(as_table(tenant, wanted), "\n".join(lines), "")
        else:
            words = f"auth: cli signs in as the person of `az login`, who needs: {', '.join(ROLES[name])}."
            screen.print(f"{name}: {tenant.name}", words, "")
    if screen.as_json:
        screen.json(documents)
    return 0
