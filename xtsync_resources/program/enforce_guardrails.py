"""The guardrails in the program: before anything is declared, so before any call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..guardrails.pair_facts import Sayings
from ..guardrails.rules import ADVISE, STOP, Finding, broken_by, findings
from ..guardrails.stack_facts import facts_of_resources
from ..pulumi_runtime import messages

if TYPE_CHECKING:
    from ..config import Settings
    from .stack_state import Recorded

ALTERNATIVE = "Where a rule does not fit, xtsync:guardrails.levels changes what it does (docs/guardrails.md)."


class GuardrailsBroken(messages.Stopped):
    """All rules that stop a run, in one message."""

    def __init__(self, pair: str, broken: Sequence[Finding]) -> None:
        self.broken = tuple(broken)
        count = "A guardrail stops" if len(broken) == 1 else f"{len(broken)} guardrails stop"
        lines = [line for one in broken for line in (f"  - {one}", f"    Why: {one.rule.reason}.")]
        super().__init__(f"{count} the pair {pair}; nothing was changed.", *lines, ALTERNATIVE)


def enforce(settings: Settings) -> None:
    """Stop the run where a rule says so.

    Raises:
        GuardrailsBroken: with all rules that stop it.
    """
    stops = [one for one in broken_by(settings) if one.level == STOP]
    if stops:
        raise GuardrailsBroken(pair_of(settings), stops)


def advise(settings: Settings, state: Iterable[Recorded]) -> None:
    """Tell in one message what rules advise that the last run has not left so already.

    What is told at every run is read by nobody, and hides what is new. What was found has to be in the state in the
    very same words: where the state does not tell, it is told again.
    """
    resources = [(one.type, one.outputs) for one in state]
    before = {
        (one.rule.id, one.found)
        for facts in facts_of_resources(resources, Sayings(), whole=True)
        for one in findings(facts)
    }
    new = [one for one in broken_by(settings) if one.level == ADVISE and (one.rule.id, one.found) not in before]
    if new:
        messages.info(*advice(pair_of(settings), new))


def advice(pair: str, new: Sequence[Finding]) -> list[str]:
    """What rules advise, in lines of which the first tells by itself: Pulumi's table shows no other."""
    if len(new) == 1:
        return [f"A guardrail advises for {pair}: {new[0]}"]
    rules = ", ".join(one.rule.id for one in new)
    return [f"{len(new)} guardrails advise for {pair} ({rules}).", *(f"  - {one}" for one in new)]


def pair_of(settings: Settings) -> str:
    """What messages call the pair."""
    return f"{settings.source.name} to {settings.target.name}"
