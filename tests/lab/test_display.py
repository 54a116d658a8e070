"""What a person sees of the small engine's operations."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lab.display import Display, print_result
from lab.engine import Diagnostic, Event, Result, Step

URN = "urn:pulumi:dev::p::xtsync:index:TenantPair$azuread:index/appRoleAssignment:AppRoleAssignment::person"
TYPE = "azuread:index/appRoleAssignment:AppRoleAssignment"


def shown(*events: Event, preview: bool = False) -> str:
    """What is printed where the output is no terminal."""
    file = io.StringIO()
    console = Console(file=file, width=120)
    with Display(console, "up", "dev", preview=preview) as display:
        for event in events:
            display.on_event(event)
    steps = tuple(event for event in events if isinstance(event, Step))
    told = tuple(event for event in events if isinstance(event, Diagnostic))
    print_result(console, Result("up", "dev", preview, 0, steps, told, {"create": 1}, {}, 0))
    return " ".join(file.getvalue().split())


def test_a_row_stays_red_and_counts_as_errored_once_an_error_was_told_under_it() -> None:
    """As in the real engine, though a hook had the create repeated and it went well."""
    done = Step("create", URN, TYPE, 1)
    text = shown(Diagnostic("error", "it exists", URN), Diagnostic("warning", "retrying create", URN), done)
    assert "+ person azuread:AppRoleAssignment create failed" in text
    assert "Resources: + 1 created, 1 errored" in text
    assert "error: it exists warning: retrying create" in text
    text = shown(done)
    assert "+ person azuread:AppRoleAssignment created" in text
    assert "errored" not in text


@pytest.mark.parametrize(("preview", "words"), [(True, "delete[retain]"), (False, "deleted[retain]")])
def test_what_is_retained_says_so(preview: bool, words: str) -> None:
    text = shown(Step("delete", URN, TYPE, 2, retained=True), preview=preview)
    assert f"- person azuread:AppRoleAssignment {words}" in text


def test_differences_are_shown_with_old_and_new() -> None:
    detail = {"a.b": {"diffKind": "update"}, 'c["x.y"]': {"diffKind": "add"}, "d[0]": {"diffKind": "delete"}}
    before, after = {"a": {"b": 1}, "d": ["x"]}, {"a": {"b": "[unknown]"}, "c": {"x.y": True}}
    text = shown(Step("update", URN, TYPE, 1, detailed_diff=detail, old_inputs=before, inputs=after))
    assert "~ a.b: 1 -> [unknown]" in text
    assert '+ c["x.y"]: true' in text
    assert '- d[0]: "x"' in text
