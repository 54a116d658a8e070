"""The `pulumi` of a test without the CLI: the few commands that the workflows use, on the lab's small engine."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.engine import Engine, Options, Result, Step


def main(arguments: list[str]) -> int:
    """Run a command; the exit code."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("operation", choices=("preview", "refresh", "up"))
    parser.add_argument("--stack", required=True)
    for flag in ("--json", "--non-interactive", "--preview-only", "--expect-no-changes", "--yes"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args(arguments)
    assert given.yes == (given.operation == "up"), "it would ask"
    engine = Engine(Path(), given.stack, Path(os.environ["SMALL_PULUMI_STATE"]))
    planning = given.operation == "preview" or given.preview_only
    options = Options(expect_no_changes=given.expect_no_changes, preview_only=planning)
    before = {one["urn"]: one for one in engine.export()["deployment"].get("resources") or ()}
    result: Result = getattr(engine, given.operation)(options)
    if given.json:
        print(json.dumps(digest(result, before)))
    return result.exit_code


def digest(result: Result, before: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A result as `pulumi preview --json` writes it, with what the state had of each resource before."""
    diagnostics = [
        {"message": f"{one.message}\n", "severity": one.severity, **({"urn": one.urn} if one.urn else {})}
        for one in result.diagnostics
        if not one.ephemeral
    ]
    steps = [
        {
            "op": operation(step),
            "urn": step.urn,
            "oldState": {
                "inputs": dict(step.old_inputs),
                **{key: value for key, value in before.get(step.urn, {}).items() if key in ("id", "provider")},
            },
            "newState": {"inputs": dict(step.inputs)},
            "detailedDiff": dict(step.detailed_diff) or None,
        }
        for step in result.steps
        if step.outcome != "running"
    ]
    return {"steps": steps, "diagnostics": diagnostics, "changeSummary": dict(result.summary)}


def operation(step: Step) -> str:
    """What a step does; a refresh that finds a difference is called by it."""
    return step.result if step.op == "refresh" and step.result in ("update", "delete") else step.op


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
