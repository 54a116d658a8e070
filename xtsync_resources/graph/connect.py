"""Put a Graph client together: endpoints, sign-in, connections."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping

from . import json_reader
from .audit import Audit
from .client import USER_AGENT, GraphClient
from .clock import Clock, SystemClock
from .clouds import CLOUDS, METADATA_PATH, Endpoints, endpoints_from_metadata
from .credentials import TokenSource, credential_for
from .errors import ConfigurationError, RefusedError
from .hosts import agreed, hosts_of, how_to_agree, unknown_hosts
from .outside import ask
from .sign_in import Secrets, SignIn
from .transport import HttpsTransport, Request, Transport, TransportError


def connect(
    sign_in: SignIn,
    secrets: Secrets,
    *,
    status: Callable[[str], None] = lambda _: None,
    about: Callable[[], Mapping[str, str]] = dict,
    transport: Transport | None = None,
    clock: Clock | None = None,
    endpoints: Endpoints | None = None,
) -> GraphClient:
    """A client for one tenant; signs in with the first call.

    Args:
        sign_in: how to sign in to it.
        secrets: gives what that takes.
        status: gets words for waiting people while it signs in.
        about: says what the audit is to say of a write besides: run, stack, resource.
        transport: how to send; the network if not given.
        clock: the time; this computer's if not given.
        endpoints: those of a private cloud, as `fetch_endpoints` gave them: whether credentials may go there is not
            asked again. Read if not given.

    Raises:
        RefusedError: credentials would go to a host that nobody who supplies them has agreed to.
        ConfigurationError: the metadata document cannot be had or used.
    """
    transport, clock, host = transport or HttpsTransport(), clock or SystemClock(), sign_in.metadata_host
    if endpoints is None:
        endpoints = fetch_endpoints(host, transport, clock) if host else CLOUDS[sign_in.cloud].endpoints
    make = functools.partial(credential_for, sign_in, secrets, endpoints, transport, clock, status)
    tokens = TokenSource(sign_in.tenant, endpoints.scope, make, sign_in.kind)
    audit = Audit.asked_for(os.environ, sign_in, clock, about)
    return GraphClient(sign_in.tenant, endpoints, tokens, transport, clock, audit)


def fetch_endpoints(
    host: str, transport: Transport, clock: Clock, environment: Mapping[str, str] = os.environ
) -> Endpoints:
    """Read the endpoints of a private cloud; one GET, without credentials, repeated a few times.

    Args:
        host: HOST or HOST:PORT.
        transport: how to ask.
        clock: to wait between attempts.
        environment: names the hosts that may get credentials.

    Raises:
        RefusedError: nobody who supplies the credentials has agreed to the host, or to one its document names.
        ConfigurationError: it cannot be reached or understood, can be understood in two ways, or an endpoint is not a
            plain https URL.
    """
    refuse_unknown_hosts([host], environment, "xtsync:metadataHost names it")
    url = f"https://{host}{METADATA_PATH}"
    what = f"Failed to read the endpoints from {url}"
    do = "check xtsync:metadataHost; for a private certificate authority set REQUESTS_CA_BUNDLE"
    try:
        answer = ask(transport, clock, Request("GET", url, {"User-Agent": USER_AGENT}))
    except TransportError as error:
        raise ConfigurationError(what, str(error), do) from None
    if answer.status != 200:
        raise ConfigurationError(what, f"it answered {answer.status}", do)
    try:
        endpoints = endpoints_from_metadata(json_reader.read(answer.body, dict, json_reader.unambiguous))
    except ValueError as error:
        raise ConfigurationError(what, str(error), do) from None
    refuse_unknown_hosts((one for one in hosts_of(endpoints) if one != host), environment, f"{url} names it")
    return endpoints


def refuse_unknown_hosts(hosts: Iterable[str], environment: Mapping[str, str], named_by: str) -> None:
    """Refuse to send credentials to hosts that are neither known nor agreed to.

    Raises:
        RefusedError: there is one.
    """
    if found := unknown_hosts(hosts, agreed(environment)):
        why = f"{named_by}, and whoever supplies the credentials has not"
        raise RefusedError(f"Refused to send credentials to {' and '.join(found)}", why, how_to_agree(found))
