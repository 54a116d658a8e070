"""Several stacks on one tenant at the same time, and a scope that somebody widened to everybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import world
from tests.scenarios.stacks import ROOT, Lab, Stack, changed, told

SPOKES = ("11111111-2222-4333-8444-555555555555", "22222222-3333-4444-8555-666666666666")


def spoke(lab: Lab, number: int) -> Stack:
    """A stack from Contoso to another new tenant."""
    tenant = lab.entra.add_tenant(f"Spoke{number}", tenant_id=SPOKES[number], domain=f"spoke{number}.example")
    tenant.register_client(world.TARGET_CLIENT, world.TARGET_SECRET, world.TARGET_PERMISSIONS)
    target = {"tenantId": SPOKES[number], "clientId": world.TARGET_CLIENT, "auth": "secret", "name": f"Spoke{number}"}
    return lab.new_stack(f"spoke{number}", target=target)


def test_three_stacks_at_once_share_a_hub(lab: Lab) -> None:
    stacks = [lab.stack, spoke(lab, 0), spoke(lab, 1)]
    before = lab.settings()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda stack: stack.run("up"), stacks))
        assert len(lab.jobs()) == 3
        lab.pass_time()
        assert all(job.exported for job in lab.jobs())
        list(pool.map(lambda stack: stack.run("destroy"), stacks))
    assert lab.settings() == before


def test_two_pairs_fit_into_one_program(lab: Lab, tmp_path: Path) -> None:
    spoke(lab, 0)
    before = lab.settings()
    folder = tmp_path / "both"
    folder.mkdir()
    for name in ("xtsync_resources", "Pulumi.yaml", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "__main__.py").write_text(
        "from dataclasses import replace\n"
        "from xtsync_resources import config\n"
        "from xtsync_resources.component import TenantPair\n"
        "first = config.load()\n"
        f"spoke = replace(first.target, id={SPOKES[0]!r}, name='Spoke0')\n"
        "TenantPair('one', first)\n"
        "TenantPair('two', replace(first, target=spoke, display_name='Contoso to Spoke0'))\n"
    )
    lab.stack.program = folder
    lab.stack.run("up")
    assert [job.schedule_state for job in lab.jobs()] == ["Active", "Active"]
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0
    lab.stack.run("destroy")
    assert lab.settings() == before


def test_a_scope_widened_to_everybody_is_narrowed_and_the_job_restarted(lab: Lab) -> None:
    lab.stack.run("up")
    lab.pass_time()
    people = lab.arrived()
    principal = next(p for p in lab.source.applications.principals.values() if p.synchronization.jobs)
    principal.synchronization.secrets["SyncAll"] = "true"
    lab.pass_time()
    assert "bob@contoso.com" in lab.arrived()
    lab.stack.run("refresh")
    result = lab.stack.run("up")
    assert changed(result) == {"secrets": "update", "start": "update"}
    assert "The job is restarted" in told(result, "start")
    lab.pass_time()
    assert lab.arrived() == people
    assert [call.path.rsplit("/", 1)[-1] for call in lab.calls_since(0)].count("restart") == 1
