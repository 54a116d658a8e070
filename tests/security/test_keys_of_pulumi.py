"""Pulumi acts on its own keys of a stack file, with the stack's secrets in its hands: we refuse them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import world
from lab.engine.values import Secret
from tests.bootstrap_program import run as run_bootstrap
from tests.scenarios.stacks import Lab, messages
from tests.stack_files import GIVEN
from xtsync_resources import config
from xtsync_resources.config import ConfigurationProblems
from xtsync_resources.operate import stack as stacks

SECRET = "abC8Q~Zyxwvutsrqponmlkjihgfedcba0123.456"
ASSIGNMENTS = {"azuread:index/appRoleAssignment:AppRoleAssignment": {"pattern": "${num(99999999999999999999)}"}}
PANIC = {"providers": {"azuread": {"resources": ASSIGNMENTS}}}
HANDED_ON = {"providers": {"azuread": {"pattern": "${config.targetClientSecret}-${name}"}}}
OWN = "pulumi:disable-default-providers"
REFUSED = (
    f"Pulumi acts on it by itself, with the stack's secrets in its hands. Remove it: of Pulumi's own keys only {OWN}"
)


@pytest.mark.real
@pytest.mark.parametrize("pattern", [PANIC, HANDED_ON], ids=["panic", "secret"])
def test_a_pattern_for_names_is_refused_before_anything_is_made(lab: Lab, pattern: dict[str, Any]) -> None:
    lab.stack.config |= {"pulumi:autonaming": pattern, "xtsync:targetClientSecret": Secret(world.TARGET_SECRET)}
    del lab.stack.environment["XTSYNC_TARGET_CLIENT_SECRET"]
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert f"pulumi:autonaming: {REFUSED}" in text
    assert world.TARGET_SECRET not in text
    assert list(lab.entra.traffic) == []


KEYS = ("pulumi:autonaming", "pulumi:template", "pulumi:what-comes-next")


@pytest.mark.parametrize("key", KEYS)
def test_the_program_refuses_what_pulumi_acts_on(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({key: "{}", OWN: "[]"}))
    with pytest.raises(ConfigurationProblems) as refused:
        config.load()
    assert [problem.key for problem in refused.value.problems] == [key]


def test_what_pulumi_new_writes_is_let_be(tmp_path: Path) -> None:
    read(tmp_path, {"pulumi:tags": {"value": {"pulumi:template": "xtsync"}}})


@pytest.mark.parametrize("key", ["other:token", "azuread:clientSecret", "pulumi:disable-default-providers"])
def test_the_program_refuses_what_is_encrypted_in_any_namespace(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({key: SECRET}))
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps([key]))
    with pytest.raises(ConfigurationProblems, match=f"{key}: it is encrypted") as refused:
        config.load()
    assert SECRET[:8] not in str(refused.value)


def test_bootstrap_refuses_both() -> None:
    given = {"PULUMI_CONFIG": json.dumps({"pulumi:template": "{}", "other:token": SECRET})}
    done = run_bootstrap(more={**given, "PULUMI_CONFIG_SECRET_KEYS": json.dumps(["other:token"])})
    assert done.returncode != 0
    assert f"pulumi:template: {REFUSED}" in done.stderr
    assert "other:token: it is encrypted" in done.stderr
    assert SECRET[:8] not in done.stderr


def read(folder: Path, project: dict[str, Any] | None = None, **more: Any) -> None:
    """What `xtsync` does first."""
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "xtsync", "config": project or {}}))
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {**GIVEN, OWN: ["azuread"], **more}}))
    stacks.read("dev", stacks.Location(folder), lambda _: None)


@pytest.mark.parametrize("key", [*KEYS, "pulumi:config:autonaming"])
def test_xtsync_refuses_what_pulumi_acts_on(key: str, tmp_path: Path) -> None:
    read(tmp_path)
    with pytest.raises(ConfigurationProblems, match=f"{key.replace('config:', '')}: {REFUSED}"):
        read(tmp_path, **{key: {}})
    with pytest.raises(ConfigurationProblems, match=REFUSED):
        read(tmp_path, {key: {"value": {"a": "b"}}})


@pytest.mark.parametrize("value", [{"secure": "v1:abc"}, [{"secure": "v1:abc"}], {"a": [{"b": {"secure": "v1:abc"}}]}])
@pytest.mark.parametrize("key", ["xtsync:displayName", "displayName", "other:token"])
def test_xtsync_refuses_what_is_encrypted_in_any_namespace(key: str, value: Any, tmp_path: Path) -> None:
    read(tmp_path, **{"xtsync:sourceClientSecret": {"secure": "v1:xyz"}})
    with pytest.raises(
        ConfigurationProblems, match=r"it is encrypted.*Only sourceClientSecret and targetClient"
    ) as refused:
        read(tmp_path, **{key: value})
    assert "v1:abc" not in str(refused.value)
