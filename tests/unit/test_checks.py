"""What `xtsync doctor` concludes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.unit.graph_fakes import SOURCE, SOURCE_ID, TARGET, TARGET_ID, ScriptedTransport, answer, client_for
from xtsync_resources.config import Settings, Tenant
from xtsync_resources.config.b2b_keys import B2B, Setting, UsersAndGroups
from xtsync_resources.directory import members
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.graph.permissions import covers
from xtsync_resources.operate.checks import (
    Finding,
    Level,
    Look,
    collaboration,
    drift,
    licence,
    people,
    permissions,
    policies,
    sign_in,
)
from xtsync_resources.operate.checks.finding import counted, listed
from xtsync_resources.operate.doctor import expressions_in
from xtsync_resources.operate.needs import needs_of
from xtsync_resources.partner_policy.model import COLLABORATION
from xtsync_resources.program.stack_state import Recorded
from xtsync_resources.state import type_token
from xtsync_resources.sync_schema.model import mapping_from_graph

OK, WARNING, PROBLEM = Level.OK, Level.WARNING, Level.PROBLEM
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WRITE_ALL, OWNED, SYNC = "Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Synchronization.ReadWrite.All"
SOURCE_NEEDS = {need.permission for need in needs_of("source")}


def look(side: str = "source", *, set_up: bool = False, **settings: Any) -> Look:
    source, target = Tenant(SOURCE_ID, "Contoso", side="source"), Tenant(TARGET_ID, "Fabrikam", side="target")
    given = {"users": ("a@contoso.com",), "groups": ("Finance",), **settings}
    client, _ = client_for(ScriptedTransport(), SOURCE if side == "source" else TARGET)
    outputs = {"servicePrincipalId": "sp"} if set_up else {}
    return Look(Settings(source, target, cloud=CLOUDS["public"], **given), side, client, outputs)


def levels(findings: list[Finding]) -> list[Level]:
    return [finding.level for finding in findings]


# --- permissions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("granted", "needed", "covered"),
    [
        ("Policy.ReadWrite.CrossTenantAccess", "Policy.ReadWrite.CrossTenantAccess", True),
        ("Policy.ReadWrite.CrossTenantAccess", "Policy.Read.All", False),
        ("Policy.ReadWrite.CrossTenantCapability", "Policy.Read.All", False),
        ("Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess", False),
        (WRITE_ALL, OWNED, True),
        (WRITE_ALL, "Application.Read.All", True),
        (WRITE_ALL, "AppRoleAssignment.ReadWrite.All", True),
        (WRITE_ALL, SYNC, False),
        (OWNED, "Application.Read.All", False),
        (OWNED, SYNC, False),
        ("Directory.ReadWrite.All", OWNED, False),
        ("Directory.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", False),
        ("Directory.Read.All", OWNED, False),
        ("Directory.Read.All", "User.Read.All", True),
        ("User.Read.All", "GroupMember.Read.All", False),
        ("Group.Read.All", "GroupMember.Read.All", True),
        ("Group.ReadBasic.All", "GroupMember.Read.All", False),
        ("AuditLog.Read.All", "ProvisioningLog.Read.All", True),
        ("Synchronization.Read.All", SYNC, False),
    ],
)
def test_a_greater_permission_covers_a_lesser_one(granted: str, needed: str, covered: bool) -> None:
    assert covers({granted}, needed) is covered


def test_every_missing_permission_is_named_with_what_it_is_for_and_optional_ones_only_warn() -> None:
    findings = permissions.check(look(), {"idtyp": "app"})
    assert {finding.found.split()[0] for finding in findings} == SOURCE_NEEDS
    assert {f.found.split()[0] for f in findings if f.level is WARNING} == {
        "ProvisioningLog.Read.All",
        "Policy.Read.All",
    }
    everything = sorted(SOURCE_NEEDS | {SYNC})
    assert permissions.check(look(), {"roles": everything}) == [look().ok("permissions", "all 8 are there")]
    without = sorted(set(everything) - {"GroupMember.Read.All"})
    assert levels(permissions.check(look(groups=()), {"roles": without})) == [OK]


def test_an_owner_can_do_without_the_permission_for_all_synchronization() -> None:
    (finding,) = permissions.check(look(), {"roles": sorted(SOURCE_NEEDS)})
    assert finding.level is OK
    assert "where the sign-in owns its application" in finding.found
    greater = sorted(SOURCE_NEEDS - {OWNED} | {WRITE_ALL})
    assert levels(permissions.check(look(), {"roles": greater})) == [PROBLEM]
    assert levels(permissions.check(look(), {"roles": [*greater, SYNC]})) == [OK]


@pytest.mark.parametrize(
    ("side", "held", "lacks"),
    [
        ("source", ["Global Administrator"], []),
        ("source", ["Security Administrator", "Application Administrator"], []),
        ("source", ["Security Administrator", "Hybrid Identity Administrator"], ["Cloud Application Administrator"]),
        ("source", ["Cloud Application Administrator"], ["Security Administrator"]),
        ("target", ["Security Administrator"], []),
        ("target", [], ["Security Administrator"]),
    ],
)
def test_a_person_needs_directory_roles(side: str, held: list[str], lacks: list[str]) -> None:
    assert permissions.missing_roles(side, {permissions.ROLE_IDS[name] for name in held}) == lacks


def test_a_persons_scopes_and_a_token_that_does_not_name_roles() -> None:
    scopes = "Policy.ReadWrite.CrossTenantAccess Policy.Read.All openid"
    found = permissions.check(look("target"), {"scp": scopes})
    assert [(one.area, one.level) for one in found] == [("permissions", OK), ("roles", WARNING)]
    # Azure CLI acts as the person; whether that is enough Graph does not say.
    as_the_person = permissions.check(look("target"), {"scp": "Directory.AccessAsUser.All", "wids": []})
    assert levels(as_the_person) == [WARNING, WARNING, PROBLEM]
    assert levels(permissions.check(look("target"), {"scp": "openid", "wids": []})) == [PROBLEM, WARNING, PROBLEM]
    named = {finding.found.split()[0] for finding in permissions.check(look(), {"scp": "openid", "wids": []})}
    assert WRITE_ALL in named
    assert OWNED not in named


# --- who is in scope -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"userPrincipalName": "a@b.c", "userType": "Member"}, ""),
        ({"userPrincipalName": "a@b.c", "userType": "Member", "accountEnabled": False}, ""),
        ({"userPrincipalName": "a@b.c", "userType": "Member", "mail": None}, ""),
        ({"userPrincipalName": "a_b.c#EXT#@d.e", "userType": "Member"}, "from another tenant"),
        ({"userPrincipalName": "a@b.c", "userType": "Guest"}, "guest"),
        ({"userPrincipalName": None, "userType": None}, ""),
        ({"@odata.type": "#microsoft.graph.group", "displayName": "G"}, "nested group"),
        ({"@odata.type": "#microsoft.graph.device"}, "device"),
        ({"@odata.type": "#microsoft.graph.orgContact"}, "contact"),
        ({"@odata.type": "#microsoft.graph.servicePrincipal"}, "application"),
    ],
)
def test_who_is_skipped(entry: dict[str, Any], why: str) -> None:
    user = {"@odata.type": "#microsoft.graph.user", "id": "1"}
    assert members.skipped_because(members.read_member({**user, **entry})) == why


def member(name: str, **more: Any) -> members.Member:
    return members.Member(name, "user", name, f"{name}@contoso.com", **more)


def test_people_are_counted_and_the_skipped_are_named_with_the_reason() -> None:
    nested = members.Member("g", "group", "Sub")
    (finding,) = people.scope_findings(look(), [member("a"), member("b", guest=True), nested])
    assert finding.found == "the stack file puts 2 people in scope, 2 would be skipped: b (guest), Sub (nested group)"
    assert finding.level is WARNING
    assert "name nested groups" in finding.do
    (finding,) = people.scope_findings(look(), [member("a"), member("b", enabled=False)])
    assert finding.level is OK
    assert finding.found == "the stack file puts 2 people in scope, of whom 1 disabled, also in the target: b"
    assert levels(people.scope_findings(look(), [])) == [WARNING]


def test_people_who_may_not_be_read_and_people_with_the_same_mail_are_warned_of() -> None:
    hidden = members.Member("h", "user", "h")
    assert [one.level for one in people.scope_findings(look(), [hidden])] == [OK, WARNING]
    twins = [member("a", mail="x@y.z"), member("b", mail="X@y.z"), member("c", mail="x@y.z", guest=True)]
    assert "one account in the target: x@y.z" in people.scope_findings(look(), twins)[-1].found


def test_names_that_mean_nobody_several_or_the_same() -> None:
    scope = people.Scope(
        assigned={"1": ["a@contoso.com", "1"], "2": ["b"]},
        unknown_users=["x@y"],
        ambiguous_groups=["Twins"],
        unassignable_groups=["Newsletter"],
    )
    assert [finding.found for finding in people.name_findings(look(), scope)] == [
        "there is no user x@y",
        "there are several groups Twins",
        f"{people.NOT_SECURITY_ENABLED} Newsletter",
        "the same is named twice: a@contoso.com = 1",
    ]


def test_many_names_are_shortened() -> None:
    assert listed([str(number) for number in range(12)]).endswith("8, 9 and 2 more")
    assert (counted(1, "person", "people"), counted(2, "problem")) == ("1 person", "2 problems")


# --- login and clock -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, OK), (120, OK), (-120, OK), (121, WARNING), (-300, WARNING), (301, PROBLEM)]
)
def test_the_clock(seconds: float, level: Level) -> None:
    finding = sign_in.clock_finding(look(), format_datetime(NOW, usegmt=True), NOW + timedelta(seconds=seconds))
    assert finding is not None
    assert finding.level is level
    assert sign_in.clock_finding(look(), None, NOW) is None


def test_what_the_login_service_says_of_a_tenant() -> None:
    document = {
        "token_endpoint": "x",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    }
    findings, discovery = sign_in.read_discovery(look(), "host", answer(200, document))
    assert (levels(findings), discovery) == (
        [OK],
        sign_in.Discovery("EU", "microsoftonline.com", "graph.microsoft.com"),
    )
    elsewhere = {**document, "msgraph_host": "graph.microsoft.us", "cloud_instance_name": "microsoftonline.us"}
    elsewhere |= {"tenant_region_scope": "USG", "tenant_region_sub_scope": "DODCON"}
    findings, other = sign_in.read_discovery(look(), "host", answer(200, elsewhere))
    assert levels(findings) == [OK, PROBLEM]
    assert findings[1].found == "the tenant is in the cloud microsoftonline.us (USG GCC High), not in public"
    assert "its job template is not documented" in findings[1].do
    private = look(metadata_host="login.private.example")
    assert levels(sign_in.read_discovery(private, "host", answer(200, elsewhere))[0]) == [OK, WARNING]
    assert levels(sign_in.same_cloud({"source": discovery, "target": other})) == [PROBLEM]
    assert levels(sign_in.same_cloud({"source": discovery, "target": discovery})) == [OK]
    assert sign_in.same_cloud({"source": discovery, "target": None}) == []
    assert levels(sign_in.read_discovery(look(), "host", answer(400, {"error": "invalid_tenant"}))[0]) == [PROBLEM]
    assert levels(sign_in.read_discovery(look(), "host", answer(503))[0]) == [WARNING]
    assert levels(sign_in.read_discovery(look(), "host", answer(200, ["a proxy"]))[0]) == [WARNING]


# --- licences and policies -------------------------------------------------------------------------------------


def licences(name: str, *, licence_state: str = "Enabled", plan_state: str = "Success") -> list[dict[str, Any]]:
    plan = {"servicePlanName": name, "provisioningStatus": plan_state}
    return [{"capabilityStatus": licence_state, "servicePlans": [plan]}]


@pytest.mark.parametrize(
    ("found", "enough"),
    [
        (licences("AAD_PREMIUM"), True),
        (licences("AAD_PREMIUM_P2", licence_state="Warning"), True),
        (licences("Entra_Identity_Governance"), True),
        (licences("EXCHANGE_S_STANDARD"), False),
        (licences("AAD_PREMIUM", licence_state="Suspended"), False),
        (licences("AAD_PREMIUM", plan_state="Disabled"), False),
        ([], False),
    ],
)
def test_licences(found: list[dict[str, Any]], enough: bool) -> None:
    assert bool(licence.plans_in_force(found, licence.P1_OR_MORE)) is enough


@pytest.mark.parametrize(
    ("side", "settings", "plans", "level", "says"),
    [
        ("source", {}, ["AAD_PREMIUM"], OK, "there is AAD_PREMIUM"),
        ("source", {}, [], WARNING, "everybody who is synchronized needs it"),
        ("source", {"sync_groups": True}, ["AAD_PREMIUM"], WARNING, "needs Microsoft Entra ID Governance"),
        ("source", {"sync_groups": True}, ["AAD_PREMIUM_P2"], WARNING, "there is AAD_PREMIUM_P2"),
        ("source", {"sync_groups": True}, ["Entra_Identity_Governance"], OK, "there is Entra_Identity_Governance"),
        ("target", {"sync_groups": True}, ["AAD_PREMIUM"], OK, "there is AAD_PREMIUM"),
        ("target", {}, [], WARNING, "Microsoft's pages disagree"),
        ("target", {"inbound_trust": {"isMfaAccepted": True}}, [], WARNING, "xtsync:inboundTrust needs it"),
    ],
)
def test_what_a_side_needs_of_licences(
    side: str, settings: dict[str, Any], plans: list[str], level: Level, says: str
) -> None:
    bought = [licences(name)[0] for name in plans]
    client, _ = client_for(ScriptedTransport(answer(200, {"value": bought})), SOURCE if side == "source" else TARGET)
    (finding,) = licence.check(replace(look(side, **settings), client=client))
    assert finding.level is level
    assert says in finding.found


def test_of_the_cloud_in_china_it_is_said_that_pages_disagree() -> None:
    here = look()
    assert licence.check_cloud(here) == []
    there = replace(here, settings=replace(here.settings, cloud=CLOUDS["china"]))
    (finding,) = licence.check_cloud(there)
    assert finding.level is WARNING
    assert "one lists it, another does not" in finding.found


def b2b(access: str, *targets: str) -> dict[str, Any]:
    return {"accessType": access, "targets": [{"target": target} for target in targets]}


@pytest.mark.parametrize(
    ("part", "reach"),
    [
        ({}, collaboration.Reach.ALL),
        (b2b("allowed", "AllUsers"), collaboration.Reach.ALL),
        (b2b("allowed", "AllApplications"), collaboration.Reach.ALL),
        (b2b("allowed", "some-group"), collaboration.Reach.SOME),
        (b2b("blocked", "some-group"), collaboration.Reach.SOME),
        (b2b("blocked", "AllUsers"), collaboration.Reach.NONE),
        (b2b("blocked", "AllApplications"), collaboration.Reach.NONE),
        (b2b("blocked"), collaboration.Reach.NONE),
    ],
)
def test_whom_a_setting_lets_through(part: dict[str, Any], reach: collaboration.Reach) -> None:
    assert collaboration.reach(part) is reach


OPEN = {"usersAndGroups": b2b("allowed", "AllUsers"), "applications": b2b("allowed", "AllApplications")}
SHUT = {"usersAndGroups": b2b("blocked", "AllUsers"), "applications": b2b("blocked", "AllApplications")}
NO_APPLICATION = {"applications": SHUT["applications"]}


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize(
    ("own", "default", "level", "says"),
    [
        (None, OPEN, OK, "everybody may come"),
        (OPEN, SHUT, OK, "everybody may come"),
        (None, SHUT, PROBLEM, "the default settings of"),
        (SHUT, OPEN, PROBLEM, "the settings for"),
        (NO_APPLICATION, OPEN, PROBLEM, "let nothing through"),
        ({"usersAndGroups": OPEN["usersAndGroups"]}, {**OPEN, **NO_APPLICATION}, PROBLEM, "let nothing through"),
        ({"usersAndGroups": b2b("allowed", "a-group")}, OPEN, WARNING, "let only some people through"),
    ],
)
def test_nobody_gets_in_is_a_problem_of_the_tenant_that_blocks(
    side: str, own: dict[str, Any] | None, default: dict[str, Any], level: Level, says: str
) -> None:
    name = COLLABORATION[side]
    tenant, partner = (SOURCE, TARGET) if side == "source" else (TARGET, SOURCE)
    answers = answer(200, {"tenantId": partner.id, name: own}), answer(200, {name: default})
    client, _ = client_for(ScriptedTransport(*answers), tenant)
    found = collaboration.check(replace(look(side), client=client))
    assert {one.level for one in found} == {level}
    assert says in found[0].found
    if level is PROBLEM:
        code = {"source": "AADSTS500212", "target": "AADSTS500213"}[side]
        assert all("cannot redeem an invitation or sign in to Fabrikam" in one.found for one in found)
        assert code in found[0].found
        assert found[0].do.startswith("open B2B collaboration for")


def test_what_the_stack_file_itself_blocks_is_opened_there() -> None:
    b2b_keys = B2B(outbound=Setting(UsersAndGroups("blocked", users=("AllUsers",))))
    finding = collaboration.of_part(
        look("source", b2b_collaboration=b2b_keys), "usersAndGroups", SHUT["usersAndGroups"], own=True
    )
    assert finding
    assert finding.do == "open xtsync:b2bCollaboration.outbound.usersAndGroups in the stack file"


def consent(**flags: bool) -> dict[str, Any]:
    return {"automaticUserConsentSettings": {"inboundAllowed": None, "outboundAllowed": None, **flags}}


def test_what_a_partner_policy_says_and_who_else_needs_it() -> None:
    (ours,) = policies.describe_partner(look("source", set_up=True), consent(outboundAllowed=True), None)
    assert (ours.level, "Also used" in ours.found) == (OK, False)
    both = consent(outboundAllowed=True, inboundAllowed=True)
    (shared,) = policies.describe_partner(look("source"), {**both, "tenantRestrictions": {"x": 1}}, None)
    assert "the opposite pair Fabrikam → Contoso and whoever set tenantRestrictions" in shared.found
    trust = {"inboundTrust": {"isMfaAccepted": True}}
    ours_too = look("target", inbound_trust={"isMfaAccepted": True})
    assert "Also used" not in policies.describe_partner(ours_too, trust, {})[0].found
    assert "whoever set inboundTrust" in policies.describe_partner(look("target"), trust, None)[0].found
    opened = {"b2bCollaborationInbound": {"usersAndGroups": {"accessType": "allowed"}}}
    b2b_keys = B2B(inbound=Setting(UsersAndGroups("allowed")))
    (configured,) = policies.describe_partner(look("target", b2b_collaboration=b2b_keys), opened, None)
    assert "Also used" not in configured.found
    (by_others,) = policies.describe_partner(look("target"), opened, None)
    assert "whoever set b2bCollaborationInbound" in by_others.found


def test_a_multitenant_organization_is_warned_of_and_a_refusal_to_adopt_is_foreseen() -> None:
    organization = {"isInMultiTenantOrganization": True}
    assert levels(policies.describe_partner(look(), organization, None)) == [OK, WARNING]
    assert levels(policies.describe_partner(look(on_existing="fail"), {}, None)) == [PROBLEM]
    assert levels(policies.describe_partner(look(on_existing="fail", set_up=True), {}, None)) == [OK]
    assert levels(policies.partner_missing(look(), look().operation())) == [OK]
    assert levels(policies.partner_missing(look(set_up=True), look().operation())) == [OK], (
        "the providers, or an import, and no more"
    )


# --- drift -------------------------------------------------------------------------------------------------------

EXPRESSION = {"target": "displayName", "expression": 'Append([displayName], "!")'}
AS_WRITTEN = 'Append([displayName],"!",)'


@pytest.mark.parametrize(
    ("outputs", "level"),
    [({"written": '{"displayName": "Append([displayName])"}'}, Level.PROBLEM), ({}, Level.WARNING)],
)
def test_only_the_state_tells_drift_from_the_services_own_writing(outputs: dict[str, str], level: Level) -> None:
    written = expressions_in([Recorded("pair-schema", type_token("SyncSchema"), outputs)])
    live = mapping_from_graph(graph_mapping(AS_WRITTEN), EXPRESSION, written.get("displayName", ""))
    (differs,) = drift.mappings_that_differ({"attributeMappings": [EXPRESSION]}, {"attributeMappings": [live]})
    assert drift.mapping_that_differs(replace(look(), written=written), *differs).level is level


def test_what_the_service_wrote_in_its_own_way_is_no_drift() -> None:
    live = mapping_from_graph(graph_mapping(AS_WRITTEN), EXPRESSION, AS_WRITTEN)
    assert not drift.mappings_that_differ({"attributeMappings": [EXPRESSION]}, {"attributeMappings": [live]})
    assert expressions_in([]) == {}


def graph_mapping(expression: str) -> dict[str, Any]:
    source = {"type": "Function", "name": "Append", "expression": expression}
    return {"targetAttributeName": "displayName", "source": source}
