"""What the program may ask of its own stack's state.

It is a read of the whole state: for what names meant at the last run, and where a second configuration would be made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import tenacity
from pulumi.runtime.proto import engine_pb2

from .messages import Stopped

READ = "pulumi:pulumi:readStackResourceOutputs"
TRIES, PAUSE_SECONDS = 6, 0.3


def announce() -> None:
    """Say to the engine that a program runs: providers ask it whether what they delete is the end (`program_runs`)."""
    engine = pulumi.runtime.settings.get_engine()
    if engine is not None:
        stack, project = pulumi.get_stack(), pulumi.get_project()
        urn = f"urn:pulumi:{stack}::{project}::pulumi:pulumi:Stack::{project}-{stack}"
        engine.SetRootResource(engine_pb2.SetRootResourceRequest(urn=urn))


async def outputs_by_type() -> list[tuple[str, Mapping[str, Any]]]:
    """Type and outputs of every resource, as the last run left them."""
    async for attempt in tenacity.AsyncRetrying(**while_the_engine_writes()):
        with attempt:
            answer = await pulumi.runtime.invoke_async(READ, {"stackName": pulumi.get_stack()})
    return read(answer)


def outputs_by_type_now() -> list[tuple[str, Mapping[str, Any]]]:
    """The same outside of a coroutine.

    Raises:
        Stopped: the state cannot be read, so nobody knows what names meant.
    """
    try:
        for attempt in tenacity.Retrying(**while_the_engine_writes()):
            with attempt:
                answer = pulumi.runtime.invoke(READ, {"stackName": pulumi.get_stack()}).value
    except Exception as error:  # the SDK raises no narrower one
        raise Stopped(
            "Cannot read this stack's state, which remembers whom names meant; nothing was changed.",
            f"Why: {error}",
            "Do: see that `pulumi stack export` works, or give object ids instead of names.",
        ) from None
    return read(answer)


def while_the_engine_writes() -> dict[str, Any]:
    """How often to ask again.

    The engine saves the state while the program runs, and a backend of files writes what belongs to one in place:
    whoever reads at that moment gets "failed to load checkpoint: EOF".
    """
    return {
        "stop": tenacity.stop_after_attempt(TRIES),
        "wait": tenacity.wait_random(0, PAUSE_SECONDS),
        "reraise": True,
    }


def read(answer: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Take an answer apart."""
    resources = ((answer or {}).get("outputs") or {}).values()
    return [(str(one.get("type")), one.get("outputs") or {}) for one in resources]
