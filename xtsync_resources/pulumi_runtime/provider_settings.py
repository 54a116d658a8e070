"""The properties of the explicit provider that a provider process serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..graph.errors import TenantName
from ..graph.sign_in import SignIn

# Only names with a colon can be read back with `Config.get` in the provider process.
NAMESPACE = "xtsync:"
# The state has a property for each of these; they are read into one value, and written from it, here alone.
SIGN_IN: Mapping[str, str] = {
    "auth": "kind",
    "clientId": "client_id",
    "cloud": "cloud",
    "metadataHost": "metadata_host",
    "certificatePath": "certificate_path",
    "tokenFile": "token_file",
    "serviceConnectionId": "service_connection_id",
}


@dataclass(frozen=True)
class ProviderSettings:
    """What a provider process knows of its pair.

    Attributes:
        sign_in: how to sign in to its tenant.
        partner_name: what people call the other tenant.
        deadline_seconds: how long an operation may take.
        on_existing: `adopt` or `fail`.
        on_destroy: `release` or `drain`; "" in the target.
        allow_second: whether a second configuration of the pair is allowed.
    """

    sign_in: SignIn
    partner_name: str
    deadline_seconds: float
    on_existing: str
    on_destroy: str
    allow_second: bool = False

    @property
    def tenant(self) -> TenantName:
        """The tenant of this process."""
        return self.sign_in.tenant

    @classmethod
    def read(cls, get: Callable[[str], Any]) -> ProviderSettings:
        """Read them from the properties of the provider, by name."""
        text: Callable[[str], str] = lambda name: str(get(NAMESPACE + name) or "")  # noqa: E731
        tenant = TenantName(text("side"), text("tenantName"), text("tenantId"))
        return cls(
            sign_in=SignIn(tenant, **{field: text(name) for name, field in SIGN_IN.items()}),
            partner_name=text("partnerName"),
            deadline_seconds=60 * float(get(f"{NAMESPACE}deadlineMinutes") or 15),
            on_existing=text("onExisting"),
            on_destroy=text("onDestroy"),
            allow_second=text("allowSecondConfiguration").lower() == "true",
        )


def properties_of(sign_in: SignIn) -> dict[str, Any]:
    """The properties of a provider that say how to sign in; None is not said."""
    tenant = sign_in.tenant
    return {
        "side": tenant.side,
        "tenantId": tenant.id,
        "tenantName": tenant.name,
        **{name: getattr(sign_in, field) or None for name, field in SIGN_IN.items()},
    }
