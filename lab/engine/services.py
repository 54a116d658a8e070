"""The gRPC services a program and its providers talk to: resource monitor and engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, resource_pb2, resource_pb2_grpc

from lab.engine.deployment import Deployment, Stopped
from lab.engine.plugins import CHANNEL, PluginError
from lab.engine.registration import Registrar
from lab.engine.values import Unknown, from_struct, has, plain, to_struct

FEATURES = tuple(
    resource_pb2.ResourceMonitorFeature.Value(f"RESOURCE_MONITOR_FEATURE_{name}")
    for name in ("SECRETS", "REPLACE_WITH", "RESOURCE_HOOKS", "ERROR_HOOKS")
)
SEVERITIES = ("debug", "info", "warning", "error")
THREADS = 1200


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """What the program registers."""

    def __init__(self, registrar: Registrar, ended: threading.Event) -> None:
        self._registrar, self._deployment, self._ended = registrar, registrar.deployment, ended

    def GetDeploymentInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Say which features there are."""
        return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make a resource; the answer comes when it is made."""
        try:
            resource = self._registrar.register(request)
        except Stopped:
            # The program is needed for as long as hooks of other steps run; then it is interrupted.
            self._ended.wait()
            context.abort(grpc.StatusCode.UNAVAILABLE, "the deployment has stopped")
        return resource_pb2.RegisterResourceResponse(
            urn=resource.urn,
            id=resource.id if resource.custom else "",
            object=to_struct(resource.outputs, secrets=True),
        )

    def RegisterResourceOutputs(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Take a component's outputs; the stack's are final only when the run has ended well."""
        if request.urn == self._registrar.root:
            self._registrar.stack_outputs = from_struct(request.outputs)
        else:
            resource = self._deployment.live[request.urn]
            resource.outputs = from_struct(request.outputs)
            self._deployment.put(resource)
        return empty_pb2.Empty()

    def RegisterResourceHook(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Remember a function of the program to call around a step."""
        self._registrar.hooks.register(request)
        return empty_pb2.Empty()

    def RegisterErrorHook(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Remember a function of the program to ask after a failure."""
        return self.RegisterResourceHook(request, context)

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run a data source at the provider the program names."""
        arguments = from_struct(request.args)
        if has(arguments, Unknown):
            return provider_pb2.InvokeResponse()
        if request.tok == "pulumi:pulumi:readStackResourceOutputs":
            outputs = {one.urn: {"type": one.type, "outputs": one.outputs} for one in self._deployment.live.values()}
            answer: dict[str, Any] = {"return": to_struct({"outputs": outputs}, secrets=True)}
            return provider_pb2.InvokeResponse(**answer)
        try:
            if not request.provider:
                raise PluginError(f"the data source {request.tok} must use an explicit provider")  # noqa: TRY301
            plugin = self._deployment.plugin(request.provider.rsplit("::", 1)[0])
            return plugin.call("Invoke", tok=request.tok, args=plain(arguments))
        except PluginError as error:
            context.abort(grpc.StatusCode.UNKNOWN, f"invocation of {request.tok} returned an error: {error}")

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Refuse to read an object that is not managed."""
        message = f"the lab's engine does not support reading {request.type} by id (opts.id)"
        self._deployment.fail(message, "")
        context.abort(grpc.StatusCode.UNIMPLEMENTED, message)


class EngineService(engine_pb2_grpc.EngineServicer):
    """Messages of the program and its providers."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def SetRootResource(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """A program runs, and says which its stack is."""
        self._deployment.root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def GetRootResource(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """The program's stack; "" where none runs."""
        return engine_pb2.GetRootResourceResponse(urn=self._deployment.root)

    def Log(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Show a message."""
        severity = SEVERITIES[request.severity]
        if severity != "debug":
            self._deployment.say(severity, request.message, request.urn, ephemeral=request.ephemeral)
        if severity == "error" and not request.urn:
            self._deployment.failed = True
        return empty_pb2.Empty()


@contextmanager
def serving(deployment: Deployment, registrar: Registrar | None, ended: threading.Event) -> Iterator[str]:
    """Serve both on a port of this machine; gives the address. `ended` says that there is no program any more."""
    server = grpc.server(ThreadPoolExecutor(THREADS), options=CHANNEL)
    if registrar is not None:
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(Monitor(registrar, ended), server)
    engine_pb2_grpc.add_EngineServicer_to_server(EngineService(deployment), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    deployment.engine_address = f"127.0.0.1:{port}"
    try:
        yield deployment.engine_address
    finally:
        server.stop(0).wait()
