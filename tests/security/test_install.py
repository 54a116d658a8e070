"""What makes the environment: everything by hash, nothing built from what is fetched, and quick to start."""

from __future__ import annotations

import importlib.metadata
import os
import re
import socket
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
LOCKS = ("requirements.txt", "requirements-dev.txt")
PIP = [line for line in MAKEFILE.splitlines() if "pip install" in line]
OF_OURS = [line for line in PIP if " -e ." in line]


def test_pip_is_asked_for_hashes_and_wheels_or_for_nothing_at_all() -> None:
    assert len(PIP) == 2
    for line in PIP:
        fetches = "--require-hashes" in line and "--only-binary :all:" in line
        assert fetches or ("--no-index" in line and "--no-build-isolation" in line and "--no-deps" in line), line


def run_make(folder: Path, pip: str) -> subprocess.CompletedProcess[str]:
    """`make install` with an environment whose pip says and ends as given, and whose Python else is ours."""
    python = folder / "python"
    python.write_text(
        f"""#!/bin/sh
case "$*" in
*"-m venv"*) mkdir -p {folder}/.venv/bin; cp {python} {folder}/.venv/bin/python ;;
*"pip install"*-r*) {pip} ;;
*"pip install"*) ;;
*) exec {sys.executable} "$@" ;;
esac
"""
    )
    python.chmod(0o755)
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    # The make that runs these tests is none of its business.
    command = ["env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make", "install", f"PYTHON={python}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_what_is_waited_for_is_told_and_not_each_package(tmp_path: Path) -> None:
    done = run_make(tmp_path, "echo Collecting a; echo Downloading a; echo Installing collected packages: a")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("Making the virtual environment .venv (once")
    assert second == "  unpacking them ..."
    assert (tmp_path / ".venv" / ".installed").exists()


def test_an_environment_that_pip_could_not_make_is_none(tmp_path: Path) -> None:
    done = run_make(tmp_path, "echo Collecting a; echo 'ERROR: hashes do not match' >&2; exit 1")
    assert done.returncode != 0
    assert "ERROR: hashes do not match" in done.stderr
    assert not (tmp_path / ".venv" / ".installed").exists()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_hash_and_none_is_built_here(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "\n--only-binary :all:\n" in text, "also for whoever installs from this file alone, as Pulumi does"
    packages = re.findall(r"^([A-Za-z0-9][^\n]*)\\\n((?: +--hash=\S+(?: \\)?\n)+)", text, re.MULTILINE)
    listed = re.findall(r"^[A-Za-z0-9].*", text, re.MULTILINE)
    assert len(packages) == len(listed) > 30
    assert all("==" in first and "sha256:" in hashes for first, hashes in packages)
    assert {"pip", "setuptools"} <= {first.split("==")[0] for first, _ in packages}


def test_linking_our_own_package_asks_nobody(tmp_path: Path) -> None:
    """With an index that notes who comes."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def note() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            asked.append(connection.recv(1000).decode("ascii", "replace"))
            connection.close()

    threading.Thread(target=note, daemon=True).start()
    project = tmp_path / "project"
    project.mkdir()
    for name in ("pyproject.toml", "README.md"):
        (project / name).write_bytes((ROOT / name).read_bytes())
    (project / "xtsync_resources").symlink_to(ROOT / "xtsync_resources")
    (line,) = OF_OURS
    words = line.partition("pip install")[2].split()
    index = f"http://127.0.0.1:{listener.getsockname()[1]}"
    quick = {"PIP_INDEX_URL": f"{index}/simple", "PIP_RETRIES": "0", "PIP_TIMEOUT": "5", "PIP_NO_INPUT": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--ignore-installed", "--prefix", str(tmp_path / "prefix"), *words],
        cwd=project,
        env={**os.environ, **quick, "PIP_CONFIG_FILE": os.devnull, "HTTP_PROXY": index, "HTTPS_PROXY": index},
        capture_output=True,
        text=True,
        check=False,
    )
    listener.shutdown(socket.SHUT_RDWR)
    assert asked == []
    assert done.returncode == 0, done.stderr
    made = [path.name for path in (tmp_path / "prefix").rglob("*") if path.is_file()]
    assert "xtsync" in made or "xtsync.exe" in made
    assert any(name.endswith(".pth") for name in made)
    assert not any(name.endswith("_finder.py") for name in made)


def test_the_environment_is_as_it_was_locked() -> None:
    text = (ROOT / "requirements.txt").read_text()
    for name in ("pip", "setuptools"):
        assert f"\n{name}=={importlib.metadata.version(name)} " in text


def test_the_package_and_its_command_are_there_from_anywhere(tmp_path: Path) -> None:
    site, scripts = Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("scripts"))
    assert not list(site.glob("__editable___*_finder.py")), "a finder that every start of Python runs"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for folder in (tmp_path, ROOT / "policy", ROOT / "docs"):
        found = subprocess.run(
            [sys.executable, "-P", "-c", "import xtsync_resources; print(xtsync_resources.__file__)"],
            cwd=folder, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert Path(found.stdout.strip()).parent == ROOT / "xtsync_resources"
        told = subprocess.run(
            [scripts / "xtsync", "--help"], cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
        assert "doctor" in told.stdout


def test_nobody_is_told_to_install_without_hashes() -> None:
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "bootstrap").glob("*.md")):
        for block in re.findall(r"^ *```(?:sh|yaml)\n(.*?)^ *```", path.read_text(), re.DOTALL | re.MULTILINE):
            assert "pulumi install" not in block, path
            assert not re.search(r"pip install (?!.*(--require-hashes|--no-index))", block), path
