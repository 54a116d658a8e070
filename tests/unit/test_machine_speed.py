"""What a machine can do in a time is no property of the program, and fails no test of one."""

from __future__ import annotations

import ast
from pathlib import Path

import hypothesis
import pytest

TESTS = Path(__file__).resolve().parents[1]
MODULES = [path for path in sorted(TESTS.rglob("*.py")) if path != TESTS / "conftest.py"]


def test_properties_have_all_the_time_they_need() -> None:
    found = hypothesis.settings()
    assert found.deadline is None
    assert hypothesis.HealthCheck.too_slow in found.suppress_health_check
    assert hypothesis.settings(max_examples=5).deadline is None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TESTS)))
def test_the_time_of_properties_is_said_in_one_place(path: Path) -> None:
    """Which is tests/conftest.py: a profile that another module loads, or a time of its own, would win over it."""
    for call in ast.walk(ast.parse(path.read_text())):
        if isinstance(call, ast.Call):
            name = ast.unparse(call.func)
            assert not name.endswith(("load_profile", "register_profile")), f"line {call.lineno}"
            if name.rsplit(".", 1)[-1] == "settings":
                assert "deadline" not in [word.arg for word in call.keywords], f"line {call.lineno}"
