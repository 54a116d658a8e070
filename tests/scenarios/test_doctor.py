"""`xtsync doctor`: everything that would get in the way, found before any write and without one."""

from __future__ import annotations

from dataclasses import replace

from conftest import Command, Lab, writes

from lab import world


def findings(xtsync: Command, code: int) -> dict[tuple[str, str], list[tuple[str, str]]]:
    said = xtsync("doctor", "-s", "dev", "--json")
    assert said.exit_code == code, said
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for one in said.document:
        found.setdefault((one["side"], one["area"]), []).append((one["level"], one["found"]))
    return found


def test_a_healthy_pair_has_no_problem_and_is_not_touched(lab: Lab, xtsync: Command) -> None:
    found = findings(xtsync, 0)
    assert found["source", "sign-in"][0][0] == found["target", "sign-in"][0][0] == "ok"
    assert found["source", "permissions"][0][0] == "ok"
    assert found["source", "scope"] == [("ok", "3 people would be synchronized")]
    assert found["target", "partner policy"] == [("ok", "none yet; `pulumi up` makes it")]
    assert found["source", "clock"] == [("ok", "right")]
    assert not writes(lab.calls_since(0))
    said = xtsync("doctor", "-s", "dev")
    assert "0 problems" in said.out
    assert "Nothing was changed." in said.out


def test_a_failing_sign_in_does_not_hide_the_other_tenant(lab: Lab, xtsync: Command) -> None:
    lab.stack.environment["XTSYNC_TARGET_CLIENT_SECRET"] = "guessed"
    found = findings(xtsync, 1)
    assert found["target", "sign-in"][0] == ("problem", "the client secret is wrong (AADSTS7000215)")
    assert found["source", "scope"][0][0] == "ok"


def test_missing_permissions_are_named_and_the_rest_goes_on(lab: Lab, xtsync: Command) -> None:
    client = lab.source.login.clients[world.SOURCE_CLIENT]
    kept = client.permissions - {"AppRoleAssignment.ReadWrite.All", "Group.Read.All"}
    lab.source.login.clients[world.SOURCE_CLIENT] = replace(client, permissions=kept)
    found = findings(xtsync, 1)
    assert {text.split()[0] for _, text in found["source", "permissions"]} == {
        "AppRoleAssignment.ReadWrite.All",
        "Group.Read.All",
    }
    assert found["source", "scope"] == [("warning", "could not be checked")]
    assert found["source", "partner policy"][0][0] == "ok"


def test_who_would_be_skipped_and_who_is_not_there(lab: Lab, xtsync: Command) -> None:
    guest = next(user for user in lab.source.directory.users.values() if user.user_type == "Guest")
    lab.stack.config["xtsync:users"] = ["alice@contoso.com", guest.id, "nobody@contoso.com"]
    lab.stack.config["xtsync:groups"] = ["Nested", "Nowhere"]
    (problem, warning) = findings(xtsync, 1)["source", "scope"]
    assert problem == ("problem", "not there: nobody@contoso.com, Nowhere")
    assert warning[1].startswith("1 person would be synchronized; 2 would be skipped: ")
    assert "(guest in the source)" in warning[1]
    assert "Finance (nested group: only direct members count)" in warning[1]


def test_what_gets_in_the_way_in_the_target(lab: Lab, xtsync: Command) -> None:
    lab.target.guest_invitations_allowed = False
    lab.target.policies.default["b2bCollaborationInbound"] = {"usersAndGroups": {"accessType": "blocked"}}
    found = findings(xtsync, 1)
    assert found["target", "invitations"][0][0] == "problem"
    assert found["target", "defaults"][0][0] == "warning"


def test_what_a_partner_policy_is_used_for_today(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    found = findings(xtsync, 0)
    assert found["target", "partner policy"][0] == (
        "ok",
        "there is one, with automaticUserConsentSettings, identity sync policy; only configured fields are written",
    )
