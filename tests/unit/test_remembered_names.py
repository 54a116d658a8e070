"""A name means what it meant at the last run, or nothing is changed."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from xtsync_resources.graph.errors import RefusedError, TenantName
from xtsync_resources.program import stack_state
from xtsync_resources.pulumi_runtime.messages import Stopped
from xtsync_resources.sync_scope import resource
from xtsync_resources.sync_scope.resource import SyncScopeProvider

WAS, NOW = "0f6c2a11-0000-4000-8000-000000000001", "0f6c2a11-0000-4000-8000-000000000002"


@pytest.fixture(autouse=True)
def asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "announce_change", lambda *_, **__: None)


def provider() -> SyncScopeProvider:
    made = SyncScopeProvider()
    made.settings = type("Settings", (), {"tenant": TenantName("source", "Contoso", WAS)})()
    return made


def scope(**principals: str) -> dict[str, Any]:
    named = {name.replace("_", " "): object_id for name, object_id in principals.items()}
    foreign = {"foreignAssignments": "report", "foreign": {}, "adopted": {}}
    return {"principals": named, "neverRemove": [], "servicePrincipalId": "s", **foreign}


@pytest.mark.parametrize("name", ["group_Finance", "group_finance", "user_Finance"])
def test_the_scope_refuses_a_name_of_another_object_where_the_program_did_not(name: str) -> None:
    olds = scope(**{name.replace("f", "F"): WAS, "group_Law": WAS})
    with pytest.raises(RefusedError) as caught:
        provider().check(olds, scope(**{name: NOW}))
    text = str(caught.value)
    assert f"{name.replace('_', ' ')} is {NOW} now, where it was {WAS}" in text
    assert "object id of the one that is meant" in text


@pytest.mark.parametrize(
    ("olds", "news"),
    [
        (scope(group_Finance=WAS), scope(group_Finance=WAS)),
        (scope(group_Finance=WAS), scope(**{f"group_{NOW}": NOW})),
        (scope(group_Finance=WAS), scope(user_Finance=NOW)),
        (scope(), scope(group_Finance=NOW)),
    ],
)
def test_the_scope_takes_names_that_mean_what_they_meant(olds: dict[str, Any], news: dict[str, Any]) -> None:
    assert provider().check(olds, news).failures == []


def test_a_state_that_cannot_be_read_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the backend does not answer")

    monkeypatch.setattr(pulumi.runtime, "invoke", fail)
    with pytest.raises(Stopped) as caught:
        stack_state.recorded("dev")
    assert "Why: the backend does not answer\nDo: see that `pulumi stack export` works" in str(caught.value)


EOF = RuntimeError("failed to load checkpoint: EOF")
STATE = {"outputs": {"urn:pulumi:dev::xtsync::a:b:C::pair-c": {"type": "a:b:C", "outputs": {"id": WAS}}}}


def test_a_state_that_the_engine_is_writing_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = [EOF, EOF, STATE]

    def answer(*_: object) -> Any:
        given = answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return type("Result", (), {"value": given})

    monkeypatch.setattr(stack_state, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(pulumi.runtime, "invoke", answer)
    assert stack_state.recorded("dev") == [stack_state.Recorded("pair-c", "a:b:C", {"id": WAS})]
