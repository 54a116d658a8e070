"""Configuration: every problem is found, at once, and says what to do; defaults are the declared ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.stack_files import CLIENT, GOOD, parsed, scoped, side
from tests.unit.graph_fakes import SOURCE_ID, TARGET_ID
from xtsync_resources.config import ConfigurationProblems, Settings
from xtsync_resources.config.keys import keys_of
from xtsync_resources.config.published import json_schema
from xtsync_resources.operate import stack as stacks


def b2b(**setting: Any) -> dict[str, Any]:
    return {"b2bCollaboration": {"inbound": setting}}


CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"source": None}, "xtsync:source.tenantId: missing", "Entra admin center"),
    ({"source": {}}, "xtsync:source.tenantId: missing", "Give the id"),
    ({"source": side("contoso.com")}, 'xtsync:source.tenantId = "contoso.com": not a GUID', "not a name or domain"),
    ({"target": side()}, f'xtsync:target.tenantId = "{SOURCE_ID}"', "Name two tenants"),
    ({"target": side(SOURCE_ID.upper())}, "source and target are the same tenant", "Name two tenants"),
    ({"target": side(TARGET_ID, cloud="usgovernment")}, "xtsync:target.cloud: unknown key", "across clouds"),
    ({"souce": "x"}, "xtsync:souce: unknown key", "Did you mean source"),
    ({"zzzzzz": "x"}, "xtsync:zzzzzz: unknown key", "The keys are source, target"),
    ({"source": side(tenantID="x")}, "xtsync:source.tenantID: unknown key", "Did you mean source.tenantId"),
    ({"inboundTrust": {"mfaa": True}}, "xtsync:inboundTrust.mfaa: unknown key", "Did you mean inboundTrust.mfa"),
    ({"inboundTrust": {"mfa": "yes"}}, 'xtsync:inboundTrust.mfa = "yes": not true or false', "Give true or false"),
    ({"inboundTrust": [1]}, "xtsync:inboundTrust = [1]: not an object", "{mfa: true}"),
    ({"source": "x"}, 'xtsync:source = "x": not an object with tenantId', "Give an object"),
    ({"running": "maybe"}, 'xtsync:running = "maybe": not true or false', "Give true or false"),
    ({"running": 1}, "xtsync:running = 1: not true or false", "Give true or false"),
    ({"deletionThreshold": "many"}, 'xtsync:deletionThreshold = "many": not a whole number', "Give a whole number"),
    ({"deletionThreshold": True}, "xtsync:deletionThreshold = true: not a whole number", "Give a whole number"),
    ({"deletionThreshold": 1.5}, "xtsync:deletionThreshold = 1.5: not a whole number", "Give a whole number"),
    ({"deletionThreshold": -1}, "xtsync:deletionThreshold = -1: out of range", "Give a number from 0"),
    ({"deadlineMinutes": 0}, "xtsync:deadlineMinutes = 0: out of range", "Give a number from 0.01"),
    ({"users": None}, "xtsync:users: nobody is in scope", "Name at least one user or group"),
    ({"users": [], "groups": []}, "xtsync:users: nobody is in scope", "users or groups"),
    ({"users": "a@b.c"}, 'xtsync:users = "a@b.c": not a list', "Give a list"),
    ({"users": ["nobody"]}, 'xtsync:users[0] = "nobody": not a user principal name', "name@domain"),
    ({"users": [5]}, "xtsync:users[0] = 5: not a user principal name", "object id"),
    ({"users": ["a@b.c", "A@B.C"]}, 'xtsync:users[1] = "A@B.C": listed twice', "Remove one"),
    ({"groups": ["Sales", " "]}, 'xtsync:groups[1] = " ": not a display name', "object id"),
    ({"metadataHost": "https://host/x"}, "xtsync:metadataHost = ", "without https://"),
    ({"notifyEmail": "someone"}, 'xtsync:notifyEmail = "someone": not an e-mail', "name@domain"),
    ({"displayName": "a\nb"}, "xtsync:displayName = ", "without line breaks"),
    ({"displayName": f"MTO_Sync_{TARGET_ID}"}, "xtsync:displayName = ", "Choose another name"),
    ({"cloud": "germany"}, 'xtsync:cloud = "germany": not a choice', "usgovernmentl5 or china"),
    ({"onExisting": "take"}, 'xtsync:onExisting = "take"', "Choose adopt or fail"),
    ({"onDestroy": "keep"}, 'xtsync:onDestroy = "keep"', "Choose release or drain"),
    ({"source": side(auth="magic")}, 'xtsync:source.auth = "magic"', "Choose cli, secret"),
    ({"source": side(clientId=CLIENT)}, f'xtsync:source.clientId = "{CLIENT}"', "set auth: secret"),
    ({"source": side(auth="secret")}, "xtsync:source.clientId: missing", "Give the id"),
    (
        {"target": side(TARGET_ID, auth="secret", clientId=CLIENT)},
        "xtsync:targetClientSecret: auth: secret needs",
        "XTSYNC_TARGET_CLIENT_SECRET",
    ),
    *(
        ({"source": side(auth=kind)}, "xtsync:source.clientId: missing", "Give the id")
        for kind in ("certificate", "oidc")
    ),
    (
        {"source": side(auth="certificate", clientId=CLIENT)},
        "xtsync:source.certificatePath: missing",
        "Give the file with the certificate and its private key",
    ),
    ({"source": side(auth="oidc", clientId=CLIENT)}, "AZURE_FEDERATED_TOKEN_FILE not set", "permissions: id-token"),
    (
        {"target": side(TARGET_ID, auth="oidc", clientId=CLIENT, serviceConnectionId="x")},
        "SYSTEM_OIDCREQUESTURI and SYSTEM_ACCESSTOKEN not set",
        "$(System.AccessToken)",
    ),
    (
        {"target": side(TARGET_ID, auth="oidc", clientId=CLIENT, serviceConnectionId="x", tokenFile="y")},
        'xtsync:target.serviceConnectionId = "x": the token can come from one place only',
        "Remove it, or tokenFile",
    ),
    ({"source": side(auth="cli", tokenFile="x")}, 'xtsync:source.tokenFile = "x"', "set auth: oidc"),
    (
        {"source": side(auth="oidc", clientId=CLIENT, tokenFile="y", certificatePath="x")},
        'xtsync:source.certificatePath = "x": auth: oidc does not use it',
        "set auth: certificate",
    ),
    (
        {"source": side(auth="managedIdentity"), "target": side(TARGET_ID, auth="managedIdentity")},
        "can sign in to its home tenant only",
        "oidc",
    ),
    (
        {"source": side(auth="managedIdentity", serviceConnectionId="x")},
        "auth: managedIdentity does not use it",
        "set auth: oidc",
    ),
    ({"b2bCollaboration": {"inbond": {}}}, "xtsync:b2bCollaboration.inbond: unknown key", "b2bCollaboration.inbound"),
    (
        b2b(usersAndGroups={"users": ["AllUsers"]}),
        "xtsync:b2bCollaboration.inbound.usersAndGroups.accessType: missing",
        "Give it",
    ),
    (
        b2b(usersAndGroups={"accessType": "allow", "users": ["AllUsers"]}),
        'usersAndGroups.accessType = "allow": not a choice',
        "Choose allowed or blocked",
    ),
    (
        b2b(usersAndGroups={"accessType": "allowed"}),
        "xtsync:b2bCollaboration.inbound.usersAndGroups: names nobody",
        "AllUsers",
    ),
    (
        b2b(usersAndGroups={"accessType": "allowed", "users": ["AllUsers", CLIENT]}),
        "users: names everybody and somebody",
        "Keep AllUsers alone",
    ),
    (
        b2b(usersAndGroups={"accessType": "allowed", "users": ["a@b.c"]}),
        'users[0] = "a@b.c": not AllUsers or an object id',
        "object id",
    ),
    (b2b(applications={"accessType": "allowed", "targets": []}), "targets: names nothing", "AllApplications"),
    (
        {"attributeMappings": [{"target": "city"}]},
        "xtsync:attributeMappings[0]: says how to map nothing",
        "source, constant",
    ),
    (
        {"attributeMappings": [{"target": "city", "source": "a", "constant": "b"}]},
        "attributeMappings[0]: says how to map more than once",
        "Give one",
    ),
    ({"attributeMappings": [{"source": "a"}]}, "xtsync:attributeMappings[0].target: missing", "Give it"),
    (
        {"attributeMappings": [{"target": "city", "remove": True, "default": "x"}]},
        "attributeMappings[0]: removes what it describes",
        "alone",
    ),
    (
        {"attributeMappings": [{"target": "alternativeSecurityIds", "source": "x"}]},
        "the attribute people are matched by",
        "another attribute",
    ),
    ({"attributeMappings": [{"target": "otherMails", "source": "x"}]}, "not a possible target", "another attribute"),
    (
        {"attributeMappings": [{"target": "city", "expression": "x" * 10_001}]},
        "expression: 10001 characters long",
        "at most 10000",
    ),
    (
        {"attributeMappings": [{"target": "city", "source": "x"}, {"target": "city", "constant": "y"}]},
        'attributeMappings[1].target = "city": mapped twice',
        "Remove one",
    ),
    (
        {"userType": "guest", "attributeMappings": [{"target": "userType", "constant": "Member"}]},
        "is userType as well",
        "Remove one",
    ),
    ({"userType": "stranger"}, 'xtsync:userType = "stranger": not a choice', "member or guest"),
    ({"flowTypes": ["add", "remove"]}, 'xtsync:flowTypes[1] = "remove": not a choice', "add, update or delete"),
    ({"flowTypes": ["add"], "onDestroy": "drain"}, "removes nobody without the flow type delete", "release"),
    ({"flowTypes": ["add", "add"]}, "xtsync:flowTypes: names one twice", "once"),
    (scoped(attribute="department", operator="equals"), "scopingFilters[0].clauses[0].value: missing", "compare"),
    (scoped(attribute="mail", operator="isNull", value="x"), 'value = "x": not for this operator', "Remove it"),
    (scoped(attribute="manager", operator="isNull"), 'attribute = "manager": cannot be used', "another attribute"),
    (scoped(attribute="mail", operator="matches", value="("), "not a regular expression", "Correct it"),
    (scoped(attribute="mail", operator="matches", value="(" * 5000), "nested too deep, or repeats", "Correct it"),
    (scoped(attribute="mail", operator="matches", value="x{99999999999}"), "repeats something too often", "Correct it"),
    (scoped(attribute="mail", operator="notMatches", value="[a"), "unterminated character set", "Correct it"),
    (scoped(attribute="mail", operator="like", value="x"), 'operator = "like": not a choice', "Choose equals"),
    ({"scopingFilters": [{"name": "x", "clauses": []}]}, "scopingFilters[0].clauses: empty", "at least one clause"),
    ({"provisionOnDemand": ["alice"]}, 'xtsync:provisionOnDemand[0] = "alice": not a user', "Give a user principal"),
]


def test_a_way_to_sign_in_that_is_none_is_the_only_problem_with_it() -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        parsed(source=side(auth="secrets", clientId=TARGET_ID))
    (problem,) = caught.value.problems
    assert str(problem).startswith('xtsync:source.auth = "secrets": not a choice. Choose cli')


@pytest.mark.parametrize(("changes", "names", "remedy"), CASES)
def test_a_problem_names_its_key_its_value_and_the_remedy(changes: dict[str, Any], names: str, remedy: str) -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        parsed(**changes)
    assert any(names in str(p) and remedy in p.do for p in caught.value.problems), str(caught.value)
    assert "nothing was changed" in str(caught.value)


def test_all_problems_are_found_at_once() -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        parsed(source={}, running="x", cloud="x", users=["x"], nope="1")
    keys = {problem.key for problem in caught.value.problems}
    wanted = {"source.tenantId", "running", "cloud", "users[0]", "nope"}
    assert keys == {f"xtsync:{key}" for key in wanted}
    assert str(caught.value).startswith("The configuration has 5 problems")


def test_a_scope_that_cannot_be_read_is_not_called_empty_as_well() -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        parsed(users="x")
    assert [problem.key for problem in caught.value.problems] == ["xtsync:users"]


def test_defaults_are_the_declared_ones() -> None:
    settings = parsed()
    assert (settings.cloud.name, settings.deletion_threshold, settings.running) == ("public", 500, True)
    assert (settings.on_existing, settings.on_destroy, settings.sync_groups) == ("adopt", "release", False)
    assert settings.deadline_minutes == 15
    assert settings.source.auth == settings.target.auth == "cli"
    assert settings.display_name == f"{SOURCE_ID} to {TARGET_ID}"
    assert (settings.inbound_trust, settings.notify_email, settings.metadata_host) == ({}, "", "")


PROJECT = yaml.safe_load((Path(__file__).parents[2] / "Pulumi.yaml").read_text())


def test_the_project_declares_no_key_so_that_all_problems_are_told_at_once() -> None:
    """Pulumi stops at a value of another type than a declared one before it runs the program."""
    assert "config" not in PROJECT


def test_what_pulumi_new_asks_for_is_enough_for_a_pair(tmp_path: Path) -> None:
    asked = PROJECT["template"]["config"]
    own = {key: entry.get("default") for key, entry in asked.items() if ":" not in key}
    assert own.keys() <= keys_of(Settings).keys()
    assert [key for key, default in own.items() if default is None] == ["source", "target"]
    assert all(entry["description"] for entry in asked.values())
    # Pulumi writes down what is typed as texts.
    examples = {key: re.sub("GUID", CLIENT, entry["description"].split(", as ")[-1]) for key, entry in asked.items()}
    examples |= {"target": examples["target"].replace(CLIENT, TARGET_ID)}
    for typed in (
        own | {key: examples[key] for key in ("source", "target", "groups")},
        {key: examples[key] for key in own},
    ):
        more = {key: entry["default"] for key, entry in asked.items() if ":" in key}
        (tmp_path / "Pulumi.yaml").write_text("name: xtsync\nruntime: python\n")
        document = {"config": {f"xtsync:{key}": text for key, text in typed.items()} | more}
        (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump(document))
        settings = stacks.read("dev", stacks.Location(tmp_path), lambda _: None).settings
        assert (settings.source.name, settings.target.name, settings.groups) == ("Contoso", "Fabrikam", ("Finance",))


def test_values_arrive() -> None:
    settings = parsed(
        {"XTSYNC_SOURCE_CLIENT_SECRET": "s", "XTSYNC_METADATA_HOST": "HOST:8443"},
        source=side(SOURCE_ID.upper(), name="Contoso", auth="secret", clientId=CLIENT),
        inboundTrust={"mfa": True, "hybridJoinedDevice": False},
        deletionThreshold=0,
        deadlineMinutes=0.5,
        running=False,
        metadataHost="host:8443",
        cloud="china",
    )
    assert (settings.source.id, settings.source.name, settings.source.client_id) == (SOURCE_ID, "Contoso", CLIENT)
    assert settings.inbound_trust == {"isMfaAccepted": True, "isHybridAzureADJoinedDeviceAccepted": False}
    assert (settings.deletion_threshold, settings.deadline_minutes, settings.running) == (0, 0.5, False)
    assert (settings.cloud.name, settings.metadata_host) == ("china", "host:8443")
    assert settings.display_name == f"Contoso to {TARGET_ID}"


def test_b2b_settings_become_what_graph_takes() -> None:
    people = {"accessType": "allowed", "users": [CLIENT.upper()], "groups": [SOURCE_ID]}
    settings = parsed(
        b2bCollaboration={"inbound": {"usersAndGroups": people}},
        b2bDirectConnect={"outbound": {"applications": {"accessType": "blocked", "targets": ["Office365"]}}},
    )
    assert settings.b2b_collaboration.side("source") == {}
    assert settings.b2b_collaboration.side("target") == {
        "usersAndGroups": {
            "accessType": "allowed",
            "targets": [{"target": CLIENT, "targetType": "user"}, {"target": SOURCE_ID, "targetType": "group"}],
        }
    }
    assert settings.b2b_direct_connect.side("source") == {
        "applications": {"accessType": "blocked", "targets": [{"target": "Office365", "targetType": "application"}]}
    }


@pytest.mark.parametrize("changes", [case[0] for case in CASES], ids=lambda changes: json.dumps(changes)[:60])
def test_the_published_schema_agrees_or_knows_less(changes: dict[str, Any]) -> None:
    """What the program accepts an editor must not mark; the other way round it may not see everything."""
    values = {f"xtsync:{key}": value for key, value in (GOOD | changes).items() if value is not None}
    refused = [error.json_path for error in Draft202012Validator(json_schema()).iter_errors({"config": values})]
    assert refused or needs_more_than_a_schema(changes)


def needs_more_than_a_schema(changes: dict[str, Any]) -> bool:
    """Rules between keys, and rules about what a text means."""
    between = {"source", "target", "displayName", "users", "groups", "provisionOnDemand", "b2bCollaboration"}
    return bool(changes.keys() & (between | {"attributeMappings", "scopingFilters", "flowTypes"}))


def test_the_published_schema_takes_what_the_program_takes() -> None:
    full = GOOD | {
        "inboundTrust": {"mfa": True},
        "deletionThreshold": 5,
        "deadlineMinutes": 0.5,
        "cloud": "china",
        "metadataHost": "host:8443",
        "notifyEmail": "a@b.c",
        **b2b(usersAndGroups={"accessType": "allowed", "users": ["AllUsers"]}),
        "sourceClientSecret": {"secure": "v1:x"},
    }
    document = {"config": {f"xtsync:{key}": value for key, value in full.items()} | {"azure:location": "x"}}
    assert not list(Draft202012Validator(json_schema()).iter_errors(document))
    taken = {key: value for key, value in full.items() if key != "sourceClientSecret"}
    parsed({"XTSYNC_METADATA_HOST": "host:8443"}, **taken)
