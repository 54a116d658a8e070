"""The properties of the explicit provider that a provider process serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..graph.errors import TenantName


@dataclass(frozen=True)
class ProviderSettings:
    """The properties of the explicit provider this process serves (see providers.TenantProvider)."""

    tenant: TenantName
    partner_name: str
    auth: str
    client_id: str
    cloud: str
    metadata_host: str
    deadline_seconds: float
    on_existing: str
    on_destroy: str
    certificate_path: str = ""
    token_file: str = ""
    service_connection_id: str = ""
    allow_second: bool = False

    @classmethod
    def read(cls, get: Callable[[str], Any]) -> ProviderSettings:
        """Read them by name."""
        text: Callable[[str], str] = lambda name: str(get(f"xtsync:{name}") or "")  # noqa: E731
        return cls(
            tenant=TenantName(text("side"), text("tenantName"), text("tenantId")),
            partner_name=text("partnerName"),
            auth=text("auth"),
            client_id=text("clientId"),
            cloud=text("cloud"),
            metadata_host=text("metadataHost"),
            deadline_seconds=60 * float(get("xtsync:deadlineMinutes") or 15),
            on_existing=text("onExisting"),
            on_destroy=text("onDestroy"),
            certificate_path=text("certificatePath"),
            token_file=text("tokenFile"),
            service_connection_id=text("serviceConnectionId"),
            allow_second=text("allowSecondConfiguration").lower() == "true",
        )
