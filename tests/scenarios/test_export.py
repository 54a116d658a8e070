"""`xtsync export`: the stack configuration that reproduces a pair, whoever made it."""

from __future__ import annotations

import json
from typing import Any

import yaml

from lab import world
from lab.entra.synchronization.schema import object_mapping
from tests.proofs import self_signed
from tests.scenarios.stacks import Command, Lab, changed, short, writes
from tests.scenarios.steps import export


def only_called_otherwise(lab: Lab) -> None:
    """Groups are exported by object id: that is noted in the scope, and nothing else changes."""
    before = len(lab.entra.traffic)
    assert changed(lab.stack.run("up")) == {"scope": "update"}
    assert not writes(lab.calls_since(before))
    assert lab.stack.run("up", expect_no_changes=True).exit_code == 0


def test_an_exported_pair_ends_in_no_changes(lab: Lab, xtsync: Command) -> None:
    lab.stack.config |= {
        "xtsync:notifyEmail": "it@contoso.com",
        "xtsync:deletionThreshold": 40,
        "xtsync:inboundTrust": {"mfa": True},
        "xtsync:running": False,
    }
    xtsync.up()
    before = len(lab.entra.traffic)
    imports = lab.folder / "import.json"
    said = export(lab, xtsync, "--import-file", str(imports))
    assert said.exit_code == 0, said
    assert not writes(lab.calls_since(before))
    config = yaml.safe_load(said.out)["config"]
    finance = next(group for group in lab.source.directory.groups.values() if group.display_name == "Finance")
    assert config["xtsync:groups"] == [finance.id]
    assert f"- {finance.id}  # Finance" in said.out
    assert config["xtsync:users"] == ["alice@contoso.com"]

    lab.stack.config = config
    only_called_otherwise(lab)
    resources = lab.stack.resources()
    ids = {short(r["urn"]): r.get("id") for r in resources}
    # Not the assignments: see docs/operations.md.
    (application,) = json.loads(imports.read_text())["resources"]
    assert (application["name"], application["id"]) == ("pair-application", ids["application"])
    urns = {r["urn"] for r in resources}
    assert set(json.loads(imports.read_text())["nameTable"].values()) <= urns


def test_mappings_filters_and_b2b_settings_are_exported_as_they_are(lab: Lab, xtsync: Command) -> None:
    more: dict[str, Any] = {
        "xtsync:userType": "guest",
        "xtsync:flowTypes": ["add", "update"],
        "xtsync:syncGroups": True,
        "xtsync:attributeMappings": [
            {"expression": 'Join(" ", [givenName], [surname])', "target": "displayName"},
            {"apply": "onCreate", "default": "None", "source": "city", "target": "department"},
            {"constant": "Contoso", "target": "companyName"},
            {"remove": True, "target": "telephoneNumber"},
        ],
        "xtsync:scopingFilters": [
            {"name": "Sales", "clauses": [{"attribute": "department", "operator": "includes", "value": "Sales"}]},
            {"name": "Mail", "clauses": [{"attribute": "mail", "operator": "isNotNull"}]},
        ],
        "xtsync:b2bCollaboration": {
            "inbound": {"usersAndGroups": {"accessType": "allowed", "users": ["AllUsers"]}},
            "outbound": {"applications": {"accessType": "allowed", "targets": ["Office365"]}},
        },
        "xtsync:b2bDirectConnect": {
            "inbound": {"applications": {"accessType": "blocked", "targets": ["AllApplications"]}}
        },
    }
    lab.stack.config |= more
    xtsync.up()
    before = len(lab.entra.traffic)
    said = export(lab, xtsync)
    assert not writes(lab.calls_since(before))
    config = yaml.safe_load(said.out)["config"]
    by_target = sorted(more["xtsync:attributeMappings"], key=lambda one: str(one["target"]))
    assert {key: config[key] for key in more} == more | {"xtsync:attributeMappings": by_target}
    lab.stack.config = {**config, "xtsync:attributeMappings": more["xtsync:attributeMappings"]}
    only_called_otherwise(lab)


def test_what_cannot_be_said_of_schema_and_b2b_settings_is_left_out_with_a_warning(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    (job,) = lab.jobs()
    users = object_mapping(job.schema, "User")
    operand = {"values": ["Sales", "Legal"]}
    clause = {"sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": operand}
    users["scope"]["groups"] = [{"name": "Two", "clauses": [clause]}]
    next(one for one in users["attributeMappings"] if one["targetAttributeName"] == "city")["flowType"] = "ValueAddOnly"
    object_mapping(job.schema, "Group")["enabled"] = True
    guests = {"accessType": "blocked", "targets": [{"target": "AllGuests", "targetType": "user"}]}
    assert lab.target_partner is not None
    lab.target_partner["b2bCollaborationInbound"] = {"usersAndGroups": guests}
    said = export(lab, xtsync, "--json")
    assert not {
        key for key in said.document["config"] if key.removeprefix("xtsync:") in ("scopingFilters", "b2bCollaboration")
    }
    for words in (
        "scoping filters say more",
        "mapping to city is more",
        "maps groups",
        "b2bCollaborationInbound says more",
    ):
        assert any(words in warning for warning in said.document["warnings"]), words


def test_a_pair_that_is_not_there_or_not_the_only_one_is_said(lab: Lab, xtsync: Command) -> None:
    said = export(lab, xtsync)
    assert said.exit_code == 2
    assert "no configuration application there synchronizes into this target" in said.errors
    xtsync.up()
    other = lab.new_stack("other", displayName="Another", allowSecondConfiguration=True)
    other.run("up")
    said = export(lab, xtsync)
    assert "Another" in said.errors
    assert "--application" in said.errors
    assert (
        export(lab, xtsync, "--application", "Another", "--json").document["config"]["xtsync:displayName"] == "Another"
    )


def test_a_file_that_exists_is_never_overwritten(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    path = lab.folder / "Pulumi.kept.yaml"
    path.write_text("encryptionsalt: v1:kept\n")
    said = export(lab, xtsync, "--output", str(path))
    assert said.exit_code == 2
    assert "Will not overwrite" in said.errors
    assert path.read_text() == "encryptionsalt: v1:kept\n"
    assert "Cannot write" in export(lab, xtsync, "--output", str(lab.folder / "nowhere" / "x.yaml")).errors


def test_what_the_configuration_cannot_say_is_a_warning(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    principal = next(p for p in lab.source.applications.principals.values() if p.synchronization.jobs)
    principal.synchronization.secrets["SyncAll"] = "true"
    said = export(lab, xtsync, "--output", str(lab.folder / "Pulumi.found.yaml"))
    assert "everybody in the source is in scope" in said.errors
    assert "# Note: everybody" in (lab.folder / "Pulumi.found.yaml").read_text()
    assert "not a GUID" in xtsync("export", "--source", "contoso.com", "--target", world.TARGET_TENANT).errors


def test_each_side_may_sign_in_in_its_own_way(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    proof = self_signed()
    lab.target.login.clients[world.TARGET_CLIENT].certificates = [proof.certificate]
    path = proof.write(lab.folder / "target.pfx", "the-password")
    lab.stack.environment["XTSYNC_TARGET_CERTIFICATE_PASSWORD"] = "the-password"
    how = ["--set", "target.auth=certificate", "--set", f"target.certificatePath={path}"]
    config = export(lab, xtsync, *how, "--json").document["config"]
    assert config["xtsync:source"]["auth"] == "secret"
    assert config["xtsync:target"] == {
        "tenantId": world.TARGET_TENANT,
        "name": "Fabrikam",
        "clientId": world.TARGET_CLIENT,
        "auth": "certificate",
        "certificatePath": str(path),
    }
    assert "Cannot understand --set targetauth=oidc" in export(lab, xtsync, "--set", "targetauth=oidc").errors
    assert "unknown key" in export(lab, xtsync, "--set", "target.autth=oidc").errors
