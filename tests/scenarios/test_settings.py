"""The settings of the synchronization as services write them: one meaning, whatever the writing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from lab.entra import Fault
from tests.scenarios.stacks import Command, Lab, changed, messages, told
from tests.scenarios.steps import export, forget_ours
from tests.scenarios.tenants import synchronization

pytestmark = pytest.mark.real


@pytest.mark.parametrize("spelled", ["as sent", "capitalised", "typed"])
def test_an_exported_pair_ends_in_no_changes_however_its_settings_are_written(
    lab: Lab, xtsync: Command, spelled: Any
) -> None:
    lab.stack.config |= {"xtsync:notifyEmail": "it@contoso.com;ops@contoso.com", "xtsync:deletionThreshold": 40}
    lab.source.settings = replace(lab.source.settings, secrets_spelled=spelled)
    xtsync.up()
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
    config = yaml.safe_load(export(lab, xtsync).out)["config"]
    assert config["xtsync:notifyEmail"] == "it@contoso.com;ops@contoso.com"
    assert config["xtsync:deletionThreshold"] == 40
    lab.stack.config = config
    assert "secrets" not in changed(lab.stack.run("up"))
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0


def test_a_sparse_pair_keeps_its_protection(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    forget_ours(lab)
    state = synchronization(lab)
    state.secrets["SyncNotificationSettings"] = json.dumps({"Recipients": ["it@contoso.com", "ops@contoso.com"]})
    state.secrets["SyncAll"] = "False"
    said = export(lab, xtsync, "--json")
    config = said.document["config"]
    assert config["xtsync:notifyEmail"] == "it@contoso.com,ops@contoso.com"
    assert "xtsync:deletionThreshold" not in config
    lab.stack.config = config
    result = lab.stack.run("up")
    assert "deletionThreshold" not in told(result, "secrets")
    assert "everybody" not in told(result, "secrets")
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0


def test_everybody_is_everybody_however_it_is_written(lab: Lab) -> None:
    lab.stack.run("up")
    synchronization(lab).secrets["SyncAll"] = "True"
    lab.stack.config["xtsync:deletionThreshold"] = 40
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert "somebody has made everybody the scope (SyncAll) since" in text


def test_an_adopted_job_without_notification_settings_is_left_at_the_end(lab: Lab) -> None:
    lab.stack.run("up")
    forget_ours(lab)
    state = synchronization(lab)
    del state.secrets["SyncNotificationSettings"]
    before = dict(state.secrets)
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert state.secrets == before | {"SyncNotificationSettings": "{}"}


def test_what_the_service_says_inside_of_its_message_is_said(lab: Lab) -> None:
    inner = json.dumps({"error": {"code": "InvalidSomething", "message": "The value is not right."}})
    lab.entra.faults.add(Fault(method="PUT", path="/secrets$", status=400, code="UnknownError", message=inner))
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert "Microsoft Graph answered 400 UnknownError: InvalidSomething: The value is not right." in text


def test_another_display_name_renames_the_pair_and_makes_nothing_anew(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    arrived, (job,) = lab.arrived(), lab.jobs()
    lab.stack.config["xtsync:displayName"] = "People of Contoso"
    renamed = {"application": "update", "target-identity-sync": "update"}
    assert changed(lab.stack.run("preview")) == renamed
    assert changed(lab.stack.run("up")) == renamed
    (application,) = lab.source.applications.applications.values()
    assert application.display_name == "People of Contoso"
    assert lab.jobs() == [job]
    lab.pass_time()
    assert lab.arrived() == arrived
    assert lab.stack.run("refresh", expect_no_changes=True).exit_code == 0
