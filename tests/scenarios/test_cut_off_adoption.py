"""Promises 3 and 4 where the first `up` of a pair made by hand does not come to its end."""

from __future__ import annotations

import pytest

from lab import world
from lab.engine import Result
from lab.entra import Fault
from lab.entra.synchronization.models import Job
from tests.scenarios.stacks import Lab, changed, told
from tests.scenarios.steps import forget_ours

GATE = Fault(method="POST", path="/validateCredentials$", status=403, code="Denied", times=1000)


def a_pair_made_by_hand(lab: Lab) -> Job:
    """Its job, which runs."""
    lab.stack.config["xtsync:deletionThreshold"] = 20
    lab.stack.run("up")
    lab.pass_time()
    forget_ours(lab)
    job: Job = lab.jobs()[0]
    return job


def fails_at(lab: Lab, fault: Fault) -> Result:
    """The `up` that meets it; then it is gone."""
    lab.entra.faults.add(fault)
    result = lab.stack.run("up", fails=True)
    lab.entra.faults.remove(fault)
    return result


@pytest.mark.real
@pytest.mark.parametrize("then", [(), ("up",), ("refresh", "up")], ids=["nothing", "up", "refresh and up"])
def test_promise_4_a_job_that_ran_runs_again_though_the_gate_was_shut(lab: Lab, then: tuple[str, ...]) -> None:
    job = a_pair_made_by_hand(lab)
    text = told(fails_at(lab, GATE), "job")
    assert f"adopts the existing job {job.id} (Active)" in text
    assert "validateCredentials" in text
    assert "the adopted job is at rest meanwhile" in text
    states = [job.schedule_state]
    for operation in then:
        before = len(lab.entra.traffic)
        lab.stack.run(operation)
        passed = [call for call in lab.calls_since(before) if call.path.endswith("/validateCredentials")]
        assert bool(passed) == (operation == "up"), "nothing starts it before the gate is passed"
    states.append(job.schedule_state)
    assert states == ["Paused", "Active" if then else "Paused"]
    if then:
        assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    lab.stack.run("destroy")
    assert [(one.id, one.schedule_state) for one in lab.jobs()] == [(job.id, "Active")]


def test_the_gate_stays_shut_for_a_job_that_is_adopted(lab: Lab) -> None:
    job = a_pair_made_by_hand(lab)
    fails_at(lab, GATE)
    lab.stack.run("refresh")
    assert changed(lab.stack.run("preview"))["job"] == "update"
    assert "validateCredentials" in told(fails_at(lab, GATE), "job")
    assert job.schedule_state == "Paused"


@pytest.mark.parametrize(
    ("fault", "announced"),
    [
        (
            Fault(method="PATCH", path="/partners/[^/]+$", status=403, code="Denied", times=1000),
            {"source-partner": "adopts the existing partner policy: automaticUserConsentSettings.outboundAllowed"},
        ),
        (
            Fault(method="POST", path="/pause$", status=403, code="Denied", times=1000),
            {"job": "adopts the existing job", "secrets": "DeleteThresholdValue: 20 -> 40"},
        ),
        (
            Fault(method="PUT", path="/secrets$", status=403, code="Denied", times=1000),
            {"secrets": "DeleteThresholdValue: 20 -> 40"},
        ),
    ],
    ids=["the policies", "the job", "the settings"],
)
def test_promise_3_a_preview_announces_what_a_failed_run_did_not_adopt(
    lab: Lab, fault: Fault, announced: dict[str, str]
) -> None:
    a_pair_made_by_hand(lab)
    policy = lab.source.policies.partner(world.TARGET_TENANT)
    assert policy is not None
    policy.members["automaticUserConsentSettings"] = {"inboundAllowed": None, "outboundAllowed": None}
    lab.stack.config["xtsync:deletionThreshold"] = 40
    fails_at(lab, fault)
    preview, result = lab.stack.run("preview"), lab.stack.run("up")
    for name, words in announced.items():
        assert words in told(preview, name)
        # A preview says besides which doors a policy opens.
        assert told(result, name) in told(preview, name)
