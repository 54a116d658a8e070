"""The guardrails, as the program will check them; no call is made for them."""

from __future__ import annotations

from ...config import Settings
from ...guardrails.rules import RULES, STOP, broken_by
from .finding import ADVICE, Finding, Level, as_advice, counted

AREA = "guardrails"


def check(settings: Settings) -> list[Finding]:
    """The rules the configuration breaks: what stops `pulumi up` is a problem, advice leaves all well."""
    found = [
        Finding(
            "pair", AREA, Level.PROBLEM, f"{one.rule.id} stops `pulumi up`: {one.found}", as_advice(one.rule.remedy)
        )
        if one.level == STOP
        else Finding("pair", AREA, Level.OK, f"{ADVICE}{one}")
        for one in broken_by(settings)
    ]
    if settings.allow_deletions:
        number = settings.allow_deletions
        text = (
            f"{ADVICE}xtsync:allowDeletions is {number}, for every run: take it out again once those people have left"
        )
        found.append(Finding("pair", AREA, Level.OK, text))
    return found or [Finding("pair", AREA, Level.OK, f"the pair breaks none of {counted(len(RULES), 'rule')}")]
