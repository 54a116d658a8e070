"""Data sources: what they give, and the errors of the real provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pulumi_azuread as azuread
import pytest

from lab.entra import Fault, Settings
from lab.world import SOURCE_CLIENT, SOURCE_TENANT
from tests.lab.azuread.azuread_client import (
    APPLICATION,
    APPLICATION_INPUTS,
    NOWHERE,
    Plugin,
    refused,
    running,
)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    with running(monkeypatch) as found:
        yield found


def test_users_by_name_take_one_get_each(plugin: Plugin) -> None:
    found = plugin.invoke("getUsers", userPrincipalNames=["alice@contoso.com", "bob@contoso.com"])
    assert [user["displayName"] for user in found["users"]] == ["Alice", "Bob"]
    assert found["userPrincipalNames"] == ["alice@contoso.com", "bob@contoso.com"]
    assert found["objectIds"] == [user["objectId"] for user in found["users"]]
    assert (found["ignoreMissing"], found["returnAll"]) == (False, False)
    assert plugin.calls() == [("GET", "/users")] * 2
    filters = [one.query["$filter"] for one in plugin.entra.traffic if one.version]
    assert filters == ["userPrincipalName eq 'alice@contoso.com'", "userPrincipalName eq 'bob@contoso.com'"]


def test_users_by_id(plugin: Plugin) -> None:
    alice = plugin.tenant.directory.user("alice@contoso.com")
    found = plugin.invoke("getUsers", objectIds=[alice.id, NOWHERE], ignoreMissing=True)
    assert [user["userPrincipalName"] for user in found["users"]] == ["alice@contoso.com"]


def test_all_users_over_several_pages(plugin: Plugin) -> None:
    plugin.entra.settings = Settings(page_size=2)
    found = plugin.invoke("getUsers", returnAll=True)
    assert len(found["users"]) == len(plugin.tenant.directory.users) == 5


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("getUsers", {"userPrincipalNames": ["no@contoso.com"]}, 'User with UPN "no@contoso.com" was not found'),
        ("getUsers", {"objectIds": [NOWHERE]}, f'User not found with object ID: "{NOWHERE}"'),
        ("getUsers", {"mails": ["no@x.y"]}, 'User not found with mail address: "no@x.y"'),
        ("getUsers", {}, "one of `userPrincipalNames,objectIds,mailNicknames,mails,employeeIds,returnAll` must be"),
        ("getUser", {"objectId": NOWHERE}, f'User not found with object ID: "{NOWHERE}"'),
        ("getGroup", {"displayName": "No"}, "No group found matching specified filter (displayName eq 'No')"),
        (
            "getGroup",
            {"displayName": "Finance", "mailEnabled": True},
            "No group found matching specified filter (displayName eq 'Finance' and mailEnabled eq true)",
        ),
        ("getGroup", {"objectId": NOWHERE}, f'No group found with object ID: "{NOWHERE}"'),
        ("getGroup", {"objectId": NOWHERE, "displayName": "x"}, "only one of `displayName,mailNickname,objectId` can"),
        ("getGroups", {"displayNames": ["No"]}, 'No group found with display name: "No"'),
        ("getServicePrincipal", {"objectId": NOWHERE}, f'Service principal with object ID "{NOWHERE}" was not found'),
        ("getServicePrincipal", {"displayName": "No"}, "Service principal not found: No service principals found"),
        ("getApplication", {"objectId": NOWHERE}, f'Application with object ID "{NOWHERE}" was not found'),
        ("azuread:index/getDomains:getDomains", {}, "has no function azuread:index/getDomains:getDomains"),
    ],
)
def test_refusals(plugin: Plugin, name: str, arguments: dict[str, Any], words: str) -> None:
    with refused() as texts:
        plugin.invoke(name, **arguments)
    assert words in texts[0]


def test_a_refusal_names_the_function_as_the_bridge_does(plugin: Plugin) -> None:
    with refused() as texts:
        plugin.invoke("getGroup", objectId=NOWHERE)
    error = f'No group found with object ID: "{NOWHERE}"'
    assert texts[0] == f"invoking azuread:index/getGroup:getGroup: 1 error occurred:\n\t* {error}\n\n"


def test_a_name_two_groups_have_is_refused(plugin: Plugin) -> None:
    plugin.tenant.directory.add_group("Finance")
    with refused() as texts:
        plugin.invoke("getGroup", displayName="Finance")
    assert "More than one group found matching specified filter (displayName eq 'Finance')" in texts[0]


def test_a_missing_permission_is_told_in_graphs_words(plugin: Plugin) -> None:
    client = plugin.tenant.login.clients[SOURCE_CLIENT]
    client.permissions = frozenset({"User.Read.All"})
    plugin.configure(plugin.properties())
    with refused() as texts:
        plugin.invoke("getGroup", displayName="Finance")
    assert (
        "Retrieving groups for filter (displayName eq 'Finance'): unexpected status 403 (403 Forbidden) with error: "
        "Authorization_RequestDenied: Insufficient privileges to complete the operation."
    ) in texts[0]


def test_a_cut_off_list_is_no_empty_list(plugin: Plugin) -> None:
    plugin.entra.faults.add(Fault(kind="truncate", method="GET", path="/users"))
    with refused() as texts:
        plugin.invoke("getUsers", userPrincipalNames=["alice@contoso.com"], ignoreMissing=True)
    assert "Bad API Response: API returned nil result" in texts[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("getApplication", "nil object ID returned for application"),
        ("getServicePrincipal", "API returned service principal with nil object ID"),
        ("getUser", "API returned user with nil object ID"),
        ("getGroup", "API returned group with nil object ID"),
    ],
)
def test_a_cut_off_object_has_no_id(plugin: Plugin, name: str, words: str) -> None:
    _, outputs = plugin.create(APPLICATION, APPLICATION_INPUTS)
    ids = {
        "getApplication": outputs["applicationObjectId"],
        "getServicePrincipal": outputs["servicePrincipalObjectId"],
        "getUser": plugin.tenant.directory.user("alice@contoso.com").id,
        "getGroup": next(iter(plugin.tenant.directory.groups)),
    }
    plugin.entra.faults.add(Fault(kind="truncate", method="GET"))
    with refused() as texts:
        plugin.invoke(name, objectId=ids[name])
    assert f"Bad API Response: {words}" in texts[0]


def test_a_group_comes_with_its_members(plugin: Plugin) -> None:
    directory = plugin.tenant.directory
    found = plugin.invoke("getGroup", displayName="Finance")
    asked = [(one.version, one.path) for one in plugin.entra.traffic if one.version]
    relations = [("beta", f"/groups/{found['objectId']}/{name}") for name in ("members", "owners")]
    assert asked == [("beta", "/groups"), *relations]
    assert set(found["members"]) == {directory.user(f"{name}@contoso.com").id for name in ("carol", "dave")}
    assert found["id"] == f"/groups/{found['objectId']}"
    assert plugin.invoke("getGroup", objectId=found["objectId"]) == found


def test_groups(plugin: Plugin) -> None:
    found = plugin.invoke("getGroups", displayNames=["Finance", "No"], ignoreMissing=True)
    assert found["displayNames"] == ["Finance"]
    assert plugin.invoke("getGroups", objectIds=found["objectIds"])["groups"] == found["groups"]
    assert plugin.invoke("getGroups", displayNamePrefix="Fin")["groups"] == found["groups"]
    assert set(plugin.invoke("getGroups", returnAll=True)["displayNames"]) == {"Finance", "Nested"}


def test_an_application_and_its_service_principal_give_their_roles(plugin: Plugin) -> None:
    _, outputs = plugin.create(APPLICATION, APPLICATION_INPUTS)
    application = plugin.invoke("getApplication", objectId=outputs["applicationObjectId"])
    principal = plugin.invoke("getServicePrincipal", objectId=outputs["servicePrincipalObjectId"])
    assert [role["displayName"] for role in principal["appRoles"]] == ["msiam_access"]
    assert principal["appRoles"] == application["appRoles"]
    assert principal["featureTags"][0]["enterprise"] is True
    assert plugin.invoke("getServicePrincipal", clientId=principal["clientId"]) == principal
    assert plugin.invoke("getApplication", displayName="Fabrikam") == application


def test_who_we_are(plugin: Plugin) -> None:
    client = plugin.tenant.login.clients[SOURCE_CLIENT]
    assert plugin.invoke("getClientConfig") == {
        "id": f"{SOURCE_TENANT}-{SOURCE_CLIENT}-{client.object_id}",
        "clientId": SOURCE_CLIENT,
        "objectId": client.object_id,
        "tenantId": SOURCE_TENANT,
    }


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("getUser", {"userPrincipalName": "alice@contoso.com"}, "GetUserResult"),
        ("getUsers", {"userPrincipalNames": ["alice@contoso.com"]}, "GetUsersResult"),
        ("getGroup", {"displayName": "Finance"}, "GetGroupResult"),
        ("getGroups", {"displayNames": ["Finance"]}, "GetGroupsResult"),
        ("getServicePrincipal", {"displayName": "Fabrikam"}, "GetServicePrincipalResult"),
        ("getApplication", {"displayName": "Fabrikam"}, "GetApplicationResult"),
        ("getClientConfig", {}, "GetClientConfigResult"),
    ],
)
def test_everything_the_sdk_reads_is_given(plugin: Plugin, name: str, arguments: dict[str, Any], result: str) -> None:
    if "Fabrikam" in arguments.values():
        plugin.create(APPLICATION, APPLICATION_INPUTS)
    wanted = {
        getattr(member.fget, "_pulumi_name", attribute)
        for attribute, member in vars(getattr(azuread, result)).items()
        if isinstance(member, property)
    }
    assert "id" in wanted
    # The stand-in does not look up the manager of a user.
    assert wanted - set(plugin.invoke(name, **arguments)) <= {"managerId"}
