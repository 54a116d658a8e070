"""The explicit providers: for each tenant a dynamic one, for the source azuread as well.

Each is a process of its own that holds the credentials of one tenant, so that no resource can act in the
wrong one. Credentials travel by environment, and environment variable mappings keep the other tenant's out (the
mapping is stored, the value is not); a client secret from the stack's configuration is stored encrypted.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_azuread as azuread

from ..config import ConfigurationProblems, Problem, Settings, Tenant, check_endpoints
from ..graph.errors import XtsyncError, lines_of
from ..graph.isolation import hide_other
from ..graph.secret_origin import SecretError
from ..pulumi_runtime import messages
from ..pulumi_runtime.messages import Stopped
from .azuread_sign_in import sign_in_as

if TYPE_CHECKING:
    from ..graph.client import GraphClient


@dataclass(frozen=True)
class Providers:
    """The providers of a pair, and the client of the program itself in the source."""

    source: pulumi.ProviderResource
    target: pulumi.ProviderResource
    azuread: azuread.Provider
    client: GraphClient


class TenantProvider(pulumi.ProviderResource):
    """A dynamic provider process for one tenant. Its properties are read by `lifecycle.configure`."""

    def __init__(self, name: str, tenant: Tenant, settings: Settings, options: pulumi.ResourceOptions) -> None:
        partner = settings.target if tenant is settings.source else settings.source
        properties = {
            "side": tenant.side,
            "tenantId": tenant.id,
            "tenantName": tenant.name,
            "partnerName": partner.name,
            "auth": tenant.auth,
            "clientId": tenant.client_id or None,
            "clientSecret": settings.client_secret(tenant.side),
            "certificatePath": tenant.certificate_path or None,
            "tokenFile": tenant.token_file or None,
            "serviceConnectionId": tenant.service_connection_id or None,
            "cloud": settings.cloud.name,
            "metadataHost": settings.metadata_host or None,
            "deadlineMinutes": settings.deadline_minutes,
            "onExisting": settings.on_existing,
            "allowSecondConfiguration": settings.allow_second_configuration or None,
            "onDestroy": settings.on_destroy if tenant is settings.source else None,
        }
        mapped = pulumi.ResourceOptions(env_var_mappings=hide_other(tenant.side))
        super().__init__(
            "pulumi-python",
            f"{name}-{tenant.side}",
            # Only names with a colon can be read back with Config.get in the provider process.
            {f"xtsync:{name}": value for name, value in properties.items()},
            pulumi.ResourceOptions.merge(options, mapped),
        )


def declare(name: str, settings: Settings, parent: pulumi.Resource) -> Providers:
    """Declare the three providers of a pair below its component of that name.

    Raises:
        ConfigurationProblems: the source's secret cannot be had, or credentials would go where nobody wants them.
        Stopped: the source refuses the sign-in.
    """
    options, source = pulumi.ResourceOptions(parent=parent), settings.source
    check_endpoints(settings, os.environ)
    try:
        how = sign_in_as(settings, os.environ)
    except SecretError as error:
        problem = Problem("xtsync:source.auth", source.auth, error.why, f"{error.do[:1].upper()}{error.do[1:]}")
        raise ConfigurationProblems([problem]) from None
    client = signed_in(settings)
    mapped = pulumi.ResourceOptions(env_var_mappings={**hide_other(source.side), **how.variables})
    with_variables = pulumi.ResourceOptions.merge(options, mapped)
    return Providers(
        source=TenantProvider(name, source, settings, options),
        target=TenantProvider(name, settings.target, settings, options),
        azuread=azuread.Provider(f"{name}-source-azuread", **how.arguments, opts=with_variables),
        client=client,
    )


def signed_in(settings: Settings) -> GraphClient:
    """The program's own client in the source, once it is seen that the source lets us in, and that it is the source.

    azuread signs in as soon as it is declared, and Pulumi ends the program where that fails: what is shown is what the
    login service answered, as JSON.

    Raises:
        Stopped: it does not.
    """
    from ..clients import client_of  # noqa: PLC0415 - HTTP, which nothing before this needs

    try:
        client = client_of(settings, settings.source, settings.source_stack_secret(), status=messages.info)
        client.claims(60 * settings.deadline_minutes)
    except XtsyncError as error:
        raise Stopped(*lines_of(error)) from None
    return client
