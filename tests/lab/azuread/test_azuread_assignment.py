"""The app role assignment, as the real provider handles it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from lab.azuread.values import from_struct
from lab.entra import Fault, Settings
from tests.lab.azuread.azuread_client import (
    APPLICATION,
    APPLICATION_INPUTS,
    ASSIGNMENT,
    NOWHERE,
    Plugin,
    init_failure,
    refused,
    running,
)

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
def test_what_is_not_replicated_is_tried_again(plugin: Plugin, inputs: dict[str, str], fault: dict[str, Any]) -> None:
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
    assert len(plugin.calls("POST")) == 1 + 10, "what fits into five minutes"


def test_one_that_exists_is_an_error(plugin: Plugin, inputs: dict[str, str]) -> None:
    plugin.create(ASSIGNMENT, inputs)
    with refused() as texts:
        plugin.create(ASSIGNMENT, inputs)
    assert texts[0].startswith("1 error occurred:\n\t* Could not create app role assignment: unexpected status 400 (")
    assert "Request_BadRequest: Permission being assigned already exists on the object" in texts[0]


def test_one_that_is_read_too_late_is_made_and_nobody_knows_of_it(plugin: Plugin, inputs: dict[str, str]) -> None:
    plugin.entra.settings = Settings(lag_reads=1)
    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(ASSIGNMENT, inputs)
    said = str(caught.value.details())
    assert said.startswith("expected non-nil error with nil state during Create of urn:pulumi:dev::test::")
    assert "grpc-status-details-bin" not in {one.key for one in caught.value.trailing_metadata()}
    assert len(plugin.tenant.applications.principals[inputs["resourceObjectId"]].assignments) == 1
    assert plugin.logged == []
    with refused() as texts:
        plugin.create(ASSIGNMENT, inputs)
    assert "already exists" in texts[0]


def test_one_whose_first_read_fails_is_kept_as_failed(plugin: Plugin, inputs: dict[str, str]) -> None:
    plugin.entra.faults.add(Fault(method="GET", path=r"/appRoleAssignedTo/", status=403, code="Denied"))
    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(ASSIGNMENT, inputs)
    failed = init_failure(caught.value)
    assert "/appRoleAssignedTo/" in failed.id
    assert "retrieving Service Principal Id App Role Assigned To" in failed.reasons[0]


def test_a_cut_off_answer_is_an_empty_model(plugin: Plugin, inputs: dict[str, str]) -> None:
    identifier, _ = plugin.create(ASSIGNMENT, inputs)
    plugin.entra.faults.add(Fault(kind="truncate", method="GET", path=r"/appRoleAssignedTo/"))
    answer = plugin.call("Read", ASSIGNMENT, id=identifier)
    assert from_struct(answer.inputs) == {**dict.fromkeys(inputs, ""), "__defaults": []}
    plugin.call("Delete", ASSIGNMENT, id=identifier)
    plugin.entra.faults.add(Fault(kind="truncate", method="POST", path=ASSIGN))
    with refused() as texts:
        plugin.create(ASSIGNMENT, inputs)
    assert "Bad API response: ID returned for app role assignment is nil" in texts[0]


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
    with refused() as texts:
        plugin.call("Delete", ASSIGNMENT, id=identifier)
    assert texts[0].startswith("deleting urn:pulumi:dev::test::")
    assert "unexpected status 404 (404 Not Found) with error: Request_ResourceNotFound: " in texts[0]
    assert [text.split(": ")[1] for _, text in plugin.logged] == ["sdk.helper_schema"]
