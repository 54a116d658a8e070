"""Each process knows the credentials of one tenant, as far as that can be made so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import world
from lab.engine import Secret
from tests.policy.analyzer import PACK
from tests.scenarios.stacks import Lab
from xtsync_resources.graph.isolation import drop_foreign, hide_other

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "what-opens-the-state"
# Tells what it was started with, and what whoever started it was started with.
SPY = """#!{python}
import json, os
parent = open(f"/proc/{{os.getppid()}}/environ").read().split(chr(0))
with open({log!r}, "a") as log:
    log.write(json.dumps([dict(os.environ), dict(one.split("=", 1) for one in parent if "=" in one)]) + chr(10))
print({says!r})
"""


def spy(folder: Path, name: str, says: str = "") -> tuple[Path, Path]:
    """A program that notes its environment, and the file it notes it in."""
    program, log = folder / name, folder / f"{name}.jsonl"
    program.write_text(SPY.format(python=sys.executable, log=str(log), says=says))
    program.chmod(0o755)
    return program, log


def noted(log: Path) -> list[tuple[dict[str, str], dict[str, str]]]:
    return [tuple(json.loads(line)) for line in log.read_text().splitlines()]


def full(lab: Lab) -> None:
    """An environment with everything in it that a process may not need."""
    lab.stack.environment |= {
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_ACCESS_TOKEN": PASSPHRASE,
        "ARM_CLIENT_SECRET": "of-another-set-up",
        "XTSYNC_SOURCE_CERTIFICATE_PASSWORD": "password-of-the-source",
        "XTSYNC_TARGET_CERTIFICATE_PASSWORD": "password-of-the-target",
    }


@pytest.mark.processes
@pytest.mark.parametrize("side", ["source", "target"])
def test_az_is_started_without_the_other_tenants_secrets(lab: Lab, elsewhere: Path, side: str) -> None:
    """By azuread, whose process is not ours, and by the program in the source, by our own provider in the target."""
    full(lab)
    program, log = spy(elsewhere, "az")
    tenant, other = (lab.source, "target") if side == "source" else (lab.target, "source")
    lab.stack.config[f"xtsync:{side}"] = {"tenantId": tenant.tenant_id, "auth": "cli"}
    lab.stack.environment["PATH"] = f"{program.parent}:{os.environ['PATH']}"
    lab.stack.run("up", fails=True)
    secrets = {world.TARGET_SECRET if side == "source" else world.SOURCE_SECRET, f"password-of-the-{other}"}
    assert noted(log)
    for own, starter in noted(log):
        assert not secrets & {*own.values()}
        # The program declares both providers, so it alone is started with everything.
        assert "PULUMI_CONFIG_SECRET_KEYS" in starter or not secrets & {*starter.values()}
        assert side == "source" or not {PASSPHRASE, "of-another-set-up"} & {*own.values()}


@pytest.mark.processes
def test_the_command_that_gives_a_secret_is_started_without_those_of_others(lab: Lab, elsewhere: Path) -> None:
    full(lab)
    program, log = spy(elsewhere, "vault", world.SOURCE_SECRET)
    del lab.stack.environment["XTSYNC_SOURCE_CLIENT_SECRET"]
    lab.stack.environment["XTSYNC_SOURCE_CLIENT_SECRET_COMMAND"] = str(program)
    lab.stack.run("up")
    others = {world.TARGET_SECRET, "password-of-the-target"}
    for own, _ in noted(log):
        assert not {*others, PASSPHRASE, "of-another-set-up"} & {*own.values()}
    # The program declares both providers, so it alone is started with everything.
    providers = [starter for _, starter in noted(log) if "PULUMI_CONFIG_SECRET_KEYS" not in starter]
    assert providers
    assert not [starter for starter in providers if others & {*starter.values()}]


@pytest.mark.parametrize("side", ["source", "target", ""])
def test_what_is_dropped_and_what_stays(side: str) -> None:
    kept = {"PATH": "p", "HTTPS_PROXY": "x", "XTSYNC_DEBUG": "1", "XTSYNC_METADATA_HOST": "h", "VAULT_TOKEN": "v"}
    sides = {
        one: {f"XTSYNC_{one.upper()}_{rest}": one for rest in ("CLIENT_SECRET", "CLIENT_SECRET_FILE", "ANYTHING_NEW")}
        for one in ("source", "target")
    }
    others = dict.fromkeys(
        ("ARM_CLIENT_SECRET", "ARM_NEW", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG", "PULUMI_CONFIG_PASSPHRASE",
         "PULUMI_CONFIG_PASSPHRASE_FILE"), "x",
    )  # fmt: skip
    environment = {**kept, **sides["source"], **sides["target"], **others}
    drop_foreign(side, environment)
    assert environment == {**kept, **sides.get(side, {})}


def test_what_hides_a_secret_is_in_every_environment() -> None:
    for side, other in (("source", "TARGET"), ("target", "SOURCE")):
        mapped = hide_other(side)
        assert set(mapped.values()) == {f"XTSYNC_{other}_CLIENT_SECRET", f"XTSYNC_{other}_CERTIFICATE_PASSWORD"}
        assert set(mapped) <= set(os.environ)


def test_the_policy_pack_knows_nobodys_secrets() -> None:
    look = (
        "import os, runpy, sys; sys.argv = ['p']; import pulumi_policy; pulumi_policy.PolicyPack = lambda **_: None; "
    )
    look += f"runpy.run_path({str(PACK / '__main__.py')!r}); print(sorted(os.environ))"
    secrets = ("XTSYNC_SOURCE_CLIENT_SECRET", "XTSYNC_TARGET_CLIENT_SECRET", "ARM_CLIENT_SECRET", "PULUMI_CONFIG")
    done = subprocess.run(
        [sys.executable, "-c", look], env={**os.environ, **dict.fromkeys(secrets, "canary")}, capture_output=True,
        text=True, check=True, cwd=PACK,
    )  # fmt: skip
    assert not [name for name in secrets if name in done.stdout]


def test_the_program_forgets_the_targets_secret(lab: Lab, tmp_path: Path) -> None:
    """Seen by what a program of its own declares after ours has read the configuration."""
    program = tmp_path / "program"
    program.mkdir()
    for name in ("Pulumi.yaml", "xtsync_resources", ".venv"):
        (program / name).symlink_to(ROOT / name)
    ours = (ROOT / "__main__.py").read_text()
    names = "[name for name in os.environ if 'canary' in os.environ[name]]"
    (program / "__main__.py").write_text(f"{ours}\npulumi.export('seen', {names})\n")
    lab.stack.program = program
    lab.stack.environment |= dict.fromkeys(
        ("XTSYNC_SOURCE_ANYTHING", "XTSYNC_TARGET_CERTIFICATE_PASSWORD", "PULUMI_ACCESS_TOKEN", "ARM_CLIENT_SECRET"),
        "canary",
    )
    lab.stack.config["xtsync:targetClientSecret"] = Secret("canary")
    assert lab.stack.run("preview").outputs["seen"] == ["XTSYNC_SOURCE_ANYTHING"]
