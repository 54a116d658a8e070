"""What `xtsync doctor` concludes."""

from __future__ import annotations

from typing import Any

import pytest

from xtsync_resources.operate import checks
from xtsync_resources.operate.checks import OK, PROBLEM, WARNING
from xtsync_resources.operate.needs import ROLE_IDS, Need, needs_of

APP = {"idtyp": "app"}


@pytest.mark.parametrize(
    ("granted", "needed", "level"),
    [
        (["Policy.ReadWrite.CrossTenantAccess"], "Policy.ReadWrite.CrossTenantAccess", OK),
        (["Policy.Read.All"], "Policy.ReadWrite.CrossTenantAccess", PROBLEM),
        (["Application.ReadWrite.All"], "Application.ReadWrite.OwnedBy", OK),
        (["Application.ReadWrite.All"], "AppRoleAssignment.ReadWrite.All", OK),
        (["Application.ReadWrite.OwnedBy"], "Application.Read.All", PROBLEM),
        (["Directory.Read.All"], "User.Read.All", OK),
        ([], "Group.Read.All", PROBLEM),
        (["AuditLog.Read.All"], "ProvisioningLog.Read.All", OK),
    ],
)
def test_a_greater_permission_covers_a_lesser_one(granted: list[str], needed: str, level: str) -> None:
    (finding,) = checks.permissions("source", {**APP, "roles": granted}, [Need(needed, "x")])
    assert finding.level == level


def test_every_missing_permission_is_named_and_optional_ones_only_warn() -> None:
    findings = checks.permissions("source", APP, needs_of("source"))
    assert {finding.found.split()[0] for finding in findings} == {need.permission for need in needs_of("source")}
    assert [f.level for f in findings if "ProvisioningLog" in f.found] == [WARNING]
    assert {need.permission for need in needs_of("source")} <= set(ROLE_IDS)


def test_a_person_needs_roles() -> None:
    template = checks.ROLE_TEMPLATES
    some = {"wids": [template["Security Administrator"], template["Application Administrator"]]}
    assert "Hybrid Identity Administrator" in checks.permissions("source", some, [])[0].found
    assert checks.permissions("target", some, [])[0].level == OK
    assert checks.permissions("source", {"wids": [template["Global Administrator"]]}, [])[0].level == OK


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ({"userPrincipalName": "a@b.c", "userType": "Member"}, ""),
        ({"userPrincipalName": "a_b#EXT#@b.c", "userType": "Member"}, "guest"),
        ({"userPrincipalName": "a@b.c", "userType": "Guest"}, "guest"),
        ({"@odata.type": "#microsoft.graph.group", "displayName": "G"}, "nested group"),
        ({"@odata.type": "#microsoft.graph.device"}, "device, not a person"),
        ({"@odata.type": "#microsoft.graph.orgContact"}, "orgContact, not a person"),
    ],
)
def test_who_is_skipped(person: dict[str, Any], why: str) -> None:
    assert checks.why_skipped(person).startswith(why)
    assert bool(checks.why_skipped(person)) == bool(why)


def test_many_names_are_shortened() -> None:
    assert checks.shortened([str(number) for number in range(12)]).endswith("9 and 2 more")


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, OK), (119, OK), (-119, OK), (121, WARNING), (-299, WARNING), (301, PROBLEM)]
)
def test_the_clock(seconds: float, level: str) -> None:
    assert checks.clock("source", seconds).level == level


def plans(*names: str) -> list[dict[str, Any]]:
    return [{"capabilityStatus": "Enabled", "servicePlans": [{"servicePlanName": name} for name in names]}]


def test_licences() -> None:
    assert checks.licence("source", plans("AAD_PREMIUM_P2")).level == OK
    assert checks.licence("source", plans("EXCHANGE_S_STANDARD")).level == WARNING
    suspended = [{**plans("AAD_PREMIUM")[0], "capabilityStatus": "Suspended"}]
    assert checks.licence("source", suspended).level == WARNING


def test_defaults_and_what_a_partner_overrides() -> None:
    blocked = {"usersAndGroups": {"accessType": "blocked"}}
    allowed = {"usersAndGroups": {"accessType": "allowed"}}
    assert checks.defaults("target", {"b2bCollaborationInbound": blocked}, None).level == WARNING
    assert (
        checks.defaults("target", {"b2bCollaborationInbound": blocked}, {"b2bCollaborationInbound": allowed}).level
        == OK
    )
    assert checks.defaults("source", {"b2bCollaborationInbound": blocked}, None).level == OK


def test_a_partner_policy_of_a_multitenant_organization_is_a_warning() -> None:
    assert checks.partner("target", {"isInMultiTenantOrganization": True}, None, "adopt").level == WARNING
    assert checks.partner("target", {}, None, "fail").level == WARNING
    assert checks.partner("target", None, None, "fail").level == OK
