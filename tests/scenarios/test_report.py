"""`xtsync report`: one page about a pair, or about all of them."""

from __future__ import annotations

from dataclasses import replace

from conftest import Command, Lab

from lab import world


def test_a_page_of_a_healthy_pair(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    page = lab.folder / "page.html"
    said = xtsync("report", "-s", "dev", "--output", str(page))
    assert said.exit_code == 0, said
    text = page.read_text()
    for part in ("Contoso → Fabrikam", "everything is in step", "alice@contoso.com", "stack file", "Recent cycles"):
        assert part in text, part
    markdown = xtsync("report", "-s", "dev", "--format", "markdown", "--output", "-").out
    assert "### Recent cycles" in markdown
    assert "| deletionThreshold | 500 | default |" in markdown


def test_failures_are_listed_with_their_reason(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.target.guest_invitations_allowed = False
    lab.pass_time()
    text = xtsync("report", "-s", "dev", "--format", "markdown", "--output", "-").out
    assert "### Last failures" in text
    assert "AzureActiveDirectoryForbidden" in text
    said = xtsync("logs", "-s", "dev", "--failures", "--since", "7d")
    assert "AzureActiveDirectoryForbidden" in said.out


def test_what_cannot_be_read_is_said_and_hides_nothing_else(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    client = lab.source.login.clients[world.SOURCE_CLIENT]
    kept = client.permissions - {"ProvisioningLog.Read.All"}
    lab.source.login.clients[world.SOURCE_CLIENT] = replace(client, permissions=kept)
    (lab.folder / "Pulumi.broken.yaml").write_text("config:\n  xtsync:source: {}\n")
    (lab.folder / "Pulumi.other.yaml").write_text("config:\n  else:key: 1\n")
    said = xtsync("report", "--all", "--format", "markdown", "--output", "-")
    assert said.exit_code == 1
    assert "## broken" in said.out
    assert "## other" not in said.out
    assert "Contoso → Fabrikam" in said.out
    assert "ProvisioningLog.Read.All" in said.out.replace("\\", "")
