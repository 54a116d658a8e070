"""The recordings that the small engine is held against, made again on the CLI and language host of this checkout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.pulumi.installation import Installation
from tests.lab.engine.test_conformance import VECTORS, load

RECORDED = (3, 260, 0)


def known_before_it_is_made(view: dict[str, Any]) -> dict[str, Any]:
    """The id of what a preview reads is known there to those who take it."""
    changed: dict[str, Any] = json.loads(json.dumps(view).replace('"link": "[unknown]"', '"link": "shared-1"'))
    return changed


def not_checked(view: dict[str, Any]) -> dict[str, Any]:
    """What depends on something that failed is not even checked."""
    return {
        **view,
        "calls": {urn: calls for urn, calls in view["calls"].items() if not urn.endswith(("::dep", "::far"))},
    }


# What Pulumi does otherwise since the recordings were made.
NEWER: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "13-get/01-preview.json": known_before_it_is_made,
    "16-continue-on-error/02-up.json": not_checked,
}

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason=f"no recordings at {VECTORS}")


@pytest.mark.parametrize("folder", sorted(VECTORS.glob("[0-9]*")), ids=lambda folder: folder.name)
def test_the_recordings_still_hold(
    folder: Path, tmp_path: Path, installation: Installation | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if installation is None:
        pytest.skip("needs the Pulumi CLI: pytest --engine pulumi")
    given = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for name, value in installation.environment(tmp_path / "state", given).items():
        if not name.startswith("PULUMI_"):
            monkeypatch.setenv(name, value)
    compare, recorder = load("compare"), load("record").Recorder(folder, tmp_path)
    _, problems = recorder.run()
    assert problems == []
    for path in sorted((folder / "expected").glob("*.json")):
        want, got = (
            compare.view(json.loads(one.read_text())) for one in (path, tmp_path / folder.name / "expected" / path.name)
        )
        if installation.version > RECORDED:
            want = NEWER.get(f"{folder.name}/{path.name}", dict)(want)
        for key, value in want.items():
            assert json.loads(compare.canonical(got.get(key))) == json.loads(compare.canonical(value)), (
                f"{path.name}: {key}"
            )
