"""From a request to an answer: which tenant, which call, which fault, which permission; and the record of it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import jwt

from lab.entra import batching, urls
from lab.entra.clock import wire_time
from lab.entra.context import new_id
from lab.entra.exceptions import (
    GraphError,
    blank_unauthorized,
    denied,
    invalid_token,
    method_not_allowed,
    no_route,
    no_segment,
)
from lab.entra.faults import Fault
from lab.entra.login import urls as login_urls
from lab.entra.login.exceptions import LoginError
from lab.entra.login.models import claims_of
from lab.entra.models import Entra, Tenant
from lab.entra.routing import OWNED, Answer, Call, Route
from lab.entra.traffic import Exchange, redacted, redacted_headers
from lab.entra.workload import urls as workload_urls

VERSIONS = ("v1.0", "beta")
_GRAPH_APP = "00000003-0000-0000-c000-000000000000"
_JSON = "application/json"
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
_log = logging.getLogger("lab.entra")


@dataclass(frozen=True)
class Incoming:
    """A request as it came off the wire; header names in lower case."""

    host_url: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    request_id: str = field(default_factory=new_id)
    in_batch: bool = False

    @property
    def version(self) -> str | None:
        """`v1.0` or `beta`; `None` for login and metadata."""
        first = self.path.split("/", 2)[1] if self.path.startswith("/") else ""
        return first if first in VERSIONS else None

    @property
    def below(self) -> str:
        """The path below the version."""
        return self.path if self.version is None else self.path[len(self.version) + 1 :]

    @property
    def client(self) -> str:
        """Who calls: `azuread`, or the whole user agent."""
        agent = self.headers.get("user-agent", "")
        return "azuread" if "azuread" in agent else agent

    @property
    def client_request_id(self) -> str:
        """The caller's id of the request, or ours."""
        return self.headers.get("client-request-id", self.request_id)


@dataclass(frozen=True)
class Outgoing:
    """What goes back, and how badly."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reset: bool = False
    cut: bool = False
    delay_seconds: float = 0
    held_until: threading.Event | None = None


def respond(entra: Entra, incoming: Incoming) -> Outgoing:
    """Answer one request and record the exchange."""
    with entra.lock:
        entra.run_due_cycles()
        tenant_id = _tenant_of(entra, incoming)
        fault = entra.faults.take(tenant_id, incoming)
        answer = _hit_before(fault) or _hit_after(fault, _process(entra, incoming))
        outgoing = _wire(entra, incoming, answer, fault)
        _record(entra, incoming, tenant_id, answer, outgoing)
        return outgoing


def _hit_before(fault: Fault | None) -> Answer | GraphError | LoginError | None:
    if fault is None or fault.when == "after" or fault.kind in ("delay", "truncate"):
        return None
    return fault.error() if fault.kind in ("status", "hold") else Answer(502)


def _hit_after(fault: Fault | None, answer: Answer | GraphError | LoginError) -> Answer | GraphError | LoginError:
    return fault.error() if fault and fault.kind == "status" else answer


def _process(entra: Entra, incoming: Incoming) -> Answer | GraphError | LoginError:
    try:
        if incoming.version is None:
            workload = workload_urls.answer(
                entra, incoming.host_url, incoming.method, incoming.path, incoming.query, incoming.headers
            )
            if workload is not None:
                return workload
            return login_urls.answer(entra, incoming.host_url, incoming.method, incoming.path, _form(incoming))
        return _graph(entra, incoming)
    except (GraphError, LoginError) as error:
        return error


def _graph(entra: Entra, incoming: Incoming) -> Answer:
    tenant, claims = _authenticated(entra, incoming)
    if (incoming.method, incoming.below) == ("POST", batching.PATH):
        return batching.answer(incoming, _json_body(incoming), lambda part: respond(entra, part))
    client = tenant.login.holder(claims)
    route, parameters = _routed(incoming)
    roles = frozenset(claims.get("roles", []))
    _authorise(tenant, route, parameters, roles, client.object_id)
    call = Call(
        entra=entra,
        tenant=tenant,
        client=client,
        roles=roles,
        host_url=incoming.host_url,
        version=incoming.version or "",
        method=incoming.method,
        path=incoming.below,
        parameters=parameters,
        query=incoming.query,
        body=_json_body(incoming),
        headers=incoming.headers,
    )
    return route.handler(call)


def _authenticated(entra: Entra, incoming: Incoming) -> tuple[Tenant, Mapping[str, Any]]:
    scheme, _, token = incoming.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise invalid_token("Access token is empty.")
    claims = claims_of(token, (incoming.host_url, f"{incoming.host_url}/", _GRAPH_APP))
    tenant = entra.tenants.get(str(claims.get("tid")))
    if tenant is None:
        raise invalid_token("The tenant of the access token does not exist.")
    return tenant, claims


def _routed(incoming: Incoming) -> tuple[Route, dict[str, str]]:
    matching = [(route, found) for route in urls.ROUTES if (found := route.pattern.match(incoming.below))]
    if not matching:
        raise no_route(incoming.method, incoming.path)
    in_version = [(route, found) for route, found in matching if incoming.version in route.versions]
    if not in_version:
        raise no_segment(incoming.below.split("/")[2])
    for route, found in in_version:
        if route.method == incoming.method:
            return route, found.groupdict()
    raise method_not_allowed(incoming.method)


def _authorise(tenant: Tenant, route: Route, parameters: Mapping[str, str], roles: frozenset[str], caller: str) -> None:
    satisfied = [needed for needed in route.needs if needed <= roles]
    if any(OWNED not in needed for needed in satisfied):
        return
    if satisfied and _owns(tenant, route, parameters, caller):
        return
    if route.synchronization and tenant.settings.blank_unauthorized:
        raise blank_unauthorized()
    raise denied()


def _owns(tenant: Tenant, route: Route, parameters: Mapping[str, str], caller: str) -> bool:
    if route.owned == "principal":
        principal = tenant.applications.principals.get(parameters["principal"])
        return principal is None or caller in principal.owners
    if route.owned == "application":
        application = tenant.applications.applications.get(parameters["application"])
        return application is None or caller in application.owners
    if route.owned == "deleted":
        applications, key = tenant.applications, parameters["object"]
        gone = applications.deleted_applications.get(key) or applications.deleted_principals.get(key)
        return gone is None or caller in gone.owners
    return True


def _json_body(incoming: Incoming) -> Any:
    if not incoming.body:
        return None
    content_type = incoming.headers.get("content-type", "")
    if not content_type:
        message = "Write requests (excluding DELETE) must contain the Content-Type header declaration."
        raise GraphError(400, "BadRequest", message)
    if not content_type.lower().startswith(_JSON):
        raise GraphError(415, "UnsupportedMediaType", f"The media type '{content_type}' is not supported.")
    try:
        return json.loads(incoming.body)
    except ValueError as error:
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from error


def _form(incoming: Incoming) -> dict[str, str]:
    return {**incoming.query, **dict(parse_qsl(incoming.body.decode()))}


def _tenant_of(entra: Entra, incoming: Incoming) -> str | None:
    """Whom a call is about, for faults and the record; trusts nothing."""
    if incoming.version is None:
        name = incoming.path.split("/")[1].lower()
        return next((one.tenant_id for one in entra.tenants.values() if name in (one.tenant_id, one.domain)), None)
    token = incoming.headers.get("authorization", "").partition(" ")[2]
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return None
    return str(claims.get("tid"))


def _body_of(entra: Entra, incoming: Incoming, answer: Answer | GraphError | LoginError) -> Any:
    now = entra.clock.now()
    if isinstance(answer, GraphError):
        return answer.body(wire_time(now).rstrip("Z"), incoming.request_id, incoming.client_request_id)
    if isinstance(answer, LoginError):
        return {
            "error": answer.error,
            "error_description": f"AADSTS{answer.code}: {answer.message} Trace ID: {incoming.request_id} "
            f"Correlation ID: {incoming.client_request_id} Timestamp: {now:%Y-%m-%d %H:%M:%SZ}",
            "error_codes": [answer.code],
            "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
            "trace_id": incoming.request_id,
            "correlation_id": incoming.client_request_id,
        }
    return answer.body


def _wire(entra: Entra, incoming: Incoming, answer: Answer | GraphError | LoginError, fault: Fault | None) -> Outgoing:
    headers = {
        "request-id": incoming.request_id,
        "client-request-id": incoming.client_request_id,
        "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Lab"}}',
    }
    headers |= {} if isinstance(answer, LoginError) else answer.headers
    content = _body_of(entra, incoming, answer)
    body = b"" if content is None else json.dumps(content).encode()
    if body:
        headers["Content-Type"] = f"{_JSON}; charset=utf-8"
    if fault and fault.kind == "html":
        html_status = answer.status if fault.when == "after" else fault.status
        return Outgoing(html_status, {**headers, "Content-Type": "text/html"}, _HTML.encode())
    kind = fault.kind if fault else None
    body = {"empty": b"", "hollow": b"{}"}.get(kind or "", body)
    delay = fault.seconds if fault and kind == "delay" else entra.settings.latency_seconds
    held_until = entra.faults.released if kind == "hold" else None
    return Outgoing(answer.status, headers, body, kind == "reset", kind == "truncate", delay, held_until)


def _record(
    entra: Entra,
    incoming: Incoming,
    tenant_id: str | None,
    answer: Answer | GraphError | LoginError,
    outgoing: Outgoing,
) -> None:
    known = not (isinstance(answer, GraphError) and answer.status == 501)
    exchange = Exchange(
        number=len(entra.traffic) + 1,
        time=entra.clock.now().isoformat(),
        tenant_id=tenant_id,
        method=incoming.method,
        version=incoming.version,
        path=incoming.below,
        query=dict(incoming.query),
        request_headers=redacted_headers(incoming.headers),
        request_body=_recorded_body(incoming),
        status=0 if outgoing.reset else outgoing.status,
        response_body=redacted(_body_of(entra, incoming, answer)),
        client=incoming.client,
        request_id=incoming.request_id,
        client_request_id=incoming.client_request_id,
        known=known,
        in_batch=incoming.in_batch,
    )
    entra.record(exchange)
    if known:
        _log.info(exchange.line())
    else:
        _log.error("The emulator does not know this call: %s %s", incoming.method, incoming.path)


def _recorded_body(incoming: Incoming) -> Any:
    if incoming.version is None:
        return redacted(dict(parse_qsl(incoming.body.decode(errors="replace"))))
    try:
        return redacted(json.loads(incoming.body)) if incoming.body else None
    except ValueError:
        return incoming.body.decode(errors="replace")
