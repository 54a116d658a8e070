"""Where a cloud's login, Graph and portal are: the one place that knows a host name.

Source: https://learn.microsoft.com/graph/deployments
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METADATA_PATH = "/metadata/endpoints?api-version=2022-09-01"
# So plain that nobody reads another host out of it than we do.
URL = re.compile(r"https://(?P<host>[A-Za-z0-9.:\[\]-]+)(?:/[A-Za-z0-9._~/-]*)?")
# https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
ACROSS_CLOUDS = (
    "one cloud holds both tenants of a pair. Microsoft synchronizes across clouds as well, but its job template is not "
    "documented, so it is not done here"
)


@dataclass(frozen=True)
class Endpoints:
    """The two services of a cloud that are called, as https URLs without a trailing slash."""

    login: str
    graph: str

    def __post_init__(self) -> None:
        for url in (self.login, self.graph):
            if not url.startswith("https://"):
                raise ValueError(f"the endpoint {url!r} is not https; credentials are only sent over https")
            if not URL.fullmatch(url):
                raise ValueError(f"the endpoint {url!r} is not https://HOST, https://HOST:PORT or that with a path")

    @property
    def scope(self) -> str:
        """The OAuth scope that asks for all application permissions granted in Graph."""
        return f"{self.graph}/.default"


@dataclass(frozen=True)
class Cloud:
    """A Microsoft cloud.

    Attributes:
        name: in the configuration.
        endpoints: of login and Graph.
        portal: its admin portal.
        azuread_environment: what the azuread provider calls it.
        instance: what the login service calls it (`cloud_instance_name` of a tenant's OpenID document).
        token_audience: whom a federated token must be for:
            https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
    """

    name: str
    endpoints: Endpoints
    portal: str
    azuread_environment: str
    instance: str
    token_audience: str


CLOUDS: Mapping[str, Cloud] = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            "public",
            Endpoints("https://login.microsoftonline.com", "https://graph.microsoft.com"),
            "https://entra.microsoft.com",
            "public",
            "microsoftonline.com",
            "api://AzureADTokenExchange",
        ),
        Cloud(
            "usgovernment",
            Endpoints("https://login.microsoftonline.us", "https://graph.microsoft.us"),
            "https://entra.microsoft.us",
            "usgovernment",
            "microsoftonline.us",
            "api://AzureADTokenExchangeUSGov",
        ),
        Cloud(
            "usgovernmentl5",
            Endpoints("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
            "https://entra.microsoft.us",
            "usgovernmentl5",
            "microsoftonline.us",
            "api://AzureADTokenExchangeUSGov",
        ),
        Cloud(
            "china",
            Endpoints("https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
            "https://entra.microsoftonline.cn",
            "china",
            "partner.microsoftonline.cn",
            "api://AzureADTokenExchangeChina",
        ),
    )
}


def endpoints_from_metadata(document: Mapping[str, Any]) -> Endpoints:
    """Read login and Graph out of the metadata document that azuread uses as well.

    Raises:
        ValueError: the document lacks an endpoint, or an endpoint is not a plain https URL.
    """
    authentication = document.get("authentication")
    login = authentication.get("loginEndpoint") if isinstance(authentication, Mapping) else None
    graph = document.get("microsoftGraphResourceId")
    if not isinstance(login, str) or not isinstance(graph, str):
        raise ValueError("it lacks authentication.loginEndpoint or microsoftGraphResourceId")  # noqa: TRY004
    return Endpoints(login.rstrip("/"), graph.rstrip("/"))
