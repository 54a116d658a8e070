"""What holds of the sources as a whole, beyond what linters see."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from xtsync_resources import state
from xtsync_resources.pulumi_runtime.provider import TenantResourceProvider

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted((ROOT / "xtsync_resources").rglob("*.py"))
# Who may let time pass, and for what. Looking again because a read may be old is not among it: that is
# `Operation.look_again`, with a policy of graph/consistency.py.
WAITS = {
    "graph/operation.py": "retries, polls and further looks, by policies that have names",
    "graph/batch.py": "the same for the parts of a batch",
    "graph/outside.py": "retries of what is no call to Graph",
    "graph/sign_in_transport.py": "retries of a sign-in",
    "graph/pace.py": "a published rate",
    "graph/clock.py": "the seam for all of these",
    "operate/checks/sign_in.py": "one more try at the login service's public document",
    "operate/logs.py": "xtsync logs --follow",
    "operate/status.py": "xtsync status --watch",
    "pulumi_runtime/engine_watch.py": "a process that ends with its engine",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "xtsync_resources"))


@pytest.mark.parametrize("path", [path for path in PRODUCT if name_of(path) not in WAITS], ids=name_of)
def test_a_module_does_not_look_again_by_itself(path: Path) -> None:
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert "sleep" not in names


@pytest.mark.parametrize("name", WAITS)
def test_who_waits_is_named_for_a_reason(name: str) -> None:
    assert "sleep" in (ROOT / "xtsync_resources" / name).read_text()


# --- what has a list of folders -----------------------------------------------------------------------------------

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
PACKAGES = sorted(
    str(path.parent.relative_to(ROOT)).replace("/", ".") for path in PRODUCT if path.name == "__init__.py"
)
FOLDERS = [package.partition(".")[2] for package in PACKAGES if package.count(".") == 1]


def test_every_package_is_installed() -> None:
    assert sorted(PROJECT["setuptools"]["packages"]) == PACKAGES


def test_nothing_but_graph_is_let_near_http() -> None:
    (contract,) = (one for one in PROJECT["importlinter"]["contracts"] if one["name"].startswith("HTTP and"))
    assert {f"xtsync_resources.{name}" for name in FOLDERS if name != "graph"} <= set(contract["source_modules"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_described(folder: str) -> None:
    assert f"| `{folder}/` |" in (ROOT / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize("name", ["PartnerBaseline", "PartnerPolicy", "IdentitySyncPolicy"])
def test_what_is_in_the_target_may_be_forgotten_with_it(name: str) -> None:
    provider = type(getattr(state, name))
    assert provider.liveness_call is not TenantResourceProvider.liveness_call


def test_these_are_all_that_is_in_the_target() -> None:
    source = (ROOT / "xtsync_resources" / "pair.py").read_text()
    assert set(re.findall(r"(\w+)\(\s*\"target-[\w-]+\",\s*self\._target\b", source)) == {
        "PartnerBaseline",
        "PartnerPolicy",
        "IdentitySyncPolicy",
    }
    assert source.count("self._target,") == 3
