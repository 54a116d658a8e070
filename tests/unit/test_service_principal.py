"""The wait for a service principal, and the look for twins of its application."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for, refusal
from xtsync_resources.graph.errors import DeadlineError
from xtsync_resources.service_principal import ROLE, report_twins, wait_for

WHOLE: dict[str, Any] = {"id": "sp", "appId": "app", "appRoles": [{"id": "r", "displayName": ROLE}]}


@pytest.mark.parametrize("early", [{**WHOLE, "appRoles": []}, {**WHOLE, "appId": None}, {"id": "sp"}])
def test_a_half_known_service_principal_is_waited_for(early: dict[str, Any]) -> None:
    transport = ScriptedTransport(answer(200, early), answer(200, WHOLE))
    assert wait_for(operation_for(transport)[0], "sp") == WHOLE


def test_one_that_is_gone_for_good_comes_with_a_remedy() -> None:
    transport = ScriptedTransport(*[refusal(404, "Request_ResourceNotFound")] * 1000)
    with pytest.raises(DeadlineError) as caught:
        wait_for(operation_for(transport, seconds=60)[0], "sp")
    assert "raise xtsync:deadlineMinutes; if somebody has deleted the enterprise application" in caught.value.do
    assert "`pulumi refresh`, then `pulumi up --replace URN`" in caught.value.do


@pytest.mark.parametrize("name", [None, ""])
def test_twins_of_no_name_are_not_looked_for(name: str | None) -> None:
    report_twins(operation_for(ScriptedTransport())[0], {**WHOLE, "displayName": name})
