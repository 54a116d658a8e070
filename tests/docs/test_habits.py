"""What contributors are told holds: the files that are named are there, and hooks run the project's own tools."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
# Of a row of files beside each other only the first is named with its folder.
BESIDE = {"calls.py", "graph_types.py", "model.py", "resource.py", "baseline.py", "responses.py", "models.py"}
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]


def test_every_file_that_contributing_names_is_there() -> None:
    named = set(re.findall(r"`([\w./-]+\.(?:py|md|json|yaml|toml))`", CONTRIBUTING))
    assert len(named) > 25
    placeholder = "xtsync_resources/operate/NAME.py"
    assert not [name for name in named - BESIDE - {placeholder} if not (ROOT / name).is_file()]
    folders = [ROOT / "xtsync_resources" / "sync_schema", ROOT / "lab" / "entra" / "applications"]
    assert not [name for name in BESIDE if not any((folder / name).is_file() for folder in folders)]


def test_every_name_of_the_code_that_contributing_uses_is_there() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "xtsync_resources").rglob("*.py"))
    sources += (ROOT / "docs" / "outputs.py").read_text()
    sources += (ROOT / "tests" / "scenarios" / "test_keys.py").read_text()
    sources += (ROOT / "tests" / "scenarios" / "test_asked_replacements.py").read_text()
    named = set(re.findall(r"`(\w+)`", CONTRIBUTING)) - {"applicationNotes"}
    assert {"TenantResource", "inputs_of", "replace_keys", "KEYS", "RESOURCES", "segment"} <= named
    assert not [name for name in named if not re.search(rf"\b{name}\b", sources)]


@pytest.mark.parametrize("repository", HOOKS, ids=lambda one: str(one["repo"]))
def test_hooks_fetch_nothing(repository: dict[str, object]) -> None:
    assert repository["repo"] == "local"


@pytest.mark.parametrize("hook", HOOKS[0]["hooks"], ids=lambda one: str(one["id"]))
def test_a_hook_runs_a_tool_of_the_locked_environment(hook: dict[str, str]) -> None:
    assert hook["language"] == "system"
    assert "additional_dependencies" not in hook
    python, module, tool, *arguments = shlex.split(hook["entry"])
    assert (python, module) == (".venv/bin/python", "-m")
    assert f"\n{tool}==" in (ROOT / "requirements-dev.txt").read_text()
    assert not [one for one in arguments if one.startswith("tests/") and not (ROOT / one).exists()]


def test_the_hosted_workflow_runs_what_continuous_integration_runs() -> None:
    (job,) = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == ["bash .ci/run"]


def test_decisions_are_numbered_in_order_and_dated() -> None:
    paths = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len(paths) >= 6
    for number, path in enumerate(paths, 1):
        text = path.read_text()
        assert path.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number}. ")
        assert re.search(r"^Decided \d{4}-\d\d-\d\d[.,]", text, re.MULTILINE)
        assert "\n## What was decided\n" in text


def test_the_package_says_that_it_is_typed() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "py.typed" in setuptools["package-data"]["xtsync_resources"]
    assert (ROOT / "xtsync_resources" / "py.typed").exists()
