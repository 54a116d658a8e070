"""The names that Pulumi's state refers to, and where what they stand for lives.

Each resource of ours has one of these names in the state: in its type, and in `__provider`, by which Pulumi's provider
process finds the code that manages it. A name stays for as long as there are stacks; the code is free to move.
"""

from __future__ import annotations

import base64
from importlib import import_module
from typing import Any

# Name -> module below this package, and the provider in it.
PROVIDERS = {
    "IdentitySyncPolicy": "identity_sync_policy:IDENTITY_SYNC_POLICY",
    "JobStart": "job_start:JOB_START",
    "PartnerBaseline": "partner_baseline:BASELINE",
    "PartnerPolicy": "partner_policy:PARTNER_POLICY",
    "ProvisionOnDemand": "provision_on_demand:PROVISION_ON_DEMAND",
    "SchemaBaseline": "schema_baseline:SCHEMA_BASELINE",
    "ScopeRecord": "scope_record:SCOPE_RECORD",
    "ServicePrincipal": "service_principal:SERVICE_PRINCIPAL",
    "SyncJob": "sync_job:SYNC_JOB",
    "SyncSchema": "sync_schema:SYNC_SCHEMA",
    "SyncScope": "sync_scope:SYNC_SCOPE",
    "SyncSecrets": "sync_secrets:SYNC_SECRETS",
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
