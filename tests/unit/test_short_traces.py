"""How many frames of a resource's stack get into the state."""

from __future__ import annotations

import sys

import pytest

from xtsync_resources.pulumi_runtime.short_traces import FRAMES, short_traces


def limit() -> int | None:
    return getattr(sys, "tracebacklimit", None)


@pytest.mark.parametrize("before", [None, 0, 50])
def test_errors_that_leave_are_told_as_before(monkeypatch: pytest.MonkeyPatch, before: int | None) -> None:
    monkeypatch.setattr(sys, "tracebacklimit", before, raising=False)
    if before is None:
        monkeypatch.delattr(sys, "tracebacklimit")
    with pytest.raises(RuntimeError), short_traces():  # noqa: PT012 - what is seen within counts as well
        assert limit() == FRAMES
        raise RuntimeError
    assert limit() == before
