"""Deployments of the tests run in forked processes, except where processes themselves are tested."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from lab import engines
from lab.engine import state
from lab.engine.processes import Children
from lab.pulumi.installation import Installation
from tests.nursery import Nursery
from xtsync_resources import namespace, redaction

# Python keeps what it compiles, as everywhere, whatever the environment of the tests says; else every process of theirs
# compiles all modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "bytecode"))
FORKED = ("scenarios", "faults", "security")

# What a machine can do in a time is no property of the program.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", choices=("lab", "pulumi"), default="lab", help="what deploys: the small engine or the Pulumi CLI"
    )
    parser.addoption("--record", action="store_true", help="write down anew what tests compare with a record")


@pytest.fixture(scope="session")
def installation(request: pytest.FixtureRequest) -> Installation | None:
    """The Pulumi CLI of this run; None is the lab's own engine."""
    return engines.installation(engines.Choice(request.config.getoption("--engine")))


@pytest.fixture(autouse=True)
def no_secrets_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test has as a secret may be a word of another."""
    monkeypatch.setattr(redaction, "_known", set())


@pytest.fixture(autouse=True)
def our_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test calls its project is not the name of another's."""
    monkeypatch.setattr(namespace, "_current", [namespace.OURS])


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def forked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine fork its processes."""
    folder = request.path.relative_to(Path(__file__).parent).parts[0]
    if folder not in FORKED or request.node.get_closest_marker("processes"):
        return
    found: Nursery = request.getfixturevalue("nursery")

    monkeypatch.setattr(Children, "start", found.start_of_children())
    # The key of a state takes long to make; so all have one.
    monkeypatch.setattr(state, "new_salt", lambda: "0123456789abcdef")
