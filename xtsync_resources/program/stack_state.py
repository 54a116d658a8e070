"""What the program may ask of its own stack's state.

It is one read of the whole state: for what names meant at the last run, whose assignment was only half made, and which
application is the stack's own where a second configuration would be made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import tenacity
from pulumi.runtime.proto import engine_pb2

from ..pulumi_runtime import messages
from ..pulumi_runtime.half_made import UNSEEN
from ..pulumi_runtime.messages import Stopped
from ..state import PROVIDERS, type_token

READ = "pulumi:pulumi:readStackResourceOutputs"
OURS = frozenset(map(type_token, PROVIDERS))
CUT_OFF = (
    "the start of the job is not in the state: the last run did not end, or somebody deleted what this stack made. "
    "This run makes it again. After a `destroy` that was killed run `pulumi up --refresh --diff`: what it has taken "
    "apart may still be in the state"
)
NOT_SEEN = (
    "the last run sent a change and did not see its end ({what}). This run makes it as the stack file says, whatever "
    "was written"
)
TRIES, PAUSE_SECONDS = 6, 0.3


def announce() -> None:
    """Say to the engine that a program runs: providers ask it whether what they delete is the end (`program_runs`)."""
    engine = pulumi.runtime.settings.get_engine()
    if engine is not None:
        stack, project = pulumi.get_stack(), pulumi.get_project()
        urn = f"urn:pulumi:{stack}::{project}::pulumi:pulumi:Stack::{project}-{stack}"
        engine.SetRootResource(engine_pb2.SetRootResourceRequest(urn=urn))


@dataclass(frozen=True)
class Recorded:
    """A resource as the last run left it; `urn` and `id` only where a command has read the exported state."""

    name: str
    type: str
    outputs: Mapping[str, Any]
    urn: str = ""
    id: str = ""


def recorded(stack: pulumi.Input[str]) -> list[Recorded]:
    """Every resource of a stack of this name; where the name is an output, once that is known.

    Raises:
        Stopped: the state cannot be read, so nobody knows what names meant.
    """
    try:
        for attempt in tenacity.Retrying(**while_the_engine_writes()):
            with attempt:
                answer = pulumi.runtime.invoke(READ, {"stackName": stack}).value
    except Exception as error:  # the SDK raises no narrower one
        raise Stopped(
            "Cannot read this stack's state, which remembers whom names meant; nothing was changed.",
            f"Why: {error}",
            "Do: see that `pulumi stack export` works.",
        ) from None
    resources = ((answer or {}).get("outputs") or {}).items()
    return [Recorded(urn.rpartition("::")[2], str(one.get("type")), one.get("outputs") or {}) for urn, one in resources]


def outputs_of(state: Iterable[Recorded], type_: str, name: str) -> Mapping[str, Any] | None:
    """The outputs of one resource; None where the state has no such."""
    return next((one.outputs for one in state if (one.type, one.name) == (type_, name)), None)


def unseen_changes(state: Iterable[Recorded]) -> dict[str, Mapping[str, Any]]:
    """What was kept of resources of which the last run did not see the end of a change, by name."""
    found = {one.name: one.outputs for one in state if one.type in OURS and one.outputs.get(UNSEEN)}
    return {name: {key: item for key, item in kept.items() if not key.startswith("__")} for name, kept in found.items()}


def report_interrupted_run(component: str, state: Sequence[Recorded], unseen: Mapping[str, Mapping[str, Any]]) -> None:
    """Say so where the last run did not end: the start, which comes last and goes first, is missing.

    A run that makes goes on by itself. What a killed `destroy` was just deleting is still in the state. Of changes
    whose end was not seen (`unseen_changes`) it says that this run makes them.
    """
    for name, kept in unseen.items():
        messages.warn(f"{name}: {NOT_SEEN.format(what=kept[UNSEEN])}")
    types = {one.type for one in state if one.name.startswith(f"{component}-")}
    if types & OURS and type_token("JobStart") not in types:
        messages.info(CUT_OFF)


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
