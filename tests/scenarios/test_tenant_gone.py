"""One tenant is gone: the other half is taken apart without it, and what was left is said."""

from __future__ import annotations

import json
import shlex
import stat
import sys
from typing import Any

import pytest

from lab import world
from lab.pulumi.engine import PulumiEngine
from tests.scenarios.stacks import ROOT, Command, Lab, changed, messages, told, writes

pytestmark = pytest.mark.real
TARGET_RESOURCES = {"target-identity-sync", "target-partner", "target-baseline"}


def forget(lab: Lab, word: str) -> None:
    lab.stack.environment["XTSYNC_FORGET"] = word


def resources(lab: Lab) -> set[str]:
    return {one["urn"].rsplit("::", 1)[-1].removeprefix("pair-") for one in lab.stack.resources()}


def nothing_left(lab: Lab) -> bool:
    return not lab.stack.engine.export()["deployment"].get("resources")


def ask_pulumi(lab: Lab) -> None:
    """Let `xtsync` ask what deploys here."""
    engine = lab.stack.engine
    if isinstance(engine, PulumiEngine):
        engine.prepare()
        words = [str(lab.installation.command), "--cwd", str(engine.folder)] if lab.installation else []
        lab.stack.environment |= engine.environment
    else:
        state = str(lab.folder / "state")
        words = [sys.executable, "-m", "lab", "pulumi", "--engine", "lab", "--cwd", str(ROOT), "--state", state]
    lab.stack.environment["XTSYNC_PULUMI"] = shlex.join(words)


def test_a_target_that_is_gone_is_forgotten_and_what_was_left_is_said(lab: Lab) -> None:
    before = lab.settings()
    lab.stack.run("up")
    lab.pass_time()
    lab.target.deleted = True
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "Traceback" not in text
    forget(lab, "target")
    destroyed = lab.stack.run("destroy")
    assert "Left there: the identity sync policy that lets" in told(destroyed, "target-identity-sync")
    left = told(destroyed, "target-partner")
    assert "forgotten, as the target tenant Fabrikam" in left
    assert "Left there: in the partner policy for" in left
    assert '{"automaticUserConsentSettings": {"inboundAllowed": true}}' in left
    assert lab.settings()[world.SOURCE_TENANT] == before[world.SOURCE_TENANT]
    assert nothing_left(lab)


def test_a_target_that_lets_us_in_is_never_forgotten(lab: Lab) -> None:
    before = lab.settings()
    lab.stack.run("up")
    forget(lab, "target")
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "Will not forget the target tenant Fabrikam" in text
    assert "it answers, and the sign-in works" in text
    assert resources(lab) >= TARGET_RESOURCES
    assert lab.target_partner is not None
    del lab.stack.environment["XTSYNC_FORGET"]
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_a_target_that_could_not_be_asked_is_not_forgotten(lab: Lab) -> None:
    lab.stack.run("up")
    del lab.stack.environment["XTSYNC_TARGET_CLIENT_SECRET"]
    forget(lab, "target")
    lab.stack.run("destroy", fails=True)
    assert resources(lab) >= TARGET_RESOURCES


def test_a_target_that_has_withdrawn_its_consent_is_forgotten(lab: Lab) -> None:
    lab.stack.run("up")
    client = lab.target.login.clients[world.TARGET_CLIENT]
    lab.target.login.clients[world.TARGET_CLIENT] = type(client)(
        client.client_id, client.object_id, client.secret, frozenset()
    )
    forget(lab, "target")
    destroyed = lab.stack.run("destroy")
    assert "does not let us in (Microsoft Graph answered 403" in told(destroyed, "target-partner")
    assert lab.target_partner is not None
    assert nothing_left(lab)


@pytest.mark.parametrize("word", ["source", "Target", "both"])
def test_another_word_stops_before_anything_is_changed(lab: Lab, word: str) -> None:
    lab.stack.run("up")
    there, before = lab.settings(), len(lab.entra.traffic)
    forget(lab, word)
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert f"while XTSYNC_FORGET is {word}" in text
    assert "the only word that it takes is target" in text
    assert not writes(lab.calls_since(before))
    assert lab.settings() == there


def test_a_program_does_not_run_while_something_is_to_be_forgotten(lab: Lab) -> None:
    lab.stack.run("up")
    before = len(lab.entra.traffic)
    forget(lab, "target")
    for operation in ("preview", "up"):
        text = "\n".join(messages(lab.stack.run(operation, fails=True)))
        assert "XTSYNC_FORGET is for `pulumi destroy` alone" in text
    assert lab.calls_since(before) == []


def test_a_pair_that_is_to_be_drained_is_not_forgotten_before_that_is_taken_back(lab: Lab) -> None:
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.run("up")
    lab.pass_time()
    lab.target.deleted = True
    there = lab.settings()
    forget(lab, "target")
    text = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "nobody can be removed from a tenant that is gone" in text
    assert lab.settings() == there
    del lab.stack.environment["XTSYNC_FORGET"]
    lab.stack.config["xtsync:onDestroy"] = "release"
    lab.stack.run("up")
    forget(lab, "target")
    lab.stack.run("destroy")
    assert nothing_left(lab)


def test_a_source_that_is_gone_leaves_the_state_and_the_target_half_is_ended(lab: Lab, xtsync: Command) -> None:
    before = lab.settings()
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    ask_pulumi(lab)
    alive = xtsync("forget", "--side", "source", "-s", "dev", "--yes")
    assert alive.exit_code == 2
    assert "it answers, and the sign-in works" in alive.errors
    lab.source.deleted = True
    lab.stack.run("destroy", fails=True)
    there = [one["urn"] for one in lab.stack.resources()]
    asked = xtsync("forget", "--side", "source", "-s", "dev", answer="n\n")
    assert asked.exit_code == 1
    assert "pair-application" in asked.out
    assert "does not let us in" in asked.errors
    assert [one["urn"] for one in lab.stack.resources()] == there
    done = xtsync("forget", "--side", "source", "-s", "dev", "--yes")
    assert done.exit_code == 0, done
    assert "pulumi destroy --stack dev" in done.errors
    kept = lab.folder / "xtsync-forget-dev.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [one["urn"] for one in json.loads(kept.read_text())["deployment"]["resources"]] == there
    assert not [name for name in resources(lab) if name.startswith(("user-", "group-", "application", "job", "scope"))]
    assert resources(lab) >= TARGET_RESOURCES
    assert set(changed(lab.stack.run("destroy"))) >= TARGET_RESOURCES
    assert lab.settings()[world.TARGET_TENANT] == before[world.TARGET_TENANT]
    assert lab.arrived() == people
    assert nothing_left(lab)


def test_nothing_is_left_to_forget_the_second_time(lab: Lab, xtsync: Command) -> None:
    lab.stack.run("up")
    ask_pulumi(lab)
    lab.source.deleted = True
    said = xtsync("forget", "--side", "source", "-s", "dev", "--yes", "--json")
    assert said.exit_code == 0, said
    named: Any = said.document
    assert {"pair-application", "pair-job", "pair-source-azuread", "pair-source-baseline"} <= {
        one["name"] for one in named
    }
    assert xtsync("forget", "--side", "source", "-s", "dev", "--yes", "--json").document == []
    whole = xtsync("forget", "--side", "source", "-s", "organization/xtsync/dev", "--yes")
    assert "run `pulumi destroy --stack organization/xtsync/dev`" in whole.errors, (
        "another organization may have a dev, too"
    )
    other = xtsync("forget", "--side", "target", "-s", "dev", "--yes")
    assert other.exit_code == 2
    assert "XTSYNC_FORGET=target pulumi destroy --stack dev" in other.errors
