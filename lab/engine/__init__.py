"""A small deployment engine that runs an unchanged Pulumi program with the real SDK and real provider processes.

It exists so that a first try needs nothing but Python; people who run stacks for real use Pulumi. It is held against
recordings of the real engine, and refuses by name what it does not do.
"""

from lab.engine.model import Diagnostic, Event, Options, Result, Step
from lab.engine.runner import Engine
from lab.engine.state import StateError
from lab.engine.values import Secret
from lab.project import ProjectError

__all__ = [
    "Diagnostic",
    "Engine",
    "Event",
    "Options",
    "ProjectError",
    "Result",
    "Secret",
    "StateError",
    "Step",
]
