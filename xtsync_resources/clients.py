"""A Graph client for one side of a configured pair, outside of a provider process."""

from __future__ import annotations

import os

from .config import Settings, Tenant, secret_variable
from .graph.client import GraphClient
from .graph.connect import connect
from .graph.errors import TenantName


def client_of(settings: Settings, tenant: Tenant, secret: str = "") -> GraphClient:
    """Make a client for a side of a pair; it signs in with its first call.

    Args:
        settings: the pair.
        tenant: its source or target.
        secret: the client secret from the stack's configuration; the environment wins.

    Raises:
        ConfigurationError: the endpoints cannot be had.
    """
    return connect(
        TenantName(tenant.side, tenant.name, tenant.id),
        kind=tenant.auth,
        client_id=tenant.client_id,
        secret=lambda: os.environ.get(secret_variable(tenant.side)) or secret,
        cloud=settings.cloud.name,
        metadata_host=settings.metadata_host,
    )
