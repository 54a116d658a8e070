"""`xtsync verify`: whether Graph answers as the program expects, told without what the answers say."""

from __future__ import annotations

import json
import re
from typing import Any

from lab import world
from lab.entra.faults import Fault
from tests.scenarios.stacks import Command, Lab, writes
from tests.scenarios.tenants import grant

OF_POLICIES = ["partner policy", "identity sync policy", "cross-tenant defaults"]
OF_CONFIGURATION = ["service principal", "jobs", "secrets", "template schema", "job", "schema", "filter operators"]
NAMES = ("contoso", "fabrikam", "alice", "carol", "finance", "visitor")
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)
Reads = dict[tuple[str, str], dict[str, Any]]


def record_of(lab: Lab, xtsync: Command, code: int) -> dict[str, Any]:
    """The record; whatever it is about, nobody and nothing of the tenants is in it."""
    before = len(lab.entra.traffic)
    said = xtsync("verify", "-s", "dev", "--json")
    assert said.exit_code == code, said
    assert not writes(lab.calls_since(before))
    assert not named_in(lab, said.out)
    found: dict[str, Any] = said.document
    assert found["asExpected"] is (code == 0)
    return found


def named_in(lab: Lab, text: str) -> list[str]:
    ids = [*lab.source.directory.users, *lab.source.applications.principals, *(job.id for job in lab.jobs())]
    people = [user.user_principal_name for user in lab.source.directory.users.values()]
    tenants = [world.SOURCE_TENANT, world.TARGET_TENANT, world.SOURCE_CLIENT, world.SOURCE_SECRET, "Azure2Azure."]
    known = [one for one in (*ids, *people, *tenants, *NAMES) if one.lower() in text.lower()]
    return [*known, *GUID.findall(text)]


def reads(record: dict[str, Any]) -> Reads:
    return {(one["side"], one["name"]): one for one in record["reads"]}


def facts(record: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {one["name"]: one["seen"] for one in record["facts"]}


def differences(read: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["what"], one["path"]) for one in read["differences"]]


def test_before_the_first_up_only_policies_are_read(lab: Lab, xtsync: Command) -> None:
    record = record_of(lab, xtsync, 0)
    assert list(reads(record)) == [(side, name) for side in ("source", "target") for name in OF_POLICIES]
    unset = {"partnerPolicy": False, "status": 404, "errorCode": "Request_ResourceNotFound"}
    both = [{"side": side, **unset} for side in ("source", "target")]
    assert facts(record)["partnerPolicyUnset"] == facts(record)["identitySyncPolicyUnset"] == both
    assert facts(record)["settingsMasked"] == []
    assert "The stack has no outputs" in xtsync("verify", "-s", "dev").out


def test_a_clean_pair_is_as_expected(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    record = record_of(lab, xtsync, 0)
    found = reads(record)
    assert [name for side, name in found if side == "source"] == [
        *OF_POLICIES,
        *OF_CONFIGURATION,
        "assignments",
        "application",
    ]
    assert {one["status"] for one in record["reads"]} == {200, 404}
    assert {one["version"] for one in record["reads"]} == {"v1.0"}
    assert all(abs(one["clockSkewSeconds"]) < 60 for one in record["reads"])
    values = {one["path"]: one["values"] for one in found["source", "job"]["members"]}
    assert values["schedule.state"] == values["status.code"] == {"Active": 1}
    assert found["target", "identity sync policy"]["leftOut"] == ["groupSyncInbound"]
    seen = facts(record)
    unset = {"side": "source", "partnerPolicy": True, "status": 404, "errorCode": "Request_ResourceNotFound"}
    assert seen["identitySyncPolicyUnset"] == [unset]
    assert {one["value"] for one in seen["settingsMasked"]} == {"in clear"}
    assert seen["settingsAdded"] == [{"added": {}, "dropped": []}]
    assert seen["jobsOfServicePrincipal"] == [{"jobs": 1, "ofOurTemplate": 1}]
    assert seen["membersThatAppear"] == []
    said = xtsync("verify", "-s", "dev")
    assert said.exit_code == 0
    assert "All is as the program expects, in 15 reads. Nothing was changed." in said.out
    assert not named_in(lab, said.out)


def test_the_file_is_the_record(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    path = lab.folder / "record.json"
    said = xtsync("verify", "-s", "dev", "--output", str(path))
    assert said.exit_code == 0, said
    assert f"Wrote {path}. It holds no name" in said.out
    text = path.read_text()
    assert not named_in(lab, text)
    written = [{**one, "clockSkewSeconds": None} for one in json.loads(text)["reads"]]
    assert written == [{**one, "clockSkewSeconds": None} for one in record_of(lab, xtsync, 0)["reads"]]


def test_a_changed_shape_is_told(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    assert lab.target_partner is not None
    lab.target_partner["somethingNew"] = {"alice@contoso.com": "Carol"}
    lab.target_partner["carol@contoso.com"] = "Finance"
    one = {"target": "AllUsers", "targetType": "robot"}
    lab.target.policies.default["b2bCollaborationInbound"] = {"usersAndGroups": {"accessType": "ask", "targets": [one]}}
    lab.target.policies.default["automaticUserConsentSettings"] = "alice@contoso.com"
    (job,) = lab.jobs()
    job.schedule_state = "Contoso pauses"
    lab.entra.faults.add(Fault("hollow", "after", path="secrets$"))
    record = record_of(lab, xtsync, 1)
    found = reads(record)
    assert differences(found["target", "partner policy"]) == [
        ("unknown member", "somethingNew"),
        ("unknown member", "(not an identifier)"),
    ]
    assert differences(found["target", "cross-tenant defaults"]) == [
        ("another kind", "automaticUserConsentSettings"),
        ("unknown value", "b2bCollaborationInbound.usersAndGroups.accessType"),
        ("unknown value", "b2bCollaborationInbound.usersAndGroups.targets[].targetType"),
    ]
    assert differences(found["source", "job"]) == [("unknown value", "schedule.state")]
    assert differences(found["source", "secrets"]) == [("missing member", "value")]
    appeared = {"side": "target", "read": "partner policy", "members": ["somethingNew", "(not an identifier)"]}
    assert facts(record)["membersThatAppear"] == [appeared]
    said = " ".join(xtsync("verify", "-s", "dev").out.split())
    assert "schedule.state has a value that the program does not know" in said
    assert "automaticUserConsentSettings should be an object or null, and is a text" in said


def test_settings_that_the_service_adds_and_masks(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    (held,) = (one.synchronization for one in lab.source.applications.principals.values() if one.synchronization.jobs)
    held.secrets.update({"SecretToken": "carol", "SkipOutOfScopeDeletions": "True", "Contoso": "alice"})
    del held.secrets["SyncAll"]
    seen = facts(record_of(lab, xtsync, 0))
    added = {"SecretToken": 1, "SkipOutOfScopeDeletions": 1, "(not an identifier)": 1}
    assert seen["settingsAdded"] == [{"added": added, "dropped": ["SyncAll"]}]
    masked = {one["key"]: one["value"] for one in seen["settingsMasked"]}
    assert masked["SecretToken"] == "masked"
    assert masked["SkipOutOfScopeDeletions"] == masked["CompanyId"] == "in clear"


def test_a_refused_read_names_the_permission_and_the_rest_goes_on(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    grant(lab.target, world.TARGET_CLIENT, less={"Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess"})
    found = reads(record_of(lab, xtsync, 1))
    refused = found["target", "partner policy"]
    assert (refused["outcome"], refused["status"]) == ("could not be read", 403)
    assert (refused["permission"], refused["errorCode"]) == ("Policy.Read.All", "Authorization_RequestDenied")
    assert {one["outcome"] for (side, _), one in found.items() if side == "source"} == {"as expected", "not there"}
    said = xtsync("verify", "-s", "dev")
    assert said.exit_code == 1
    assert "Do: give the sign-in Policy.Read.All" in " ".join(said.out.split())


def test_what_the_stack_has_made_and_is_gone(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.target.policies.partners[world.SOURCE_TENANT].identity_sync = None
    gone = reads(record_of(lab, xtsync, 1))["target", "identity sync policy"]
    assert (gone["outcome"], gone["status"], gone["errorCode"]) == ("gone", 404, "Request_ResourceNotFound")


def test_a_code_that_is_none_is_not_shown(lab: Lab, xtsync: Command) -> None:
    fault = Fault(path="default$", status=400, code="alice@contoso.com", message="Carol of Contoso", times=2)
    lab.entra.faults.add(fault)
    found = reads(record_of(lab, xtsync, 1))["source", "cross-tenant defaults"]
    assert (found["status"], found["errorCode"]) == (400, "(not an identifier)")


def test_no_sign_in_to_one_tenant_leaves_the_other(lab: Lab, xtsync: Command) -> None:
    lab.stack.environment["XTSYNC_TARGET_CLIENT_SECRET"] = "guessed"
    found = reads(record_of(lab, xtsync, 1))
    assert found["target", "sign-in"]["outcome"] == "could not be read"
    assert found["source", "cross-tenant defaults"]["outcome"] == "as expected"
    assert "`xtsync doctor` says why" in xtsync("verify", "-s", "dev").errors


def test_answers_that_are_none(lab: Lab, xtsync: Command) -> None:
    lab.entra.faults.add(Fault("html", path="default$", times=1000))
    found = reads(record_of(lab, xtsync, 1))
    assert {found[side, "cross-tenant defaults"]["outcome"] for side in ("source", "target")} == {"could not be read"}


def test_a_file_that_cannot_be_written_is_an_error_of_usage(lab: Lab, xtsync: Command) -> None:
    said = xtsync("verify", "-s", "dev", "--output", str(lab.folder / "nowhere" / "record.json"))
    assert said.exit_code == 2
    assert "Cannot write" in said.errors
