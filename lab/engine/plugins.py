"""Provider processes: real `python -m pulumi.dynamic`, and stand-in plugins that speak the same protocol."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from lab.engine.processes import Children
from lab.engine.values import from_struct, plain, to_struct, without_nulls

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = {"pulumi-python": "pulumi.dynamic", "azuread": "lab.azuread"}
# What Pulumi's grpc takes of the details of an error: 16 MB, in which these bytes are base64.
LARGEST_DETAILS = 12 * 2**20
CHANNEL = [(f"grpc.max_{way}_message_length", -1) for way in ("receive", "send")]
CHANNEL += [(f"grpc.{most}_metadata_size", LARGEST_DETAILS) for most in ("max", "absolute_max")]


class PluginError(Exception):
    """A provider refused a call; the text is its message."""


class InitFailed(PluginError):  # noqa: N818 - Pulumi's word
    """The object exists, but is not as asked for."""

    def __init__(self, detail: provider_pb2.ErrorResourceInitFailed) -> None:
        self.reasons = list(detail.reasons)
        self.id = detail.id
        self.properties = from_struct(detail.properties)
        self.inputs = from_struct(detail.inputs) if detail.HasField("inputs") else None
        count = f"{len(self.reasons)} error{'' if len(self.reasons) == 1 else 's'} occurred:"
        super().__init__("\n".join([count, *(f"\t* {reason}" for reason in self.reasons)]))


class Plugin:
    """One provider process."""

    def __init__(
        self,
        children: Children,
        package: str,
        python: str,
        folder: Path,
        engine_address: str,
        environment: Mapping[str, str],
        output: Callable[[str], None],
    ) -> None:
        if package not in MODULES:
            raise PluginError(f"the lab has no plugin for the package {package!r}, only {', '.join(MODULES)}")
        paths = [str(REPOSITORY)] if package != "pulumi-python" else []
        paths += [environment["PYTHONPATH"]] if environment.get("PYTHONPATH") else []
        command = [python, "-u", "-m", MODULES[package], engine_address]
        environment = {"GRPC_VERBOSITY": "NONE", **environment, "PYTHONPATH": os.pathsep.join(paths)}
        self._process = children.start(command, folder, environment, stderr=subprocess.PIPE)
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        for stream in (self._process.stdout, self._process.stderr):
            threading.Thread(target=forward, args=(stream, output), daemon=True).start()
        if not port.isdigit():
            raise PluginError(f"the plugin for {package!r} did not start; its output is shown above")
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL)
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._accepts_secrets = False
        self.previews_updates = False

    def configure(self, urn: str, inputs: Mapping[str, Any]) -> None:
        """Hand over the provider's properties, in plain; a plugin may refuse them.

        Raises:
            PluginError: it does.
        """
        given = plain(inputs)
        try:
            failures = self._stub.CheckConfig(provider_pb2.CheckRequest(urn=urn, news=self._struct(given))).failures
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                raise explained(error) from None
            failures = []
        if failures:
            raise PluginError("; ".join(f"{failure.property}: {failure.reason}" for failure in failures))
        answer = self.call("Configure", args=given, acceptSecrets=True)
        self._accepts_secrets, self.previews_updates = answer.acceptSecrets, answer.supportsPreview

    def call(self, method: str, **fields: Any) -> Any:
        """Call a method; mappings become structs.

        Raises:
            PluginError: it refused.
            InitFailed: it made an object that is not as asked for.
        """
        given = {key: self._struct(value) if isinstance(value, Mapping) else value for key, value in fields.items()}
        try:
            return getattr(self._stub, method)(getattr(provider_pb2, f"{method}Request")(**given))
        except grpc.RpcError as error:
            raise explained(error) from None

    def _struct(self, properties: Mapping[str, Any]) -> Any:
        return to_struct(without_nulls(dict(properties)), secrets=self._accepts_secrets)

    def stop(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if hasattr(self, "_channel"):
            self._channel.close()


def forward(stream: Any, output: Callable[[str], None]) -> None:
    """Pass on what a process writes, line by line."""
    for line in stream:
        output(line.rstrip("\n"))


def explained(error: grpc.RpcError) -> PluginError:
    """A refusal with its details; what the SDK adds around the message is taken off.

    As Go's gRPC does, the status among the metadata comes before the message of the call.
    """
    metadata: Any = error.trailing_metadata()
    for key, value in metadata or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            for detail in status.details:
                failed = provider_pb2.ErrorResourceInitFailed()
                if detail.Unpack(failed):
                    return InitFailed(failed)
            return PluginError(status.message.strip())
    text = str(error.details() or error.code()).strip()
    return PluginError(text.removeprefix("Exception calling application: "))
