"""The guardrails in the program: before anything is declared, so before any call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..guardrails.pair_facts import facts_of_settings
from ..guardrails.rules import ADVISE, STOP, Finding, findings
from ..pulumi_runtime import messages

if TYPE_CHECKING:
    from ..config import Settings

ALTERNATIVE = "Where a rule does not fit, xtsync:guardrails.levels changes what it does (docs/guardrails.md)."


class GuardrailsBroken(messages.Stopped):
    """All rules that stop a run, in one message."""

    def __init__(self, pair: str, broken: Sequence[Finding]) -> None:
        self.broken = tuple(broken)
        count = "A guardrail stops" if len(broken) == 1 else f"{len(broken)} guardrails stop"
        lines = [line for one in broken for line in (f"  - {one}", f"    Why: {one.rule.reason}.")]
        super().__init__(f"{count} the pair {pair}; nothing was changed.", *lines, ALTERNATIVE)


def enforce(settings: Settings) -> None:
    """Stop the run where a rule says so; tell the rest in one message.

    An information and no warning: it is told at every run, and a warning that is always there hides the others.

    Raises:
        GuardrailsBroken: with all rules that stop it.
    """
    found = findings(facts_of_settings(settings), settings.guardrails.levels)
    pair = f"{settings.source.name} to {settings.target.name}"
    stops = [one for one in found if one.level == STOP]
    if stops:
        raise GuardrailsBroken(pair, stops)
    advice = [one for one in found if one.level == ADVISE]
    if advice:
        messages.info(f"Guardrails advise for {pair}:", *(f"  - {one}" for one in advice))
