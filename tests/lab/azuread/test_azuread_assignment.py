"""The app role assignment, as the real provider handles it."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from azuread_client import (  # type: ignore[import-not-found]
    APPLICATION,
    APPLICATION_INPUTS,
    ASSIGNMENT,
    NOWHERE,
    Plugin,
    refused,
    running,
)
from pulumi.runtime.proto import provider_pb2

from lab.azuread.values import from_struct
from lab.entra import Fault

ASSIGN = "/appRoleAssignedTo$"
INVALID = {"status": 400, "code": "Request_BadRequest", "message": "Not a valid reference update."}


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    with running(monkeypatch) as found:
        yield found


@pytest.fixture
def inputs(plugin: Plugin) -> dict[str, str]:
    _, outputs = plugin.create(APPLICATION, APPLICATION_INPUTS)
    principal = plugin.tenant.applications.principals[outputs["servicePrincipalObjectId"]]
    return {
        "appRoleId": principal.roles[0]["id"],
        "principalObjectId": plugin.tenant.directory.user("alice@contoso.com").id,
        "resourceObjectId": principal.id,
    }


def test_an_assignment_is_made_read_and_deleted(plugin: Plugin, inputs: dict[str, str]) -> None:
    identifier, outputs = plugin.create(ASSIGNMENT, inputs)
    principal = plugin.tenant.applications.principals[inputs["resourceObjectId"]]
    (assignment,) = principal.assignments
    assert identifier == f"/servicePrincipals/{principal.id}/appRoleAssignedTo/{assignment}"
    assert outputs == {
        "id": identifier,
        **inputs,
        "principalDisplayName": "Alice",
        "principalType": "User",
        "resourceDisplayName": "Fabrikam",
    }
    answer = plugin.call("Read", ASSIGNMENT, id=identifier)
    assert from_struct(answer.inputs) == {**inputs, "__defaults": []}
    plugin.call("Delete", ASSIGNMENT, id=identifier)
    assert not principal.assignments
    assert plugin.call("Read", ASSIGNMENT, id=identifier).id == ""


def test_a_group_can_be_assigned(plugin: Plugin, inputs: dict[str, str]) -> None:
    group = next(g for g in plugin.tenant.directory.groups.values() if g.display_name == "Finance")
    _, outputs = plugin.create(ASSIGNMENT, {**inputs, "principalObjectId": group.id})
    assert (outputs["principalType"], outputs["principalDisplayName"]) == ("Group", "Finance")


@pytest.mark.parametrize("fault", [{"status": 404, "code": "Request_ResourceNotFound"}, INVALID])
def test_what_is_not_replicated_is_tried_again(
    plugin: Plugin, inputs: dict[str, str], fault: dict[str, object]
) -> None:
    plugin.entra.faults.add(Fault(method="POST", path=ASSIGN, times=3, **fault))
    identifier, _ = plugin.create(ASSIGNMENT, inputs)
    assert identifier
    assert (
        plugin.calls("POST").count(("POST", f"/servicePrincipals/{inputs['resourceObjectId']}/appRoleAssignedTo")) == 4
    )


def test_trying_again_is_bounded(plugin: Plugin, inputs: dict[str, str]) -> None:
    with refused() as texts:
        plugin.create(ASSIGNMENT, {**inputs, "principalObjectId": NOWHERE})
    assert texts[0].startswith("1 error occurred:\n\t* Could not create app role assignment: unexpected status 400 ")
    assert "Not a valid reference update" in texts[0]
    assert len(plugin.calls("POST")) == 1 + 15


def test_one_that_exists_is_an_error(plugin: Plugin, inputs: dict[str, str]) -> None:
    plugin.create(ASSIGNMENT, inputs)
    with refused() as texts:
        plugin.create(ASSIGNMENT, inputs)
    assert "Request_BadRequest: Permission being assigned already exists on the object" in texts[0]


def test_a_resource_that_is_not_there_is_an_error_before_anything_is_written(
    plugin: Plugin, inputs: dict[str, str]
) -> None:
    written = len(plugin.calls("POST"))
    with refused() as texts:
        plugin.create(ASSIGNMENT, {**inputs, "resourceObjectId": NOWHERE})
    assert f'Service principal not found for resource (Object ID: "{NOWHERE}")' in texts[0]
    assert len(plugin.calls("POST")) == written


@pytest.mark.parametrize("name", ["appRoleId", "principalObjectId", "resourceObjectId"])
def test_every_change_replaces(plugin: Plugin, inputs: dict[str, str], name: str) -> None:
    difference = plugin.call("Diff", ASSIGNMENT, id="x", olds=inputs, news={**inputs, name: NOWHERE})
    assert list(difference.replaces) == list(difference.diffs) == [name]
    assert difference.hasDetailedDiff
    assert difference.detailedDiff[name].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE


def test_reading_one_of_a_service_principal_that_is_gone(plugin: Plugin, inputs: dict[str, str]) -> None:
    identifier, _ = plugin.create(ASSIGNMENT, inputs)
    plugin.tenant.applications.delete_principal(inputs["resourceObjectId"])
    assert plugin.call("Read", ASSIGNMENT, id=identifier).id == ""


def test_deleting_what_is_gone_is_an_error(plugin: Plugin, inputs: dict[str, str]) -> None:
    identifier, _ = plugin.create(ASSIGNMENT, inputs)
    plugin.call("Delete", ASSIGNMENT, id=identifier)
    with pytest.raises(grpc.RpcError, match="404"):
        plugin.call("Delete", ASSIGNMENT, id=identifier)
