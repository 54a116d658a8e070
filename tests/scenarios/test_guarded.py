"""Guardrails in the whole program: a rule that stops does so before any call, advice is told and changes nothing."""

from __future__ import annotations

import re

import pytest

from lab import world
from lab.engine import Result
from tests.scenarios.stacks import Command, Lab, changed, messages
from xtsync_resources.guardrails.pair_facts import Sayings
from xtsync_resources.guardrails.rules import findings
from xtsync_resources.guardrails.stack_facts import facts_of_resources


def advice(result: Result) -> list[str]:
    return [
        d.message for d in result.diagnostics if re.match("[0-9]+ guardrails advise|A guardrail advises", d.message)
    ]


def test_a_tenant_that_is_not_allowed_ends_preview_and_up_before_any_call(lab: Lab) -> None:
    lab.stack.config["xtsync:guardrails"] = {"allowedTenants": [world.TARGET_TENANT]}
    for operation in ("preview", "up"):
        result = lab.stack.run(operation, fails=True)
        (text,) = messages(result)
        assert "3 guardrails stop the pair Contoso to Fabrikam; nothing was changed." in text
        assert f"not in allowedTenants: the source Contoso ({world.SOURCE_TENANT})" in text
        assert "inbound-allowed: the target Fabrikam" in text
        assert "outbound-allowed: the source Contoso" in text
        assert "Traceback" not in text
        assert changed(result).keys() <= {"xtsync-dev"}
    assert list(lab.entra.traffic) == []


def test_a_pair_that_is_allowed_in_one_direction_cannot_be_made_in_the_other(lab: Lab) -> None:
    rails = {"allowedTenants": [f"{world.SOURCE_TENANT} -> {world.TARGET_TENANT}"]}
    lab.stack.config["xtsync:guardrails"] = rails
    lab.stack.run("preview")
    back = lab.reverse_stack()
    back.config["xtsync:guardrails"] = rails
    (text,) = messages(back.run("up", fails=True))
    assert f"in this direction: the source Fabrikam ({world.TARGET_TENANT}) -> the target Contoso" in text


def test_an_existing_pair_that_is_no_longer_allowed_is_left_alone_and_can_still_be_destroyed(lab: Lab) -> None:
    before = lab.settings()
    lab.stack.run("up")
    there = lab.settings()
    told = [(one["type"], one.get("inputs") or {}) for one in lab.stack.resources()]
    (facts,) = facts_of_resources(told, Sayings(), whole=True)
    assert [one.rule.id for one in findings(facts)] == ["notify-address", "user-type-stated"]
    lab.stack.config["xtsync:guardrails"] = {"allowedTenants": []}
    lab.stack.run("up", fails=True)
    assert lab.settings() == there
    lab.stack.run("destroy")
    assert lab.settings() == before


@pytest.mark.real
def test_advice_is_told_where_it_is_new_and_is_no_warning(lab: Lab) -> None:
    for operation in ("preview", "up"):
        result = lab.stack.run(operation)
        (line,) = advice(result)
        assert "notify-address: nobody is told" in line
        assert "user-type-stated" in line
        assert messages(result) == []
    for operation in ("preview", "up"):
        assert advice(lab.stack.run(operation)) == []
    # What becomes weak is told until it is made, and again where it becomes weak in another way.
    for threshold, found in ((0, "the deletion threshold is off"), (6000, "6000")):
        lab.stack.config["xtsync:deletionThreshold"] = threshold
        for operation in ("preview", "up"):
            (line,) = advice(lab.stack.run(operation))
            assert "notify-address" not in line
            assert "deletion-threshold: " in line
            assert found in line
        assert advice(lab.stack.run("preview")) == []


def test_advice_that_is_turned_off_is_not_told(lab: Lab) -> None:
    lab.stack.config["xtsync:guardrails"] = {
        "allowedTenants": [world.SOURCE_TENANT.upper(), world.TARGET_TENANT],
        "levels": {"notify-address": "off", "user-type-stated": "off"},
    }
    assert advice(lab.stack.run("up")) == []


def test_the_doctor_says_what_will_stop_the_run(lab: Lab, xtsync: Command) -> None:
    lab.stack.config["xtsync:guardrails"] = {"levels": {"notify-address": "stop"}}
    said = xtsync("doctor", "-s", "dev", "--json")
    assert said.exit_code == 1
    (one,) = (one for one in said.document if one["area"] == "guardrails" and one["level"] == "problem")
    assert one["found"].startswith("notify-address stops `pulumi up`")
    assert "xtsync:notifyEmail" in one["do"]
