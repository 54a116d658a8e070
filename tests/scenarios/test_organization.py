"""A pair inside of a multitenant organization: people are told, and what Microsoft 365 manages stays as it is."""

from __future__ import annotations

from lab import world
from tests.scenarios.stacks import Command, Lab, messages, told, writes


def test_the_organization_is_told_of_and_its_configuration_left_alone(lab: Lab, xtsync: Command) -> None:
    lab.source.policies.create(world.TARGET_TENANT, {}).in_organization = True
    lab.target.policies.create(world.SOURCE_TENANT, {}).in_organization = True
    theirs = lab.new_stack("mto", displayName="To be renamed")
    theirs.run("up")
    name = f"MTO_Sync_{world.TARGET_TENANT}"
    application = next(iter(lab.source.applications.applications.values()))
    principal = next(p for p in lab.source.applications.principals.values() if p.app_id == application.app_id)
    application.display_name = principal.display_name = name
    kept = (application.id, principal.id, next(iter(principal.synchronization.jobs.values())).id)

    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert f"there is one already: {name}" in text
    assert "Microsoft 365 manages it" in text
    lab.stack.config["xtsync:allowSecondConfiguration"] = True
    before = len(lab.entra.traffic)
    result = lab.stack.run("preview")
    assert not writes(lab.calls_since(before))
    assert "its templates may rewrite this partner policy" in told(result, "target-partner")
    assert f"a configuration {name} for this target as well: it is left alone" in told(result, "source-partner")
    lab.stack.run("up")
    (job,) = principal.synchronization.jobs.values()
    assert (application.id, principal.id, job.id) == kept
    assert (application.display_name, principal.display_name) == (name, name)
    assert len(lab.jobs()) == 2
    said = xtsync("doctor", "-s", "dev")
    assert "it is left alone" in " ".join(said.out.split())
    clients = ["--source-client-id", world.SOURCE_CLIENT, "--target-client-id", world.TARGET_CLIENT]
    pair = ["--source", world.SOURCE_TENANT, "--target", world.TARGET_TENANT, "--auth", "secret"]
    said = xtsync("export", *pair, *clients, "--metadata-host", lab.server.host, "--json")
    assert "MTO_Sync" not in said.document["config"]["xtsync:displayName"]
    lab.stack.run("destroy")
    assert list(principal.synchronization.jobs.values()) == [job]
