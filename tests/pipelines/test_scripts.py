"""What the scripts of the pipelines make of strange input: names of others, files of others, jobs that did not run."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.pipelines import hosts
from tests.pipelines.workflows import PIPELINES, ROOT

URN = "urn:pulumi:a-b::xtsync::xtsync:index:TenantPair$pulumi-python:dynamic/xtsync:SyncScope::pair-scope"
# What GitHub, Azure DevOps, a runner or a terminal would make something of.
HOSTILE = (
    "@everyone",
    "see https://evil.example/login",
    "www.evil.example",
    "fixes #1, AB#2, !3",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:x)",
    "a | b | c",
    "`` ` ```",
    "line\n\n# Heading\n::set-output name=a::b",
    "##vso[task.setvariable variable=a]b",
    "\x1b[31mred\x1b[0m\u202eoverride",
    "--> <!-- xtsync -->",
)


def script(name: str) -> ModuleType:
    """A script of the pipelines, which is in no package."""
    spec = importlib.util.spec_from_file_location(name, PIPELINES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plan, publish, stack_files = script("plan"), script("publish"), script("stack_files")


# --- names of others ---------------------------------------------------------------------------------------


def alive(markdown: str) -> list[str]:
    """What is left of a page beside code, if it does something."""
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)
    return re.findall(r"@\w|https?://|www\.|(?<!\\)<|#\d|!\d|(?<!\\)\[|\x1b|\u202e|##vso\[|^::", outside, re.MULTILINE)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_others_are_dead_text_wherever_they_stand(name: str) -> None:
    step = {
        "op": "update",
        "urn": f"{URN}{name}",
        "oldState": {"inputs": {name: name}},
        "newState": {"inputs": {"other": name}},
        "detailedDiff": {f'["{name}"]': {"kind": "update"}, "other": {"kind": "add"}},
    }
    told = [{"message": f"{name}\n", "severity": "warning", "urn": f"{URN}{name}"}]
    text = plan.describe("preview", "a-b", 0, {"steps": [step], "diagnostics": told})
    assert alive(text) == []
    # Every row is one line of five cells.
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_the_look_for_what_is_alive_finds_it() -> None:
    assert alive("@everyone")
    assert alive("https://evil.example")
    assert alive("\\<ok `@code` <img>")
    assert not alive("\\<ok `@code https://a`")


# --- what Pulumi answers -----------------------------------------------------------------------------------


def test_errors_come_first_then_people(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [
        {"message": "advice", "severity": "info"},
        {"message": "3 people leave", "severity": "warning", "urn": URN},
        {"message": "forbidden", "severity": "error", "urn": f"{URN}-record"},
    ]
    text = plan.describe("preview", "a-b", 1, {"steps": [], "diagnostics": told})
    assert text.startswith("### a-b: failed\n")
    assert text.index("forbidden") < text.index("3 people leave") < text.index("advice")


def test_changes_are_told_to_programs_by_tenant_object_and_field() -> None:
    tenant = "a5c2f7d0-3b6e-4c1a-9d52-6f1e0b7c4a11"
    states = {
        "oldState": {"id": "s/scope", "inputs": {"homeTenantId": tenant, "trust": {"mfa": True}}},
        "newState": {"inputs": {"homeTenantId": tenant, "trust": {"mfa": False}}},
    }
    steps = [
        {"op": "update", "urn": URN, **states, "detailedDiff": {"trust.mfa": {"kind": "update"}}},
        {"op": "delete", "urn": URN, "oldState": states["oldState"]},
        {"op": "refresh", "urn": URN, **states},
    ]
    where = {
        "tenantId": tenant,
        "type": "pulumi-python:dynamic/xtsync:SyncScope",
        "resource": "pair-scope",
        "id": "s/scope",
    }
    assert plan.changes_of("drift", {"steps": steps}) == [
        {"change": "changed", **where, "property": "trust.mfa", "old": "true", "new": "false"},
        {"change": "gone", **where},
    ]


def test_what_azuread_makes_is_told_with_the_tenant_of_its_provider() -> None:
    provider = "urn:pulumi:a-b::xtsync::xtsync:index:TenantPair$pulumi:providers:azuread::pair-source-azuread"
    urn = (
        "urn:pulumi:a-b::xtsync::xtsync:index:TenantPair$azuread:index/appRoleAssignment:AppRoleAssignment::pair-user-1"
    )
    state = {"id": "/servicePrincipals/1/appRoleAssignedTo/2", "inputs": {}, "provider": f"{provider}::some-id"}
    steps = [
        {"op": "same", "urn": provider, "newState": {"inputs": {"tenantId": "the source"}}},
        {"op": "delete", "urn": urn, "oldState": state},
    ]
    (one,) = plan.changes_of("drift", {"steps": steps})
    assert (one["tenantId"], one["id"]) == ("the source", state["id"])


def test_what_is_too_much_is_counted() -> None:
    steps = [{"op": "create", "urn": f"{URN}{number}"} for number in range(1000)]
    told = [{"message": "x" * 10_000, "severity": "info"}] * 1000
    text = plan.describe("preview", "a-b", 0, {"steps": steps, "diagnostics": told})
    assert "940 more rows" in text
    assert "960 more messages" in text
    assert len(text) < 100_000


@pytest.mark.parametrize("says", ["", "error: no stack named a-b", "[]"])
def test_no_answer_is_a_failure_whatever_the_exit_code(
    says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = tmp_path / "pulumi"
    command.write_text(f"#!/bin/sh\necho '{says}'\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert plan.main(["drift", "a-b", str(tmp_path / "plans")]) == 1
    assert json.loads((tmp_path / "plans" / "a-b.json").read_text())["exitCode"] == 1
    assert "Pulumi gave no answer" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["../a", "a b", "", "a;b"])
def test_a_stack_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        plan.main(["drift", name, str(tmp_path)])


# --- stack files of others ---------------------------------------------------------------------------------


SETTINGS = (ROOT / "Pulumi.dev.yaml").read_text()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (SETTINGS, ""),
        (f"{SETTINGS}environment: [evil]\n", "environment"),
        (f'{SETTINGS}"environ\\u006dent": [evil]\n', "environment"),
        ("config: !!python/object/apply:os.system [id]\n", "not YAML"),
        (f"{SETTINGS}  users: [eve@contoso.com]\n", "twice"),
        (f"{SETTINGS}  pulumi:autonaming: {{mode: disabled}}\n", "pulumi:autonaming"),
        (f"{SETTINGS}  xtsync:deletionTreshold: 1\n", "deletionThreshold"),
        (SETTINGS.replace("localhost:8443", "evil.example"), "evil.example"),
    ],
)
def test_what_pulumi_obeys_before_the_program_and_what_that_would_refuse_is_refused(
    content: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Pulumi.a-b.yaml").write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XTSYNC_METADATA_HOST", raising=False)
    assert stack_files.main([]) == (1 if why else 0)
    said = capsys.readouterr()
    assert json.loads(said.out) == ["a-b"]
    assert why in said.err
    assert bool(why) == bool(said.err)


def test_a_link_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Pulumi.a-b.yaml").symlink_to("/etc/passwd")
    monkeypatch.chdir(tmp_path)
    assert stack_files.main([]) == 1
    assert "link" in capsys.readouterr().err


# --- publishing --------------------------------------------------------------------------------------------


def written(folder: Path, **codes: int) -> None:
    """Plans of stacks, as the artifacts of jobs."""
    for name, code in codes.items():
        document = {"stack": name, "kind": "drift", "exitCode": code, "markdown": f"### {name}: {code}\n"}
        (folder / f"plan-{name}").mkdir(parents=True)
        (folder / f"plan-{name}" / f"{name}.json").write_text(json.dumps(document))


def published(monkeypatch: pytest.MonkeyPatch, host: hosts.Host, where: str, folder: Path, *stacks: str) -> None:
    """Run `publish.py`."""
    given = {**host.github(), **host.azure(), "PULL_REQUEST": "7", "WORK_ITEM_TYPE": "Issue", "WORK_ITEM_DONE": "Done"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    publish.main([where, "--stacks", json.dumps(stacks), str(folder)])


def test_a_stack_whose_job_did_not_get_that_far_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, a=0)
    with hosts.serve() as host:
        published(monkeypatch, host, "github-issue", tmp_path, "a", "b")
        (issue,) = host.issues
    assert issue["body"].index("### b: failed") < issue["body"].index("### a: 0")


def test_an_issue_is_not_closed_while_a_stack_could_not_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, a=0)
    with hosts.serve() as host:
        for _ in range(2):
            published(monkeypatch, host, "github-issue", tmp_path, "a", "b")
        assert [one["state"] for one in host.issues] == ["open"]


def test_comments_of_people_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, a=0)
    quoted: dict[str, Any] = {"id": 1, "user": hosts.PERSON, "body": f"{publish.MARKER} said by a person"}
    with hosts.serve() as host:
        host.comments += [quoted, *({"id": n, "user": hosts.BOT, "body": "else"} for n in range(2, 151))]
        for _ in range(2):
            published(monkeypatch, host, "github-comment", tmp_path, "a")
        assert quoted["body"].endswith("said by a person")
        assert len(host.comments) == 151
        assert host.comments[-1]["body"] == f"{publish.MARKER}\n### a: 0\n\n"


def test_what_does_not_fit_is_counted() -> None:
    plans = [{"stack": str(n), "exitCode": 0, "markdown": "x" * 10_000} for n in range(10)]
    text = publish.joined(plans)
    assert "5 more stacks" in text
    assert len(text) < 65_536


@pytest.mark.parametrize("where", sorted(publish.PUBLISHERS))
def test_a_refusal_is_told_without_the_token(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, a=7)
    monkeypatch.setattr(hosts, "TOKEN", "another")
    with hosts.serve() as host:
        monkeypatch.setattr(host, "answer", lambda *_: (403, {"message": "no"}))
        with pytest.raises(SystemExit, match="403") as refusal:
            published(monkeypatch, host, where, tmp_path, "a")
    assert "another" not in str(refusal.value)
