"""`xtsync doctor`: everything that would get in the way, found before any write and without one."""

from __future__ import annotations

from lab import world
from tests.scenarios.stacks import Command, Lab, writes
from tests.scenarios.steps import findings
from tests.scenarios.tenants import grant

NAMED = "users and groups"


def test_all_is_well_before_the_first_up_and_nothing_is_written(lab: Lab, xtsync: Command) -> None:
    to_look = {"LicenseAssignment.Read.All", "CrossTenantInformation.ReadBasic.All"}
    grant(lab.source, world.SOURCE_CLIENT, more=to_look)
    grant(lab.target, world.TARGET_CLIENT, more=to_look)
    said = xtsync("doctor", "-s", "dev")
    assert said.exit_code == 0, said
    assert "All is well. Nothing was changed." in said.out
    found = findings(xtsync, 0)
    assert {level for several in found.values() for level, _ in several} == {"ok"}
    assert found["source", NAMED][1:] == [("ok", "the stack file puts 3 people in scope")]
    assert found["target", "partner policy"] == [("ok", "there is none for Contoso yet")]
    assert found["target", "partner"][0][1].endswith("Contoso (contoso.com)")
    assert found["pair", "cloud"][0][1].startswith("both tenants are in ")
    assert not writes(lab.calls_since(0))
    assert {call.path.rsplit("/", 1)[-1] for call in writes(lab.entra.traffic)} == {"token"}


def test_after_up_it_says_what_is_set_and_what_it_may_not_see(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    before = len(lab.entra.traffic)
    found = findings(xtsync, 0)
    text = "there is one for Contoso; set: automaticUserConsentSettings.inboundAllowed: true, identitySynchronization"
    end = "it has no m365Capabilities, for which `pulumi destroy` would leave it"
    assert found["target", "partner policy"] == [("ok", text), ("ok", end)]
    assert found["source", "licence"] == [("warning", "could not be checked: the sign-in may not read the licences")]
    assert found["source", "partner"][0][0] == "warning"
    assert not writes(lab.calls_since(before))
    said = xtsync("doctor", "-s", "dev").out
    unseen = "partner (Contoso), licence (Fabrikam), partner (Fabrikam): that takes"
    assert f"licence (Contoso), {unseen} CrossTenantInformation.ReadBasic.All and" in " ".join(said.split())
    assert "All is well" in said, "what only looking needs is no warning"


def test_a_failing_sign_in_does_not_hide_the_other_tenant(lab: Lab, xtsync: Command) -> None:
    lab.stack.environment["XTSYNC_TARGET_CLIENT_SECRET"] = "guessed"
    found = findings(xtsync, 1)
    assert found["target", "sign-in"][0][1].startswith("the client secret is wrong (AADSTS7000215)")
    assert found["target", "login"][0][0] == found["source", NAMED][0][0] == "ok"
    assert "XTSYNC_TARGET_CLIENT_SECRET" in xtsync("doctor", "-s", "dev").out


def test_missing_permissions_are_named_and_the_rest_goes_on(lab: Lab, xtsync: Command) -> None:
    grant(lab.source, world.SOURCE_CLIENT, less={"AppRoleAssignment.ReadWrite.All", "User.Read.All"})
    lab.stack.config["xtsync:users"] = []
    hidden = "2 members of groups may not be read: whether they are guests is unknown"
    people = ("ok", "the stack file puts 2 people in scope")
    assert findings(xtsync, 1)["source", NAMED][1:] == [people, ("warning", hidden)]
    lab.stack.config["xtsync:users"] = ["alice@contoso.com"]
    found = findings(xtsync, 1)
    named = {text.split()[0] for _, text in found["source", "permissions"]}
    assert named == {"AppRoleAssignment.ReadWrite.All", "User.Read.All"}
    assert found["source", NAMED] == [
        ("warning", "could not be checked: the sign-in may not read the user alice@contoso.com")
    ]
    assert found["source", "partner policy"][0][0] == "ok"


def test_who_was_not_found_may_be_everybody(lab: Lab, xtsync: Command) -> None:
    lab.stack.config |= {"xtsync:users": ["nobody@contoso.com"], "xtsync:groups": ["Nowhere"]}
    assert not any("nobody is in scope" in text for _, text in findings(xtsync, 1).get(("source", NAMED), []))
    lab.source.add_group("Nowhere")
    lab.stack.config["xtsync:users"] = []
    assert ("warning", "nobody is in scope: the groups are empty") in findings(xtsync, 0)["source", NAMED]


def test_who_would_be_skipped_and_who_is_not_there(lab: Lab, xtsync: Command) -> None:
    guest = next(user for user in lab.source.directory.users.values() if user.user_type == "Guest")
    lab.source.add_group("Twins")
    lab.source.add_group("Twins")
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", guest.id, "nobody@contoso.com"]
    lab.stack.config["xtsync:groups"] = ["Nested", "Nowhere", "Twins"]
    found = findings(xtsync, 1)
    *problems, advice, skipped = found["source", NAMED]
    told = ("there is no user nobody@contoso.com", "there is no group Nowhere", "there are several groups Twins")
    assert problems == [("problem", text) for text in told]
    nested = next(one.id for one in lab.source.directory.groups.values() if one.display_name == "Nested")
    assert advice[0] == "ok"
    assert f"give object ids instead of names: Nested ({nested})" in advice[1]
    text = "the stack file puts 2 people in scope, 2 would be skipped: Visitor (guest), Finance (nested group)"
    assert skipped == ("warning", text)


def test_a_group_in_a_group_that_is_named_itself_is_not_skipped(lab: Lab, xtsync: Command) -> None:
    lab.stack.config |= {"xtsync:users": [], "xtsync:groups": ["Finance", "Nested"]}
    assert not any("would be skipped" in text for _, text in findings(xtsync, 0)["source", NAMED])


def test_what_gets_in_the_way_in_the_target(lab: Lab, xtsync: Command) -> None:
    lab.target.guest_invitations_allowed = False
    nobody = {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]}
    lab.target.policies.default["b2bCollaborationInbound"] = {"usersAndGroups": nobody}
    source = {"tenantId": world.FOREIGN_TENANT, "clientId": world.SOURCE_CLIENT, "auth": "secret"}
    lab.stack.config["xtsync:source"] = source
    found = findings(xtsync, 1)
    assert found["target", "invitations"][0][0] == "problem"
    assert found["target", "collaboration"][0][0] == "problem"
    assert "cannot redeem an invitation or sign in to Fabrikam" in found["target", "collaboration"][0][1]
    assert "knows no tenant" in found["source", "login"][0][1]
    assert ("source", "sign-in") not in found
    assert "`xtsync forget --side source` and then `pulumi destroy`" in xtsync("doctor", "-s", "dev").out


def test_without_endpoints_it_could_not_run_at_all(lab: Lab, xtsync: Command) -> None:
    lab.stack.config["xtsync:metadataHost"] = f"{lab.server.host.split(':')[0]}:1"
    said = xtsync("doctor", "-s", "dev")
    assert said.exit_code == 2
    assert "check xtsync:metadataHost" in said.errors


def test_people_outside_of_the_scoping_filters_are_named(lab: Lab, xtsync: Command) -> None:
    (alice,) = (u for u in lab.source.directory.users.values() if u.user_principal_name == "alice@contoso.com")
    alice.department = "Legal"
    clause = {"attribute": "department", "operator": "equals", "value": "Sales"}
    lab.stack.config["xtsync:scopingFilters"] = [{"name": "Sales only", "clauses": [clause]}]
    lab.stack.config["xtsync:groups"] = []
    said = " ".join(xtsync("doctor", "-s", "dev").out.replace("│", " ").split())
    assert "1 person outside of the scoping filters" in said
    assert 'department EQUALS "Sales", but it is "Legal"' in said
