"""`xtsync doctor` on pairs that do not work: what is broken stands there, and the exit code says so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from lab.entra.synchronization.models import Quarantine
from lab.entra.synchronization.schema import object_mapping
from tests.scenarios.stacks import Command, Lab
from tests.scenarios.steps import findings
from tests.scenarios.tenants import assign, principal_of
from xtsync_resources.sync_secrets.model import NOTIFICATION

ALICE, BOB = "alice@contoso.com", "bob@contoso.com"


def pause_job(lab: Lab) -> None:
    (job,) = lab.jobs()
    job.schedule_state = "Paused"


def delete_job(lab: Lab) -> None:
    principal_of(lab).synchronization.jobs.clear()


def delete_application(lab: Lab) -> None:
    del lab.source.applications.principals[principal_of(lab).id]


def switch_everybody_on(lab: Lab) -> None:
    principal_of(lab).synchronization.secrets["SyncAll"] = "True"


def raise_threshold(lab: Lab) -> None:
    text = json.dumps({"Enabled": False, "DeleteThresholdEnabled": True, "DeleteThresholdValue": 900})
    principal_of(lab).synchronization.secrets[NOTIFICATION] = text


def take_out(lab: Lab) -> None:
    alice = lab.source.directory.user(ALICE).id
    assignments = principal_of(lab).assignments
    for id_ in [id_ for id_, one in assignments.items() if one.principal_id == alice]:
        del assignments[id_]


def assign_somebody(lab: Lab) -> None:
    assign(lab, BOB)


def send_elsewhere(lab: Lab) -> None:
    principal_of(lab).synchronization.secrets["CompanyId"] = lab.source.tenant_id


def forget_settings(lab: Lab) -> None:
    del principal_of(lab).synchronization.secrets["AuthenticationType"]


BROKEN: list[tuple[Callable[[Lab], None], str, str]] = [
    (pause_job, "problem", "paused: nothing is synchronized"),
    (delete_job, "problem", "is gone"),
    (delete_application, "problem", "is gone, and the job with it"),
    (switch_everybody_on, "problem", "everybody is in scope (SyncAll): somebody has switched that on"),
    (
        raise_threshold,
        "problem",
        "holds deletions back where a cycle has 900 or more, and by the stack file it would hold deletions back where "
        "a cycle has 500 or more",
    ),
    (send_elsewhere, "problem", "the setting CompanyId is"),
    (forget_settings, "problem", "the setting AuthenticationType is not set, and the stack file says SyncPolicy"),
    (take_out, "problem", f"configured and not in scope: {ALICE}"),
    (assign_somebody, "warning", "in scope and not configured: Bob"),
]


@pytest.mark.parametrize(("broken", "level", "text"), BROKEN, ids=[one[0].__name__ for one in BROKEN])
def test_what_is_broken_is_named(
    lab: Lab, xtsync: Command, broken: Callable[[Lab], None], level: str, text: str
) -> None:
    lab.stack.config |= {"xtsync:users": [ALICE], "xtsync:groups": []}
    xtsync.up()
    broken(lab)
    found = findings(xtsync, int(level == "problem"))["source", "synchronization"]
    assert any(text in said and how == level for how, said in found), found
    said_by_others(xtsync, well=level != "problem")
    if broken is assign_somebody:
        told = " ".join(xtsync("doctor", "-s", "dev").out.split())
        assert "xtsync:foreignAssignments: report (as now), adopt or remove" in told
        assert "deleted in the target by the job's next cycle, restorable there for 30 days" in told


def said_by_others(xtsync: Command, *, well: bool, by_hand: bool = False) -> None:
    """`status` and the headline of `report` say of a pair what `doctor` says, with its exit code.

    What only somebody at the portal can mend has no command: the headline says what to do there.
    """
    told = xtsync("status", "-s", "dev", "--json")
    assert told.exit_code == int(not well), told
    assert told.document.get("healthy", False) is well
    report = xtsync("report", "-s", "dev", "--format", "markdown", "--output", "-")
    assert report.exit_code == int(not well)
    (headline,) = re.findall("^### (?:Well|Needs).*", report.out, re.MULTILINE)
    assert headline.startswith("### Well" if well else "### Needs somebody")
    assert "xtsync doctor" not in headline, "what helps itself, not where to look for it"
    (document,) = xtsync("report", "-s", "dev", "--json").document
    assert (document["well"], document["known"]) == (well, True)
    assert document["command"] in headline
    assert well or bool(document["command"]) is not by_hand
    assert well or bool(document["do"]) is by_hand


# --- policies ----------------------------------------------------------------------------------------------------


def close_redemption(lab: Lab) -> None:
    partner = lab.target.policies.partners[lab.source.tenant_id]
    partner.members["automaticUserConsentSettings"] = {"inboundAllowed": False, "outboundAllowed": None}


def close_redemption_at_home(lab: Lab) -> None:
    lab.source.policies.partners[lab.target.tenant_id].members["automaticUserConsentSettings"] = None


def distrust(lab: Lab) -> None:
    lab.target.policies.partners[lab.source.tenant_id].members["inboundTrust"] = None


def forbid_synchronization(lab: Lab) -> None:
    changed = {"userSyncInbound": {"isSyncAllowed": False}}
    lab.target.policies.update_identity_sync(lab.source.tenant_id, changed)


def delete_identity_sync(lab: Lab) -> None:
    lab.target.policies.delete_identity_sync(lab.source.tenant_id)


def let_nobody_out(lab: Lab) -> None:
    lab.source.policies.default["b2bCollaborationOutbound"] = {"usersAndGroups": NOBODY}


def let_nobody_in(lab: Lab) -> None:
    lab.target.policies.update(lab.source.tenant_id, {"b2bCollaborationInbound": {"usersAndGroups": NOBODY}})


NOBODY = {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]}
POLICIES: list[tuple[Callable[[Lab], None], str, str, str]] = [
    (close_redemption, "target", "partner policy", "(automaticUserConsentSettings.inboundAllowed) is off"),
    (close_redemption_at_home, "source", "partner policy", "(automaticUserConsentSettings.outboundAllowed) is not set"),
    (distrust, "target", "partner policy", "(inboundTrust.isMfaAccepted) is not set, and the stack file says on"),
    (
        forbid_synchronization,
        "target",
        "identity sync policy",
        "the identity sync policy for Contoso does not let people be synchronized into Fabrikam",
    ),
    (delete_identity_sync, "target", "identity sync policy", "the identity sync policy for Contoso is gone"),
    (let_nobody_out, "source", "collaboration", "let nobody through: its people can be synchronized, but cannot"),
    (let_nobody_in, "target", "collaboration", "let nobody through: people of Contoso can be synchronized, but cannot"),
]


@pytest.mark.parametrize(("broken", "side", "area", "text"), POLICIES, ids=[one[0].__name__ for one in POLICIES])
def test_a_policy_that_is_not_as_configured_is_named(
    lab: Lab, xtsync: Command, broken: Callable[[Lab], None], side: str, area: str, text: str
) -> None:
    lab.stack.config["xtsync:inboundTrust"] = {"mfa": True}
    xtsync.up()
    broken(lab)
    found = findings(xtsync, 1)
    assert any(text in said and how == "problem" for how, said in found[side, area]), found
    assert not [said for several in found.values() for _, said in several if set("{}[]") & set(said)], "no JSON"
    said_by_others(xtsync, well=False, by_hand=area == "collaboration")
    assert text in xtsync("status", "-s", "dev").out


# --- schema ------------------------------------------------------------------------------------------------------

EXPRESSION = {"target": "displayName", "expression": 'Append([displayName], " (Contoso)")'}
SCHEMA: dict[str, Any] = {
    "xtsync:attributeMappings": [{"target": "department", "constant": "Contoso"}, EXPRESSION],
    "xtsync:scopingFilters": [{"name": "Staff", "clauses": [{"attribute": "department", "operator": "isNotNull"}]}],
    "xtsync:flowTypes": ["add", "update"],
}


def users_of(lab: Lab) -> dict[str, Any]:
    return object_mapping(lab.jobs()[0].schema, "User")


def let_everybody_through(lab: Lab) -> None:
    users_of(lab)["scope"]["groups"] = []


def delete_again(lab: Lab) -> None:
    users_of(lab)["flowTypes"] = "Add, Update, Delete"


def drop_a_mapping(lab: Lab) -> None:
    mappings = users_of(lab)["attributeMappings"]
    mappings[:] = [one for one in mappings if one["targetAttributeName"] != "department"]


def rewrite_an_expression(lab: Lab) -> None:
    for one in users_of(lab)["attributeMappings"]:
        if one["targetAttributeName"] == "displayName":
            one["source"]["expression"] = 'Append([displayName], " (elsewhere)")'


SCHEMAS: list[tuple[Callable[[Lab], None], str, str]] = [
    (
        let_everybody_through,
        "problem",
        "scopingFilters is nothing, and the stack file says Staff (department IS NOT NULL)",
    ),
    (delete_again, "problem", "flowTypes is Add, Update, Delete, and the stack file says Add, Update"),
    (drop_a_mapping, "problem", "the mapping to department is not there, and the stack file says constant Contoso"),
    (rewrite_an_expression, "warning", "the service may have written the same in its own way"),
]


@pytest.mark.parametrize(("broken", "level", "text"), SCHEMAS, ids=[one[0].__name__ for one in SCHEMAS])
def test_a_schema_that_is_not_as_configured_is_named(
    lab: Lab, xtsync: Command, broken: Callable[[Lab], None], level: str, text: str
) -> None:
    lab.stack.config |= SCHEMA
    xtsync.up()
    lab.pass_time()
    assert [how for how, _ in findings(xtsync, 0)["source", "synchronization"]] == ["ok"]
    broken(lab)
    found = findings(xtsync, int(level == "problem"))["source", "synchronization"]
    assert any(text in said and how == level for how, said in found), found
    said_by_others(xtsync, well=level != "problem")


def test_a_pair_that_works_is_well(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    assert findings(xtsync, 0)["source", "synchronization"] == [("ok", "running; the last cycle went well")]
    said_by_others(xtsync, well=True)
    before = len(lab.entra.traffic)
    said = xtsync("status", "-s", "dev")
    assert "well: the job, its settings and schema, whether everybody whom the stack file names is in scope" in said.out
    assert len(lab.calls_since(before)) < 15, "a glance stays cheap"


@pytest.mark.parametrize("broken", ["a failed cycle", "EncounteredQuarantineException", "IngestionInterrupted"])
def test_the_doctor_sends_nobody_to_the_doctor(lab: Lab, xtsync: Command, broken: str) -> None:
    xtsync.up()
    lab.pass_time()
    job, now = lab.jobs()[0], lab.entra.clock.now()
    if broken == "a failed cycle":
        job.last_execution.state = "Failed"
    else:
        job.status_code, job.quarantine = "Quarantine", Quarantine(broken, "Error", "No.", now, now)
    said = xtsync("doctor", "-s", "dev")
    assert said.exit_code == 1
    assert "xtsync doctor" not in said.out
    assert ".." not in said.out.replace("...", "")
    assert "xtsync doctor" not in xtsync("report", "-s", "dev", "--format", "markdown", "--output", "-").out


def test_status_says_what_it_could_not_see(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    lab.stack.environment["XTSYNC_TARGET_CLIENT_SECRET"] = "guessed"
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert "Fabrikam, sign-in: the client secret is wrong" in said.out
    lab.stack.environment["XTSYNC_SOURCE_CLIENT_SECRET"] = "guessed"
    assert xtsync("status", "-s", "dev").exit_code == 2
    assert xtsync("report", "-s", "dev", "--output", "-").exit_code == 2


def test_status_says_who_is_out_of_scope(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    assert xtsync("status", "-s", "dev", "--json").document["outOfScope"] == []
    take_out(lab)
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert f"NOT {ALICE}, though configured" in said.out
    assert xtsync("status", "-s", "dev", "--json").document["outOfScope"] == [ALICE]


def test_of_a_name_that_nobody_has_status_does_not_say_that_people_are_deleted(lab: Lab, xtsync: Command) -> None:
    xtsync.up()
    lab.pass_time()
    lab.stack.config["xtsync:groups"] = ["Finances"]
    said = xtsync("status", "-s", "dev")
    assert said.exit_code == 1
    assert "not known of Finances: nobody is called so, or several are; `xtsync doctor` says why" in said.out
    assert "deletes" not in said.out
    assert xtsync("status", "-s", "dev", "--json").document["outOfScope"] == ["Finances"]
