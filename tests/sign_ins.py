"""Clients of tests that sign in, by what a test says of it."""

from __future__ import annotations

from collections.abc import Callable

from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clock import Clock
from xtsync_resources.graph.connect import connect
from xtsync_resources.graph.errors import TenantName
from xtsync_resources.graph.sign_in import Secrets, SignIn
from xtsync_resources.graph.transport import Transport


def connected(
    tenant: TenantName,
    *,
    kind: str = "secret",
    secret: Callable[[], str] = str,
    password: Callable[[], str] = str,
    transport: Transport | None = None,
    clock: Clock | None = None,
    **how: str,
) -> GraphClient:
    """A client for a tenant; `how` is the rest of a `SignIn`."""
    return connect(SignIn(tenant, kind, **how), Secrets(secret, password), transport=transport, clock=clock)
