"""Reading what is there into the state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from lab.engine.comparison import top_level
from lab.engine.deployment import Deployment, Stopped, half_made, step_of
from lab.engine.model import Step
from lab.engine.plugins import InitFailed
from lab.engine.state import Resource
from lab.engine.values import from_struct, mark_secrets, without_nulls

# A refresh compares the other way round.
INVERTED = {"add": "delete", "delete": "add"}


def refresh(deployment: Deployment) -> None:
    """Read everything at its provider, and make the state say what is there."""
    resources = list(deployment.live.values())
    with ThreadPoolExecutor(deployment.options.parallel) as pool:
        futures = [pool.submit(refresh_one, deployment, resource) for resource in resources]
    for future in futures:
        if not isinstance(future.exception(), Stopped):
            future.result()
    gone = {resource.urn for resource in resources} - set(deployment.live)
    for resource in deployment.live.values():
        resource.dependencies = [urn for urn in resource.dependencies if urn not in gone]
        resource.property_dependencies = {
            key: left
            for key, urns in resource.property_dependencies.items()
            if (left := [urn for urn in urns if urn not in gone])
        }
    deployment.save()


def refresh_one(deployment: Deployment, resource: Resource) -> None:
    """Read one resource.

    Raises:
        Stopped: it failed.
    """
    step = step_of("refresh", resource, 0, old=resource)
    same = replace(step, result="same")
    deployment.run_step(step, lambda: read(deployment, resource, step) if resource.managed else same)


def read(deployment: Deployment, resource: Resource, step: Step) -> Step:
    """Read a resource at its provider into the state; the step with what was found."""
    plugin = deployment.plugin(resource.provider_urn)
    known = {"properties": resource.outputs, "inputs": resource.inputs}
    try:
        answer = plugin.call("Read", id=resource.id, urn=resource.urn, **known)
    except InitFailed as failed:
        found, inputs = half_made(resource, failed), failed.inputs
        reasons = "\n".join(f"* {reason}" for reason in failed.reasons)
        deployment.say("warning", f"Refreshed resource is in an unhealthy state:\n{reasons}", resource.urn)
    else:
        found = replace(resource, id=answer.id, outputs=without_nulls(from_struct(answer.properties)), init_errors=[])
        inputs = from_struct(answer.inputs) if answer.HasField("inputs") else None
    if not found.id:
        deployment.drop(resource)
        return replace(step, result="delete")
    found.outputs = mark_secrets(mark_secrets(found.outputs, resource.inputs), resource.outputs)
    found.inputs = resource.inputs if inputs is None else mark_secrets(without_nulls(inputs), resource.inputs)
    deployment.put(found)
    detail = {
        path: {**kind, "diffKind": INVERTED.get(kind["diffKind"], kind["diffKind"])}
        for path, kind in deployment.diff(found, resource.inputs, resource.provider_urn).detail.items()
    }
    return replace(
        step_of("refresh", found, 0, old=resource),
        result="update" if detail else "same",
        diffs=top_level(detail),
        detailed_diff=detail,
    )
