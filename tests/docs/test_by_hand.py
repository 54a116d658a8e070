"""The hand-made path of docs/operations.md, typed on the real CLI as it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import world
from lab.pulumi.installation import Installation
from tests.terminal import only_real
from tests.typist import ROOT, Typist, section, shell_commands, typist

pytestmark = pytest.mark.real
PAGE = section((ROOT / "docs" / "operations.md").read_text(), "A pair that was made by hand")
EXPORT, INIT, PREVIEW_PROVIDERS, UP_PROVIDERS, IMPORT, PREVIEW, UP, AGAIN = shell_commands(PAGE)
TENANTS = {"SOURCE-TENANT-ID": world.SOURCE_TENANT, "TARGET-TENANT-ID": world.TARGET_TENANT}


@pytest.fixture
def by_hand(tmp_path: Path, installation: Installation | None) -> Iterator[Typist]:
    """A terminal beside a pair that no stack knows."""
    with typist(tmp_path, only_real(installation)) as types:
        types("pulumi stack init former")
        types("pulumi up --skip-preview")
        types("pulumi stack rm --force former")
        yield types


def settled(types: Typist) -> object:
    """What both tenants hold, but for people and the ids of assignments, which are made anew."""
    return {
        tenant: {area: value for area, value in areas.items() if area not in ("users", "groups")}
        for tenant, areas in types.entra.snapshot(deleted=False).items()
    }


def as_found(types: Typist) -> object:
    """What has to be there at the end as it was: policies, job, its settings, and who is assigned."""
    source = types.entra.tenants[world.SOURCE_TENANT]
    (principal,) = (one for one in source.applications.principals.values() if one.template_id)
    jobs = {job.id: job.schedule_state for job in principal.synchronization.jobs.values()}
    assigned = {one.principal_id for one in principal.assignments.values()}
    policies = [areas["partners"] for areas in types.entra.snapshot(deleted=False).values()]
    return policies, jobs, dict(principal.synchronization.secrets), assigned


def export(types: Typist) -> str:
    """Step 1's first command; the lab's sign-in and host are what a reader need not say."""
    command = EXPORT
    for placeholder, tenant in TENANTS.items():
        command = command.replace(placeholder, tenant)
    clients = f"--source-client-id {world.SOURCE_CLIENT} --target-client-id {world.TARGET_CLIENT}"
    return types(f"{command} --auth secret --metadata-host {types.server.host} {clients}")


def rows(said: str, kind: str) -> set[str]:
    """The resources that a preview shows with a sign."""
    return {line.split()[2] for line in said.splitlines() if line.startswith(f" {kind} ")}


def test_the_hand_made_path_is_as_written(by_hand: Typist) -> None:
    before, found = settled(by_hand), as_found(by_hand)
    assert "2 assignments" in export(by_hand)
    by_hand(INIT)
    stack_file = (by_hand.folder / "Pulumi.contoso-fabrikam.yaml").read_text()
    assert stack_file.startswith("# As it runs today")
    assert "encryptionsalt" in stack_file

    providers = {"xtsync-contoso-fabrikam", "pair", "pair-source", "pair-target", "pair-source-azuread"}
    said = by_hand(PREVIEW_PROVIDERS)
    assert rows(said, "+") == providers
    assert "+ 5 to create" in said
    assert "[unknown]" in said
    assert "+ 5 created" in by_hand(UP_PROVIDERS)
    assert settled(by_hand) == before

    assert "= 1 imported" in by_hand(IMPORT)
    assert "protected" in by_hand("pulumi destroy", fails=True)
    assert settled(by_hand) == before

    said = by_hand(PREVIEW)
    for announced in (
        "pair-source-partner create adopts the existing partner policy",
        "pair-target-partner create adopts the existing partner policy",
        "adopts the existing identity sync policy",
        "pair-secrets create adopts the existing synchronization settings",
        "pair-application  [diff: ~protect]",
        "(Active)",
        "the adopted job is paused until everybody is assigned",
        "+ 13 to create",
    ):
        assert announced in said, said
    assert "pair-application" not in rows(said, "+")
    assert settled(by_hand) == before

    said = by_hand(UP)
    for shown in ("creating failed", "already exists on the object", "retrying create", "+ 13 created", "2 errored"):
        assert shown in said, said
    by_hand(AGAIN)
    assert "19 unchanged" in by_hand(UP)

    by_hand.entra.pass_time(minutes=41)
    said = by_hand("pulumi destroy")
    assert "was there before and is not deleted" in said
    assert "the configuration application was there before this stack and stays" in said
    assert "former values come back" in said
    assert as_found(by_hand) == found


def test_what_microsoft_365_manages_is_forgotten_by_the_command_of_the_refusal(by_hand: Typist) -> None:
    source = by_hand.entra.tenants[world.SOURCE_TENANT].applications
    (application,) = source.applications.values()
    export(by_hand)
    for command in (INIT, UP_PROVIDERS, IMPORT):
        by_hand(command)
    application.display_name = f"MTO_Sync_{world.TARGET_TENANT}"
    for principal in source.principals.values():
        principal.display_name = application.display_name
    said = by_hand(UP, fails=True)
    assert "Microsoft 365 manages it" in said
    (command,) = set(re.findall(r"`(pulumi state delete .*?)`", said))
    by_hand(command)
    by_hand("pulumi destroy")
    assert source.applications == {application.id: application}


def test_an_import_is_taken_back_without_touching_the_application(by_hand: Typist) -> None:
    before = settled(by_hand)
    export(by_hand)
    for command in (INIT, UP_PROVIDERS, IMPORT):
        by_hand(command)
    urns = by_hand("pulumi stack --show-urns").split()
    (urn,) = {word for word in urns if word.endswith("::pair-application")}
    by_hand(f"pulumi state delete '{urn}' --force --target-dependents")
    by_hand("pulumi destroy")
    assert settled(by_hand) == before
