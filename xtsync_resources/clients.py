"""A Graph client for one side of a configured pair, outside of a provider process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from .config import Settings, Tenant
from .graph.client import GraphClient
from .graph.connect import connect
from .graph.secret_origin import certificate_password, client_secret


def client_of(
    settings: Settings,
    tenant: Tenant,
    secret: str = "",
    folder: Path | None = None,
    status: Callable[[str], None] = lambda _: None,
) -> GraphClient:
    """Make a client for a side of a pair; it signs in with its first call.

    Args:
        settings: the pair.
        tenant: its source or target.
        secret: the client secret from the stack's configuration; the environment wins.
        folder: the program's, where files are named from; None is the current one.
        status: gets words for waiting people while it signs in.

    Raises:
        ConfigurationError: the endpoints cannot be had.
    """
    return connect(
        tenant.full_name,
        kind=tenant.auth,
        client_id=tenant.client_id,
        secret=lambda: client_secret(tenant.side, os.environ).read() or secret,
        cloud=settings.cloud.name,
        metadata_host=settings.metadata_host,
        certificate_path=located(tenant.certificate_path, folder),
        password=certificate_password(tenant.side, os.environ).read,
        token_file=located(tenant.token_file, folder),
        service_connection_id=tenant.service_connection_id,
        status=status,
    )


def located(path: str, folder: Path | None) -> str:
    """A file as seen from the current folder, where it is named from another; "" stays."""
    return str(folder / path) if path and folder is not None else path
