"""The explicit providers: for each tenant a dynamic one, for the source azuread as well.

Each is a process of its own that holds the credentials of one tenant, so that no resource can act in the
wrong one. Credentials travel by environment, and environment variable mappings keep the other tenant's out (the
mapping is stored, the value is not); a client secret from the stack's configuration is stored encrypted.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pulumi

from ..config import ConfigurationProblems, Problem, Settings, Tenant, sentence
from ..graph.errors import XtsyncError, lines_of
from ..graph.isolation import hide_other
from ..graph.secret_origin import SecretError
from ..graph.sign_in import Secrets
from ..pulumi_runtime import messages
from ..pulumi_runtime.messages import Stopped
from ..pulumi_runtime.provider_settings import NAMESPACE, properties_of
from . import stack_state
from .azuread_sign_in import sign_in_as
from .stack_state import Recorded

if TYPE_CHECKING:
    import pulumi_azuread as azuread

    from ..graph.client import GraphClient
    from ..graph.clouds import Endpoints

T = TypeVar("T")


@dataclass(frozen=True)
class Providers:
    """The providers of the tenants of a pair, what the last run left, and the client of the program in the source.

    Attributes:
        source: the provider of the source.
        target: that of the target.
        state: what the last run left.
        client: waits until the program is signed in; raises `Stopped` where the source refuses it.
        azuread_provider: declares azuread's, once the program is signed in; raises the same.
    """

    source: pulumi.ProviderResource
    target: pulumi.ProviderResource
    state: Sequence[Recorded]
    client: Callable[[], GraphClient]
    azuread_provider: Callable[[], azuread.Provider]


class TenantProvider(pulumi.ProviderResource):
    """A dynamic provider process for one tenant. Its properties are read by `TenantResourceProvider.configure`."""

    def __init__(self, name: str, tenant: Tenant, settings: Settings, options: pulumi.ResourceOptions) -> None:
        partner = settings.target if tenant is settings.source else settings.source
        properties = {
            **properties_of(settings.sign_in(tenant)),
            "clientSecret": settings.client_secret(tenant.side),
            "partnerName": partner.name,
            "deadlineMinutes": settings.deadline_minutes,
            "onExisting": settings.on_existing,
            "allowSecondConfiguration": settings.allow_second_configuration or None,
            "onDestroy": settings.on_destroy if tenant is settings.source else None,
        }
        mapped = pulumi.ResourceOptions(env_var_mappings=hide_other(tenant.side))
        super().__init__(
            "pulumi-python",
            f"{name}-{tenant.side}",
            {f"{NAMESPACE}{name}": value for name, value in properties.items()},
            pulumi.ResourceOptions.merge(options, mapped),
        )


def declare(name: str, settings: Settings, parent: pulumi.Resource) -> Providers:
    """Declare the providers of both tenants below the component of that name, and begin to sign in to the source.

    Meanwhile the engine starts the processes of the two tenants. It hears of them only while the program waits for it:
    so the state is read once the component is known, as they wait for that, too.

    Raises:
        ConfigurationProblems: the source's secret cannot be had, or credentials would go where nobody wants them.
        Stopped: the state cannot be read.
    """
    options, source = pulumi.ResourceOptions(parent=parent), settings.source
    endpoints = private_endpoints(settings)
    try:
        how = sign_in_as(settings, os.environ)
    except SecretError as error:
        problem = Problem("xtsync:source.auth", source.auth, error.why, sentence(error.do))
        raise ConfigurationProblems([problem]) from None
    of_source, of_target = (TenantProvider(name, one, settings, options) for one in (source, settings.target))
    state = stack_state.recorded(parent.urn.apply(lambda _: pulumi.get_stack()))
    signing_in = meanwhile(lambda: signed_in(settings, endpoints))

    def azuread_provider() -> azuread.Provider:
        import pulumi_azuread  # noqa: PLC0415 - what takes longest to load, and nothing before needs it

        # It signs in as soon as it is declared, and Pulumi ends the program where that fails: what is shown is what
        # the login service answered, as JSON. So we have signed in first.
        signing_in.result()
        mapped = pulumi.ResourceOptions(env_var_mappings={**hide_other(source.side), **how.variables})
        with_variables = pulumi.ResourceOptions.merge(options, mapped)
        return pulumi_azuread.Provider(f"{name}-source-azuread", **how.arguments, opts=with_variables)

    return Providers(of_source, of_target, state, signing_in.result, azuread_provider)


def private_endpoints(settings: Settings) -> Endpoints | None:
    """Where the metadata document of a private cloud leads, before a provider gets its host: azuread signs in there.

    Call: its GET, without credentials; none in another cloud, for which this is None.

    Raises:
        ConfigurationProblems: it cannot be had, or leads credentials to hosts nobody has agreed to.
    """
    if not settings.metadata_host:
        return None
    from ..graph.clock import SystemClock  # noqa: PLC0415 - only private clouds need it
    from ..graph.connect import fetch_endpoints  # noqa: PLC0415
    from ..graph.transport import HttpsTransport  # noqa: PLC0415

    try:
        return fetch_endpoints(settings.metadata_host, HttpsTransport(), SystemClock())
    except XtsyncError as error:
        why = f"{error.what}: {error.why}"
        problem = Problem("xtsync:metadataHost", settings.metadata_host, why, sentence(error.do))
        raise ConfigurationProblems([problem]) from None


def meanwhile(work: Callable[[], T]) -> Future[T]:
    """Do something while the program goes on; a program that ends does not wait for it."""
    done = Future[T]()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # whoever asks for the result gets it
            done.set_exception(error)

    context = contextvars.copy_context()
    threading.Thread(target=lambda: context.run(run), daemon=True).start()
    return done


def signed_in(settings: Settings, endpoints: Endpoints | None) -> GraphClient:
    """The program's own client in the source, once it is seen that the source lets us in, and that it is the source.

    Raises:
        Stopped: it does not, or is another tenant.
    """
    from ..graph.connect import connect  # noqa: PLC0415 - HTTP, which nothing before this needs

    try:
        secrets = Secrets.of(settings.source.side, settings.source_stack_secret())
        about = {"run": f"pulumi, process {os.getppid()}", "stack": pulumi.get_stack()}
        sign_in = settings.sign_in(settings.source)
        client = connect(sign_in, secrets, status=messages.info, about=lambda: about, endpoints=endpoints)
        client.claims(60 * settings.deadline_minutes)
        if client.audit is not None:
            client.audit.check()
    except XtsyncError as error:
        raise Stopped(*lines_of(error)) from None
    return client
