"""Which stack `python -m lab pulumi` is about where none is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.commands import selected
from lab.engine import ProjectError
from lab.pulumi.installation import Installation


def folder_of(tmp_path: Path, *stacks: str) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    for name in stacks:
        (folder / f"Pulumi.{name}.yaml").write_text("config: {}\n")
    return folder


def cli(tmp_path: Path, script: str) -> Installation:
    """A Pulumi CLI of which only the answer matters."""
    command = tmp_path / "pulumi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return Installation(command=command, version=(3, 250, 0), ours=True)


def test_the_only_one_needs_no_cli(tmp_path: Path) -> None:
    assert selected(None, folder_of(tmp_path, "dev"), tmp_path / "state") == "dev"


def test_of_several_it_is_the_one_that_is_selected(tmp_path: Path) -> None:
    found = cli(tmp_path, '[ "$1 $2" = "stack --show-name" ] && echo organization/xtsync/contoso-fabrikam')
    assert selected(found, folder_of(tmp_path, "dev", "contoso-fabrikam"), tmp_path / "state") == "contoso-fabrikam"


@pytest.mark.parametrize("script", [None, "exit 255"])
def test_where_none_is_selected_the_choice_is_said(tmp_path: Path, script: str | None) -> None:
    found = None if script is None else cli(tmp_path, script)
    with pytest.raises(ProjectError, match="name the stack with --stack: the folder has contoso-fabrikam, dev"):
        selected(found, folder_of(tmp_path, "dev", "contoso-fabrikam"), tmp_path / "state")
