"""What the Pulumi CLI makes of hostile names: it expands `<{%...%}>` in all it shows, and panics at unknown ones.

With colours, as at a terminal, and with every property shown; without them it only swallows what looks like a colour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import world
from lab.entra import Fault
from lab.entra.policies.models import IdentitySyncPolicy, PartnerPolicy
from lab.pulumi.installation import Installation
from tests.security.untrusted_samples import ATTACKS, NAME, obeyed_by
from tests.terminal import Shell, only_real, terminal

pytestmark = pytest.mark.real
SHOWN = ("--diff", "--color", "always")
NOW = ("--yes", "--skip-preview", *SHOWN)
NAMES = [*(name for kind, name in ATTACKS.items() if kind.startswith("Pulumi")), NAME]


@pytest.fixture
def shell(tmp_path: Path, installation: Installation | None) -> Iterator[Shell]:
    with terminal(tmp_path, only_real(installation)) as made:
        yield made


def say(shell: Shell, *words: str, fails: bool = False) -> str:
    """What a command shows, without the colours that are its own; nobody obeys it, nor has the CLI."""
    said = re.sub(r"\x1b\[[0-9;]*m", "", shell(*words, fails=fails))
    assert obeyed_by(said, lines=True) == []
    return said


def policy(shell: Shell) -> dict[str, object]:
    found = shell.entra.tenants[world.TARGET_TENANT].policies.partners[world.SOURCE_TENANT].identity_sync
    assert found is not None
    members: dict[str, object] = found.members
    return members


def rename(shell: Shell, name: str) -> None:
    """Call the policy, everybody and every group that is not configured by its name so."""
    policy(shell)["displayName"] = name
    source = shell.entra.tenants[world.SOURCE_TENANT]
    for user in source.directory.users.values():
        user.display_name = name
    for principal in source.applications.principals.values():
        for assignment in principal.assignments.values():
            assignment.principal_name = name


def test_a_pair_lives_its_life_among_hostile_names(shell: Shell) -> None:
    partners = shell.entra.tenants[world.TARGET_TENANT].policies.partners
    partners[world.SOURCE_TENANT] = PartnerPolicy(world.SOURCE_TENANT, {"inboundTrust": None})
    members = {"displayName": "N <{%boom%}>", "userSyncInbound": {"isSyncAllowed": True}}
    partners[world.SOURCE_TENANT].identity_sync = IdentitySyncPolicy(members)
    rename(shell, "N <{%boom%}>")
    assert "adopts the existing identity sync policy" in say(shell, "preview", *SHOWN)
    say(shell, "up", *NOW)
    assert policy(shell)["displayName"] == "Contoso to Fabrikam"
    for name in NAMES:
        rename(shell, name)
        assert "~ displayName" in say(shell, "refresh", *NOW)
    assert "~ displayName" in say(shell, "preview", *SHOWN)
    say(shell, "up", *NOW)
    assert policy(shell)["displayName"] == "Contoso to Fabrikam"
    say(shell, "up", *NOW, "--expect-no-changes")
    assert not shell.engine.export()["deployment"].get("pending_operations")
    say(shell, "destroy", *NOW)
    assert policy(shell)["displayName"] == "N <{%boom%}>"


def rename_application(shell: Shell, name: str) -> None:
    source = shell.entra.tenants[world.SOURCE_TENANT]
    for application in source.applications.applications.values():
        application.display_name = name
    for principal in source.applications.principals.values():
        principal.display_name = name


PLAIN = ("--diff", "--color", "never")


def test_a_renamed_application_and_what_graph_says_of_it(shell: Shell) -> None:
    shell.entra.faults.add(Fault(method="PUT", path="identitySynchronization", status=400, code="x", message=NAME))
    assert "Failed to" in say(shell, "up", *NOW, fails=True)
    say(shell, "up", *NOW)
    words: tuple[str, ...]
    for number, shown in enumerate((PLAIN, SHOWN)):
        rename_application(shell, f"N{number} <{{%boom%}}> ##vso[task.setvariable variable=x]y")
        for words in (("preview", "--refresh"), ("preview", "--refresh", "--json"), ("refresh", "--preview-only")):
            say(shell, *words, *(shown if "--json" not in words else ()))
        assert "~ 1 updated" in say(shell, "refresh", "--yes", "--skip-preview", *shown)
        for words in (("preview",), ("preview", "--json"), ("preview", "--show-sames"), ("destroy", "--preview-only")):
            say(shell, *words, *(shown if "--json" not in words else ()))
        rename_application(shell, f"M{number} <{{%boom%}}> ##vso[task.setvariable variable=x]y")
        say(shell, "up", "--refresh", "--yes", "--skip-preview", *shown)
        source = shell.entra.tenants[world.SOURCE_TENANT]
        names = {one.display_name for one in source.applications.applications.values()}
        assert names == {"Contoso to Fabrikam"}
    rename_application(shell, "N <{%boom%}> ##vso[task.setvariable variable=x]y")
    say(shell, "refresh", *NOW)
    say(shell, "destroy", *NOW)
