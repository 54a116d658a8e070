"""docs/runbooks.md, row by row: what an administrator sees at three in the morning, and that what to do works."""

from __future__ import annotations

import ast
import functools
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from lab.entra import Fault
from lab.pulumi.engine import PulumiEngine, PulumiError
from lab.pulumi.installation import Installation
from tests.patience import wait_until
from tests.scenarios.stacks import ROOT, Command, Lab, changed, messages, told, writes
from tests.scenarios.steps import knows_the_state
from tests.terminal import only_real

PAGE = (ROOT / "docs" / "runbooks.md").read_text()
ROWS = [row.strip("| ").split(" | ") for row in PAGE.splitlines() if row.startswith("| ")][1:]


@functools.cache
def scenarios() -> dict[str, ast.FunctionDef]:
    """The scenarios by name."""
    modules = [ast.parse(path.read_text()) for path in (ROOT / "tests" / "scenarios").glob("test_*.py")]
    return {one.name: one for module in modules for one in module.body if isinstance(one, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_row_names_scenarios_that_look_at_something(row: list[str]) -> None:
    _what_happened, _seen, _to_do, named, _in_the_lab = row
    names = re.findall(r"`(\w+)`", named)
    assert names
    for name in names:
        arguments = {one.arg for one in scenarios()[name].args.args}
        assert arguments & {"lab", "xtsync"}, "it runs in the lab"
        assert any(isinstance(node, ast.Assert) for node in ast.walk(scenarios()[name]))


def attributes(lab: Lab) -> Path:
    """The file beside the state which the CLI writes in place, where the state itself is exchanged whole."""
    return lab.folder / "state" / ".pulumi" / "stacks" / "xtsync" / f"{lab.stack.name}.json.attrs"


def stopped_in_the_middle(lab: Lab, process: int) -> bool:
    """Stop a run that has made the application, where it is not writing that file; whether it was done."""
    if not lab.source.applications.applications:
        return False
    os.killpg(process, signal.SIGSTOP)
    os.waitid(os.P_PID, process, os.WSTOPPED | os.WNOWAIT)
    whole = bool(attributes(lab).read_text())
    if not whole:
        os.killpg(process, signal.SIGCONT)
    return whole


@pytest.mark.real
def test_a_lock_was_left_behind(lab: Lab, installation: Installation | None) -> None:
    """The small engine's lock goes with its process; that of the CLI is a file, which stays."""
    cli, engine = only_real(installation).command, lab.stack.engine
    assert isinstance(engine, PulumiEngine)
    engine.prepare()
    words, quiet = [str(cli), *engine.words("up", ["--non-interactive"])], subprocess.DEVNULL
    run = subprocess.Popen(
        words, cwd=engine.folder, env=engine.environment, stdout=quiet, stderr=quiet, start_new_session=True
    )
    assert wait_until(lambda: stopped_in_the_middle(lab, run.pid))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert "locked" in "\n".join(messages(lab.stack.run("up", fails=True)))
    assert engine.command(["cancel", "--yes", "--stack", lab.stack.name]) == 0
    lab.stack.run("up")
    assert len(lab.source.applications.applications) == len(lab.jobs()) == 1
    lab.pass_time()
    assert "alice@contoso.com" in lab.arrived()


@pytest.mark.real
def test_a_kill_has_cut_off_the_attributes_of_the_state(lab: Lab, installation: Installation | None) -> None:
    only_real(installation)
    lab.stack.run("up")
    beside, state = attributes(lab), lab.stack.state()
    beside.write_text("")
    with pytest.raises(PulumiError, match="failed to load checkpoint: EOF"):
        lab.stack.run("preview")
    beside.unlink()
    assert lab.stack.state() == state
    assert changed(lab.stack.run("up")) == {}
    assert beside.read_text()


@pytest.mark.real
def test_the_state_is_lost(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people, before = lab.arrived(), len(lab.entra.traffic)
    lost = lab.new_stack("lost")
    for operation in ("preview", "up"):
        text = "\n".join(messages(lost.run(operation, fails=True)))
        assert "Will not make a second configuration" in text
        assert "docs/operations.md" in text
    assert writes(lab.calls_since(before)) == []
    lab.pass_time()
    assert lab.arrived() == people


@pytest.mark.real
def test_somebody_paused_the_job(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    (job,) = lab.jobs()
    job.schedule_state, job.status_code = "Paused", "Paused"
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert "paused" in said.out.lower()
    lab.stack.run("refresh")
    assert changed(lab.stack.run("up")) == {"start": "update"}
    assert lab.jobs()[0].schedule_state == "Active"
    assert xtsync("status", "-s", "dev").exit_code == 0


@pytest.mark.real
def test_an_application_is_restored(lab: Lab, xtsync: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    knows_the_state(lab, monkeypatch)
    xtsync.up()
    lab.pass_time()
    people = lab.arrived()
    (application,) = (one for one in lab.source.applications.applications.values())
    lab.source.applications.delete_application(application.id)
    lab.source.applications.restore(application.id)
    for name in ("status", "doctor", "plan"):
        said = xtsync(name, "-s", "dev")
        text = " ".join(f"{said.out} {said.errors}".split())
        assert "somebody has deleted its application and restored it" in text, name
        assert "run `pulumi up --refresh --diff --stack dev`" in text, name
        assert "--replace" not in text, name
    lab.stack.config["xtsync:running"] = False
    alone = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert "run `pulumi up --refresh --diff`" in alone
    lab.stack.config["xtsync:running"] = True
    lab.stack.run("up", refresh=True)
    lab.pass_time()
    assert lab.arrived() == people
    assert len(lab.source.applications.applications) == 1


@pytest.mark.real
def test_conditional_access_is_in_the_way(lab: Lab) -> None:
    refused = Fault(method="POST", path="/oauth2/", status=400, code="invalid_grant", message=BLOCKED, times=100)
    lab.entra.faults.add(refused)
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "a conditional access policy of the tenant blocks the sign-in" in text
    assert "exclude from it the application that signs in, or the addresses it comes from" in " ".join(text.split())
    assert re.search(r"trace id [0-9a-f-]{36}", text)
    assert "Traceback" not in text


@pytest.mark.real
def test_nothing_is_written_before_azuread_is_let_in(lab: Lab) -> None:
    if lab.installation is None:
        pytest.skip("the small engine starts a new provider when a resource first needs it")
    before = lab.settings()
    late = Fault(kind="delay", client="azuread", path="/metadata/", seconds=3, times=100)
    refused = Fault(method="POST", client="azuread", path="/oauth2/", status=400, code="invalid_client", times=100)
    lab.entra.faults.add(late, refused)
    lab.stack.run("up", fails=True)
    assert lab.settings() == before
    assert {one.path.rpartition("/")[2] for one in writes(lab.entra.traffic)} == {"token"}
    lab.entra.faults.clear()
    lab.stack.run("up")
    lab.stack.run("destroy")
    assert lab.settings() == before


@pytest.mark.real
@pytest.mark.parametrize("side", ["SOURCE", "TARGET"])
@pytest.mark.parametrize("then", ["up", "destroy"])
def test_the_first_sign_in_is_refused(lab: Lab, side: str, then: str) -> None:
    """What is in the state then is no object of a tenant."""
    secret, before = f"XTSYNC_{side}_CLIENT_SECRET", lab.settings()
    right = lab.stack.environment[secret]
    lab.stack.environment[secret] = "of-yesterday"
    assert messages(lab.stack.run("up", fails=True))
    types = {one["type"] for one in lab.stack.resources()}
    assert types <= {
        "pulumi:pulumi:Stack",
        "xtsync:index:TenantPair",
        *PROVIDERS,
        *([NOTE] if side == "TARGET" else []),
    }
    assert types & {*PROVIDERS}
    assert lab.settings() == before
    if then == "up":
        lab.stack.environment[secret] = right
        lab.stack.run("up")
        lab.pass_time()
        assert "alice@contoso.com" in lab.arrived()
    lab.stack.run("destroy")
    assert lab.settings() == before
    assert not lab.stack.engine.export()["deployment"].get("resources")


PROVIDERS = ("pulumi:providers:pulumi-python", "pulumi:providers:azuread", "pulumi:providers:pulumi")
# The other tenant has let the run in, which wrote down what it has.
NOTE = "pulumi-python:dynamic/xtsync:PartnerBaseline"
BLOCKED = "AADSTS53003: Access has been blocked by Conditional Access policies."


@pytest.mark.real
def test_a_wrong_change_is_taken_back(lab: Lab) -> None:
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "carol@contoso.com"]
    lab.stack.config["xtsync:groups"] = []
    lab.stack.run("up")
    lab.pass_time()
    (carol,) = (user for user in lab.target.directory.users.values() if user.mail == "carol@contoso.com")
    lab.stack.config["xtsync:users"] = ["alice@contoso.com"]
    lab.stack.run("up")
    lab.pass_time()
    assert lab.arrived() == {"alice@contoso.com"}
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", "carol@contoso.com"]
    assert "carol@contoso.com" in told(lab.stack.run("up"), "scope")
    lab.target.directory.restore(carol.id)
    lab.pass_time()
    back = [user.id for user in lab.target.directory.users.values() if user.mail == "carol@contoso.com"]
    assert back == [carol.id], "the same account, and no other"
    assert lab.jobs()[0].schedule_state == "Active"
