"""The ready workflows, read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "docs" / "pipelines"
GITHUB = sorted((PIPELINES / "github").glob("*.yml"))
CI = ROOT / ".github" / "workflows" / "ci.yml"
SETUP = PIPELINES / "github" / "setup" / "action.yml"
AZURE = sorted((PIPELINES / "azure-devops").glob("*.yml"))
# Each stack of a pipeline is one job: what Azure DevOps makes of it before it reads the rest.
EACH = "${{ each stack in parameters.stacks }}"


@dataclass(frozen=True)
class Step:
    """One step, with the file it is in."""

    path: Path
    content: dict[str, Any]

    @property
    def command(self) -> str:
        """What a shell runs; empty where none does."""
        inputs = {**(self.content.get("inputs") or {}), **(self.content.get("parameters") or {})}
        shell = (
            self.content.get("run") or self.content.get("script") or inputs.get("inlineScript") or inputs.get("command")
        )
        return str(shell or "").strip()


def read(path: Path) -> dict[str, Any]:
    """A workflow; the key `on` is none of YAML 1.1's truths here."""
    document = yaml.load(path.read_text(), yaml.BaseLoader)
    assert isinstance(document, dict)
    return document


def steps(path: Path) -> Iterator[Step]:
    """Every step of a file, wherever it stands."""
    yield from (Step(path, step) for step in _steps(read(path)))


def _steps(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "steps":
                yield from (step for step in value if isinstance(step, dict))
            else:
                yield from _steps(value)
    elif isinstance(part, list):
        for one in part:
            yield from _steps(one)


def shell_steps() -> list[Step]:
    """Every step in which a shell runs something."""
    found = [step for path in (*GITHUB, SETUP, *AZURE) for step in steps(path)]
    return [step for step in found if step.command]
