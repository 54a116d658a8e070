"""The bench's own arithmetic: whose time is counted."""

from __future__ import annotations

from typing import Any

import pytest

from lab.entra import Exchange
from tests.bench.chain import waiting


def call(second: float, client: str, *, in_batch: bool = False) -> Exchange:
    values: dict[str, Any] = dict.fromkeys(Exchange.__dataclass_fields__)
    time = f"2026-01-01T00:00:{second:06.3f}+00:00"
    return Exchange(**{**values, "time": time, "client": client, "in_batch": in_batch})


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([(0, "xtsync"), (1, "xtsync")], 1.0),
        ([(0, "xtsync"), (3, "xtsync")], 2.0),
        ([(0, "xtsync"), (0.5, "xtsync")], 1.0),
        ([(0, "xtsync"), (1, "azuread"), (5, "azuread"), (6, "xtsync")], 1.0),
        ([(0, "xtsync"), (0.5, "azuread"), (2, "xtsync")], 1.25),
    ],
    ids=["in a row", "a pause", "at once", "azuread waits", "azuread beside ours"],
)
def test_what_is_nobodys_call_is_counted(calls: list[tuple[float, str]], expected: float) -> None:
    assert waiting([call(*one) for one in calls], 1.0) == pytest.approx(expected)


def test_a_call_in_a_batch_is_no_call_of_its_own() -> None:
    traffic = [call(0, "xtsync"), call(0, "xtsync", in_batch=True), call(1, "xtsync")]
    assert waiting(traffic, 1.0) == pytest.approx(1.0)
