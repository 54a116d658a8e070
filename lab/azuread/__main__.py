"""The plugin process: `python -m lab.azuread ENGINE_ADDRESS`; its first line of output is its port."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import requests
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lab.azuread.directory import Directory, Refused
from lab.azuread.lookups import get_group, get_users
from lab.azuread.resources import ApplicationFromTemplate, AppRoleAssignment

RESOURCES: Mapping[str, Any] = {
    "azuread:index/applicationFromTemplate:ApplicationFromTemplate": ApplicationFromTemplate,
    "azuread:index/appRoleAssignment:AppRoleAssignment": AppRoleAssignment,
}
LOOKUPS = {"azuread:index/getUsers:getUsers": get_users, "azuread:index/getGroup:getGroup": get_group}
DEFAULT_TIMEOUT = 600.0
SIGNATURE = "4dabf18193072939515e22adb298388d"


def plain(value: Any) -> Any:
    """Without secret marks and with whole numbers."""
    if isinstance(value, dict):
        return plain(value.get("value")) if SIGNATURE in value else {k: plain(v) for k, v in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def read(struct: struct_pb2.Struct) -> dict[str, Any]:
    """A wire struct's properties, in plain."""
    found = plain(json_format.MessageToDict(struct))
    assert isinstance(found, dict)
    return found


def write(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """A wire struct."""
    struct = struct_pb2.Struct()
    json_format.ParseDict(dict(properties), struct)
    return struct


class AzureAd(provider_pb2_grpc.ResourceProviderServicer):
    """The provider's side of Pulumi's protocol."""

    def __init__(self) -> None:
        self._properties: dict[str, Any] = {}
        self._directory: Directory | None = None
        self._lock = threading.Lock()

    @property
    def directory(self) -> Directory:
        """Signed in with the first call."""
        with self._lock:
            if self._directory is None:
                self._directory = Directory(self._properties)
            return self._directory

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - gRPC's names
        """Which version this stands for."""
        return plugin_pb2.PluginInfo(version="6.11.1")

    def CheckConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Accept the provider's properties."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Never replace the provider."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_UNKNOWN)

    def Configure(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Take the provider's properties."""
        self._properties = read(request.args)
        return provider_pb2.ConfigureResponse(acceptSecrets=True)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Complete the inputs as a bridged provider does."""
        kind_of(request.urn, context)
        inputs = json_format.MessageToDict(request.news)
        return provider_pb2.CheckResponse(inputs=write({**inputs, "__defaults": []}))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Compare inputs with the state, key by key."""
        kind = kind_of(request.urn, context)
        olds, news = read(request.olds), read(request.news)
        changed = [key for key in kind.inputs if olds.get(key) != news.get(key)]
        kinds = provider_pb2.PropertyDiff
        detail = {
            key: provider_pb2.PropertyDiff(
                kind=kinds.UPDATE_REPLACE if key in kind.replaces else kinds.UPDATE, inputDiff=False
            )
            for key in changed
        }
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some if changed else none,
            diffs=changed,
            replaces=[key for key in changed if key in kind.replaces],
            detailedDiff=detail,
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make an object."""
        kind = kind_of(request.urn, context)
        inputs = {key: value for key, value in read(request.properties).items() if key in kind.inputs}
        with spoken(context, "creating"):
            id_, outputs = kind.create(self.directory, inputs, request.timeout or DEFAULT_TIMEOUT)
        return provider_pb2.CreateResponse(id=id_, properties=write(outputs))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Look at an object."""
        kind = kind_of(request.urn, context)
        before = read(request.properties)
        with spoken(context, "reading"):
            if kind is AppRoleAssignment:
                outputs = kind.read_by_id(self.directory, request.id, before)
            else:
                outputs = kind.read(self.directory, before)
        if outputs is None:
            return provider_pb2.ReadResponse()
        inputs = {key: outputs[key] for key in kind.inputs}
        return provider_pb2.ReadResponse(
            id=request.id, properties=write(outputs), inputs=write({**inputs, "__defaults": []})
        )

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Change an object."""
        kind = kind_of(request.urn, context)
        news = {key: value for key, value in read(request.news).items() if key in kind.inputs}
        with spoken(context, "updating"):
            outputs = kind.update(self.directory, read(request.olds), news)
        return provider_pb2.UpdateResponse(properties=write(outputs))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Delete an object."""
        kind = kind_of(request.urn, context)
        with spoken(context, "deleting"):
            if kind is AppRoleAssignment:
                kind.delete_by_id(self.directory, request.id)
            else:
                kind.delete(self.directory, read(request.properties))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run a lookup."""
        if request.tok not in LOOKUPS:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the azuread stand-in does not know {request.tok}")
        with spoken(context, f"invoking {request.tok}"):
            found = LOOKUPS[request.tok](self.directory, read(request.args))
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").CopyFrom(write(found))  # the field has the name of a keyword
        return answer

    def Cancel(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Nothing to cancel."""
        return empty_pb2.Empty()


def kind_of(urn: str, context: Any) -> Any:
    """The resource type of a URN, or a refusal by name."""
    token = urn.split("::")[2].rsplit("$", 1)[-1]
    if token not in RESOURCES:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the azuread stand-in does not know {token}")
    return RESOURCES[token]


class spoken:  # noqa: N801 - reads as a statement
    """Turn a refusal or a network error into the call's error text."""

    def __init__(self, context: Any, doing: str) -> None:
        self._context, self._doing = context, doing

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Refused | requests.RequestException):
            self._context.abort(grpc.StatusCode.UNKNOWN, f"{self._doing}: {error}")


def main() -> None:
    """Serve until told to end."""
    server = grpc.server(ThreadPoolExecutor(16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(AzureAd(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    print(port, flush=True)
    ended.wait()
    server.stop(0)


main()
