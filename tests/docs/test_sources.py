"""What holds of the sources as a whole, beyond what linters see."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

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
