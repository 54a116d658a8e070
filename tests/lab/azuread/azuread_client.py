"""An engine's side of the plugin, against an emulated tenant."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from lab.azuread.server import serve as serve_plugin
from lab.azuread.values import from_struct, to_struct
from lab.entra import Entra, Server, Tenant, serve
from lab.world import SOURCE_CLIENT, SOURCE_SECRET, SOURCE_TENANT, dev_world

TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
OTHER_TEMPLATE = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
NOWHERE = "00000000-1111-2222-3333-444444444444"
APPLICATION = "azuread:index/applicationFromTemplate:ApplicationFromTemplate"
ASSIGNMENT = "azuread:index/appRoleAssignment:AppRoleAssignment"
APPLICATION_INPUTS = {"displayName": "Fabrikam", "templateId": TEMPLATE}


@dataclass
class Plugin:
    """A plugin that is served, and the world it is pointed at."""

    stub: provider_pb2_grpc.ResourceProviderStub
    entra: Entra
    server: Server
    logged: list[tuple[str, str]]
    stopping: threading.Event

    @property
    def tenant(self) -> Tenant:
        return self.entra.tenants[SOURCE_TENANT]

    def properties(self, **more: Any) -> dict[str, Any]:
        found = {
            "tenantId": SOURCE_TENANT,
            "clientId": SOURCE_CLIENT,
            "clientSecret": SOURCE_SECRET,
            "metadataHost": self.server.host,
            "environment": "public",
            "useCli": "false",
            **more,
        }
        return {name: value for name, value in found.items() if value is not None}

    def configure(self, properties: Mapping[str, Any]) -> Any:
        request = provider_pb2.ConfigureRequest(args=to_struct(properties), acceptSecrets=True)
        return self.stub.Configure(request)

    def call(self, method: str, token: str, name: str = "it", **fields: Any) -> Any:
        urn = f"urn:pulumi:dev::test::pkg:index:Pair${token}::{name}"
        values = {key: to_struct(value) if isinstance(value, dict) else value for key, value in fields.items()}
        return getattr(self.stub, method)(getattr(provider_pb2, f"{method}Request")(urn=urn, **values))

    def create(self, token: str, inputs: Mapping[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
        answer = self.call("Create", token, properties={**inputs, "__defaults": []}, **more)
        return answer.id, from_struct(answer.properties)

    def invoke(self, name: str, **arguments: Any) -> dict[str, Any]:
        token = name if ":" in name else f"azuread:index/{name}:{name}"
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=to_struct(arguments)))
        return from_struct(getattr(answer, "return"))

    def calls(self, method: str = "") -> list[tuple[str, str]]:
        """Method and path of what was asked of Graph."""
        return [(one.method, one.path) for one in self.entra.traffic if one.version and method in ("", one.method)]


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch, *, configured: bool = True) -> Iterator[Plugin]:
    entra, logged, stopping = dev_world(), list[tuple[str, str]](), threading.Event()
    with serve(entra) as server, serve_plugin(stopping, lambda urn, text: logged.append((urn, text))) as port:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")  # Go does not know this variable
        monkeypatch.setenv("LAB_AZUREAD_SECOND", "0.0002")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            plugin = Plugin(provider_pb2_grpc.ResourceProviderStub(channel), entra, server, logged, stopping)
            if configured:
                plugin.configure(plugin.properties())
            yield plugin


@contextmanager
def refused() -> Iterator[list[str]]:
    """The text of the refusal of what is done inside, in a list."""
    texts: list[str] = []
    with pytest.raises(grpc.RpcError) as caught:
        yield texts
    said = caught.value.details()
    assert said is not None
    texts.append(said)


def init_failure(error: grpc.RpcError) -> provider_pb2.ErrorResourceInitFailed:
    """What a failed creation left behind."""
    metadata = {one.key: one.value for one in error.trailing_metadata()}
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(failed)
    return failed
