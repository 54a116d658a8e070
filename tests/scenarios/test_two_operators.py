"""Two people run a command on one stack at once: the second is told so in one message, and the first goes on."""

from __future__ import annotations

import threading
import time

import pytest

from lab.engine import Options, Result
from lab.engine.state import StateError
from tests.scenarios.stacks import Lab, changed, messages


def refused(lab: Lab, operation: str) -> str:
    """What a command that may not begin says; the small engine does not begin it at all."""
    try:
        result: Result = getattr(lab.stack.engine, operation)(Options())
    except StateError as error:
        return str(error)
    assert result.exit_code != 0
    (text,) = messages(result)
    return text


@pytest.mark.parametrize("operation", ["up", "destroy"])
def test_promise_7_the_second_of_two_operators_is_told_to_wait(lab: Lab, operation: str) -> None:
    first: list[Result] = []
    running = threading.Thread(target=lambda: first.append(lab.stack.engine.up(Options())))
    running.start()
    while not lab.entra.traffic:
        assert running.is_alive()
        time.sleep(0.01)
    text = refused(lab, operation)
    running.join()
    assert "the stack is currently locked" in text
    assert "Traceback" not in text
    assert first[0].exit_code == 0, "\n".join(messages(first[0]))
    assert changed(lab.stack.run("up")) == {}
