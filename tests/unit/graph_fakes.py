"""Seams for tests: a clock that sleeping moves, tokens, and scripted answers behind the transport."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.credentials import AccessToken

from lab.world import SOURCE_TENANT, TARGET_TENANT
from xtsync_resources.graph.client import GraphClient
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.graph.credentials import TokenSource
from xtsync_resources.graph.errors import TenantName
from xtsync_resources.graph.operation import Operation
from xtsync_resources.graph.transport import Request, Response, Transport, TransportError

SOURCE_ID, TARGET_ID = SOURCE_TENANT, TARGET_TENANT
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
