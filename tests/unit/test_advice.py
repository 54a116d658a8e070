"""What stands after `Do:` is an action: it begins with a verb that says what to do, or with when to do it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from tests.advice import all_advice, is_action
from xtsync_resources.guardrails.rules import RULES
from xtsync_resources.operate.checks.finding import as_advice
from xtsync_resources.operate.health import verdict
from xtsync_resources.sync_job.quarantine import REASONS, reason_of, said_by_doctor
from xtsync_resources.sync_scope.foreign_assignments import WHAT_BECOMES

ALL = all_advice()
# A problem of the configuration is told in sentences, so its advice begins one; where it is guessed, it asks.
SENTENCES = ("config/", "sync_scope/principals.py")
KEYS = ("Did you mean ", "The keys are ")


def test_the_source_is_read() -> None:
    assert len(ALL) > 200
    assert {"operate/checks", "graph/credentials.py", "sync_scope/draining.py"} <= {
        part for one in ALL for part in (one.where.split(":")[0], one.where.rsplit("/", 1)[0])
    }


def test_every_advice_of_the_source_is_an_action() -> None:
    others = [one for one in ALL if not one.where.startswith(SENTENCES)]
    assert [one for one in others if not is_action(one.text)] == []


def test_an_advice_of_a_sentence_is_one_as_a_finding_too() -> None:
    sentences = [one for one in ALL if one.where.startswith(SENTENCES) and one.text not in KEYS]
    assert [one for one in sentences if not is_action(as_advice(one.text))] == []
    assert [rule.remedy for rule in RULES if not is_action(as_advice(rule.remedy))] == []


def job(state: str, reason: str = "", last: str = "Succeeded", failures: int = 0) -> Any:
    quarantine = {"reason": reason} if reason else None
    return {
        "schedule": {"state": state, "interval": "PT40M"},
        "status": {
            "code": "Quarantine" if reason else "Active",
            "quarantine": quarantine,
            "lastExecution": {"state": last, "error": {"code": "X", "message": "M"}},
            "countSuccessiveCompleteFailures": failures,
        },
    }


@pytest.mark.parametrize("reason", ["", "SomethingNew", *(one.name for one in REASONS)])
def test_what_is_said_of_a_job_is_an_action(reason: str) -> None:
    for state, last, failures in product(
        ("Active", "Paused", "Disabled"), ("Succeeded", "Failed", "EntryLevelErrors"), (0, 3)
    ):
        healthy, headline, remedy = verdict(job(state, reason, last, failures), None, running=True)
        do = remedy.removeprefix(f"{reason_of(reason).meaning}. ")
        assert healthy or is_action(as_advice(said_by_doctor(do))), (headline, remedy)


def test_what_becomes_of_whom_somebody_has_assigned_is_an_action() -> None:
    assert [text for text in WHAT_BECOMES.values() if not is_action(text)] == []


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("run `pulumi up`", True),
        ("if that is a mistake, put them back", True),
        ("they stay", False),
        ("`xtsync doctor` looks for causes", False),
        ("Write that name", False),
        ("", False),
    ],
)
def test_the_rule(text: str, action: bool) -> None:
    assert is_action(text) is action
