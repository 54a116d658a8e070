"""Which CLI is used, what is said where there is none, and what the environment of one holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from lab.pulumi import __main__ as make
from lab.pulumi import installation
from lab.pulumi.installation import AZUREAD, BESIDE_THE_CLI, LAUNCHERS, Installation, cached, find, parsed, pinned

ROOT = Path(__file__).resolve().parents[3]


def program(folder: Path, name: str, says: str) -> Path:
    """A program that only says something."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def place(tmp_path: Path, *, on_path: str = "", built: bool = False) -> dict[str, str]:
    """A machine with the CLIs named."""
    if on_path:
        program(tmp_path / "bin", "pulumi", on_path)
    environment = {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    if built:
        binary = cached(pinned(), environment)
        binary.parent.mkdir(parents=True)
        program(binary.parent, "pulumi", pinned())
    return environment


def test_a_cli_on_the_path_that_is_new_enough_is_used_as_it_is(tmp_path: Path) -> None:
    found = find(place(tmp_path, on_path="v3.999.1", built=True))
    assert found == Installation(tmp_path / "bin" / "pulumi", (3, 999, 1), ours=False)


@pytest.mark.parametrize("on_path", ["v3.100.0", "", "no version"])
def test_an_old_or_missing_cli_gives_way_to_the_one_that_was_built(tmp_path: Path, on_path: str) -> None:
    environment = place(tmp_path, on_path=on_path, built=True)
    found = find(environment)
    assert found == Installation(cached(pinned(), environment), parsed(pinned()), ours=True)
    assert {path.name for path in found.command.parent.iterdir()} == {"pulumi", *BESIDE_THE_CLI}


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert find(place(tmp_path)) is None


@pytest.mark.parametrize("go", ["", "go1.20", "go1.26.5"])
def test_without_go_one_sentence_says_what_to_install(tmp_path: Path, go: str) -> None:
    environment = place(tmp_path)
    (tmp_path / "bin").mkdir(exist_ok=True)
    if go:
        program(tmp_path / "bin", "go", go)
    command = [sys.executable, "-m", "lab.pulumi"]
    there = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=there, capture_output=True, text=True, check=False)
    assert done.returncode == make.NOT_HERE
    assert done.stdout == "Install Pulumi 3.250.0 or later, or Go 1.26.6 or later to build it here.\n"
    assert done.stderr == ""


def test_the_module_pins_the_cli_with_checksums() -> None:
    for folder in (installation.MODULE, installation.OLDEST):
        assert f"tool {installation.PACKAGE}" in (folder / "go.mod").read_text()
        assert f"github.com/pulumi/pulumi/pkg/v3 {pinned(folder)} h1:" in (folder / "go.sum").read_text()
        assert parsed(pinned(folder)) >= installation.least_version()


def test_a_build_that_fails_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = place(tmp_path)
    go = program(tmp_path / "bin", "go", "go1.99.0")
    go.write_text('#!/bin/sh\ncase "$1" in env) echo go1.99.0;; build) echo "disk full" >&2; exit 1;; esac\n')
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(make.CannotBuild, match="disk full"):
        make.build(Console(), installation.MODULE)
    assert list(cached(pinned(), environment).parent.iterdir()) == []


# --- the environment of the CLI --------------------------------------------------------------------------------


def test_the_stand_in_is_the_azuread_plugin_of_a_home_of_the_labs_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "nothing"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    found = find(place(tmp_path, built=True))
    assert found is not None
    environment = found.environment(tmp_path / "state", {"PATH": "first"})
    (plugin,) = Path(environment["PULUMI_HOME"]).glob(f"plugins/resource-azuread-v*/{AZUREAD}")
    assert plugin.read_bytes() == (LAUNCHERS / AZUREAD).read_bytes()
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert environment["PATH"] == f"{found.command.parent}{os.pathsep}first"
    assert "stand-in" in found.words


def test_a_real_azuread_plugin_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "plugins" / "resource-azuread-v6.11.1").mkdir(parents=True)
    found = find(place(tmp_path, built=True))
    assert found is not None
    assert "PULUMI_HOME" not in found.environment(tmp_path / "state")
    assert "with the azuread plugin" in found.words


def test_launchers_are_on_the_path_only_where_the_official_ones_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = place(tmp_path, on_path="v3.999.1")
    monkeypatch.setenv("PATH", environment["PATH"])
    found = find(environment)
    assert found is not None
    assert found.environment(tmp_path / "state", environment)["PATH"] == f"{environment['PATH']}{os.pathsep}{LAUNCHERS}"
    for name in BESIDE_THE_CLI:
        program(tmp_path / "bin", name, "official")
    assert found.environment(tmp_path / "state", environment)["PATH"] == environment["PATH"]
