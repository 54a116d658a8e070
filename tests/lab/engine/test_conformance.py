"""The lab's engine against recordings of the real one: binding fields, order and phase."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from lab.engine import Engine, Options, Result, Secret, Step

ROOT = Path(__file__).resolve().parents[3]
VECTORS = Path(os.environ.get("XTSYNC_CONFORMANCE") or ROOT.parent / "shared" / "conformance")
SUPPORTED = ("01", "02", "03", "04", "05", "06", "07", "08", "10", "11", "12", "14", "15", "17")
# What this program does without is for the real engine to show; here it is refused, by these words.
REFUSED = {"09": "protect", "13": "opts.id", "18": "default providers"}
# A command line flag that `python -m lab` does not have.
NOT_TRIED = {"16": "--continue-on-error"}
# What of a scenario's programs is left out, as it is about such options: names of resources, and the option.
LEFT_OUT = {
    "10": {
        "owned": "deleted_with",
        "touchy": "replace_on_changes",
        "hushed": "additional_secret_outputs",
        "copy": "additional_secret_outputs",
        "old-name": "aliases",
        "new-name": "aliases",
        "child": "aliases",
        "homeless": "aliases",
    }
}
STACK = "pulumi:pulumi:Stack"

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"no recordings at {VECTORS}")


def load(name: str) -> Any:
    """A module of the recordings' folder."""
    spec = importlib.util.spec_from_file_location(f"conformance_{name}", VECTORS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scenarios(*numbers: str) -> list[Any]:
    """Folders of scenarios by number."""
    found = sorted(path.parent for path in VECTORS.glob("*/scenario.json"))
    return [pytest.param(path, id=path.name) for path in found if path.name[:2] in numbers]


def without(names: Collection[str], program: str) -> str:
    """A program without the statements that make, or export, these resources."""
    tree = ast.parse(program)
    variables = {name.replace("-", "_") for name in names}

    def about(statement: ast.stmt) -> bool:
        used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        return bool(used & variables)

    tree.body = [statement for statement in tree.body if not about(statement)]
    return ast.unparse(tree)


def of_others(names: Collection[str], view: dict[str, Any]) -> dict[str, Any]:
    """What a recording says, without these resources and the stack, whose outputs they are."""
    about = tuple(f"::{name}" for name in [*names, "conf-dev"])
    objects = tuple(f"{name}-" for name in [*names, "renamed"])
    return {
        **view,
        "steps": [step for step in view["steps"] if not step["urn"].endswith(about)],
        "calls": {urn: calls for urn, calls in view["calls"].items() if not urn.endswith((*about, "configure"))},
        "resources": [one for one in view.get("resources", ()) if not one["urn"].endswith(about)],
        "objects": {key: one for key, one in view.get("objects", {}).items() if not key.startswith(objects)},
        "outputs": {},
    }


class Run:
    """One scenario, operation by operation, recorded in the shape of the recordings."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        self.recorder = load("record").Recorder(folder, temporary / "unused")
        self.folder, self.work = folder, self.recorder.work
        self.left_out = LEFT_OUT.get(folder.name[:2], {})
        self.config: dict[str, Any] = {}
        shutil.copy(VECTORS / "probe.py", self.work)
        (self.work / "Pulumi.yaml").write_text("name: conf\nruntime: python\n")
        self.recorder.store.write_text('{"next": {}, "objects": {}, "faults": []}')
        self.configure(self.recorder.scenario.get("config", {}))

    def configure(self, config: dict[str, Any]) -> None:
        for key, value in config.items():
            secret = isinstance(value, dict) and "secret" in value
            self.config[key] = Secret(value["secret"]) if secret else value

    def operation(self, operation: dict[str, Any]) -> tuple[dict[str, Any], Result]:
        self.recorder.mutate(operation.get("remote", []))
        self.configure(operation.get("config", {}))
        if "program" in operation:
            program = (self.folder / operation["program"]).read_text()
            (self.work / "__main__.py").write_text(without(self.left_out, program) if self.left_out else program)
        self.recorder.log.write_text("")
        flags = operation.get("flags", [])
        strange = set(flags) - {"--expect-no-changes", "--refresh", "--preview-only"}
        assert not strange, f"not supported: {strange}"
        environment = {**self.recorder.base, **self.recorder.scenario.get("env", {}), **operation.get("env", {})}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        engine = Engine(self.work, "dev", self.recorder.state, environment=environment, config=self.config)
        options = Options(
            expect_no_changes="--expect-no-changes" in flags,
            refresh="--refresh" in flags,
            preview_only="--preview-only" in flags,
        )
        result = getattr(engine, operation["do"])(options)
        return self.record(operation, engine, result), result

    def record(self, operation: dict[str, Any], engine: Engine, result: Result) -> dict[str, Any]:
        recorder = self.recorder
        export = engine.export(show_secrets=True)["deployment"]
        recorder.name_uuids(export["resources"])
        calls = [json.loads(line) for line in recorder.log.read_text().splitlines()]
        stack = next((r for r in export["resources"] if r["type"] == STACK), None)
        return {
            "operation": operation,
            "exit": result.exit_code,
            "steps": [self.step(step) for step in result.steps],
            "calls": recorder.calls(calls),
            "summary": {key: result.summary[key] for key in sorted(result.summary)},
            "diagnostics": [
                {"severity": d.severity, "urn": d.urn, "message": d.message}
                for d in result.diagnostics
                if d.severity in ("warning", "error")
            ],
            "outputs": None if stack is None else recorder.clean(stack.get("outputs", {})),
            "deployment": recorder.deployment(export),
            "objects": recorder.clean(json.loads(recorder.store.read_text())["objects"]),
        }

    def step(self, step: Step) -> dict[str, Any]:
        fields = {
            "op": step.op,
            "urn": step.urn,
            "type": step.type,
            "phase": step.phase,
            "outcome": step.outcome,
            "result": step.result,
            "id": step.id,
            "keys": sorted(step.keys),
            "diffs": sorted(step.diffs),
            "detailedDiff": dict(step.detailed_diff),
        }
        if not step.op.startswith("delete"):
            fields.update(inputs=dict(step.inputs), outputs=dict(step.outputs))
        return {key: self.recorder.clean(value) for key, value in fields.items()}


def gate(step: Step) -> float:
    """When others may start: a component is known at once, a custom resource has to end."""
    return step.started if step.type.startswith(("probe:", STACK)) else step.ended


def wrong_orders(expected: dict[str, Any], run: Run, result: Result) -> list[str]:
    """Steps that did not wait for what they depend on, or for the phase before."""
    mine: dict[tuple[str, str, str], list[Step]] = {}
    for step in result.steps:
        mine.setdefault((step.op, step.urn, run.recorder.clean(step.id)), []).append(step)
    wrong = []
    for i, j in expected["order"]:
        one, two = (expected["steps"][k] for k in (i, j))
        if "replace" in (one["op"], two["op"]):
            continue
        first, second = (mine.get((s["op"], s["urn"], s.get("id", ""))) for s in (one, two))
        if first and second and gate(first[0]) > second[0].started:
            wrong.append(f"{one['op']} {one['urn']} did not end before {two['op']} {two['urn']} began")
    for one in result.steps:
        for two in result.steps:
            if one.phase < two.phase and STACK not in (one.type, two.type) and gate(one) > two.started:
                wrong.append(f"phase of {one.op} {one.urn} overlaps phase of {two.op} {two.urn}")
    return wrong


def check_all(folder: Path, temporary: Path) -> None:
    compare = load("compare")
    run = Run(folder, temporary)
    for number, operation in enumerate(run.recorder.scenario["operations"], 1):
        path = folder / "expected" / f"{number:02}-{operation['do']}.json"
        expected = json.loads(path.read_text())
        actual, result = run.operation(operation)
        want, got = compare.view(expected), compare.view(actual)
        if run.left_out:
            want, got = of_others(run.left_out, want), of_others(run.left_out, got)
        for key, value in want.items():
            assert json.loads(compare.canonical(got.get(key))) == json.loads(compare.canonical(value)), (
                f"{path.name}: {key}"
            )
        if expected["exit"] == 0 and not operation.get("flags") and not run.left_out:
            assert actual["summary"] == (expected["summary"] or {}), f"{path.name}: summary"
        assert not wrong_orders(expected, run, result), path.name


@pytest.mark.parametrize("folder", scenarios(*SUPPORTED))
def test_like_the_real_engine(folder: Path, tmp_path: Path) -> None:
    check_all(folder, tmp_path)


@pytest.mark.parametrize("folder", scenarios(*REFUSED))
def test_what_is_not_supported_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    run = Run(folder, tmp_path)
    _, result = run.operation(run.recorder.scenario["operations"][0])
    assert result.exit_code == 1
    errors = [d.message for d in result.diagnostics if d.severity == "error"]
    assert any(REFUSED[folder.name[:2]] in message for message in errors), errors


def test_every_recording_is_held_or_has_its_reason() -> None:
    known = {path.parent.name[:2] for path in VECTORS.glob("*/scenario.json")}
    assert known == {*SUPPORTED, *REFUSED, *NOT_TRIED}
