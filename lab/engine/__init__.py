"""A small deployment engine that runs an unchanged Pulumi program with the real SDK and real provider processes.

It exists because the lab has no Pulumi CLI; people who run stacks for real use Pulumi. It is held against
recordings of the real engine, and refuses by name what it does not do.
"""

from lab.engine.model import Diagnostic, Event, Finished, Options, Result, Started, Step
from lab.engine.project import ProjectError
from lab.engine.runner import Engine
from lab.engine.state import StateError
from lab.engine.values import Secret

__all__ = [
    "Diagnostic",
    "Engine",
    "Event",
    "Finished",
    "Options",
    "ProjectError",
    "Result",
    "Secret",
    "Started",
    "StateError",
    "Step",
]
