"""What a provider process says to the engine: messages under a resource, and objects that are half made.

Facts this rests on: docs/architecture.md, "How Pulumi runs us".
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from ..graph.errors import RefusedError, XtsyncError, shortened
from ..untrusted import is_plain, message, one_line, value

PROVIDER_KEY = "__provider"
MOST_REASONS = 50
# Pulumi's grpc takes 16 MB of headers, in which these bytes are base64; more breaks the connection of all calls.
LARGEST_DETAILS = 11 * 2**20
INFO, WARNING = 1, 2
# What the SDK aborts a call with; details of another code are not looked at.
UNKNOWN = 2


class Partial(Exception):  # noqa: N818 - a result, not an accident
    """The object exists, but is not (yet) what was asked for: the engine saves it and comes back.

    From `read`, the reasons are shown as a warning that the resource is unhealthy.
    """

    def __init__(self, id_: str, outputs: Mapping[str, Any], reasons: Sequence[str | XtsyncError]) -> None:
        shown = [message(str(one)) if isinstance(one, XtsyncError) else one_line(shortened(one)) for one in reasons]
        if len(shown) > MOST_REASONS:
            shown[MOST_REASONS:] = [f"and {len(shown) - MOST_REASONS} more"]
        super().__init__("; ".join(shown))
        self.id, self.outputs, self.reasons = checked_id(id_), value(outputs), tuple(shown)


def checked_id(id_: str) -> str:
    """An id for the engine, which shows it: it leads back to an object, so it is refused rather than changed.

    Raises:
        RefusedError: it holds what may not be shown.
    """
    if is_plain(id_):
        return id_
    what = f"Cannot keep an object with the id {id_}"
    raise RefusedError(what, "no id of Microsoft Graph has such characters", "see who answers in Graph's place")


def current_call() -> tuple[Any, Any]:
    """The gRPC request and context the SDK is serving in this thread, or (None, None) outside of one.

    The SDK does not hand them over; they are found on the stack. Without them messages are not attached
    to the resource and a partial failure is a plain one: less comfort, same safety.
    """
    frame = sys._getframe(1)
    while frame is not None:
        if "request" in frame.f_locals and "context" in frame.f_locals:
            return frame.f_locals["request"], frame.f_locals["context"]
        frame = frame.f_back  # type: ignore[assignment]
    return None, None


def urn_beside(own: str, kind: str, name: str) -> str:
    """The URN of another resource of the same component, for a command that somebody types.

    Args:
        own: the name of the resource that is being worked on, without the component's.
        kind: the class of the other one, or the whole type of one that is not ours.
        name: its name, without the component's.

    Returns:
        The URN; "" where the SDK does not show which resource is being worked on.
    """
    request, _ = current_call()
    type_, found, mine = str(getattr(request, "urn", "")).rpartition("::")
    before, sign, _ = type_.rpartition("$" if ":" in kind else ":")
    return f"{before}{sign}{kind}::{mine.removesuffix(own)}{name}" if found else ""


def about_this_call() -> dict[str, str]:
    """What an audit says of the call that is being served: the run by the engine's address, the stack, the resource."""
    request, _ = current_call()
    urn = str(getattr(request, "urn", ""))
    stack, _, name = urn.removeprefix("urn:pulumi:").partition("::")
    return {
        "run": f"pulumi at {sys.argv[1]}" if len(sys.argv) > 1 else "",
        "stack": stack,
        "resource": name.rpartition("::")[2],
    }


def warn_of_another_sdk() -> None:
    """Say at the start of a provider process when the SDK's stack is not as this program knows it."""
    if current_call() == (None, None) and len(sys.argv) > 1:
        sys.stdout.write(
            f"The Pulumi SDK {version('pulumi')} is not one that this program knows: messages stand under the stack "
            "instead of their resource, and an object that could only be half made is not in the state until the next "
            "run has found it. Install the versions of requirements.txt.\n"
        )


def report(text: str, *, severity: int = INFO, status: bool = False) -> None:
    """Show a message under the resource that is being worked on; `status` texts vanish when it is done.

    Where the SDK does not show which resource that is, what is no mere status is printed, under the stack.
    """
    if len(sys.argv) < 2:
        return
    request, _ = current_call()
    if request is None:
        if not status:
            sys.stdout.write(f"{one_line(text)}\n")
        return
    from pulumi.runtime.proto import engine_pb2  # noqa: PLC0415

    engine().Log(
        engine_pb2.LogRequest(
            severity=severity,  # type: ignore[arg-type]
            message=one_line(text) + "\n",
            urn=request.urn,
            ephemeral=status,
        )
    )


@functools.cache
def engine() -> Any:
    """The engine's log service, whose address is this process's first argument."""
    import grpc  # noqa: PLC0415
    from pulumi.runtime.proto import engine_pb2_grpc  # noqa: PLC0415

    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(sys.argv[1]))


def program_runs() -> bool:
    """Whether a program runs in this operation: then it is an `up`, and what is deleted is not the end of the pair.

    The program says so itself (`stack_state.announce`). An engine that cannot be asked is taken to run none.
    """
    if len(sys.argv) < 2:
        return False
    import grpc  # noqa: PLC0415
    from pulumi.runtime.proto import engine_pb2  # noqa: PLC0415

    try:
        return bool(engine().GetRootResource(engine_pb2.GetRootResourceRequest()).urn)
    except grpc.RpcError:
        return False


def attach_message(text: str) -> None:
    """Tell the engine what a failing call is to be known by, in its trailing metadata.

    Without it the engine shows what the SDK makes of an exception, which begins with the name of its class. This comes
    first for gRPC where it is there.
    """
    _, context = current_call()
    if context is None:
        return
    from google.rpc import status_pb2  # noqa: PLC0415

    details = status_pb2.Status(code=UNKNOWN, message=text).SerializeToString()
    context.set_trailing_metadata((("grpc-status-details-bin", details),))


def attach_partial(partial: Partial) -> None:
    """Tell the engine to save a half-finished object, in the trailing metadata of the failing call."""
    request, context = current_call()
    if context is None:
        return
    from google.protobuf import any_pb2, json_format, struct_pb2  # noqa: PLC0415
    from google.rpc import status_pb2  # noqa: PLC0415
    from pulumi.runtime.proto import provider_pb2  # noqa: PLC0415

    fields = request.DESCRIPTOR.fields_by_name
    inputs = request.news if "news" in fields else request.inputs if "inputs" in fields else request.properties
    provider = inputs[PROVIDER_KEY] if PROVIDER_KEY in inputs else request.properties[PROVIDER_KEY]
    properties = struct_pb2.Struct()
    json_format.ParseDict({**partial.outputs, PROVIDER_KEY: provider}, properties)
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=partial.id, properties=properties, reasons=partial.reasons, inputs=inputs
        )
    )
    details = status_pb2.Status(code=UNKNOWN, message=str(partial), details=[detail]).SerializeToString()
    if len(details) > LARGEST_DETAILS:
        report("This is too large to be kept half made; the next `pulumi up` makes it again.", severity=WARNING)
        return
    context.set_trailing_metadata((("grpc-status-details-bin", details),))
