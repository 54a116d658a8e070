"""The plugin as the engine sees it: a resource provider over gRPC."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

import grpc
from google.protobuf import empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lab.azuread.app_role_assignment import AppRoleAssignment
from lab.azuread.application_from_template import ApplicationFromTemplate
from lab.azuread.configuration import read_configuration, unknown_properties
from lab.azuread.data_sources import LOOKUPS
from lab.azuread.exceptions import InitFailed, NilState, NotConfigured, ProviderError, one_error
from lab.azuread.graph import Graph
from lab.azuread.http import Http
from lab.azuread.resource import ResourceType, complaints, differences, inputs_of
from lab.azuread.sign_in import find_endpoints, sign_in
from lab.azuread.values import DEFAULTS, UNKNOWN, Properties, from_struct, to_struct

VERSION = "6.11.1"
RESOURCES: Mapping[str, ResourceType] = {
    "azuread:index/applicationFromTemplate:ApplicationFromTemplate": ApplicationFromTemplate(),
    "azuread:index/appRoleAssignment:AppRoleAssignment": AppRoleAssignment(),
}
_WORKERS = 16
_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_CHANGES = provider_pb2.DiffResponse
Log = Callable[[str, str], None]
Method = TypeVar("Method", bound=Callable[..., Any])


def _refusing(method: Method) -> Method:
    """Turn our errors into refusals of the call."""

    @wraps(method)
    def call(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except InitFailed as failed:
            context.set_trailing_metadata((("grpc-status-details-bin", _details(failed)),))
            context.abort(grpc.StatusCode.UNKNOWN, str(failed))
        except NilState as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except NotConfigured as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, error.doing + one_error(str(error)))

    return call  # type: ignore[return-value]  # same signature, which Callable cannot say


def _logging(doing: str) -> Callable[[Method], Method]:
    """Have the engine show our errors, too: the bridge logs them beside refusing the call, whoever then retries it."""

    def logged(method: Method) -> Method:
        @wraps(method)
        def call(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
            try:
                return method(self, request, context)
            except (InitFailed, NilState, NotConfigured):
                raise
            except ProviderError as error:
                self.log_error(request.urn, str(error))
                error.doing = doing and f"{doing} {request.urn}: "
                raise

        return call  # type: ignore[return-value]

    return logged


def _details(failed: InitFailed) -> bytes:
    detail = provider_pb2.ErrorResourceInitFailed(
        id=failed.object_id,
        properties=to_struct(failed.properties),
        inputs=to_struct({**failed.properties, DEFAULTS: []}),
        reasons=[str(failed)],
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failed))
    status.details.add().Pack(detail)
    return bytes(status.SerializeToString())


def _resource(urn: str) -> tuple[ResourceType, str]:
    """The type and the name in a URN."""
    *_, token, name = urn.split("::", 3)
    token = token.rpartition("$")[2]
    if token not in RESOURCES:
        raise ProviderError(f"the lab's azuread has no resource {token}, only {', '.join(RESOURCES)}")
    return RESOURCES[token], name


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One configured provider; what it does not implement the base class refuses as unimplemented."""

    def __init__(self, stopping: threading.Event, log: Log) -> None:
        self._stopping, self._log = stopping, log
        self._graph: Graph | None = None

    def log_error(self, urn: str, text: str) -> None:
        """Show an error under a resource, as the bridge does."""
        self._log(urn, f"  sdk-v2/provider2.go:572: sdk.helper_schema: {text}: provider=azuread@{VERSION}")

    # --- the provider itself -------------------------------------------------------------------------------

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:  # noqa: ARG002, D102, N802
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: ARG002, D102, N802
        reason = "could not validate provider configuration: Invalid or unknown key"
        failures = [
            provider_pb2.CheckFailure(property=name, reason=reason)
            for name in unknown_properties(from_struct(request.news))
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: ARG002, D102, N802
        olds, news = from_struct(request.olds), from_struct(request.news)
        changed = sorted(name for name in {*olds, *news} if olds.get(name) != news.get(name))
        changes = _CHANGES.DIFF_SOME if changed else _CHANGES.DIFF_NONE
        return provider_pb2.DiffResponse(changes=changes, diffs=changed)

    @_refusing
    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: ARG002, D102, N802
        properties = from_struct(request.args)
        if UNKNOWN not in properties.values():
            self._graph = self._signed_in(properties)
        return provider_pb2.ConfigureResponse(supportsPreview=True)  # as bridged providers do

    def _signed_in(self, properties: Mapping[str, Any]) -> Graph:
        configuration = read_configuration(properties, os.environ)
        http = Http(self._stopping)
        endpoints = find_endpoints(configuration, http)
        tokens = sign_in(configuration, endpoints, http)
        tokens.current()  # the real one looks at the claims now, so wrong credentials show here
        return Graph(http, endpoints, tokens, configuration.tenant_id, configuration.client_id)

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, D102, N802
        self._stopping.set()
        return empty_pb2.Empty()

    # --- lookups -------------------------------------------------------------------------------------------

    @_refusing
    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:  # noqa: ARG002, D102, N802
        if request.tok not in LOOKUPS:
            raise ProviderError(f"the lab's azuread has no function {request.tok}, only {', '.join(LOOKUPS)}")
        graph = self._configured()
        try:
            found = LOOKUPS[request.tok](graph, from_struct(request.args))
        except ProviderError as error:
            error.doing = f"invoking {request.tok}: "
            raise
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").CopyFrom(to_struct(found))  # the field has the name of a keyword
        return answer

    def _configured(self) -> Graph:
        if self._graph is None:
            raise NotConfigured("the provider is not configured: its credentials are missing or not yet known")
        return self._graph

    # --- resources -----------------------------------------------------------------------------------------

    @_refusing
    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: ARG002, D102, N802
        kind, name = _resource(request.urn)
        news = from_struct(request.news)
        failures = [provider_pb2.CheckFailure(reason=reason) for reason in complaints(kind, name, news)]
        inputs = to_struct({})
        inputs.CopyFrom(request.news)
        inputs.update({DEFAULTS: []})
        return provider_pb2.CheckResponse(inputs=inputs, failures=failures)

    @_refusing
    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: ARG002, D102, N802
        kind, _ = _resource(request.urn)
        found = differences(kind, from_struct(request.olds), from_struct(request.news), request.ignoreChanges)
        replaced = {wanted.name for wanted in kind.inputs if wanted.replaces}
        return provider_pb2.DiffResponse(
            changes=_CHANGES.DIFF_SOME if found else _CHANGES.DIFF_NONE,
            replaces=[name for name in found if name in replaced],
            diffs=list(found),
            detailedDiff=found,
            hasDetailedDiff=True,
        )

    @_refusing
    @_logging("")
    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:  # noqa: ARG002, D102, N802
        kind, _ = _resource(request.urn)
        inputs = _without_defaults(request.properties)
        if request.preview:
            planned = {**inputs, "id": UNKNOWN, **dict.fromkeys(kind.computed, UNKNOWN)}
            return provider_pb2.CreateResponse(properties=to_struct(planned))
        graph = self._configured()
        deadline = graph.http.deadline(request.timeout or kind.create_seconds)
        object_id = kind.make(graph, inputs, deadline)
        try:
            kind.settle(graph, object_id, deadline)
            made = kind.read(graph, object_id)
        except ProviderError as error:
            self.log_error(request.urn, str(error))
            raise InitFailed(object_id, inputs, f"creating {request.urn}: {one_error(str(error))}") from error
        if made is None:
            raise NilState(f"expected non-nil error with nil state during Create of {request.urn}")
        return provider_pb2.CreateResponse(id=object_id, properties=to_struct(_outputs(object_id, made)))

    @_refusing
    @_logging("refreshing")
    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:  # noqa: ARG002, D102, N802
        kind, _ = _resource(request.urn)
        found = kind.read(self._configured(), request.id)
        if found is None:
            return provider_pb2.ReadResponse()
        properties = to_struct(_outputs(request.id, found))
        return provider_pb2.ReadResponse(id=request.id, properties=properties, inputs=to_struct(inputs_of(kind, found)))

    @_refusing
    @_logging("")
    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:  # noqa: ARG002, D102, N802
        kind, _ = _resource(request.urn)
        news = _without_defaults(request.news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=to_struct({**from_struct(request.olds), **news}))
        graph = self._configured()
        kind.update(graph, request.id, news, graph.http.deadline(request.timeout))
        found = kind.read(graph, request.id)
        if found is None:
            raise ProviderError(f"{request.id} is gone")
        return provider_pb2.UpdateResponse(properties=to_struct(_outputs(request.id, found)))

    @_refusing
    @_logging("deleting")
    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, D102, N802
        kind, _ = _resource(request.urn)
        graph = self._configured()
        kind.delete(graph, request.id, graph.http.deadline(request.timeout))
        return empty_pb2.Empty()


def _without_defaults(struct: Any) -> Properties:
    return {name: value for name, value in from_struct(struct).items() if name != DEFAULTS}


def _outputs(object_id: str, properties: Mapping[str, Any]) -> Properties:
    return {"id": object_id, **properties}


@contextmanager
def serve(stopping: threading.Event, log: Log) -> Iterator[int]:
    """Serve on a free port of this machine; gives the port. `log` takes errors and the URN they are about."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=_WORKERS), options=_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(stopping, log), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        stopping.set()  # ends the pauses of calls that are under way
        server.stop(grace=1).wait()
