"""YAML has more in it than data: `xtsync` reads data out of a stack file or refuses it in one message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.security.untrusted_samples import NAME, obeyed_by
from tests.stack_files import GIVEN, parsed
from xtsync_resources.config import ConfigurationProblems, Settings
from xtsync_resources.graph.errors import XtsyncError
from xtsync_resources.operate import stack as stacks

DIGITS, DEEP, CANARY = "9" * 5000, 3000, "what-was-to-be-hidden"
# Nine names of nine each, of the one before: a short file, and more in it than any memory holds.
BEFORE = [f"*a{n - 1}" for n in range(9)]
LAUGHS = "".join(f"  x:{n}: &a{n} [{', '.join([part] * 9)}]\n" for n, part in enumerate(["lol", *BEFORE[1:]]))
MERGES = "".join(f"  x:{n}: &a{n} {{<<: [{', '.join([part] * 9)}]}}\n" for n, part in enumerate(["{}", *BEFORE[1:]]))


def read(folder: Path, text: str, **without: Any) -> Settings:
    """What `xtsync` reads of a stack file that ends so."""
    config = {key: value for key, value in (GIVEN | without).items() if value is not None}
    (folder / "Pulumi.dev.yaml").write_text(f"{yaml.safe_dump({'config': config})}{text}\n", errors="surrogatepass")
    return stacks.read("dev", stacks.Location(folder), lambda _: None).settings


REFUSED = {
    "code": (
        "xtsync:displayName: !!python/object/apply:os.system [touch run]",
        "a value with a tag, which no setting is",
    ),
    "code as a name": ("xtsync:displayName: !!python/name:os.system x", "which no setting is"),
    "code below": ("xtsync:users: [!!python/object/new:os.system [touch run]]", "which no setting is"),
    "code as a key": ("xtsync:guardrails: {? !!python/name:os.system x : 1}", "which no setting is"),
    "a tag of somebody's": ("xtsync:displayName: !evil x", "a value with a tag, which no setting is"),
    "a password that looks like a tag": (f"xtsync:displayName: !{CANARY}", "with a tag.* quotation marks"),
    "one with two signs": (f"xtsync:displayName: !!{CANARY}", "a value with a tag"),
    "one that is an address": (f"xtsync:displayName: !<{CANARY}> x", "a value with a tag"),
    "one with a handle": (f"xtsync:displayName: !{CANARY}!x y", "undefined tag handle"),
    "a password that looks like a name": (f"xtsync:users: &{CANARY} [*{CANARY}]", "named there holds itself"),
    "a name that nothing has": (f"xtsync:users: *{CANARY}", "undefined alias"),
    "a name twice": (f"xtsync:users: [&{CANARY} a, &{CANARY} b]", "second occurrence"),
    "bytes": ("xtsync:displayName: !!binary aGVsbG8=", "'binary', which no setting is"),
    "bytes as a key": ("xtsync:guardrails: {!!binary aGVsbG8=: 1}", "which no setting is"),
    "a date": ("xtsync:displayName: 2024-01-01", "'timestamp'.*quotation marks"),
    "a date as a key": ("xtsync:guardrails: {2024-01-01: 1}", "'timestamp'"),
    "a date that is none": ("xtsync:displayName: 2024-13-45", "'timestamp'"),
    "a set": ("xtsync:users: !!set {alice@contoso.com}", "'set'"),
    "a number that is none": ("xtsync:deletionThreshold: !!int abc", "not a value of the kind 'int'"),
    "no number": ("xtsync:deletionThreshold: !!int ''", "not a value of the kind 'int'"),
    "a number without end": (f"xtsync:deletionThreshold: {DIGITS}", "not a value of the kind 'int'"),
    "a truth that is none": ("xtsync:running: !!bool perhaps", "not a value of the kind 'bool'"),
    "a list that is none": ("xtsync:users: !!seq x", "expected a sequence"),
    "a list as a key": ("xtsync:guardrails: {[a]: 1}", "unhashable key"),
    "itself": ("xtsync:users: &a [*a]", "named there holds itself"),
    "itself, merged": ("xtsync:guardrails: &a {<<: *a}", "named there holds itself"),
    "nothing by its name": ("xtsync:users: *a", "undefined alias"),
    "laughs": (f"x:n: 1\n{LAUGHS}", "more than 100000 parts"),
    "merges": (f"x:n: 1\n{MERGES}", "more than 100000 parts"),
    "depth": (f"xtsync:users: {'[' * DEEP}{']' * DEEP}", "nested too deep"),
    "a hostile tag": ("xtsync:displayName: !<::add-mask::%3C%7B%25boom> x", "which no setting is"),
    "a line that is torn": (f'xtsync:targetClientSecret: "{CANARY}', "it is not YAML at line"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_data_is_refused_in_one_message(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text, why = REFUSED[name]
    with pytest.raises(XtsyncError, match=why) as caught:
        read(tmp_path, f"  {text}")
    said = str(caught.value)
    assert said.startswith(f"Cannot read the stack file {tmp_path}")
    assert len(said.split("\n")) == 3
    assert obeyed_by(said, lines=True) == []
    assert CANARY not in said
    assert not (tmp_path / "run").exists()


def block(*lines: str) -> str:
    """A text of several lines, as YAML."""
    return "\n    ".join(("|-", *lines))


WRONG = {
    "a list by lines": f"xtsync:users: {block('- alice@contoso.com', '- bob@contoso.com')}",
    "a list that is cut by a line": f"xtsync:users: {block('[alice@contoso.com,', '::add-mask::x]')}",
    "an object that is cut by a line": f"xtsync:guardrails: {block('{everyone: true,', '##vso[task.complete]: x}')}",
    "an object and more": f"xtsync:guardrails: {block('{}', '::add-mask::x')}",
    "hostile text": f"xtsync:displayName: {json.dumps(NAME)}",
    "hostile text in a list": f"xtsync:users: [{json.dumps(NAME)}]",
    "hostile text as a key": f"xtsync:guardrails: {{{json.dumps(NAME)}: 1}}",
    "half a character": 'xtsync:users: ["\\ud800"]',
    "no number": "xtsync:deletionThreshold: .nan",
    "a number without end": "xtsync:deletionThreshold: -.inf",
    "a number in a text": f"xtsync:deletionThreshold: '{DIGITS}'",
    "depth": f"xtsync:users: {'[' * 70}{']' * 70}",
    "depth in a text": f"xtsync:users: '{'[' * DEEP}{']' * DEEP}'",
    "keys that are no texts": "xtsync:guardrails: {1: x, null: y, 1.5: z, true: w}",
}


@pytest.mark.parametrize("name", WRONG)
def test_data_that_is_no_setting_is_one_line_each(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        read(tmp_path, f"  {WRONG[name]}", **({"xtsync:users": None} if "users" in WRONG[name] else {}))
    said = str(caught.value)
    assert len(said.split("\n")) == 1 + len(caught.value.problems)
    assert obeyed_by(said, lines=True) == []


def test_what_only_looks_like_more_is_data(tmp_path: Path) -> None:
    """Names for parts, merged objects, texts in several forms: as Pulumi reads them."""
    lines = (
        "x:other: &who [alice@contoso.com]",
        "x:more: &more {everyone: true}",
        "xtsync:users: *who",
        "xtsync:guardrails: {<<: *more}",
        "xtsync:displayName: !!str '2024-01-01 !!binary &a *b'",
        "xtsync:provisionOnDemand: " + block("[", '  "alice@contoso.com"', "]"),
    )
    found = read(tmp_path, "\n".join(f"  {line}" for line in lines), **{"xtsync:users": None})
    assert found.users == found.provision_on_demand == ("alice@contoso.com",)
    assert found.display_name == "2024-01-01 !!binary &a *b"
    assert found.guardrails.everyone is True


@pytest.mark.parametrize("depth", [64, 65, 66, *range(880, 1000)])
def test_a_text_of_any_depth_is_told_as_it_is(depth: int) -> None:
    """What the program gets from Pulumi: a depth that is read may not be too deep to be told."""
    with pytest.raises(ConfigurationProblems, match="xtsync:users"):
        parsed(users=f"{'[' * depth}{']' * depth}")
