"""A job that somebody has deleted: one clear message at once, and a command that mends it, without `refresh`."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.scenarios.stacks import Lab, changed, messages, told
from tests.scenarios.steps import made_by_hand

pytestmark = pytest.mark.real

CHANGES: tuple[dict[str, Any], ...] = (
    {"xtsync:running": False},
    {"xtsync:flowTypes": ["add"]},
    {"xtsync:provisionOnDemand": ["alice@contoso.com", "carol@contoso.com"]},
)


def delete_job(lab: Lab) -> str:
    (principal,) = (p for p in lab.source.applications.principals.values() if p.synchronization.jobs)
    ((job_id, _),) = principal.synchronization.jobs.items()
    lab.source.synchronization.delete_job(principal.synchronization, job_id)
    return job_id


@pytest.mark.parametrize("change", CHANGES)
def test_a_job_that_is_gone_is_said_at_once_and_made_again_on_request(lab: Lab, change: dict[str, Any]) -> None:
    lab.stack.config |= {"xtsync:provisionOnDemand": ["alice@contoso.com"], "xtsync:flowTypes": ["add", "delete"]}
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    job_id = delete_job(lab)
    lab.stack.config |= change
    began = time.monotonic()
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert time.monotonic() - began < 100
    assert f"the job {job_id} in the source tenant Contoso" in text
    assert "there is no such job any more: somebody has deleted it" in text
    assert "refresh" not in text
    (urn,) = set(re.findall(r"pulumi up --replace '([^']*)'", text))
    (job,) = (one["urn"] for one in lab.stack.resources() if one["urn"].endswith("::pair-job"))
    assert urn == job
    lab.stack.run("up", replace=("job",))
    (made,) = lab.jobs()
    assert made.id != job_id
    assert made.schedule_state == ("Paused" if "xtsync:running" in change else "Active")
    lab.pass_time()
    assert lab.arrived() >= people
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    lab.stack.run("destroy")


def test_a_skipped_person_is_tried_again_once_in_scope(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:users": ["alice@contoso.com"], "xtsync:groups": []}
    lab.stack.config["xtsync:provisionOnDemand"] = ["bob@contoso.com", "alice@contoso.com"]
    result = lab.stack.run("up")
    assert "bob@contoso.com: Skipped (NotEffectivelyEntitled)" in told(result, "provision-on-demand")
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "bob@contoso.com"]
    before = len(lab.entra.traffic)
    result = lab.stack.run("up")
    assert "bob@contoso.com: Success" in told(result, "provision-on-demand")
    assert "bob@contoso.com" in lab.arrived()
    tried = [call for call in lab.calls_since(before) if call.path.endswith("/provisionOnDemand")]
    assert len(tried) == 1, "only who was not provisioned"
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0


def test_an_adopted_job_that_was_made_anew_is_not_said_to_be_as_it_was_found(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "carol@contoso.com"]
    lab.stack.run("up")
    delete_job(lab)
    lab.stack.run("up", replace=("job",))
    assert not changed(lab.stack.run("preview"))
    said = "\n".join(messages(lab.stack.run("destroy")))
    assert "was running when this stack took it over" not in said
    assert not lab.jobs()
