"""One namespace: the project's name. What is written in another one is told, in the program and by `xtsync` alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from tests.stack_files import GOOD
from xtsync_resources import config, namespace
from xtsync_resources.config import ConfigurationProblems
from xtsync_resources.graph.errors import ConfigurationError
from xtsync_resources.operate import project_file
from xtsync_resources.operate import stack as stacks
from xtsync_resources.operate.export import Found, as_config, as_import
from xtsync_resources.untrusted import one_line

OTHER = "contoso-sync"
Reader = Callable[[str, dict[str, Any]], Any]


def by_xtsync(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """`xtsync` reads the files."""

    def read(project: str, values: dict[str, Any]) -> Any:
        (folder / "Pulumi.yaml").write_text(f"name: {project}\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": values}, sort_keys=False))
        return stacks.read("dev", stacks.Location(folder), lambda _: None).settings

    return read


def by_the_program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """The program is handed values, and sees the files beside it."""

    def read(project: str, values: dict[str, Any]) -> Any:
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
        (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": values}, sort_keys=False))
        monkeypatch.chdir(folder)
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(texts))
        monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
        monkeypatch.setattr(pulumi.Config, "__init__", lambda self: setattr(self, "name", project))
        monkeypatch.setattr(pulumi.Config, "get_secret", lambda *_: None)
        return config.load()

    return read


@pytest.fixture(params=[by_xtsync, by_the_program])
def read(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    made: Reader = request.param(tmp_path, monkeypatch)
    return made


def in_namespace(name: str, **changes: Any) -> dict[str, Any]:
    return {f"{name}:{key}": value for key, value in (GOOD | changes).items()}


def problems(read: Reader, project: str, values: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationProblems) as caught:
        read(project, values)
    return str(caught.value).split("\n")[1:]


@pytest.mark.parametrize("project", ["xtsync", OTHER, "my.xtsync"])
def test_keys_are_read_and_told_in_the_namespace_of_the_project(read: Reader, project: str) -> None:
    assert read(project, in_namespace(project)).users == ("a@b.c",)
    (told,) = problems(read, project, in_namespace(project, running="maybe"))
    assert told == f'  - {project}:running = "maybe": not true or false. Give true or false.'


def test_keys_in_the_namespace_of_another_project_are_told_with_their_lines(read: Reader) -> None:
    (told,) = problems(read, OTHER, in_namespace("xtsync"))
    assert told == (
        "  - The namespace xtsync: source (Pulumi.dev.yaml, line 2), target (Pulumi.dev.yaml, line 4) and users "
        "(Pulumi.dev.yaml, line 6) would be read by nobody there, as this project is called contoso-sync. Write "
        "contoso-sync:source, contoso-sync:target and contoso-sync:users."
    )


@pytest.mark.parametrize("written", ["xtsnyc", "xtsyn", "Xtsync", "xt-sync"])
@pytest.mark.parametrize("name", ["groups", "gruops"])
def test_a_misspelt_namespace_is_told(read: Reader, written: str, name: str) -> None:
    told = problems(read, "xtsync", in_namespace("xtsync") | {f"{written}:{name}": ["Finance"]})
    assert told[0].startswith(f"  - The namespace {written}: {name} (Pulumi.dev.yaml, line 8) would be read by nobody")
    meant = " if that is meant by gruops" if name == "gruops" else ""
    assert told[0].endswith(f"Write xtsync:groups{meant}.")
    assert [line.split(". ")[1] for line in told[1:]] == (["Did you mean groups?"] if name == "gruops" else [])


def test_what_has_strayed_is_looked_at_with_all_the_rest(read: Reader) -> None:
    told = problems(read, "xtsync", in_namespace("xtsync", running="maybe") | {"xtsnyc:cloud": "nowhere"})
    assert [line.split(": ")[0].split(" = ")[0] for line in told] == [
        "  - The namespace xtsnyc", "  - xtsync:cloud", "  - xtsync:running",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "key",
    [
        "pulumi:tags", "azuread:tenantId", "azuread:metadataHost", "openstack:cloud", "azure-native:location",
        "aws:region", "other:word",
    ],
)  # fmt: skip
def test_the_namespaces_of_packages_are_let_be(read: Reader, key: str) -> None:
    read("xtsync", in_namespace("xtsync") | {key: "x"})
    read("azuread-sync", in_namespace("azuread-sync") | {key: "x"})


@pytest.mark.parametrize("project", ["xtsync", OTHER])
def test_a_secret_that_has_strayed_is_told_and_not_shown(project: str, tmp_path: Path) -> None:
    values = in_namespace(project) | {"xtsnyc:sourceClientSecret": {"secure": "v1:abc"}}
    (told,) = problems(by_xtsync(tmp_path, pytest.MonkeyPatch()), project, values)
    assert told.startswith("  - The namespace xtsnyc: sourceClientSecret (Pulumi.dev.yaml, line 8)")
    assert "v1:abc" not in told


def test_what_is_exported_is_in_the_namespace(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: {OTHER}\nruntime: python\n")
    project_file.enter_project(tmp_path)
    settings = stacks.provisional(
        {side: (GOOD[side]["tenantId"], "", "") for side in ("source", "target")}, "cli", "public", "", lambda _: None
    ).settings
    found = Found("id", "name", "principal", {}, {}, [], {}, "")
    assert set(as_config(settings, found)) >= {f"{OTHER}:source", f"{OTHER}:target"}
    assert f"dev::{OTHER}::" in as_import(found, namespace.current(), "dev")["nameTable"]["pair"]


def test_messages_name_keys_as_they_are_written_and_our_types_as_they_are() -> None:
    text = "set xtsync:deletionThreshold; dynamic/xtsync:SyncJob, xtsync:index:TenantPair, not-xtsync:users"
    assert one_line(text) == text
    namespace.use(OTHER)
    assert one_line(text) == text.replace("set xtsync:", f"set {OTHER}:")
    assert one_line(one_line(text)) == one_line(text)
    assert "set contoso-sync:source.auth" in str(ConfigurationError("what", "why", "set xtsync:source.auth"))


@pytest.mark.parametrize("name", ["xtsync:finance", "xtsync:users-abroad", "xtsync:usersX", "xtsync:cloud:1"])
def test_what_a_tenant_calls_something_is_no_key(name: str) -> None:
    namespace.use(OTHER)
    assert one_line(f"the group {name}") == f"the group {name}"


@pytest.mark.parametrize("key", namespace.KEYS)
@pytest.mark.parametrize("after", ["", ".", ": true keeps it", ":", ".tenantId", "[0]", ", and"])
def test_a_key_is_one_whatever_follows(key: str, after: str) -> None:
    namespace.use(OTHER)
    assert namespace.named(f"set xtsync:{key}{after}") == f"set {OTHER}:{key}{after}"


def test_the_keys_that_are_rewritten_are_all_there_are() -> None:
    assert set(namespace.KEYS) == {*config.KEYS, *config.SECRET_KEYS}


@pytest.mark.parametrize(
    ("name", "do"),
    [
        ("sorceClientSecret", "Write xtsync:sourceClientSecret if that is meant by sorceClientSecret."),
        ("gruops", "Write xtsync:groups if that is meant by gruops."),
        ("databasePassword", "There is no key databasePassword: remove it."),
    ],
)
def test_of_a_key_that_has_strayed_and_is_none_the_nearest_is_told(tmp_path: Path, name: str, do: str) -> None:
    values = in_namespace("xtsync") | {f"xtsnyc:{name}": "x"}
    assert problems(by_xtsync(tmp_path, pytest.MonkeyPatch()), "xtsync", values)[0].endswith(f". {do}")
