"""Deleting resources, each when nothing is left that depends on it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from lab.engine.deployment import Deployment, Stopped, step_of
from lab.engine.model import Step
from lab.engine.state import Resource, dependencies


def delete_all(deployment: Deployment, resources: Iterable[Resource], phase: int = 2) -> None:
    """Delete resources, dependents first, independent ones at the same time. What fails keeps what it depends on."""
    going = list(resources)
    order: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(range(len(going)), ()))
    for place, needed in enumerate(dependencies(going)):
        for other in needed:
            order.add(other, place)
    order.prepare()
    running: dict[Future[None], int] = {}
    with ThreadPoolExecutor(max(len(going), 1)) as pool:
        while order.is_active():
            for place in order.get_ready():
                running[pool.submit(delete, deployment, going[place], phase)] = place
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                place = running.pop(future)
                if not isinstance(future.exception(), Stopped):
                    future.result()
                    order.done(place)


def delete(deployment: Deployment, resource: Resource, phase: int) -> None:
    """Delete one resource, at its provider and in the state; what is retained, in the state only.

    Raises:
        Stopped: it failed.
    """
    op = "delete-replaced" if resource.delete or phase == 1 else "delete"
    step = step_of(op, resource, phase, old=resource, retained=resource.retain_on_delete)

    def act() -> Step:
        if resource.managed and not resource.retain_on_delete and not deployment.preview:
            properties = {"properties": resource.outputs, "old_inputs": resource.inputs}
            deployment.change("deleting", "Delete", resource, id=resource.id, **properties)
        deployment.drop(resource)
        return step

    deployment.run_step(step, act)
