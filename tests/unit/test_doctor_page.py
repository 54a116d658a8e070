"""What `xtsync doctor` shows to people: what is in the way first, nothing twice, and what is well in one place."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

from rich.console import Console

from tests.unit.test_checks import look
from xtsync_resources.operate.checks import Finding, Level
from xtsync_resources.operate.checks.finding import ADVICE
from xtsync_resources.operate.doctor import as_table

MEND = "run `pulumi up --refresh --diff`, which shows what it changes"
FOUND = [
    Finding("source", "login", Level.OK, "the login service knows the tenant"),
    Finding("source", "licence", Level.WARNING, "no licence was found", "buy or assign the licence"),
    Finding("source", "synchronization", Level.OK, "running; the last cycle went well"),
    Finding("source", "synchronization", Level.PROBLEM, "the setting CompanyId is not set", MEND),
    Finding("source", "synchronization", Level.PROBLEM, "the setting SyncAll is on, and the stack file says off", MEND),
    Finding("target", "login", Level.OK, "the login service knows the tenant"),
    Finding("target", "scope", Level.OK, f"{ADVICE}give object ids instead of names"),
    Finding("target", "partner", Level.WARNING, "could not be checked", "ask", "CrossTenantInformation.ReadBasic.All"),
    Finding("pair", "cloud", Level.OK, "both tenants are in one cloud"),
]


def shown(*, everything: bool = False, width: int = 80) -> list[str]:
    stream = io.StringIO()
    stack = cast("Any", SimpleNamespace(settings=look().settings))
    Console(file=stream, width=width).print(as_table(stack, FOUND, everything=everything))
    return [text.rstrip() for text in stream.getvalue().splitlines()]


def test_problems_come_first_then_warnings_and_what_is_well_is_one_place() -> None:
    lines = shown()
    labels = [text.split()[0] for text in lines if text[:1].strip()]
    assert labels == ["problem", "warning", "advice", "ok", "unseen"]
    assert max(map(len, lines)) <= 80
    well = lines[next(place for place, text in enumerate(lines) if text.startswith("ok")) :][:4]
    assert [text.split(maxsplit=1)[-1].strip() if text[:2] == "ok" else text.strip() for text in well] == [
        "Contoso: login",
        "Fabrikam: login",
        "both: cloud",
        "--all lists what was found",
    ]
    assert "the login service knows the tenant" not in "\n".join(lines)


def test_a_remedy_of_several_findings_is_told_once_and_nothing_is_told_twice() -> None:
    for everything in (False, True):
        text = " ".join(" ".join(shown(everything=everything)).split())
        assert text.count(MEND) == 1
        assert text.index("CompanyId") < text.index("SyncAll is on") < text.index(MEND) < text.index("no licence")
        for one in FOUND:
            if one.level is not Level.OK and not one.missing:
                assert text.count(one.found) == 1


def test_all_lists_what_is_well_in_full() -> None:
    text = " ".join(" ".join(shown(everything=True)).split())
    for one in FOUND:
        assert one.missing or (one.advice or one.found) in text
    assert "--all" not in text
