"""What the program loads before the engine hears of the tenants, whose processes it starts meanwhile."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["pulumi_azuread", "xtsync_resources.pair", "requests", "azure.identity"])
def test_the_component_waits_for_nothing_heavy(name: str) -> None:
    code = f"import sys, xtsync_resources.component; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
