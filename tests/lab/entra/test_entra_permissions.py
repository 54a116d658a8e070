"""Permissions are checked per call, against the token's roles."""

from __future__ import annotations

from typing import Any

import pytest

from lab.world import SOURCE_CLIENT, TARGET_TENANT

PARTNERS = "/policies/crossTenantAccessPolicy/partners"
PARTNER = f"{PARTNERS}/{TARGET_TENANT}"
INSTANTIATE = "/applicationTemplates/518e5f48-1fc8-4c48-9387-9fdf28b0dfe7/instantiate"
ASSIGNED = "/servicePrincipals/{principal}/appRoleAssignedTo"
JOBS = "/servicePrincipals/{principal}/synchronization/jobs"
SECRETS = "/servicePrincipals/{principal}/synchronization/secrets"

READ_POLICY = "Policy.Read.All"
WRITE_POLICY = "Policy.ReadWrite.CrossTenantAccess"
WRITE_APPLICATIONS = "Application.ReadWrite.All"
OWNED = "Application.ReadWrite.OwnedBy"
ASSIGN = "AppRoleAssignment.ReadWrite.All"
WRITE_SYNC = "Synchronization.ReadWrite.All"
READ_SYNC = "Synchronization.Read.All"


@pytest.mark.parametrize(
    ("method", "path", "granted", "allowed"),
    [
        ("GET", PARTNERS, [READ_POLICY], True),
        ("GET", PARTNERS, [WRITE_POLICY], True),
        ("GET", PARTNERS, [WRITE_APPLICATIONS], False),
        ("GET", f"{PARTNER}/m365Capabilities", [READ_POLICY], True),
        ("GET", f"{PARTNER}/m365Capabilities", ["Policy.ReadWrite.CrossTenantCapability"], True),
        ("GET", f"{PARTNER}/m365Capabilities", [WRITE_POLICY], False),
        ("PATCH", PARTNER, [WRITE_POLICY], True),
        ("PATCH", PARTNER, [READ_POLICY], False),
        ("POST", INSTANTIATE, [OWNED], True),
        ("POST", INSTANTIATE, ["Directory.ReadWrite.All"], True),
        ("POST", INSTANTIATE, ["Application.Read.All"], False),
        ("GET", JOBS, [READ_SYNC], True),
        ("GET", JOBS, [OWNED], True),
        ("GET", JOBS, ["Application.Read.All"], False),
        ("POST", JOBS, [WRITE_SYNC], True),
        ("POST", JOBS, [OWNED], True),
        ("POST", JOBS, [READ_SYNC], False),
        ("PUT", SECRETS, [WRITE_SYNC], True),
        ("PUT", SECRETS, [READ_SYNC], False),
        ("GET", ASSIGNED, ["Application.Read.All"], True),
        ("POST", ASSIGNED, [ASSIGN], False),
        ("POST", ASSIGNED, [ASSIGN, OWNED], False),
        ("POST", ASSIGNED, [ASSIGN, "Application.Read.All"], True),
        ("POST", ASSIGNED, [WRITE_APPLICATIONS], True),
        ("POST", ASSIGNED, ["Application.Read.All"], False),
        ("DELETE", f"{ASSIGNED}/x", [ASSIGN], True),
        ("DELETE", f"{ASSIGNED}/x", ["Application.Read.All"], False),
        ("GET", "/auditLogs/provisioning", ["ProvisioningLog.Read.All"], True),
        ("GET", "/auditLogs/provisioning", ["AuditLog.Read.All"], True),
        ("GET", "/auditLogs/provisioning", [READ_SYNC], False),
        ("GET", "/users", ["User.Read.All"], True),
        ("GET", "/users", ["Group.Read.All"], False),
        ("GET", "/groups", ["Group.Read.All"], True),
        ("GET", "/groups", ["GroupMember.Read.All"], True),
        ("GET", "/policies/authorizationPolicy", [READ_POLICY], True),
        ("GET", "/policies/authorizationPolicy", [WRITE_POLICY], False),
        ("GET", "/organization", ["User.Read.All"], False),
    ],
)
def test_permission(world: Any, method: str, path: str, granted: list[str], allowed: bool) -> None:
    world.open_policies()
    principal = world.instantiate()[1]
    world.source_tenant.login.clients[SOURCE_CLIENT].permissions = frozenset(granted)
    world.source.sign_in()
    answer = world.source(method, path.format(principal=principal), {} if method != "GET" else None)
    if allowed:
        assert answer.status_code not in (401, 403)
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
        assert answer.json()["error"]["message"] == "Insufficient privileges to complete the operation."


def test_consent_counts_from_the_next_token_on(world: Any) -> None:
    world.source_tenant.login.clients[SOURCE_CLIENT].permissions = frozenset()
    assert world.source("GET", PARTNERS).status_code == 200
    world.source.sign_in()
    assert world.source("GET", PARTNERS).status_code == 403


def test_of_users_who_may_not_be_read_a_group_tells_only_that_they_are_there(world: Any) -> None:
    def members(*granted: str) -> list[dict[str, Any]]:
        world.source_tenant.login.clients[SOURCE_CLIENT].permissions = frozenset(granted)
        world.source.sign_in()
        path = f"/groups/{world.group_id('Finance')}/members?$select=id,userType"
        found: list[dict[str, Any]] = world.source("GET", path).json()["value"]
        return found

    hidden = {"@odata.type": "#microsoft.graph.user", "id": world.user_id("carol"), "userType": None}
    assert hidden in members("GroupMember.Read.All")
    assert {**hidden, "userType": "Member"} in members("GroupMember.Read.All", "User.Read.All")
