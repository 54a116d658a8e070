"""The names that Pulumi's state refers to, and where what they stand for lives.

Each resource of ours has one of these names in the state: in its type, and in `__provider`, by which Pulumi's provider
process finds the code that manages it. A name stays for as long as there are stacks; the code is free to move.
"""

from __future__ import annotations

import base64
import shlex
from importlib import import_module
from typing import Any

# Name -> module below this package, and the provider in it.
PROVIDERS = {
    "IdentitySyncPolicy": "identity_sync_policy.resource:IDENTITY_SYNC_POLICY",
    "JobStart": "sync_scope.start:JOB_START",
    "PartnerBaseline": "partner_policy.baseline:BASELINE",
    "PartnerPolicy": "partner_policy.resource:PARTNER_POLICY",
    "ProvisionOnDemand": "on_demand.resource:PROVISION_ON_DEMAND",
    "SchemaBaseline": "sync_schema.baseline:SCHEMA_BASELINE",
    "ScopeRecord": "sync_scope.record:SCOPE_RECORD",
    "ServicePrincipal": "application.resource:SERVICE_PRINCIPAL",
    "SyncJob": "sync_job.resource:SYNC_JOB",
    "SyncSchema": "sync_schema.resource:SYNC_SCHEMA",
    "SyncScope": "sync_scope.resource:SYNC_SCOPE",
    "SyncSecrets": "sync_secrets.resource:SYNC_SECRETS",
}


def __getattr__(name: str) -> Any:
    """The provider that a name in the state stands for."""
    if name not in PROVIDERS:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    module, _, attribute = PROVIDERS[name].partition(":")
    return getattr(import_module(f"{__package__}.{module}"), attribute)


def reference(name: str) -> str:
    """The `__provider` of a resource: a pickle that imports the name from this module, and no code."""
    return base64.b64encode(f"c{__name__}\n{name}\n.".encode()).decode()


def type_token(name: str) -> str:
    """The type of a resource, as the state has it."""
    return f"pulumi-python:dynamic/xtsync:{name}"


def command_on(command: str, what: str, urn: str, stack: str = "") -> str:
    """A command on one resource, whole, as advice has it; where the URN is not known also the one that lists it.

    Args:
        command: with URN where the URN belongs.
        what: the resource, in words.
        urn: of the resource; "" where it is not known.
        stack: its stack; "" is that of the URN, or the one that is selected.
    """
    stack = stack or urn.removeprefix("urn:pulumi:").partition("::")[0]
    of_stack = f" --stack {shlex.quote(stack)}" if stack else ""
    # In quotes, as a URN holds a $, which a shell would read.
    whole = "`" + command.replace("URN", shlex.quote(urn) if urn else "'URN'") + of_stack + "`"
    return whole if urn else f"{whole} with the URN of {what}, which `pulumi stack --show-urns{of_stack}` lists"
