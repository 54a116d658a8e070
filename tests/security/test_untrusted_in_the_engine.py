"""The gate for untrusted text between provider, program and engine: nothing gets there without it."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest, CreateResult, ReadResult, UpdateResult
from pulumi.runtime.proto import engine_pb2

from tests.security.untrusted_samples import ATTACKS, HOSTILE, obeyed_by, texts_in
from xtsync_resources.graph.errors import RefusedError, XtsyncError
from xtsync_resources.pulumi_runtime import engine as engine_door
from xtsync_resources.pulumi_runtime import messages
from xtsync_resources.pulumi_runtime import provider as runtime
from xtsync_resources.untrusted import Stream, is_plain


class Engine:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def Log(self, request: Any) -> None:  # noqa: N802 - the engine's name for it
        self.told.append(request.message)


def test_messages_of_the_program_pass_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    monkeypatch.setattr("pulumi.log.get_engine", lambda: engine)
    messages.info(HOSTILE, HOSTILE)
    messages.warn(HOSTILE)
    assert [told.count("\n") for told in engine.told] == [1, 0]
    assert obeyed_by("\n".join(engine.told), engine=True, lines=True) == []


class Provider(runtime.TenantResourceProvider):
    """Gives back, raises and says whatever it is told to."""

    result: Any = None

    def create(self, props: Any) -> CreateResult:
        given: CreateResult = self.act()
        return given

    def read(self, id_: str, props: Any) -> ReadResult:
        given: ReadResult = self.act()
        return given

    def update(self, _id: str, olds: Any, news: Any) -> UpdateResult:
        given: UpdateResult = self.act()
        return given

    def delete(self, _id: str, props: Any) -> None:
        self.act()

    def act(self) -> Any:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    made = Provider()
    made.configure(ConfigureRequest(Config({"xtsync:side": "source", "xtsync:tenantId": "T"}, "xtsync")))
    assert isinstance(sys.stdout, Stream)
    assert isinstance(sys.stderr, Stream)
    return made


def test_what_a_provider_gives_back_passes_the_gate(provider: Provider) -> None:
    properties = {"displayName": HOSTILE, HOSTILE: [{"former": json.dumps({"a": HOSTILE})}], "n": 5, "none": None}
    for result, method in (
        (CreateResult("id", properties), lambda: provider.create({})),
        (ReadResult("id", properties, properties), lambda: provider.read("id", {})),
        (UpdateResult(properties), lambda: provider.update("id", {}, {})),
    ):
        provider.result = result
        given = method()
        assert given.outs is not None
        for part in (given.outs, getattr(given, "inputs", None) or {}):
            for text in texts_in(part):
                assert [found for found in obeyed_by(text, engine=True) if found != "GitHub"] == []
        assert given.outs["n"] == 5
    checked = provider.check({}, properties)
    assert all("<{%" not in text for text in texts_in(checked.inputs))


@pytest.mark.parametrize("text", [t for t in ATTACKS.values() if not is_plain(t)])
def test_an_id_is_refused_rather_than_changed(provider: Provider, text: str) -> None:
    for result in (CreateResult(text, {}), ReadResult(text, {}, {})):
        provider.result = result
        with pytest.raises(RefusedError) as raised:
            provider.create({})
        assert obeyed_by(str(raised.value), engine=True, lines=True) == []


class OddError(Exception):
    """Says what it is told to."""


@pytest.mark.parametrize("error", [OddError(HOSTILE), ValueError(HOSTILE), XtsyncError(HOSTILE, HOSTILE)])
def test_what_a_provider_raises_passes_the_gate_with_all_its_history(provider: Provider, error: Exception) -> None:
    import traceback

    error.__context__ = OddError(HOSTILE)
    error.__cause__ = OddError(HOSTILE)
    provider.result = error
    for method in (lambda: provider.create({}), lambda: provider.read("", {}), lambda: provider.delete("", {})):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - any class
            method()
        told = "".join(traceback.format_exception(raised.value))
        assert type(error).__name__ in told
        assert obeyed_by(told, engine=True, lines=True) == []


def test_a_wrong_setting_of_a_provider_is_told_through_the_gate(provider: Provider) -> None:
    with pytest.raises(RuntimeError) as raised:
        provider.configure(ConfigureRequest(Config({"xtsync:deadlineMinutes": HOSTILE}, "xtsync")))
    assert obeyed_by(str(raised.value), engine=True) == []


def test_a_half_finished_object_and_its_reasons_pass_the_gate(provider: Provider) -> None:
    outputs = {"displayName": HOSTILE}
    provider.result = engine_door.Partial("id", outputs, [HOSTILE, XtsyncError(HOSTILE, HOSTILE)])
    with pytest.raises(engine_door.Partial) as raised:
        provider.create({})
    found = raised.value
    assert [reason.count("\n") for reason in found.reasons] == [0, 1]
    for text in (str(found), *found.reasons, *texts_in(found.outputs)):
        assert obeyed_by(text, engine=True, lines=True) == []
    with pytest.raises(RefusedError):
        engine_door.Partial(HOSTILE, {}, [])


def test_what_a_provider_says_passes_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    monkeypatch.setattr(engine_door, "engine", lambda: engine)
    monkeypatch.setattr(engine_door, "current_call", lambda: (engine_pb2.LogRequest(urn="u"), None))
    monkeypatch.setattr(sys, "argv", ["provider", "127.0.0.1:1"])
    engine_door.report(HOSTILE, severity=engine_door.WARNING)
    assert [told.count("\n") for told in engine.told] == [1]
    assert obeyed_by(engine.told[0], engine=True, lines=True) == []
