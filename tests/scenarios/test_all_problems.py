"""A configuration with many faults: the engine stops at none of them, so the program tells them all at once."""

from __future__ import annotations

import pytest

from tests.scenarios.stacks import Lab, messages


@pytest.mark.real
def test_values_of_another_type_are_told_with_all_the_rest(lab: Lab) -> None:
    wrong = {"groups": "Finance", "running": "maybe", "deletionThreshold": "many", "cloud": ["x"], "onDestroy": "keep"}
    lab.stack.config |= {f"xtsync:{key}": value for key, value in wrong.items()}
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "The configuration has 5 problems; nothing was changed." in text
    assert [key for key in wrong if f"- xtsync:{key} = " not in text] == []
    assert list(lab.entra.traffic) == []
