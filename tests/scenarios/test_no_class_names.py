"""No message that people see names a class of Python: on neither side of the pair, in no command."""

from __future__ import annotations

import re

import pytest

from lab import world
from tests.scenarios.stacks import Lab
from tests.scenarios.tenants import grant

pytestmark = pytest.mark.real

CLASS = re.compile(r"\b[A-Z][a-zA-Z]+(?:Error|Exception|Stopped|Problems|Broken|Partial)\b")


def refused(lab: Lab, operation: str) -> str:
    result = lab.stack.run(operation, fails=True)
    return "\n".join(one.message for one in result.diagnostics)


@pytest.mark.parametrize("side", ["SOURCE", "TARGET"])
def test_of_a_sign_in_that_is_refused(lab: Lab, side: str) -> None:
    lab.stack.run("up")
    lab.stack.environment[f"XTSYNC_{side}_CLIENT_SECRET"] = "guessed"
    lab.stack.config["xtsync:displayName"] = "Another name"
    for operation in ("up", "refresh", "destroy"):
        text = refused(lab, operation)
        assert "AADSTS7000215" in text or (side == "SOURCE" and operation != "up"), operation  # azuread says it there
        assert not CLASS.findall(text), operation


def test_of_a_permission_that_is_missing(lab: Lab) -> None:
    grant(lab.target, world.TARGET_CLIENT, less={"Policy.ReadWrite.CrossTenantAccess"})
    text = refused(lab, "up")
    assert "Policy.ReadWrite.CrossTenantAccess" in text
    assert not CLASS.findall(text)
