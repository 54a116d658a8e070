"""Seams for tests: a clock that sleeping moves, tokens, and scripted or in-memory Graphs behind the transport."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.credentials import AccessToken

from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.graph.credentials import TokenSource
from xtsync_resources.graph.errors import TenantName
from xtsync_resources.graph.operation import Operation
from xtsync_resources.graph.transport import Request, Response, Transport, TransportError

SOURCE_ID = "11111111-1111-4111-8111-111111111111"
TARGET_ID = "22222222-2222-4222-8222-222222222222"
SOURCE = TenantName("source", "Contoso", SOURCE_ID)
TARGET = TenantName("target", "Fabrikam", TARGET_ID)
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
Reply = Response | TransportError


class SettableClock:
    """Time passes by sleeping only."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.time)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def jwt(tenant: str, serial: int = 0) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"tid": tenant, "n": serial}).encode()).decode().rstrip("=")
    return f"e30.{payload}.x"


class CountingCredential:
    """Gives the same token for its life; each new credential has another."""

    made = 0

    def __init__(self, tenant: str) -> None:
        type(self).made += 1
        self.token = jwt(tenant, self.made)

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken(self.token, 2**31)


def answer(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, headers or {}, b"" if body is None else json.dumps(body).encode())


def refusal(status: int, code: str = "", message: str = "m", headers: Mapping[str, str] | None = None) -> Response:
    return answer(status, {"error": {"code": code, "message": message}}, headers)


class ScriptedTransport:
    """Gives prepared replies in order; running out of them is an error of the test."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, TransportError):
            raise reply
        return reply


class FakeGraph:
    """Partner policies, identity sync policies and jobs of one tenant, in memory.

    `interventions` come first: each sees the request and may answer in the fake's stead (None: it does not).
    """

    def __init__(self, *, merges: bool = True) -> None:
        self.partners: dict[str, dict[str, Any]] = {}
        self.syncs: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, str] = {}
        self.merges = merges
        self.requests: list[tuple[str, str, Any]] = []
        self.interventions: list[Callable[[str, str, Any], Reply | None]] = []

    def once(self, method: str, ending: str, reply: Reply | Callable[[Any], Reply | None]) -> None:
        """Answer the first matching request so."""

        def intervene(verb: str, path: str, body: Any) -> Reply | None:
            if verb != method or not path.endswith(ending):
                return None
            self.interventions.remove(intervene)
            return reply(body) if callable(reply) else reply

        self.interventions.append(intervene)

    @property
    def calls(self) -> list[str]:
        """Method and last path segment of each request."""
        return [f"{method} {path.rsplit('/', 1)[1]}" for method, path, _ in self.requests]

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET")]

    def send(self, request: Request) -> Response:
        path = re.sub("^https://graph.microsoft.com/(v1.0|beta)", "", request.url)
        body = json.loads(request.body) if request.body else None
        self.requests.append((request.method, path, body))
        for intervention in list(self.interventions):
            reply = intervention(request.method, path, body)
            if isinstance(reply, TransportError):
                raise reply
            if reply is not None:
                return reply
        if path.startswith("/applications?") or "/appRoleAssignedTo" in path:
            return answer(200, {"value": []})
        if path.startswith("/policies/"):
            return self._policies(request.method, path.split("/partners")[1].strip("/"), body)
        return self._synchronization(request.method, path.split("/synchronization/")[1], body)

    def make_partner(self, partner: str, **values: Any) -> dict[str, Any]:
        empty = {"tenantId": partner, "automaticUserConsentSettings": {"inboundAllowed": None, "outboundAllowed": None}}
        self.partners[partner] = {**empty, "inboundTrust": None, "isServiceProvider": None, **values}
        return self.partners[partner]

    def _policies(self, method: str, rest: str, body: Any) -> Response:
        if method == "POST":
            if body["tenantId"] in self.partners:
                return refusal(409, "Request_MultipleObjectsWithSameKeyValue")
            self.make_partner(body["tenantId"])
            self._merge(self.partners[body["tenantId"]], body)
            return answer(201, self.partners[body["tenantId"]])
        key, _, child = rest.partition("/")
        if key not in self.partners:
            return refusal(404, "Request_ResourceNotFound")
        if child == "m365Capabilities":
            return answer(200, {"value": []})
        if child:
            return self._identity_sync(method, key, body)
        if method == "GET":
            return answer(200, self.partners[key])
        if method == "PATCH":
            self._merge(self.partners[key], body)
            return answer(204)
        if key in self.syncs:
            return refusal(400, "Request_BadRequest", "has an identity sync policy")
        del self.partners[key]
        return answer(204)

    def _identity_sync(self, method: str, key: str, body: Any) -> Response:
        if method == "PUT":
            if key in self.syncs:
                return refusal(409, "Request_MultipleObjectsWithSameKeyValue")
            self.syncs[key] = {"tenantId": key, **body}
            return answer(204)
        if key not in self.syncs:
            return refusal(404, "Request_ResourceNotFound")
        if method == "GET":
            return answer(200, self.syncs[key])
        if method == "PATCH":
            self.syncs[key].update(body)
        else:
            del self.syncs[key]
        return answer(204)

    def _merge(self, partner: dict[str, Any], body: dict[str, Any]) -> None:
        for name, value in body.items():
            keep = self.merges and isinstance(value, dict)
            partner[name] = {**(partner.get(name) or {}), **value} if keep else value

    def _synchronization(self, method: str, rest: str, body: Any) -> Response:
        if rest == "jobs/validateCredentials":
            return answer(204)
        if rest == "secrets":
            if method == "GET":
                return answer(200, {"value": [{"key": k, "value": v} for k, v in self.secrets.items()]})
            self.secrets = {item["key"]: item["value"] for item in body["value"]}
            return answer(204)
        if rest == "jobs":
            if method == "GET":
                return answer(200, {"value": list(self.jobs.values())})
            return answer(201, self.make_job(f"job{len(self.jobs)}"))
        job, _, act = rest.removeprefix("jobs/").partition("/")
        if job not in self.jobs:
            return refusal(404, "UnknownError")
        if act:
            self.jobs[job]["schedule"]["state"] = {"start": "Active", "pause": "Paused"}[act]
            return answer(204)
        if method == "GET":
            return answer(200, self.jobs[job])
        del self.jobs[job]
        return answer(204)

    def make_job(self, job: str, state: str = "Disabled") -> dict[str, Any]:
        self.jobs[job] = {
            "id": job,
            "templateId": "Azure2Azure",
            "schedule": {"state": state},
            "status": {"code": "NotRun"},
        }
        return self.jobs[job]


def tokens_for(tenant: TenantName = SOURCE) -> TokenSource:
    return TokenSource(tenant, "https://graph.microsoft.com/.default", lambda: CountingCredential(tenant.id))


def client_for(transport: Transport, tenant: TenantName = SOURCE) -> tuple[GraphClient, SettableClock]:
    clock = SettableClock()
    return GraphClient(tenant, CLOUDS["public"].endpoints, tokens_for(tenant), transport, clock), clock


def operation_for(
    transport: Transport, tenant: TenantName = SOURCE, seconds: float = 900
) -> tuple[Operation, SettableClock]:
    client, clock = client_for(transport, tenant)
    return client.operation(seconds), clock
