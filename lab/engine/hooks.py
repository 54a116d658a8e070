"""Hooks: functions of the program that the engine calls around a step. Only those the program uses are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import grpc
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, resource_pb2

from lab.engine.plugins import CHANNEL, InitFailed, PluginError
from lab.engine.state import Resource
from lab.engine.values import to_struct

KNOWN = ("before_create", "after_create", "on_error")
MOST_RETRIES = 100


class Hooks:
    """What the program registered, by name, and how to call it.

    Args:
        warn: says something under a URN.
    """

    def __init__(self, warn: Callable[[str, str], None]) -> None:
        self._callbacks: dict[str, Any] = {}
        self._in_preview: set[str] = set()
        self._warn = warn

    def register(self, request: Any) -> None:
        """Remember a hook."""
        self._callbacks[request.name] = request.callback
        self._in_preview |= {request.name} if getattr(request, "on_dry_run", False) else set()

    def creating(self, resource: Resource, names: Sequence[str], create: Callable[[], Any]) -> Any:
        """Create, again for as long as an error hook says so.

        Raises:
            PluginError: it failed for good, or a hook did.
        """
        errors: list[str] = []
        while True:
            try:
                return create()
            except InitFailed:
                raise
            except PluginError as error:
                errors.insert(0, str(error))
                if len(errors) == MOST_RETRIES or not self._retry(resource, names, errors):
                    raise
                counted = f"({len(errors)}/{MOST_RETRIES})"
                self._warn(f"retrying create due to on-error hook request {counted}", resource.urn)

    def _retry(self, resource: Resource, names: Sequence[str], errors: Sequence[str]) -> bool:
        request = resource_pb2.ErrorHookRequest(
            urn=resource.urn,
            name=resource.name,
            type=resource.type,
            new_inputs=to_struct(resource.inputs, secrets=True),
            failed_operation="create",
            errors=errors,
        )
        answers = [resource_pb2.ErrorHookResponse.FromString(self._call(name, request)) for name in names]
        return any(answer.retry for answer in answers)

    def before(self, resource: Resource, names: Sequence[str], *, preview: bool) -> None:
        """Call the hooks for what is to be created; in a preview those that are for it, too.

        Raises:
            PluginError: one of them refuses.
        """
        new_inputs = to_struct(resource.inputs, secrets=True)
        request = resource_pb2.ResourceHookRequest(
            urn=resource.urn, name=resource.name, type=resource.type, new_inputs=new_inputs
        )
        for name in names:
            if preview and name not in self._in_preview:
                continue
            answer = resource_pb2.ResourceHookResponse.FromString(self._call(name, request))
            if answer.error:
                raise PluginError(f'before hook "{name}" failed: {answer.error}')

    def after(self, resource: Resource, names: Sequence[str]) -> None:
        """Call the hooks for what was created; one that fails is a warning, as it is there all the same."""
        request = resource_pb2.ResourceHookRequest(
            urn=resource.urn,
            id=resource.id,
            name=resource.name,
            type=resource.type,
            new_inputs=to_struct(resource.inputs, secrets=True),
            new_outputs=to_struct(resource.outputs, secrets=True),
        )
        for name in names:
            answer = resource_pb2.ResourceHookResponse.FromString(self._call(name, request))
            if answer.error:
                self._warn(f'after hook "{name}" failed: {answer.error}', resource.urn)

    def _call(self, name: str, request: Any) -> bytes:
        callback = self._callbacks[name]
        invocation = callback_pb2.CallbackInvokeRequest(token=callback.token, request=request.SerializeToString())
        with grpc.insecure_channel(callback.target, options=CHANNEL) as channel:
            try:
                return bytes(callback_pb2_grpc.CallbacksStub(channel).Invoke(invocation).response)
            except grpc.RpcError as error:
                raise PluginError(f'hook "{name}" failed: {error}') from None
