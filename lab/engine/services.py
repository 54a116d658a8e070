"""The gRPC services a program and its providers talk to: resource monitor and engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2
from packaging.specifiers import SpecifierSet
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    resource_pb2,
    resource_pb2_grpc,
)

from lab.engine.deployment import Deployment, Stopped
from lab.engine.plugins import CHANNEL, PluginError
from lab.engine.registration import Registrar
from lab.engine.values import Unknown, from_struct, has, plain, to_struct

# Compatible with this version of the real engine, as far as it is supported at all.
VERSION = "3.260.0"
FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
)
SEVERITIES = ("debug", "info", "warning", "error")
THREADS = 1200


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """What the program registers."""

    def __init__(self, registrar: Registrar, finished: Callable[[float], bool]) -> None:
        self._registrar, self._deployment = registrar, registrar.deployment
        self._finished = finished

    def GetDeploymentInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Say which features there are."""
        return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make a resource; the answer comes when it is made."""
        try:
            resource = self._registrar.register(request)
        except Stopped:
            # As in the real engine the program is interrupted; its call is answered when it is gone.
            self._finished(10)
            context.abort(grpc.StatusCode.UNAVAILABLE, "the deployment has stopped")
        return resource_pb2.RegisterResourceResponse(
            urn=resource.urn,
            id=resource.id if resource.custom else "",
            object=to_struct(resource.outputs, secrets=True),
        )

    def RegisterResourceOutputs(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Take a component's or the stack's outputs."""
        resource = self._deployment.live[request.urn]
        resource.outputs = from_struct(request.outputs)
        self._deployment.put(resource)
        return empty_pb2.Empty()

    def RegisterResourceHook(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Remember a function of the program to call around a step."""
        self._registrar.hooks.register(request)
        return empty_pb2.Empty()

    def RegisterErrorHook(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Remember a function of the program to ask after a failure."""
        self._registrar.hooks.register(request)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run a data source at the provider the program names."""
        arguments = from_struct(request.args)
        if has(arguments, Unknown):
            return provider_pb2.InvokeResponse()
        try:
            if not request.provider:
                raise PluginError(f"the data source {request.tok} must use an explicit provider")  # noqa: TRY301
            plugin = self._deployment.plugin(request.provider.rsplit("::", 1)[0])
            answer = plugin.call("Invoke", tok=request.tok, args=plain(arguments))
        except PluginError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"invocation of {request.tok} returned an error: {error}")
        return answer

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refuse to read an object that is not managed."""
        self._refuse(context, f"reading {request.type} by id (opts.id)")

    def Call(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refuse method calls."""
        self._refuse(context, f"the method call {request.tok}")

    def _refuse(self, context: Any, what: str) -> None:
        message = f"the lab's engine does not support {what}"
        self._deployment.fail(message, "")
        context.abort(grpc.StatusCode.UNIMPLEMENTED, message)

    def SignalAndWaitForShutdown(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The program has declared everything."""
        return empty_pb2.Empty()


class EngineService(engine_pb2_grpc.EngineServicer):
    """Messages, and what the SDK wants to know."""

    def __init__(self, deployment: Deployment, registrar: Registrar | None) -> None:
        self._deployment, self._registrar = deployment, registrar

    def Log(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Show a message."""
        severity = SEVERITIES[request.severity]
        if severity != "debug":
            self._deployment.say(severity, request.message, request.urn, ephemeral=request.ephemeral)
        if severity == "error" and not request.urn:
            self._deployment.failed = True
        return empty_pb2.Empty()

    def SetRootResource(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Remember the stack's resource."""
        if self._registrar:
            self._registrar.root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def GetRootResource(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Give the stack's resource."""
        return engine_pb2.GetRootResourceResponse(urn=self._registrar.root if self._registrar else "")

    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Compare the wanted versions with the one this engine stands for."""
        wanted = ",".join(request.pulumi_version_range.split())
        if VERSION not in SpecifierSet(wanted):
            context.abort(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"Pulumi CLI version {VERSION} does not satisfy the version range {request.pulumi_version_range!r}",
            )
        return engine_pb2.RequirePulumiVersionResponse()


@contextmanager
def serving(deployment: Deployment, registrar: Registrar | None, finished: Callable[[float], bool]) -> Iterator[str]:
    """Serve both on a port of this machine; gives the address."""
    server = grpc.server(ThreadPoolExecutor(THREADS), options=CHANNEL)
    if registrar is not None:
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(Monitor(registrar, finished), server)
    engine_pb2_grpc.add_EngineServicer_to_server(EngineService(deployment, registrar), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    deployment.engine_address = f"127.0.0.1:{port}"
    try:
        yield deployment.engine_address
    finally:
        server.stop(0).wait(5)
