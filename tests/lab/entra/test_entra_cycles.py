"""Cycles: who appears in the target, who leaves it, and what holds a job back."""

from __future__ import annotations

import json
from typing import Any

from lab.entra import Settings
from lab.world import SOURCE_TENANT, TARGET_TENANT

POLICY_CHECK = "AzureActiveDirectoryCrossTenantSyncPolicyCheckFailure"


def running(world: Any, *names: str, **settings: str) -> Any:
    pair = world.synchronization(**settings)
    for name in names:
        pair.assign(world.user_id(name))
    pair.start()
    pair.cycle(minutes=1)
    return pair


def actions(world: Any) -> list[tuple[str, str, str]]:
    return [
        (one["provisioningAction"], one["provisioningStatusInfo"]["status"], one["sourceIdentity"]["displayName"])
        for one in world.source_tenant.audit.provisioning
    ]


def test_a_person_appears_as_a_member(world: Any) -> None:
    running(world, "alice")
    (user,) = [one for one in world.target_tenant.directory.users.values() if one.origin]
    assert user.user_principal_name == "alice_contoso.com#EXT#@fabrikam.com"
    assert (user.user_type, user.external_state, user.mail) == ("Member", "Accepted", "alice@contoso.com")
    assert (user.origin.tenant_id, user.origin.object_id) == (SOURCE_TENANT, world.user_id("alice"))
    assert actions(world) == [("create", "success", "alice@contoso.com")]


def test_nothing_happens_before_its_time(world: Any) -> None:
    pair = world.synchronization()
    pair.assign(world.user_id("alice"))
    pair.cycle(minutes=60)
    assert pair.people() == []
    pair.start()
    world.entra.clock.advance(seconds=29)
    assert world.entra.run_due_cycles() == 0
    world.entra.clock.advance(seconds=1)
    assert world.entra.run_due_cycles() == 1
    world.entra.clock.advance(minutes=80)
    assert world.entra.run_due_cycles() == 2


def test_requests_run_what_is_due(world: Any) -> None:
    pair = world.synchronization()
    pair.assign(world.user_id("alice"))
    pair.start()
    world.entra.clock.advance(minutes=1)
    status = pair.status()["status"]
    assert status["code"] == "Active"
    assert status["synchronizedEntryCountByType"] == [{"key": "User to User", "value": 1}]
    assert status["steadyStateFirstAchievedTime"] == "2026-11-23T09:00:30Z"
    assert status["lastExecution"]["state"] == "Succeeded"
    assert status["lastSuccessfulExecutionWithExports"]["countExported"] == 1
    pair.cycle()
    status = pair.status()["status"]
    assert status["steadyStateFirstAchievedTime"] == "2026-11-23T09:00:30Z"
    assert status["steadyStateLastAchievedTime"] == "2026-11-23T09:40:30Z"
    assert status["lastExecution"]["countExported"] == 0


def test_groups_bring_their_direct_members(world: Any) -> None:
    pair = world.synchronization()
    pair.assign(world.group_id("Finance"))
    pair.start()
    pair.cycle(minutes=1)
    assert pair.people() == ["carol@contoso.com", "dave@contoso.com"]


def test_nested_groups_bring_nobody(world: Any) -> None:
    pair = world.synchronization()
    pair.assign(world.group_id("Nested"))
    pair.start()
    pair.cycle(minutes=1)
    assert pair.people() == []


def test_guests_and_disabled_people_are_skipped(world: Any) -> None:
    directory = world.source_tenant.directory
    guest = next(user for user in directory.users.values() if user.user_type == "Guest")
    directory.user("bob@contoso.com").account_enabled = False
    pair = world.synchronization()
    pair.assign(guest.id)
    pair.assign(world.user_id("bob"))
    pair.start()
    pair.cycle(minutes=1)
    pair.cycle()
    assert pair.people() == []
    skipped = [one for one in actions(world) if one[2] == guest.user_principal_name]
    assert skipped == [("other", "skipped", guest.user_principal_name)]


def test_everybody_when_told_so_and_a_restart_to_narrow(world: Any) -> None:
    pair = running(world, "alice", SyncAll="true")
    everybody = [f"{name}@contoso.com" for name in ("alice", "bob", "carol", "dave")]
    assert pair.people() == everybody
    base = f"/servicePrincipals/{pair.principal}/synchronization"
    world.source("PUT", f"{base}/secrets", {"value": [{"key": "SyncAll", "value": "false"}]})
    pair.cycle()
    assert pair.people() == everybody
    assert world.source("POST", f"{pair.job}/restart", {"criteria": {"resetScope": "Watermark"}}).status_code == 204
    pair.cycle()
    assert pair.people() == ["alice@contoso.com"]


def test_changes_flow_and_foreign_changes_do_not_come_back(world: Any) -> None:
    pair = running(world, "alice")
    world.source_tenant.directory.user("alice@contoso.com").display_name = "Alice B."
    pair.cycle()
    account = world.target_tenant.directory.user("alice_contoso.com#EXT#@fabrikam.com")
    assert account.display_name == "Alice B."
    account.display_name = "Changed in the target"
    pair.cycle()
    assert account.display_name == "Changed in the target"
    world.source("POST", f"{pair.job}/restart", {})
    pair.cycle()
    assert account.display_name == "Alice B."


def test_who_leaves_the_scope_is_soft_deleted_and_comes_back(world: Any) -> None:
    pair = world.synchronization()
    assignment = pair.assign(world.user_id("alice"))
    pair.start()
    pair.cycle(minutes=1)
    before = world.target_tenant.directory.user("alice_contoso.com#EXT#@fabrikam.com").id
    pair.unassign(assignment)
    pair.cycle()
    assert pair.people() == []
    assert before in world.target_tenant.directory.deleted_users
    pair.assign(world.user_id("alice"))
    pair.cycle()
    assert world.target_tenant.directory.user("alice_contoso.com#EXT#@fabrikam.com").id == before
    assert [one[0] for one in actions(world)] == ["create", "delete", "create"]


def test_a_paused_or_deleted_job_removes_nobody(world: Any) -> None:
    pair = world.synchronization()
    assignment = pair.assign(world.user_id("alice"))
    pair.start()
    pair.cycle(minutes=1)
    world.source("POST", f"{pair.job}/pause")
    pair.unassign(assignment)
    pair.cycle(minutes=600)
    assert pair.people() == ["alice@contoso.com"]
    world.source("DELETE", pair.job)
    pair.cycle(minutes=600)
    assert pair.people() == ["alice@contoso.com"]


def test_a_new_job_recognises_people_of_an_old_one(world: Any) -> None:
    pair = running(world, "alice")
    before = world.target_tenant.directory.user("alice_contoso.com#EXT#@fabrikam.com").id
    world.source("DELETE", pair.job)
    jobs = f"/servicePrincipals/{pair.principal}/synchronization/jobs"
    pair.job = f"{jobs}/{world.source('POST', jobs, {'templateId': 'Azure2Azure'}).json()['id']}"
    pair.start()
    pair.cycle(minutes=1)
    assert pair.people() == ["alice@contoso.com"]
    assert world.target_tenant.directory.user("alice_contoso.com#EXT#@fabrikam.com").id == before
    assert actions(world)[-1] == ("update", "skipped", "alice@contoso.com")


def test_a_closed_policy_quarantines_the_job(world: Any) -> None:
    pair = running(world, "alice")
    closed = {"userSyncInbound": {"isSyncAllowed": False}}
    world.target_tenant.policies.update_identity_sync(SOURCE_TENANT, closed)
    pair.cycle()
    job = pair.status()
    assert (job["schedule"]["state"], job["status"]["code"]) == ("Active", "Quarantine")
    quarantine = job["status"]["quarantine"]
    assert quarantine["reason"] == "EncounteredQuarantineException"
    assert quarantine["error"]["code"] == POLICY_CHECK
    assert quarantine["nextAttempt"] == "2026-11-23T15:40:30Z"
    assert pair.people() == ["alice@contoso.com"]
    opened = {"userSyncInbound": {"isSyncAllowed": True}}
    world.target_tenant.policies.update_identity_sync(SOURCE_TENANT, opened)
    pair.start()
    pair.cycle(minutes=1)
    assert pair.status()["status"]["code"] == "Active"
    assert pair.status()["status"]["quarantine"] is None


def test_four_weeks_of_quarantine_end_the_job(world: Any) -> None:
    pair = running(world, "alice")
    world.target_tenant.policies.delete_identity_sync(SOURCE_TENANT)
    pair.cycle(minutes=60 * 24 * 30)
    job = pair.status()
    assert (job["schedule"]["state"], job["status"]["code"]) == ("Disabled", "Quarantine")


def threshold(value: int) -> str:
    return json.dumps({"Enabled": False, "DeleteThresholdEnabled": True, "DeleteThresholdValue": value})


def test_too_many_deletions_are_held_until_forced(world: Any) -> None:
    pair = world.synchronization(SyncNotificationSettings=threshold(2))
    made = [pair.assign(world.user_id(name)) for name in ("alice", "bob")]
    pair.start()
    pair.cycle(minutes=1)
    for assignment in made:
        pair.unassign(assignment)
    pair.cycle()
    assert len(pair.people()) == 2
    status = pair.status()["status"]
    assert (status["code"], status["quarantine"]["reason"]) == ("Quarantine", "TooManyDeletes")
    force = {"criteria": {"resetScope": "ForceDeletes, Watermark"}}
    assert world.source("POST", f"{pair.job}/restart", force).status_code == 204
    pair.cycle(minutes=1)
    assert pair.people() == []
    assert pair.status()["status"]["code"] == "Active"
    wrong = world.source("POST", f"{pair.job}/restart", {"criteria": {"resetScope": "Everything"}})
    assert wrong.status_code == 400


def test_deletions_below_the_threshold_pass(world: Any) -> None:
    pair = world.synchronization(SyncNotificationSettings=threshold(2))
    assignment = pair.assign(world.user_id("alice"))
    pair.start()
    pair.cycle(minutes=1)
    pair.unassign(assignment)
    pair.cycle()
    assert pair.people() == []


def test_forbidden_invitations_show_in_the_log(world: Any) -> None:
    world.target_tenant.guest_invitations_allowed = False
    pair = running(world, "alice")
    (entry,) = world.source_tenant.audit.provisioning
    assert entry["provisioningStatusInfo"]["errorInformation"]["errorCode"] == "AzureActiveDirectoryForbidden"
    assert pair.status()["status"]["lastExecution"]["state"] == "EntryLevelErrors"


def schema_with(world: Any, pair: Any, mapping: int, **members: Any) -> None:
    schema = world.source("GET", f"{pair.job}/schema").json()
    schema = {name: schema[name] for name in ("directories", "synchronizationRules")}
    schema["synchronizationRules"][0]["objectMappings"][mapping].update(members)
    assert world.source("PUT", f"{pair.job}/schema", schema).status_code == 204


def test_a_mapping_without_delete_keeps_people(world: Any) -> None:
    pair = world.synchronization()
    schema_with(world, pair, 0, flowTypes="Add, Update")
    assignment = pair.assign(world.user_id("alice"))
    pair.start()
    pair.cycle(minutes=1)
    pair.unassign(assignment)
    pair.cycle()
    assert pair.people() == ["alice@contoso.com"]


def test_groups_are_synchronized_when_both_sides_say_so(world: Any) -> None:
    pair = world.synchronization()
    assignment = pair.assign(world.group_id("Finance"))
    schema_with(world, pair, 1, enabled=True)
    pair.start()
    pair.cycle(minutes=1)
    assert world.target_tenant.directory.groups == {}
    allowed = {"groupSyncInbound": {"isSyncAllowed": True}}
    world.target_tenant.policies.update_identity_sync(SOURCE_TENANT, allowed)
    pair.cycle()
    (twin,) = world.target_tenant.directory.groups.values()
    assert (twin.display_name, len(twin.members)) == ("Finance", 2)
    pair.unassign(assignment)
    pair.cycle()
    assert world.target_tenant.directory.groups == {}


def test_the_log_is_filtered_ordered_and_paged(world: Any) -> None:
    pair = running(world, "alice", "bob")
    world.source_tenant.directory.user("bob@contoso.com").department = "Sales"
    pair.cycle()
    job_id = pair.job.rpartition("/")[2]

    def ask(text: str, **more: str) -> list[str]:
        answer = world.source("GET", "/auditLogs/provisioning", params={"$filter": text, **more})
        assert answer.status_code == 200, answer.text
        return [one["sourceIdentity"]["displayName"] for one in answer.json()["value"]]

    assert ask(f"jobId eq '{job_id}'", **{"$orderby": "activityDateTime desc"})[0] == "bob@contoso.com"
    assert ask(f"servicePrincipal/id eq '{pair.principal}' and provisioningAction eq 'update'") == ["bob@contoso.com"]
    assert ask("provisioningStatusInfo/status eq 'failure'") == []
    assert len(ask("activityDateTime gt 2026-11-23T09:30:00Z")) == 1
    assert len(ask(f"contains(targetSystem/displayName, 'target') or tenantId eq '{TARGET_TENANT}'")) == 3
    refused = world.source("GET", "/auditLogs/provisioning", params={"$filter": "jobId gt 'x'"})
    assert refused.status_code == 400
    first = world.source("GET", "/auditLogs/provisioning?$top=2").json()
    assert len(world.source("GET", first["@odata.nextLink"]).json()["value"]) == 1


def test_five_looks_at_the_log_in_ten_seconds(world: Any) -> None:
    world.entra.settings = Settings(audit_throttled=True)
    statuses = [world.source("GET", "/auditLogs/provisioning").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
