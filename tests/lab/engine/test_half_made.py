"""An object that could only be half made comes whole to either engine, in the trailing metadata of the failed call."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from lab import engines
from lab.pulumi.installation import Installation
from xtsync_resources.pulumi_runtime.engine import MOST_REASONS

MODULE = """from xtsync_resources.pulumi_runtime.provider import Partial, TenantResourceProvider


class Half(TenantResourceProvider):
    def create(self, props):
        reasons = [f"{number}: {'ü' * props['length']}" for number in range(props["reasons"])]
        raise Partial("half", {**props, "text": "ö" * (props["size"] // 2)}, reasons)


HALF = Half()
"""
PROGRAM = """import base64

import pulumi

config = pulumi.Config()
provider = pulumi.ProviderResource("pulumi-python", "given", {"xtsync:side": "source"})
numbers = {name: config.require_int(name) for name in ("size", "reasons", "length")}
pickle = base64.b64encode(b"chalf\\nHALF\\n.").decode()
given = {"__provider": pickle, **numbers}
pulumi.CustomResource("pulumi-python:dynamic:Resource", "thing", given, pulumi.ResourceOptions(provider=provider))
"""


Up: TypeAlias = Callable[..., tuple[list[Any], list[str]]]


@pytest.fixture
def up(tmp_path: Path, installation: Installation | None) -> Up:
    """An `up` of so much: what it leaves of the object in the state, and what it says."""

    def up(size: int = 10, reasons: int = 1, length: int = 10) -> tuple[list[Any], list[str]]:
        folder = tmp_path / "program"
        folder.mkdir()
        (folder / "half.py").write_text(MODULE)
        (folder / "__main__.py").write_text(PROGRAM)
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "p", "runtime": "python"}))
        (folder / "Pulumi.dev.yaml").write_text("{}")
        config = {"p:size": size, "p:reasons": reasons, "p:length": length}
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        engine = engines.engine(installation, folder, "dev", tmp_path / "s", environment=environment, config=config)
        result = engine.up()
        assert result.exit_code != 0
        resources = engine.export()["deployment"]["resources"]
        return [one for one in resources if one["urn"].endswith("::thing")], [d.message for d in result.diagnostics]

    return up


@pytest.mark.parametrize("size", [5_000, 20_000, 11_000_000])
def test_it_is_kept_whatever_its_size(up: Up, size: int) -> None:
    (found,), _ = up(size=size)
    assert found["id"] == "half"
    assert found["outputs"]["text"] == "ö" * (size // 2)
    assert found["initErrors"] == [f"0: {'ü' * 10}"]


def test_it_is_kept_whatever_is_said_of_it(up: Up) -> None:
    (found,), _ = up(reasons=400, length=8000)
    assert len(found["initErrors"]) == MOST_REASONS + 1
    assert found["initErrors"][-1] == f"and {400 - MOST_REASONS} more"
    assert "8003 characters" in found["initErrors"][0]


def test_what_is_too_large_for_any_engine_fails_in_words(up: Up) -> None:
    found, said = up(size=13_000_000)
    assert found == []
    assert any("too large to be kept half made" in text for text in said)
    assert any("0: üüü" in text for text in said)
