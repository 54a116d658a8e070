"""Steps of the engine on a cloud of its own: replacements in order, what is retained, hooks, answers without an id."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from lab.engine import Engine, Options, Result
from lab.engine.deployment import Deployment
from lab.engine.plugins import PluginError
from lab.engine.values import to_struct

HEAD = """import pulumi
from pulumi import ResourceOptions as Options

cloud = pulumi.ProviderResource("fake", "cloud", {})


def thing(name, needs=(), **more):
    options = Options(provider=cloud, depends_on=list(needs), **more)
    return pulumi.CustomResource("fake:index:Thing", name, {"size": 1}, options)


"""
PAIR = """scope = thing("scope", delete_before_replace=True)
person = thing("person", [scope], retain_on_delete=True, delete_before_replace=True, replace_with=[scope])
thing("start", [scope, person], delete_before_replace=True, replace_with=[scope])
thing("other", [scope])
"""


@dataclass
class Cloud:
    """Stands for every provider process, and notes what changes."""

    changes: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    without_id: bool = False
    numbers: Iterator[int] = field(default_factory=itertools.count)
    lock: Any = field(default_factory=threading.Lock)

    def call(self, method: str, **fields: Any) -> Any:
        name = fields["urn"].rsplit("::", 1)[-1]
        if method == "Check":
            return provider_pb2.CheckResponse(inputs=to_struct(fields["news"], secrets=False))
        if method == "Diff":
            return provider_pb2.DiffResponse()
        with self.lock:
            self.changes.append(f"{method.lower()} {name}")
            if self.refusals:
                raise PluginError(self.refusals.pop())
        if method == "Create":
            return provider_pb2.CreateResponse(id="" if self.without_id else f"{name}-{next(self.numbers)}")
        return None

    def taken(self) -> list[str]:
        """What changed since the last look."""
        taken, self.changes = self.changes, []
        return taken


@dataclass
class Stack:
    folder: Path
    cloud: Cloud

    def up(self, program: str, **options: Any) -> Result:
        (self.folder / "__main__.py").write_text(HEAD + program)
        return Engine(self.folder, "dev", self.folder / "state").up(Options(**options))


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    (tmp_path / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    made = Stack(tmp_path, Cloud())
    monkeypatch.setattr(Deployment, "plugin", lambda _deployment, _urn: made.cloud)
    return made


def done(result: Result) -> list[tuple[str, str, bool]]:
    return [(step.op, step.name, step.retained) for step in result.steps if step.op not in ("same",)]


def test_what_is_replaced_with_another_goes_before_it_and_comes_after_it(stack: Stack) -> None:
    assert stack.up(PAIR).exit_code == 0
    made = stack.cloud.taken()
    assert made.index("create scope") < made.index("create person") < made.index("create start")
    result = stack.up(PAIR, replace=("scope",))
    assert stack.cloud.taken() == ["delete start", "delete scope", "create scope", "create person", "create start"]
    assert done(result) == [
        ("delete-replaced", "start", False),
        ("delete-replaced", "person", True),
        ("delete-replaced", "scope", False),
        ("create-replacement", "scope", False),
        ("create-replacement", "person", False),
        ("create-replacement", "start", False),
    ]
    assert [step.keys for step in result.steps if step.op == "create-replacement"] == [("id",), (), ()]
    assert stack.up(PAIR, expect_no_changes=True).exit_code == 0


def test_what_is_replaced_with_another_is_replaced_where_the_new_one_comes_first(stack: Stack) -> None:
    program = PAIR.replace('"scope", delete_before_replace=True', '"scope"')
    stack.up(program)
    stack.cloud.taken()
    stack.up(program, replace=("scope",))
    changes = stack.cloud.taken()
    assert changes == ["create scope", "create person", "delete start", "create start", "delete scope"]


def test_what_is_retained_stays_and_is_forgotten(stack: Stack) -> None:
    stack.up(PAIR)
    stack.cloud.taken()
    result = stack.up('thing("scope", delete_before_replace=True)\n')
    assert sorted(stack.cloud.taken()) == ["delete other", "delete start"]
    assert ("delete", "person", True) in done(result)
    assert "person" not in (stack.folder / "state" / "p" / "dev.json").read_text()


def test_a_create_without_an_id_is_an_error(stack: Stack) -> None:
    stack.cloud.without_id = True
    result = stack.up('thing("one")\n')
    assert result.exit_code == 1
    (error,) = (d for d in result.diagnostics if d.severity == "error")
    assert error.message == f"plugin returned empty resource.ID from create '{error.urn}'"


def test_a_provider_that_is_known_and_cannot_be_configured_is_told_as_the_real_engine_does(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_deployment: Deployment, _urn: str) -> Cloud:
        raise PluginError("building client: could not acquire access token")

    stack.up('thing("one")\n')
    monkeypatch.setattr(Deployment, "plugin", refused)
    result = stack.up('thing("one")\n')
    assert result.exit_code == 1
    (error,) = (d for d in result.diagnostics if d.severity == "error")
    assert error.message == (
        f"bad provider state for resource {error.urn}: configure provider '{error.urn}': building client: "
        "could not acquire access token"
    )


HOOKED = """async def again(failed):
    return "try again" in failed.errors[0]


thing("one", hooks=pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook("again", again)]))
"""


def test_a_create_that_a_hook_repeats_is_counted_under_the_resource(stack: Stack) -> None:
    stack.cloud.refusals = ["try again: 2", "try again: 1"]
    result = stack.up(HOOKED)
    assert result.exit_code == 0
    assert stack.cloud.taken() == ["create one"] * 3
    told = [(d.severity, d.message) for d in result.diagnostics]
    assert told == [("warning", f"retrying create due to on-error hook request ({count}/100)") for count in (1, 2)]


def test_a_create_that_no_hook_repeats_fails_with_the_last_error(stack: Stack) -> None:
    stack.cloud.refusals = ["no way", "try again"]
    result = stack.up(HOOKED)
    assert result.exit_code == 1
    assert [d.message for d in result.diagnostics if d.severity == "error"] == ["no way"]


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ('aliases=[pulumi.Alias(name="before")]', "aliases"),
        ("protect=True", "protect"),
        ('replace_on_changes=["size"]', "replace_on_changes"),
        ('import_="x"', "import"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(stack: Stack, option: str, words: str) -> None:
    result = stack.up(f'thing("one", {option})\n')
    assert result.exit_code == 1
    assert f"the lab's engine does not support {words}" in [d.message for d in result.diagnostics]
    assert stack.cloud.taken() == []
