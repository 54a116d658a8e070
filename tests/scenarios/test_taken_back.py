"""Promises 3 and 6 where runs had targets, were taken back, or people and records are gone."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.entra import Fault
from lab.pulumi.engine import PulumiEngine
from tests.scenarios.stacks import Lab, messages, told
from tests.scenarios.steps import made_by_hand, variant
from tests.scenarios.tenants import delete_user

pytestmark = pytest.mark.real
A, B = "alice@contoso.com", "bob@contoso.com"
EVERYBODY = [{"clauses": [{"attribute": "userPrincipalName", "operator": "isNotNull"}]}]


def up_of(lab: Lab, target: str) -> None:
    """`pulumi up --target`, which only the CLI has."""
    engine = lab.stack.engine
    if not isinstance(engine, PulumiEngine):
        pytest.skip("the small engine has no targets")
    engine.prepare()
    words: list[str | Path] = [
        engine._command,
        "up",
        "--stack",
        "dev",
        "--yes",
        "--skip-preview",
        "--non-interactive",
        "--target",
        target,
    ]
    done = subprocess.run(words, cwd=engine.folder, env=engine.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promise_6_whoever_a_run_with_a_target_took_out_is_put_in_again(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.config["xtsync:users"] = [B]
    up_of(lab, "**::pair-scope")
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.pass_time()
    assert A in lab.arrived()


def test_promise_6_a_swap_with_a_target_that_is_taken_back_leaves_the_job_running(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [A]
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.config["xtsync:users"] = [B]
    up_of(lab, "**::pair-scope")
    lab.stack.config["xtsync:users"] = [A]
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active"]
    lab.pass_time()
    assert A in lab.arrived()


def test_promise_3_whoever_came_by_a_target_and_leaves_is_named(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [A]
    lab.stack.run("up")
    bob = lab.source.directory.user(B).id
    lab.stack.config["xtsync:users"] = [A, B]
    up_of(lab, f"**::pair-user-{bob[:8]}")
    lab.stack.config["xtsync:users"] = [A]
    said = "\n".join(one.message for one in lab.stack.run("up").diagnostics)
    assert f"{bob} leave the stack file, and the scope has no record of them" in said


def test_promise_6_a_record_that_is_replaced_after_a_run_that_failed_loses_nobody(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.config["xtsync:users"] = [B]
    lab.entra.faults.add(Fault(method="GET", path="/jobs$", status=403, code="Denied", times=9))
    lab.stack.run("up", fails=True)
    lab.entra.faults.clear()
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up", replace=("scope-record",))
    lab.pass_time()
    assert A in lab.arrived()


def test_promise_3_who_is_said_to_stay_stays_where_the_job_was_replaced(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [B]
    lab.stack.run("up")
    lab.pass_time()
    made_by_hand(lab.stack)
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.run("up", replace=("job",))
    lab.pass_time()
    lab.stack.config["xtsync:users"] = [B]
    preview = lab.stack.run("preview")
    lab.stack.run("up")
    lab.pass_time()
    assert A not in lab.arrived()
    assert "stay in scope" not in told(preview, "scope")


def test_promise_3_who_is_said_to_stay_stays_after_a_refresh_in_an_outage(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = [A, B]
    lab.stack.run("up")
    lab.pass_time()
    lab.entra.faults.add(Fault(method="GET", path="/jobs/[^/]+$", status=404, code="ResourceNotFound", times=50))
    lab.stack.run("refresh")
    lab.entra.faults.clear()
    lab.stack.run("up")
    lab.pass_time()
    lab.stack.config["xtsync:users"] = [B]
    assert "stay in scope" not in told(lab.stack.run("preview"), "scope")


@pytest.mark.parametrize("more", [{}, {"xtsync:userType": "guest"}])
def test_promise_3_a_filter_that_comes_back_is_announced(lab: Lab, more: dict[str, Any]) -> None:
    nowhere = [{"clauses": [{"attribute": "department", "operator": "equals", "value": "Nowhere"}]}]
    lab.stack.config |= {"xtsync:users": [A, B], "xtsync:groups": [], "xtsync:scopingFilters": nowhere}
    lab.stack.run("up")
    made_by_hand(lab.stack)
    lab.stack.config |= {**more, "xtsync:scopingFilters": EVERYBODY}
    lab.stack.run("up")
    del lab.stack.config["xtsync:scopingFilters"]
    said = "\n".join(one.message for one in lab.stack.run("preview").diagnostics)
    assert "the filter that the job had before, if any, comes back" in said


def test_promise_3_deletions_that_come_back_are_announced(lab: Lab) -> None:
    lab.stack.config["xtsync:flowTypes"] = ["add", "update"]
    lab.stack.run("up")
    del lab.stack.config["xtsync:flowTypes"]
    said = "\n".join(one.message for one in lab.stack.run("preview").diagnostics)
    assert "the job deletes people again" in said


def test_promise_6_a_protected_person_who_is_gone_does_not_hold_the_stack(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:users": [A, B], "xtsync:neverRemove": [A]}
    lab.stack.run("up")
    lab.pass_time()
    delete_user(lab, A)
    lab.stack.run("up", fails=True)
    lab.stack.config |= {"xtsync:users": [B], "xtsync:neverRemove": []}
    lab.stack.run("up")


def test_promise_6_a_protected_person_who_is_gone_does_not_hold_a_drain(lab: Lab) -> None:
    lab.stack.config |= {"xtsync:users": [A], "xtsync:groups": [], "xtsync:neverRemove": [A]}
    lab.stack.config["xtsync:onDestroy"] = "drain"
    lab.stack.environment["XTSYNC_DEADLINE_MINUTES"] = "0.2"
    lab.stack.run("up")
    lab.pass_time()
    delete_user(lab, A)
    said = "\n".join(messages(lab.stack.run("destroy", fails=True)))
    assert "run the command again to go on waiting" in said
    assert "neverRemove" not in said
    lab.pass_time()
    lab.stack.run("destroy")


def test_promise_4_the_pair_under_another_component_is_refused(lab: Lab, tmp_path: Any) -> None:
    lab.stack.run("up")
    lab.pass_time()
    other = 'TenantPair("contoso", config.load())'
    lab.stack.program = variant(lab, tmp_path / "renamed", 'TenantPair("pair", config.load())', other)
    lab.stack.run("preview", fails=True)


def test_promise_3_the_preview_says_that_everybody_else_leaves(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    (principal,) = (one for one in lab.source.applications.principals.values() if one.synchronization.jobs)
    principal.synchronization.secrets["SyncAll"] = "true"
    lab.pass_time()
    lab.stack.run("refresh")
    assert "everybody else leaves" in told(lab.stack.run("preview"), "start")
