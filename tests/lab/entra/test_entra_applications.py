"""Applications, service principals, assignments, the directory and its recycle bin."""

from __future__ import annotations

from typing import Any

import pytest

from lab.entra import Settings
from lab.world import SOURCE_CLIENT, SOURCE_SECRET, SOURCE_TENANT, TARGET_TENANT

NO_ROLE = "00000000-0000-0000-0000-000000000000"
TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"


def permit(world: Any, *permissions: str) -> None:
    client = world.source_tenant.login.clients[SOURCE_CLIENT]
    client.permissions = client.permissions | set(permissions)
    world.source.sign_in()


def assign(world: Any, principal: str, role: str, user: str) -> Any:
    body = {"appRoleId": role, "principalId": user, "resourceId": principal}
    return world.source("POST", f"/servicePrincipals/{principal}/appRoleAssignedTo", body)


def message(answer: Any) -> str:
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "Request_BadRequest"
    text: str = answer.json()["error"]["message"]
    return text


def test_every_instance_has_a_role_of_its_own(world: Any) -> None:
    first, second = world.instantiate(), world.instantiate()
    assert first[2] != second[2]
    world.entra.settings = Settings(user_role=True)
    principal = world.instantiate()[1]
    roles = world.source("GET", f"/servicePrincipals/{principal}?$select=appRoles").json()["appRoles"]
    assert [role["displayName"] for role in roles] == ["msiam_access", "User"]


def test_unknown_template(world: Any) -> None:
    assert world.source("GET", f"/applicationTemplates/{TEMPLATE}").json()["id"] == TEMPLATE
    answer = world.source("POST", f"/applicationTemplates/{NO_ROLE}/instantiate", {"displayName": "x"})
    assert answer.status_code == 404


def test_assignment_refusals(world: Any) -> None:
    _, principal, role = world.instantiate()
    alice = world.user_id("alice")
    assert message(assign(world, principal, NO_ROLE, alice)) == "Permission being assigned was not found on application"
    assert message(assign(world, principal, role, NO_ROLE)) == "Not a valid reference update"
    assert assign(world, principal, role, alice).status_code == 201
    twice = message(assign(world, principal, role, alice))
    assert twice == "Permission being assigned already exists on the object"
    newsletter = world.source_tenant.directory.add_group("Newsletter", security_enabled=False).id
    assert "not security enabled" in message(assign(world, principal, role, newsletter))


def test_a_distribution_list_is_told_apart(world: Any) -> None:
    newsletter = world.source_tenant.directory.add_group("Newsletter", security_enabled=False).id
    wanted = "$select=id,securityEnabled,mailEnabled"
    found = world.source("GET", f"/groups/{newsletter}?{wanted}").json()
    assert (found["securityEnabled"], found["mailEnabled"]) == (False, True)
    listed = world.source("GET", f"/groups?{wanted}").json()["value"]
    assert [one["id"] for one in listed if not one["securityEnabled"]] == [newsletter]


def test_default_access_is_for_applications_without_roles(world: Any) -> None:
    _, principal, _ = world.instantiate()
    world.source_tenant.applications.principals[principal].roles = []
    assert assign(world, principal, NO_ROLE, world.user_id("alice")).status_code == 201


def test_assignments_are_paged_read_and_removed(world: Any) -> None:
    _, principal, role = world.instantiate()
    names = ["alice", "bob", "carol"]
    made = [assign(world, principal, role, world.user_id(name)).json()["id"] for name in names]
    made.append(assign(world, principal, role, world.group_id("Finance")).json()["id"])
    path = f"/servicePrincipals/{principal}/appRoleAssignedTo"
    first = world.source("GET", f"{path}?$top=3").json()
    second = world.source("GET", first["@odata.nextLink"]).json()
    assert [one["id"] for one in first["value"] + second["value"]] == made
    assert second["value"][0]["principalType"] == "Group"
    assert "@odata.nextLink" not in second
    assert world.source("GET", f"{path}/{made[0]}").json()["principalDisplayName"] == "Alice"
    assert world.source("DELETE", f"{path}/{made[0]}").status_code == 204
    assert world.source("DELETE", f"{path}/{made[0]}").status_code == 404


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_new_service_principal_may_be_late(world: Any, status: Any) -> None:
    world.entra.settings = Settings(principal_lag_seconds=20, principal_lag_status=status)
    application, principal, role = world.instantiate()
    assert world.source("GET", f"/applications/{application}").status_code == 200
    assert world.source("GET", f"/servicePrincipals/{principal}").status_code == status
    assert world.source("GET", f"/servicePrincipals/{principal}/synchronization/jobs").status_code == status
    assert assign(world, principal, role, world.user_id("alice")).status_code == status
    world.entra.clock.advance(seconds=20)
    assert assign(world, principal, role, world.user_id("alice")).status_code == 201


def test_lists_of_assignments_lag(world: Any) -> None:
    _, principal, role = world.instantiate()
    world.entra.settings = Settings(lag_reads=1)
    path = f"/servicePrincipals/{principal}/appRoleAssignedTo"
    made = assign(world, principal, role, world.user_id("alice")).json()["id"]
    assert [len(world.source("GET", path).json()["value"]) for _ in range(2)] == [0, 1]
    world.source("DELETE", f"{path}/{made}")
    assert [len(world.source("GET", path).json()["value"]) for _ in range(2)] == [1, 0]


def test_lag_can_be_counted_in_calls(world: Any) -> None:
    world.entra.settings = Settings(principal_lag_calls=2)
    principal = world.instantiate()[1]
    assert [world.source("GET", f"/servicePrincipals/{principal}").status_code for _ in range(3)] == [404, 404, 200]


def test_filters_find_twins(world: Any) -> None:
    made = {world.instantiate()[0], world.instantiate()[0]}
    text = f"applicationTemplateId eq '{TEMPLATE}' and displayName eq 'Fabrikam'"
    found = world.source("GET", "/applications", params={"$filter": text}).json()["value"]
    assert {one["id"] for one in found} == made
    text = f"appId eq '{found[0]['appId']}'"
    assert len(world.source("GET", "/servicePrincipals", params={"$filter": text}).json()["value"]) == 1
    refused = world.source("GET", "/applications", params={"$filter": "notes eq 'x'"})
    assert refused.json()["error"]["code"] == "Request_UnsupportedQuery"
    assert world.source("GET", "/applications", params={"$filter": "displayName eq"}).status_code == 400


def test_a_new_name_reaches_the_service_principal(world: Any) -> None:
    application, principal, _ = world.instantiate()
    path = f"/applications/{application}"
    assert world.source("PATCH", path, {"displayName": "New", "notes": "ours"}).status_code == 204
    assert world.source("GET", path).json()["notes"] == "ours"
    assert world.source("GET", f"/servicePrincipals/{principal}").json()["displayName"] == "New"
    assert message(world.source("PATCH", path, {"displayname": "x"})) == "Invalid property 'displayname'."


def test_deleting_an_application_takes_everything_along(world: Any) -> None:
    pair = world.synchronization()
    application, principal = pair.application, pair.principal
    assert world.source("DELETE", f"/applications/{application}").status_code == 204
    assert world.source("GET", pair.job).status_code == 404
    assert world.source("GET", f"/servicePrincipals/{principal}").status_code == 404
    assert world.source("DELETE", f"/applications/{application}").status_code == 404
    listed = world.source("GET", "/directory/deletedItems/microsoft.graph.application").json()["value"]
    assert [one["id"] for one in listed] == [application]
    assert world.source("POST", f"/directory/deletedItems/{application}/restore").status_code == 200
    assert world.source("GET", f"/servicePrincipals/{principal}").status_code == 200
    assert world.source("GET", f"/servicePrincipals/{principal}/synchronization/jobs").json()["value"] == []
    world.source("DELETE", f"/applications/{application}")
    for object_id in (application, principal):
        assert world.source("DELETE", f"/directory/deletedItems/{object_id}").status_code == 204
        assert world.source("GET", f"/directory/deletedItems/{object_id}").status_code == 404


def test_deleted_applications_expire(world: Any) -> None:
    application = world.instantiate()[0]
    world.source("DELETE", f"/applications/{application}")
    world.pass_time(31 * 24 * 60)
    assert world.source("GET", f"/directory/deletedItems/{application}").status_code == 404


def test_the_service_principal_can_go_alone(world: Any) -> None:
    application, principal, _ = world.instantiate()
    assert world.source("DELETE", f"/servicePrincipals/{principal}").status_code == 204
    assert world.source("GET", f"/applications/{application}").status_code == 200


def test_owned_by_covers_only_ones_own(world: Any) -> None:
    application, principal, _ = world.instantiate()
    world.source_tenant.register_client("other", "other-secret", ["Application.ReadWrite.OwnedBy"])
    other = type(world.source)(world.server, SOURCE_TENANT, "other", "other-secret")
    assert other("GET", f"/servicePrincipals/{principal}/synchronization/jobs").status_code == 403
    assert other("DELETE", f"/applications/{application}").status_code == 403
    mine = other("POST", f"/applicationTemplates/{TEMPLATE}/instantiate", {"displayName": "Mine"}).json()
    base = f"/servicePrincipals/{mine['servicePrincipal']['id']}/synchronization"
    assert other("POST", f"{base}/jobs", {"templateId": "Azure2Azure"}).status_code == 201
    assert other("DELETE", f"/applications/{mine['application']['id']}").status_code == 204
    world.source("DELETE", f"/applications/{application}")
    assert other("DELETE", f"/directory/deletedItems/{application}").status_code == 403


def test_people_and_groups_are_found(world: Any) -> None:
    alice, finance = world.user_id("alice"), world.group_id("Finance")
    for text in ("userPrincipalName eq 'alice@contoso.com'", "mail eq 'alice@contoso.com'", f"id in ('{alice}')"):
        found = world.source("GET", "/users", params={"$filter": text, "$select": "id,mail"}).json()["value"]
        assert found == [{"id": alice, "mail": "alice@contoso.com"}]
    assert world.source("GET", "/users/Alice@contoso.com").json()["id"] == alice
    assert world.source("GET", f"/users/{alice}?$select=userType").json()["userType"] == "Member"
    assert world.source("GET", "/users/nobody@contoso.com").status_code == 404
    found = world.source("GET", "/groups", params={"$filter": "displayName eq 'Finance'"}, version="beta").json()
    assert [one["id"] for one in found["value"]] == [finance]
    members = world.source("GET", f"/groups/{finance}/members?$select=id").json()["value"]
    assert {one["id"] for one in members} == {world.user_id("carol"), world.user_id("dave")}
    assert world.source("GET", f"/groups/{finance}").json()["displayName"] == "Finance"


def test_facts_about_tenants(world: Any) -> None:
    permit(world, "Organization.Read.All", "CrossTenantInformation.ReadBasic.All")
    (organization,) = world.source("GET", "/organization").json()["value"]
    assert (organization["id"], organization["displayName"]) == (SOURCE_TENANT, "Contoso")
    (sku,) = world.source("GET", "/subscribedSkus").json()["value"]
    assert sku["skuPartNumber"] == "AAD_PREMIUM_P2"
    path = "/tenantRelationships/findTenantInformationByTenantId(tenantId='{}')"
    assert world.source("GET", path.format(TARGET_TENANT)).json()["displayName"] == "Fabrikam"
    assert world.source("GET", path.format(NO_ROLE)).status_code == 404


def test_the_world_starts_with_the_clients_own_principal(world: Any) -> None:
    text = f"appId eq '{SOURCE_CLIENT}'"
    (found,) = world.source("GET", "/servicePrincipals", params={"$filter": text}).json()["value"]
    assert found["id"] == world.source_tenant.login.clients[SOURCE_CLIENT].object_id
    assert SOURCE_SECRET not in str(found)
