"""Promise 7: what one resource must tell another is in the state, never in the memory of a provider process."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from lab import world
from lab.engine import deployment
from lab.engine.plugins import Plugin
from lab.entra import serve
from tests.scenarios.stacks import Lab, ours

LIFECYCLE = ("Check", "Diff", "Create", "Read", "Update", "Delete")
KNOWN = {world.SOURCE_TENANT, world.TARGET_TENANT, world.SOURCE_CLIENT, world.TARGET_CLIENT}
ID, TIME = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"\d{4}-\d\d-\d\dT[\d:.+Z]+"
ASSIGNMENT, DIGEST = r"[\w-]{43}", "[0-9a-f]{64}"
VARIES = re.compile(rf"(?<![\w-])({ID}|{TIME}|{ASSIGNMENT}|{DIGEST})(?![\w-])")
PERSON = re.compile(r"\b(user|group)-[0-9a-f]{8}\b")


class Forgetful(Plugin):
    """A provider that meets each call of the engine in a new process."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._arguments, self._dynamic = arguments, arguments[1] == "pulumi-python"

    def configure(self, urn: str, inputs: Mapping[str, Any]) -> None:
        super().configure(urn, inputs)
        self._configuration = (urn, inputs)

    def call(self, method: str, **fields: Any) -> Any:
        if not self._dynamic or method not in LIFECYCLE:
            return super().call(method, **fields)
        fresh = Plugin(*self._arguments)
        try:
            fresh.configure(*self._configuration)
            return fresh.call(method, **fields)
        finally:
            fresh.stop()


def a_life(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:flowTypes": ["add", "delete"], "xtsync:provisionOnDemand": ["alice@contoso.com"]}
    lab.stack.run("up")
    lab.pass_time()
    assert lab.target_partner is not None
    lab.target_partner["automaticUserConsentSettings"]["inboundAllowed"] = False
    lab.stack.run("refresh")
    lab.stack.run("up")
    lab.stack.config["xtsync:users"] = ["bob@contoso.com"]
    lab.stack.run("up")
    for name in ("job", "schema", "scope", "target-partner", "application"):
        lab.stack.run("up", replace=(name,))
    lab.stack.run("destroy")


def a_drained_one(lab: Lab) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.run("up", replace=("scope",))
    lab.stack.config["xtsync:deadlineMinutes"] = 0.5
    lab.stack.run("up")
    lab.stack.run("destroy", fails=True)
    lab.pass_time()
    assert lab.arrived() == set()
    lab.stack.run("destroy")


def an_adopted_one(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.keep_only(lambda resource: "pulumi:" in resource["type"] or "application" in resource["urn"])
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.run("destroy")


def told_apart(text: str) -> str:
    """A text without what differs in each run."""
    text = VARIES.sub(lambda found: found[0] if found[0] in KNOWN else "*", text)
    return PERSON.sub(r"\1-*", text)


def lived(story: Callable[[Lab], None], lab: Lab) -> tuple[Counter[str], list[str]]:
    """What a story asks of Graph, and the states that it leaves after each operation."""
    states: list[str] = []
    run = lab.stack.run

    def noted(operation: str, **options: Any) -> Any:
        result = run(operation, **options)
        resources = sorted(
            told_apart(json.dumps([one["urn"], one.get("inputs"), one.get("outputs")], sort_keys=True))
            for one in lab.stack.engine.export(show_secrets=True)["deployment"]["resources"]
        )
        states.append("\n".join(resources).replace(lab.server.host, "HOST"))
        return result

    lab.stack.run = noted  # type: ignore[method-assign]
    story(lab)
    calls = ours([call for call in lab.entra.traffic if call.version])
    asked = (unquote(f"{one.method} {one.path} {json.dumps(one.request_body)}") for one in calls)
    return Counter(map(told_apart, asked)), states


@pytest.mark.parametrize("story", [a_life, a_drained_one, an_adopted_one])
def test_promise_7_a_new_provider_process_for_each_call_does_the_same(
    lab: Lab, story: Callable[[Lab], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lab.installation is not None:
        pytest.skip("the small engine's own: Pulumi has no such mode")
    remembering = lived(story, lab)
    monkeypatch.setattr(deployment, "Plugin", Forgetful)
    (tmp_path / "forgetful").mkdir()
    entra = world.dev_world()
    with serve(entra) as server:
        forgetful = lived(story, Lab(server, entra, tmp_path / "forgetful", None))
    assert forgetful[0] - remembering[0] == remembering[0] - forgetful[0] == Counter()
    assert forgetful[1] == remembering[1]
