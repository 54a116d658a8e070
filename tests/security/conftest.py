"""The lab, and somebody hostile beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import lab, xtsync
from tests.scenarios.stacks import Lab
from tests.security import hostile_server
from tests.security.hostile import Hostile, serving

__all__ = ["lab", "xtsync"]


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for secrets of the test: the lab searches its own for secrets."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture
def hostile(elsewhere: Path) -> Iterator[Hostile]:
    with serving(elsewhere) as made:
        yield made


@pytest.fixture
def surrounded(lab: Lab, hostile: Hostile) -> Lab:
    """The lab behind the hostile proxy: every host but localhost is the hostile one."""
    lab.stack.environment |= hostile.environment(lab.server.ca_file)
    return lab


@pytest.fixture(autouse=True)
def nobody_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XTSYNC_METADATA_HOST", raising=False)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hostile_server.Hostile]:
    """A server that is trusted, and answers as a test has it."""
    with hostile_server.hostile(tmp_path) as found:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", found.certificate)
        yield found
