"""What Graph is sent and what the state holds, from the first preview to `destroy`: a change of either is meant.

Where it is, `python -m pytest tests/scenarios/test_traffic.py --record` writes it down anew, to be read in review.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from lab import world
from lab.entra import Exchange
from tests.fixtures.record import EVERYTHING, FOLDER, placeholders
from tests.scenarios.stacks import Lab

pytestmark = pytest.mark.real
RECORD = FOLDER / "traffic.txt"
TENANTS = {world.SOURCE_TENANT: "source", world.TARGET_TENANT: "target"}
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FINGERPRINT = re.compile(r"\b[0-9a-f]{64}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")
PRINCIPALS = re.compile(r'(?<=\[)"<[\w-]+>"(, "<[\w-]+>")+')
STEPS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "a first preview": ("preview", {}),
    "a first up": ("up", {}),
    "a second up": ("up", {}),
    "refresh": ("refresh", {}),
    "an up that changes everything": (
        "up",
        {
            "displayName": "Contoso people",
            "inboundTrust": {"compliantDevice": True},
            "deletionThreshold": 30,
            "attributeMappings": [],
            "flowTypes": ["add", "update"],
            "groups": [],
            "running": False,
        },
    ),
    "destroy": ("destroy", {}),
}


def calls(exchanges: Sequence[Exchange]) -> Iterator[str]:
    """What is written to each tenant, in its order for each kind of object, and what is read: how often is chance."""
    reads, writes = set(), []
    ours = (one for one in exchanges if one.client.startswith("xtsync") and one.path != "/$batch")
    for call in ours:
        query = "&".join(f"{key}={value}" for key, value in sorted(call.query.items()))
        body = f" {json.dumps(call.request_body, sort_keys=True)}" if call.request_body else ""
        tenant = TENANTS[call.tenant_id or ""]
        line = f"{tenant} {call.method} /{call.version}{call.path}{query and '?' + query}{body}"
        if call.method == "GET":
            reads.add(line)
        else:
            writes.append(((tenant, call.path.split("/")[1]), line))
    yield from (line for _, line in sorted(writes, key=lambda one: one[0]))
    yield from reads


def properties(resources: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What each resource of ours has in the state: inputs, and outputs that are not the same."""
    for resource in sorted(resources, key=lambda one: str(one["urn"])):
        if resource["type"].startswith("pulumi-python:"):
            inputs, outputs = resource["inputs"], resource["outputs"]
            further = {f"({key})": value for key, value in outputs.items() if inputs.get(key, ...) != value}
            for key, value in sorted((inputs | further).items()):
                if key != "__provider":
                    yield f"{resource['urn'].rpartition('::')[2]} {key} {json.dumps(value, sort_keys=True)}"


def recorded(title: str, lines: Iterator[str], names: Mapping[str, str]) -> str:
    """A part of the record, without what differs in each run."""
    found = []
    for line in lines:
        text = line
        for name, value in names.items():
            text = text.replace(value, f"<{name}>")
        text = PRINCIPALS.sub(lambda match: ", ".join(sorted(match[0].split(", "))), text)
        text = GUID.sub(lambda match: TENANTS.get(match[0], "<id>"), text)
        found.append(TIME.sub("<time>", FINGERPRINT.sub("<fingerprint>", text)))
    writes = [line for line in found if " GET /" not in line]
    return "\n".join([f"# {title}", *writes, *sorted(set(found) - set(writes)), ""])


def test_traffic_and_state_are_as_recorded(lab: Lab, request: pytest.FixtureRequest) -> None:
    stack = lab.stack
    parts: dict[str, Iterator[str]] = {}
    names: dict[str, str] = {}
    stack.config |= {**EVERYTHING, "xtsync:onDestroy": "release"}
    for title, (operation, config) in STEPS.items():
        stack.config |= {f"xtsync:{key}": value for key, value in config.items()}
        before = len(lab.entra.traffic)
        result = stack.run(operation)
        parts[title] = calls(lab.calls_since(before))
        if operation == "up" and title != "a second up":
            names = names or placeholders(lab.entra, lab.server.host, result.outputs, stack.resources())
            parts[f"the state after {title}"] = properties(stack.resources())
        lab.pass_time()
    text = "\n".join(recorded(title, lines, names) for title, lines in parts.items())
    if request.config.getoption("--record"):
        RECORD.write_text(text)
    assert text == RECORD.read_text()
