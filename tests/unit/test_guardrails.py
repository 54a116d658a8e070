"""Guardrails: what breaks each rule, where facts come from, and how the configuration changes what a rule does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from tests.stack_files import parsed
from tests.unit.graph_fakes import SOURCE_ID, TARGET_ID
from tests.unit.guardrail_samples import (
    BACK,
    COLLABORATION_IN,
    DIRECT_OUT,
    NAMED_IN,
    OFF_BOTH,
    SENSIBLE,
    STRANGER,
    THERE,
)
from xtsync_resources.config import ConfigurationProblems, Settings
from xtsync_resources.config.keys import keys_of
from xtsync_resources.guardrails.pair_facts import PairFacts, Sayings, facts_of_settings
from xtsync_resources.guardrails.rules import (
    ADVISE,
    BY_ID,
    LEVELS,
    OFF,
    RULES,
    STOP,
    findings,
    table,
)
from xtsync_resources.operate.checks import Level, guardrails
from xtsync_resources.operate.checks.finding import as_advice
from xtsync_resources.operate.report.section import Setting
from xtsync_resources.operate.report.settings import STACK_FILE, described
from xtsync_resources.program import enforce_guardrails

ROOT = Path(__file__).parents[2]

# --- the rules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, []),
        ({"source": STRANGER}, ["tenants-allowed", "inbound-allowed", "outbound-allowed"]),
        ({"target": STRANGER}, ["tenants-allowed", "inbound-allowed", "outbound-allowed"]),
        ({"source": STRANGER, "said": Sayings()}, []),
        ({"said": Sayings.of([], False)}, ["tenants-allowed", "inbound-allowed", "outbound-allowed"]),
        ({"said": Sayings.of([THERE], False)}, []),
        ({"said": Sayings.of([BACK], False)}, ["tenants-allowed", "inbound-allowed", "outbound-allowed"]),
        ({"said": Sayings.of([BACK, THERE], False)}, []),
        ({"said": Sayings.of([SOURCE_ID, BACK], False)}, ["tenants-allowed", "inbound-allowed", "outbound-allowed"]),
        ({"said": Sayings.of([THERE], False), "source": None}, []),
        ({"said": Sayings.of([THERE], False), "target": None}, []),
        ({"said": Sayings.of([BACK], False), "target": None, **OFF_BOTH, "inbound_sync": False}, ["tenants-allowed"]),
        ({"source": STRANGER, "inbound_sync": False, **OFF_BOTH}, ["tenants-allowed"]),
        (
            {"source": STRANGER, "inbound_sync": False, **OFF_BOTH, "openings": (NAMED_IN,)},
            ["tenants-allowed", "inbound-allowed"],
        ),
        (
            {"source": STRANGER, "inbound_sync": False, **OFF_BOTH, "trusted": ("isMfaAccepted",)},
            ["tenants-allowed", "inbound-allowed", "inbound-trust-meant"],
        ),
        (
            {"target": STRANGER, "inbound_sync": False, **OFF_BOTH, "openings": (DIRECT_OUT,)},
            ["tenants-allowed", "outbound-allowed", "direct-connect-closed"],
        ),
        ({"openings": (NAMED_IN,)}, []),
        ({"openings": (COLLABORATION_IN,)}, ["b2b-not-everyone"]),
        ({"openings": (DIRECT_OUT,)}, ["direct-connect-closed"]),
        ({"trusted": ("isMfaAccepted",)}, ["inbound-trust-meant"]),
        ({"drains": True}, ["destroy-releases"]),
        ({"drains": False}, []),
        ({"source": STRANGER, "inbound_sync": None, **OFF_BOTH}, ["tenants-allowed"]),
        ({"inbound_redemption": False}, ["redemption-with-sync"]),
        ({"outbound_redemption": False}, ["redemption-with-sync"]),
        ({"inbound_sync": False}, ["redemption-with-sync"]),
        ({"inbound_sync": False, **OFF_BOTH}, []),
        ({"inbound_sync": None}, []),
        ({"inbound_sync": None, "outbound_redemption": False}, []),
        ({"sync_all": True}, ["scope-not-everyone"]),
        ({"sync_all": True, "said": Sayings(everyone=True)}, []),
        ({"deletion_threshold": 0}, ["deletion-threshold"]),
        ({"deletion_threshold": 1}, []),
        ({"deletion_threshold": 5000}, []),
        ({"deletion_threshold": 5001}, ["deletion-threshold"]),
        ({"notified": False}, ["notify-address"]),
        ({"user_type": ""}, ["user-type-stated"]),
        ({"user_type": "guest"}, []),
        ({"metadata_host": "evil.example"}, ["host-allowed"]),
        ({"metadata_host": "localhost:8443"}, []),
        ({"metadata_host": "private.example", "said": Sayings.of(None, False, ["Private.Example:443"])}, []),
        (
            {"metadata_host": "private.example:1", "said": Sayings.of(None, False, ["private.example"])},
            ["host-allowed"],
        ),
    ],
)
def test_what_breaks_a_rule(changes: dict[str, Any], broken: list[str]) -> None:
    assert [one.rule.id for one in findings(replace(SENSIBLE, **changes))] == broken


def test_what_is_not_known_breaks_nothing() -> None:
    assert findings(PairFacts(said=Sayings.of([], False))) == []
    assert findings(PairFacts(None, None, inbound_sync=True, said=Sayings.of([], False))) == []


def test_every_rule_can_be_broken_and_says_what_to_do() -> None:
    worst = replace(
        SENSIBLE, source=STRANGER, inbound_redemption=False, sync_all=True, deletion_threshold=0, notified=False,
        user_type="", metadata_host="evil.example", openings=(COLLABORATION_IN, DIRECT_OUT), drains=True,
        trusted=("isMfaAccepted",),
    )  # fmt: skip
    found = findings(worst)
    assert [one.rule for one in found] == list(RULES)
    assert len(BY_ID) == len(RULES)
    for one in found:
        assert one.rule.level in (ADVISE, STOP)
        assert str(one) == f"{one.rule.id}: {one.found}. {one.rule.remedy}."
        assert "." not in (one.rule.title[-1], one.rule.reason[-1], one.rule.remedy[-1], one.found[-1])


def test_a_finding_names_the_tenant() -> None:
    (found, *_) = findings(replace(SENSIBLE, source=STRANGER, names={STRANGER: "Umbrella"}))
    assert found.found == f"not in allowedTenants: the source Umbrella ({STRANGER})"


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_that_is_configured_wins(level: str) -> None:
    found = findings(replace(SENSIBLE, notified=False), {"notify-address": level})
    assert [one.level for one in found] == ([] if level == OFF else [level])


def test_the_rules_need_no_pulumi() -> None:
    modules = "xtsync_resources.guardrails.rules, xtsync_resources.guardrails.stack_facts"
    code = f"import sys, {modules}; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_table_in_the_docs_is_the_rules() -> None:
    page = (ROOT / "docs" / "guardrails.md").read_text()
    assert table() in page, f"docs/guardrails.md: put in\n{table()}"
    for pair in ("allowedTenants", "everyone", "levels"):
        assert f"`{pair}`" in page


# --- the configuration ---------------------------------------------------------------------------------------------


def settings_with(**rails: Any) -> Settings:
    return parsed(guardrails=rails)


def test_without_any_saying_only_advice_is_given() -> None:
    found = findings(facts_of_settings(parsed()), parsed().guardrails.levels)
    assert {one.level for one in found} <= {ADVISE}
    assert "notify-address" in {one.rule.id for one in found}


def test_sayings_arrive() -> None:
    rails = settings_with(
        allowedTenants=[SOURCE_ID.upper(), TARGET_ID], everyone=True, levels={"notify-address": "stop"}
    ).guardrails
    assert rails.allowed_tenants == (SOURCE_ID, TARGET_ID)
    pairs = settings_with(allowedTenants=[THERE, BACK]).guardrails.allowed_tenants
    assert pairs == (f"{SOURCE_ID} -> {TARGET_ID}", f"{TARGET_ID} -> {SOURCE_ID}")
    assert rails.everyone
    assert rails.levels == {"notify-address": "stop"}
    assert settings_with(levels={"notify-address": False}).guardrails.levels == {"notify-address": "off"}
    assert settings_with(allowedTenants=[]).guardrails.allowed_tenants == ()


@pytest.mark.parametrize(
    ("rails", "problem", "remedy"),
    [
        ({"levels": {"notify-adress": "off"}}, "guardrails.levels.notify-adress: unknown key",
         "Did you mean guardrails.levels.notify-address"),
        ({"levels": {"zzz": "off"}}, "guardrails.levels.zzz: unknown key", "The keys are tenants-allowed, "),
        ({"levels": {"notify-address": "warn"}}, 'guardrails.levels.notify-address = "warn": not a choice',
         "Choose off, advise or stop"),
        ({"levels": {"notify-address": True}}, "guardrails.levels.notify-address = true", "Choose off"),
        ({"levels": ["notify-address"]}, "guardrails.levels = ", "Give an object such as {tenants-allowed: advise}"),
        ({"allowedTenants": ["contoso.com"]}, 'guardrails.allowedTenants[0] = "contoso.com": neither a GUID nor two',
         "Give a tenant id, or `SOURCE -> TARGET`"),
        ({"allowedTenants": [f"{SOURCE_ID} -> {SOURCE_ID}"]}, "guardrails.allowedTenants[0] = ", "Give a tenant id"),
        ({"allowedTenants": [f"{SOURCE_ID} <- {TARGET_ID}"]}, "guardrails.allowedTenants[0] = ", "Give a tenant id"),
        ({"allowedTenants": [f"{THERE} -> {STRANGER}"]}, "guardrails.allowedTenants[0] = ", "Give a tenant id"),
        ({"allowedTenant": []}, "guardrails.allowedTenant: unknown key", "Did you mean guardrails.allowedTenants"),
        ({"everyone": "yes"}, 'guardrails.everyone = "yes"', "Give true or false"),
    ],
)  # fmt: skip
def test_a_wrong_saying_is_a_problem(rails: dict[str, Any], problem: str, remedy: str) -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        settings_with(**rails)
    (one,) = caught.value.problems
    assert f"xtsync:{problem}" in str(one)
    assert one.do.startswith(remedy)


def test_the_schema_knows_every_rule() -> None:
    schema = keys_of(Settings)["guardrails"].kind.schema()
    assert set(schema["properties"]) == {"allowedTenants", "everyone", "levels"}
    assert set(schema["properties"]["levels"]["properties"]) == set(BY_ID)


# --- the program and the doctor ------------------------------------------------------------------------------------


def test_all_rules_that_stop_are_told_at_once() -> None:
    settings = settings_with(allowedTenants=[STRANGER], levels={"notify-address": "stop"})
    with pytest.raises(enforce_guardrails.GuardrailsBroken) as caught:
        enforce_guardrails.enforce(settings)
    assert [one.rule.id for one in caught.value.broken] == [
        "tenants-allowed",
        "inbound-allowed",
        "outbound-allowed",
        "notify-address",
    ]
    text = str(caught.value)
    assert text.startswith(f"4 guardrails stop the pair {SOURCE_ID} to {TARGET_ID}; nothing was changed.\n  - ")
    assert f"not in allowedTenants: the source {SOURCE_ID} and the target {TARGET_ID}. Check the tenant ids" in text
    assert "Why: " in text
    assert "xtsync:guardrails.levels" in text


def test_advice_is_one_message_with_a_line_for_each_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", told.append)
    enforce_guardrails.advise(parsed(deletionThreshold=0), [])
    (message,) = told
    first, *rules = message.splitlines()
    named = "deletion-threshold, notify-address, user-type-stated"
    assert first == f"3 guardrails advise for {SOURCE_ID} to {TARGET_ID} ({named})."
    assert [rule.split(":")[0] for rule in rules] == [
        "  - deletion-threshold",
        "  - notify-address",
        "  - user-type-stated",
    ]
    fine = parsed(notifyEmail="it@contoso.com", guardrails={"levels": {"user-type-stated": "off"}})
    enforce_guardrails.advise(fine, [])
    assert told == [message]
    enforce_guardrails.advise(parsed(notifyEmail="it@contoso.com"), [])
    assert told[1].startswith(f"A guardrail advises for {SOURCE_ID} to {TARGET_ID}: user-type-stated: ")
    assert "\n" not in told[1]


def test_the_doctor_shows_what_stops_as_a_problem_and_advice_as_no_harm() -> None:
    rails = {"levels": {"notify-address": "stop", "user-type-stated": "off"}}
    stops, advice = guardrails.check(parsed(deletionThreshold=0, guardrails=rails))[::-1]
    assert (stops.side, stops.level, stops.do) == ("pair", Level.PROBLEM, as_advice(BY_ID["notify-address"].remedy))
    assert stops.found.startswith("notify-address stops `pulumi up`: nobody is told")
    assert advice.level is Level.OK
    assert advice.found.startswith("advice: deletion-threshold: the deletion threshold is off. Set xtsync:deletion")
    well = parsed(notifyEmail="it@contoso.com", guardrails={"levels": {"user-type-stated": "off"}})
    (fine,) = guardrails.check(well)
    assert (fine.level, fine.found) == (Level.OK, f"the pair breaks none of {len(RULES)} rules")


def test_the_report_shows_what_is_said() -> None:
    rails = {"allowedTenants": [SOURCE_ID, TARGET_ID], "levels": {"notify-address": "off"}}
    shown = f"allowedTenants: {SOURCE_ID}, {TARGET_ID}; levels: notify-address: off"
    assert Setting("guardrails", shown, STACK_FILE) in described(parsed(guardrails=rails), {"guardrails": rails}, {})
    assert not [row for row in described(parsed(), {}, {}) if row.key == "guardrails"]
