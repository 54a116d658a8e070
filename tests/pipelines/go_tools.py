"""Checkers that are built with Go from pinned modules, where Go is."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.pulumi.__main__ import go_version
from lab.pulumi.installation import parsed


def built(module: Path, package: str, folder: Path) -> Path:
    """The program of a package, built by the module that pins it; without Go the test is skipped."""
    go, least = go_version(), re.search(r"^go (\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    assert least
    if go is None or go < parsed(least[1]):
        pytest.skip(f"{module.name} is built with Go {least[1]} or later, which is not here")
    program = folder / module.name
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -buildvcs=false"}
    subprocess.run(["go", "build", "-o", program, package], cwd=module, env=environment, check=True)
    return program
