"""The wait for a service principal, and whether a pair goes on with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.graph_fakes import ScriptedTransport, answer, operation_for, refusal
from xtsync_resources.application.resource import lives, wait_for
from xtsync_resources.graph.errors import LONGER, DeadlineError
from xtsync_resources.service_principal.model import ROLE

WHOLE: dict[str, Any] = {"id": "sp", "appId": "app", "appRoles": [{"id": "r", "displayName": ROLE}]}


@pytest.mark.parametrize("early", [{**WHOLE, "appRoles": []}, {**WHOLE, "appId": None}, {"id": "sp"}])
def test_a_half_known_service_principal_is_waited_for(early: dict[str, Any]) -> None:
    transport = ScriptedTransport(answer(200, early), answer(200, WHOLE))
    assert wait_for(operation_for(transport)[0], "sp", "") == WHOLE


def test_one_that_is_gone_for_good_comes_with_a_remedy() -> None:
    transport = ScriptedTransport(*[refusal(404, "Request_ResourceNotFound")] * 1000)
    with pytest.raises(DeadlineError) as caught:
        wait_for(operation_for(transport, seconds=60)[0], "sp", "")
    assert f"or {LONGER}; if somebody has deleted the enterprise application" in caught.value.do
    assert "`pulumi refresh`, then `pulumi up --replace 'URN'` with the URN of the resource" in caught.value.do


JOBS = answer(200, {"value": [{"id": "j", "templateId": "Azure2Azure", "schedule": {"state": "Active"}}]})
NONE = answer(200, {"value": []})


@pytest.mark.parametrize(
    ("looks", "goes_on"),
    [
        ([NONE] * 4, False),
        ([refusal(404, "Request_ResourceNotFound")] * 4, False),
        ([JOBS], True),
        ([NONE, NONE, JOBS], True),
    ],
    ids=["end", "gone", "goes on", "seen late"],
)
def test_a_pair_goes_on_where_it_has_a_job(looks: list[Any], goes_on: bool) -> None:
    transport = ScriptedTransport(*looks)
    assert lives(operation_for(transport)[0], "sp") is goes_on
    assert transport.replies == []
