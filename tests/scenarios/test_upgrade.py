"""A stack that an earlier version has made goes on with this one: its state is a promise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.record import FOLDER, placeholders
from tests.scenarios.stacks import Lab, changed, messages

pytestmark = pytest.mark.real
LAB, PULUMI = (sorted(FOLDER.glob(f"state-*-{engine}.json")) for engine in ("lab", "pulumi"))


@pytest.fixture
def untouched(lab: Lab) -> Mapping[str, Any]:
    return lab.settings()


@pytest.fixture(params=[*LAB, *PULUMI], ids=lambda path: str(path.stem))
def earlier(request: pytest.FixtureRequest, lab: Lab, untouched: Mapping[str, Any]) -> Lab:
    """A pair with the state in which the earlier version has left such a one."""
    assert untouched
    file: Path = request.param
    if (file in PULUMI) != bool(lab.installation):
        pytest.skip("another engine has written this state")
    recorded: dict[str, Any] = json.loads(file.read_text())
    lab.stack.config |= recorded["config"]
    result = lab.stack.run("up")
    text = json.dumps(recorded["state"])
    for name, value in placeholders(lab.entra, lab.server.host, result.outputs, lab.stack.resources()).items():
        text = text.replace(f"<{name}>", value)
    assert "<" not in text.replace("<class", "")
    document = json.loads(text)
    for resource in document["deployment"]["resources"]:
        for properties in (resource.get("inputs") or {}, resource.get("outputs") or {}):
            if isinstance(properties.get("principals"), list):
                properties["principals"].sort()  # as they were, with the ids that they had
    lab.stack.engine.import_state(document)
    return lab


def test_an_earlier_state_needs_no_change(earlier: Lab) -> None:
    assert changed(earlier.stack.run("preview", expect_no_changes=True)) == {}
    assert changed(earlier.stack.run("refresh", expect_no_changes=True)) == {}
    assert changed(earlier.stack.run("up", expect_no_changes=True)) == {}


def test_an_earlier_stack_changes_and_ends_as_it_was_found(earlier: Lab, untouched: Mapping[str, Any]) -> None:
    stack = earlier.stack
    stack.config |= {"xtsync:groups": [], "xtsync:flowTypes": ["update", "delete"], "xtsync:running": False}
    stack.run("up")
    stack.config |= {"xtsync:running": True, "xtsync:deadlineMinutes": 0.5}
    stack.run("up")
    earlier.pass_time()
    result = stack.run("destroy", fails=True)
    assert "still in the target" in "\n".join(messages(result)) or "no cycle has ended" in "\n".join(messages(result))
    earlier.pass_time()
    stack.run("destroy")
    assert earlier.settings() == untouched
