"""What a command reads of a stack: its own file, the project's defaults, and how Pulumi is asked for the rest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime.rpc import UNKNOWN

from tests.policy.analyzer import UNKNOWN_OBJECT
from tests.unit.graph_fakes import SOURCE_ID, TARGET_ID
from xtsync_resources.config import ConfigurationProblems
from xtsync_resources.graph.errors import ConfigurationError
from xtsync_resources.operate import stack as stacks
from xtsync_resources.operate.project_file import project_defaults
from xtsync_resources.operate.stack import Location, Stack

CLIENT = "33333333-3333-4333-8333-333333333333"
SOURCE = {"tenantId": SOURCE_ID}
CONFIG = {"xtsync:source": SOURCE, "xtsync:target": {"tenantId": TARGET_ID}, "xtsync:users": ["a@b.c"]}


def read(folder: Path, stack: dict[str, Any], project: dict[str, Any] | None) -> Stack:
    if project is not None:
        document = {"name": "xtsync", "runtime": "python", "config": project}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(document))
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": stack}))
    return stacks.read("dev", Location(folder), lambda _: None)


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        ({"cloud": {"type": "string", "default": "china"}}, {"xtsync:cloud": "china"}),
        ({"xtsync:cloud": {"type": "string", "default": "china"}}, {"xtsync:cloud": "china"}),
        ({"running": {"type": "boolean", "default": False}}, {"xtsync:running": False}),
        ({"cloud": {"value": "china"}}, {"xtsync:cloud": "china"}),
        ({"xtsync:cloud": "china"}, {"xtsync:cloud": "china"}),
        ({"users": ["a@b.c"]}, {"xtsync:users": ["a@b.c"]}),
        ({"aws:region": {"value": "x"}}, {"aws:region": "x"}),
        ({"users": {"type": "array", "items": {"type": "string"}}}, {}),
        ("a/folder", {}),
        (None, {}),
    ],
)
def test_a_project_declares_values_in_every_form_pulumi_knows(declared: Any, found: dict[str, Any]) -> None:
    assert project_defaults({"name": "xtsync", "config": declared}) == found


@pytest.mark.parametrize("project", [None, {}])
@pytest.mark.parametrize("key", ["{}", "xtsync:{}", "xtsync:config:{}"])
def test_a_key_is_read_in_every_way_pulumi_reads_it(key: str, project: Any, tmp_path: Path) -> None:
    given = {"onDestroy": "drain", "deletionThreshold": 0, "other:region": "x"}
    stack = {key.format(name) if ":" not in name else name: value for name, value in given.items()}
    settings = read(tmp_path, {**CONFIG, **stack}, project).settings
    assert (settings.on_destroy, settings.deletion_threshold) == ("drain", 0)


@pytest.mark.parametrize("again", ["deletionThreshold", "xtsync:config:deletionThreshold"])
@pytest.mark.parametrize("in_project", [False, True])
def test_a_key_that_is_there_twice_is_refused(again: str, tmp_path: Path, *, in_project: bool) -> None:
    """Pulumi takes one of them, in an order that changes from run to run."""
    twice = {"xtsync:deletionThreshold": 500, again: 0}
    stack, project = ({}, twice) if in_project else (twice, {})
    with pytest.raises(ConfigurationError, match="xtsync:deletionThreshold is there twice"):
        read(tmp_path, {**CONFIG, **stack}, project)


def test_the_name_of_the_project_is_the_namespace(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: contoso-sync\nruntime: python\n")
    own = {key.replace("xtsync:", "contoso-sync:"): value for key, value in CONFIG.items()}
    stack = read(tmp_path, {**own, "onDestroy": "drain", "contoso-sync:displayName": "Pair"}, None)
    assert (stack.settings.on_destroy, stack.settings.display_name) == ("drain", "Pair")
    with pytest.raises(ConfigurationProblems, match=r"contoso-sync:runing: unknown key. Did you mean running\?"):
        read(tmp_path, {**own, "runing": True}, None)


def test_what_the_stack_file_leaves_out_is_the_projects(tmp_path: Path) -> None:
    project = {
        "cloud": {"type": "string", "default": "china"},
        "xtsync:notifyEmail": "it@contoso.com",
        "running": {"type": "boolean", "default": False},
        "deletionThreshold": {"type": "integer", "default": 40},
        "inboundTrust": {"value": {"mfa": True}},
    }
    settings = read(tmp_path, {**CONFIG, "xtsync:deletionThreshold": 7}, project).settings
    assert (settings.cloud.name, settings.notify_email, settings.running) == ("china", "it@contoso.com", False)
    assert settings.inbound_trust == {"isMfaAccepted": True}
    assert settings.deletion_threshold == 7


def test_a_folder_needs_no_project_file_but_a_broken_one_is_said(tmp_path: Path) -> None:
    assert read(tmp_path, CONFIG, None).settings.cloud.name == "public"
    (tmp_path / "Pulumi.yaml").write_text("config: [")
    with pytest.raises(ConfigurationError, match=r"project file .*Pulumi\.yaml"):
        read(tmp_path, CONFIG, None)


def test_the_configuration_file_that_was_given_is_where_pulumi_looks_for_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = tmp_path / "noted"
    command = tmp_path / "pulumi"
    command.write_text(f'#!/bin/sh\necho "$PWD $*" > {noted}\necho hidden\n')
    command.chmod(0o755)
    folder, elsewhere = tmp_path / "program", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(shutil, "which", lambda _: str(command))
    source = {**SOURCE, "auth": "secret", "clientId": CLIENT}
    config = {**CONFIG, "xtsync:source": source, "xtsync:sourceClientSecret": {"secure": "v1:x"}}
    (elsewhere / "own.yaml").write_text(yaml.safe_dump({"config": config}))
    stack = stacks.read("dev", Location(folder, Path("own.yaml")), lambda _: None)
    assert stack._secret(stack.settings.source) == "hidden"
    assert noted.read_text().split() == [
        str(folder), "config", "get", "xtsync:sourceClientSecret", "--stack", "dev",
        "--config-file", str(elsewhere / "own.yaml"), "--non-interactive",
    ]  # fmt: skip


@pytest.mark.parametrize("marker", [UNKNOWN, UNKNOWN_OBJECT])
def test_what_a_run_did_not_come_to_know_is_no_id(marker: str, tmp_path: Path) -> None:
    stack = read(tmp_path, CONFIG, None)
    file = tmp_path / "outputs.json"
    scope = {"users": 1, "people": marker, "adopted": [marker]}
    file.write_text(json.dumps({"jobId": marker, "scope": scope, "provisionedOnDemand": marker}))
    found = stacks.read_outputs("dev", Location(tmp_path, None, file))
    assert found == {"scope": {"users": 1, "adopted": []}}
    stack = Stack("dev", stack.settings, Location(tmp_path, None, file))
    with pytest.raises(ConfigurationError, match=r"The stack dev has no pair \(no output jobId\)"):
        _ = stack.job
