"""Promise 8: what azuread says of a failure is said in this program's words, with what to do."""

from __future__ import annotations

import pytest

from lab.entra import Fault
from tests.scenarios.stacks import Lab, messages, writes

FORBIDDEN = "Authorization_RequestDenied"


@pytest.mark.parametrize("operation", ["preview", "up"])
def test_a_wrong_secret_of_the_source_is_said_once(lab: Lab, operation: str) -> None:
    lab.stack.environment["XTSYNC_SOURCE_CLIENT_SECRET"] = "guessed"
    text = "\n".join(messages(lab.stack.run(operation, fails=True)))
    assert text.count("the client secret is wrong (AADSTS7000215)") == 1, text
    assert text.count("Failed to sign in to the source tenant Contoso") == 1, text
    assert "XTSYNC_SOURCE_CLIENT_SECRET" in text
    for noise in ("error_description", "network", "Traceback"):
        assert noise not in text
    assert not writes(lab.calls_since(0))


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("GET", r"/users", "User.Read.All"),
        ("GET", r"/groups", "GroupMember.Read.All"),
        ("POST", r"/instantiate$", "Application.ReadWrite.OwnedBy"),
        ("POST", r"/appRoleAssignedTo$", "AppRoleAssignment.ReadWrite.All"),
    ],
)
def test_a_permission_that_azuread_lacks_is_named(lab: Lab, method: str, path: str, permission: str) -> None:
    lab.entra.faults.add(Fault(method=method, path=path, status=403, code=FORBIDDEN, times=1000))
    text = "\n".join(messages(lab.stack.run("up", fails=True)))
    assert f"the application permission {permission}" in text, text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("path", "what"), [("/users", "read the user alice@contoso.com"), ("/groups", "find the group")]
)
def test_a_lookup_that_fails_names_the_tenant_and_blames_no_network(lab: Lab, path: str, what: str) -> None:
    wrong = Fault(method="GET", path=path, status=400, code="Request_BadRequest", message="It is wrong.", times=99)
    lab.entra.faults.add(wrong)
    (text,) = messages(lab.stack.run("up", fails=True))
    assert f"Failed to {what}" in text, text
    assert f"in the source tenant Contoso ({lab.source.tenant_id})" in text, text
    assert "Request_BadRequest: It is wrong." in text, text
    assert not writes(lab.calls_since(0))


@pytest.mark.parametrize("path", ["/users", "/groups"])
def test_a_filter_that_graph_does_not_take_is_no_hindrance(lab: Lab, path: str) -> None:
    refused = Fault(method="GET", path=f"{path}$", status=400, code="Request_UnsupportedQuery", message="No.")
    lab.entra.faults.add(refused)
    lab.stack.run("up")
