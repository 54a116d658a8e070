"""Lifecycle of the dynamic providers in direct calls, against the lab's tenants in memory."""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.entra import Settings
from lab.entra.synchronization.models import Job, Quarantine
from lab.world import FOREIGN_TENANT
from tests.in_memory_graph import PARTNERS, InMemory
from tests.unit.graph_fakes import SOURCE, SOURCE_ID, TARGET, TARGET_ID, SettableClock, answer, refusal
from xtsync_resources.graph.errors import RefusedError
from xtsync_resources.graph.sign_in import SignIn
from xtsync_resources.graph.transport import TransportError
from xtsync_resources.identity_sync_policy.resource import IdentitySyncPolicyProvider
from xtsync_resources.partner_policy.baseline import IDENTITY_SYNC, PartnerBaselineProvider
from xtsync_resources.partner_policy.model import CONSENT, TRUST, Baseline
from xtsync_resources.partner_policy.resource import PartnerPolicyProvider
from xtsync_resources.pulumi_runtime import provider as runtime
from xtsync_resources.pulumi_runtime.engine import Partial, report
from xtsync_resources.pulumi_runtime.provider import ProviderSettings, TenantResourceProvider
from xtsync_resources.sync_job.resource import SyncJobProvider
from xtsync_resources.sync_scope.start import JobStartProvider

Make = Callable[..., Any]
LOST = TransportError("cut", unsent=False)


class Bench:
    """A tenant in memory and the clock of the client that talks to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tenant: Any, *, merges: bool = True) -> None:
        self.graph, self.tenant, self.clock = InMemory(), tenant, SettableClock()
        self.graph.entra.settings = Settings(complex_patch="merge" if merges else "replace")
        self.partner = TARGET_ID if tenant is SOURCE else SOURCE_ID
        self.policies = self.graph.entra.tenants[tenant.id].policies
        monkeypatch.setattr(runtime, "_CLIENT", {"client": self.graph.client(tenant, self.clock)})

    def provider(self, kind: type[TenantResourceProvider], on_existing: str = "adopt") -> Any:
        provider = kind()
        provider.settings = ProviderSettings(SignIn(self.tenant, "cli"), "p", 900.0, on_existing, "release")
        return provider

    def policy(self, values: Any, before: Any = None, sync: Any = None) -> dict[str, Any]:
        baseline = Baseline(before, sync).text()
        return {"homeTenantId": self.tenant.id, "tenantId": self.partner, **values, "baseline": baseline}

    def make_partner(self, **values: Any) -> Any:
        """Somebody's partner policy, as Graph shows it."""
        self.policies.create(self.partner, values)
        return self.graph.ask(self.tenant.id, "GET", f"{PARTNERS}/{self.partner}")

    def members(self) -> Any:
        return self.policies.partners[self.partner].members

    def flags(self) -> Any:
        return self.members()[CONSENT]

    def has_sync_policy(self) -> bool:
        found = self.policies.partners.get(self.partner)
        return found is not None and found.identity_sync is not None

    def make_sync_policy(self, **unknown: Any) -> None:
        """Somebody's identity sync policy; reads show members of it that the lab does not know."""
        self.policies.put_identity_sync(self.partner, SYNC)
        call = "GET", f"/v1.0{PARTNERS}/*/identitySynchronization"
        self.graph.strange[call] = lambda seen: {**seen, **unknown}

    def job(self) -> tuple[dict[str, Any], Job]:
        """A configuration with a job that was never started: what the providers of the job get, and the job."""
        principal = self.graph.configuration()
        job = self.graph.job(principal)
        props = {"homeTenantId": SOURCE_ID, "servicePrincipalId": principal, "jobId": job, "running": True}
        return props, self.graph.entra.tenants[SOURCE_ID].applications.principals[principal].synchronization.jobs[job]


@pytest.fixture(params=[True, False], ids=["merging", "replacing"])
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch, TARGET, merges=request.param)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch, SOURCE)


IN = {CONSENT: {"inboundAllowed": True}}


def test_an_absent_policy_is_one_post_and_goes_again(target: Bench) -> None:
    provider = target.provider(PartnerPolicyProvider)
    made = provider.create(target.policy(IN))
    assert target.graph.calls == ["POST partners", f"GET {SOURCE_ID}"]
    assert target.flags()["inboundAllowed"] is True
    provider.delete(made.id, made.outs)
    assert list(target.policies.partners) == [FOREIGN_TENANT]


def test_settings_ignored_by_the_post_are_patched(target: Bench) -> None:
    target.graph.entra.settings = replace(target.graph.entra.settings, partner_post_consent="ignore")
    target.provider(PartnerPolicyProvider).create(target.policy(IN))
    assert target.graph.calls == ["POST partners", f"PATCH {SOURCE_ID}", f"GET {SOURCE_ID}"]
    assert target.flags()["inboundAllowed"] is True


def test_settings_refused_by_the_post_take_two_steps(target: Bench) -> None:
    target.graph.once("POST", "partners", refusal(400, "Request_BadRequest"))
    target.provider(PartnerPolicyProvider).create(target.policy(IN))
    assert target.graph.writes == ["POST partners", "POST partners", f"PATCH {SOURCE_ID}"]
    assert target.flags()["inboundAllowed"] is True


def test_a_conflict_merges_into_what_is_there(target: Bench) -> None:
    target.make_partner(**{CONSENT: {"inboundAllowed": None, "outboundAllowed": False}})
    made = target.provider(PartnerPolicyProvider).create(target.policy(IN))
    assert target.flags() == {"inboundAllowed": True, "outboundAllowed": False}
    assert json.loads(made.outs["asCreated"]) is None, "somebody else made it"
    assert json.loads(made.outs["adopted"])[CONSENT] == {"inboundAllowed": None, "outboundAllowed": False}


def test_a_conflict_with_a_deleted_policy_waits(target: Bench) -> None:
    target.graph.once("POST", "partners", refusal(409, "Request_MultipleObjectsWithSameKeyValue"))
    target.provider(PartnerPolicyProvider).create(target.policy(IN))
    assert target.graph.calls == ["POST partners", f"GET {SOURCE_ID}"] * 2
    assert target.clock.slept


def test_a_ghost_is_made_anew(target: Bench) -> None:
    ghost = target.make_partner()
    target.graph.once("PATCH", SOURCE_ID, lambda: target.policies.delete(SOURCE_ID))
    target.provider(PartnerPolicyProvider).create(target.policy(IN, ghost))
    assert target.graph.writes == [f"PATCH {SOURCE_ID}", "POST partners"]
    assert target.flags()["inboundAllowed"] is True


def test_updates_add_and_drop_fields_and_put_former_values_back(target: Bench) -> None:
    before = {CONSENT: {"inboundAllowed": None, "outboundAllowed": True}, TRUST: {"isMfaAccepted": False}}
    adopted = target.make_partner(**before)
    provider = target.provider(PartnerPolicyProvider)
    made = provider.create(target.policy(IN, adopted))
    news = target.policy({**IN, TRUST: {"isMfaAccepted": True}}, adopted)
    added = provider.update(made.id, made.outs, news)
    assert target.members()[TRUST]["isMfaAccepted"] is True
    dropped = provider.update(made.id, added.outs, target.policy(IN, adopted))
    assert target.members()[TRUST]["isMfaAccepted"] is False
    provider.delete(made.id, dropped.outs)
    assert target.flags() == {"inboundAllowed": None, "outboundAllowed": True}


@pytest.mark.parametrize(
    ("said", "stays"),
    [
        (refusal(400, "BadRequest", "Resource not found for the segment 'm365Capabilities'."), False),
        (refusal(404, "Request_ResourceNotFound"), False),
        (refusal(501, "NotImplemented"), False),
        (refusal(403, "Authorization_RequestDenied"), True),
        (answer(200, {"value": [{"id": "1"}]}), True),
        (answer(200, {"value": []}), False),
    ],
    ids=lambda one: str(getattr(one, "status", one)),
)
def test_what_microsoft_365_keeps_is_looked_at_before_a_policy_goes(target: Bench, said: Any, stays: bool) -> None:
    provider = target.provider(PartnerPolicyProvider)
    made = provider.create(target.policy(IN))
    target.graph.once("GET", "m365Capabilities", said)
    provider.delete(made.id, made.outs)
    assert (SOURCE_ID in target.policies.partners) is stays
    assert not stays or target.flags()["inboundAllowed"] is None


def test_additions_of_others_keep_the_policy(target: Bench) -> None:
    provider = target.provider(PartnerPolicyProvider)
    made = provider.create(target.policy(IN))
    target.members()["b2bCollaborationInbound"] = {"applications": {"accessType": "blocked"}}
    provider.delete(made.id, made.outs)
    assert target.flags()["inboundAllowed"] is None
    assert target.members()["b2bCollaborationInbound"]


def test_clean_up_after_a_crash(target: Bench) -> None:
    provider = target.provider(PartnerBaselineProvider)
    planned = json.dumps({**IN, IDENTITY_SYNC: {"displayName": "d"}})
    made = provider.create({"homeTenantId": TARGET_ID, "tenantId": SOURCE_ID, "planned": planned})
    target.make_partner(**{CONSENT: {"inboundAllowed": True, "outboundAllowed": None}})
    target.policies.put_identity_sync(SOURCE_ID, {"displayName": "d"})
    provider.delete(made.id, made.outs)
    assert list(target.policies.partners) == [FOREIGN_TENANT]
    assert SOURCE_ID in target.policies.deleted_sync_policies


@pytest.mark.parametrize("allowed", [False, True])
def test_members_that_graph_may_add_keep_nothing_unless_they_are_set(target: Bench, allowed: bool) -> None:
    """`planned` and what is there are the same but for what nobody has set."""
    provider = target.provider(PartnerBaselineProvider)
    planned = json.dumps({**IN, IDENTITY_SYNC: SYNC})
    made = provider.create({"homeTenantId": TARGET_ID, "tenantId": SOURCE_ID, "planned": planned})
    target.make_partner(
        **{CONSENT: {"inboundAllowed": True, "newAllowed": allowed}, "newSettings": {"isAllowed": allowed}}
    )
    target.make_sync_policy(roleEnabledGroupSyncInbound={"isSyncAllowed": allowed})
    provider.delete(made.id, made.outs)
    assert (SOURCE_ID in target.policies.partners) is allowed
    assert target.has_sync_policy() is allowed


@pytest.mark.parametrize("allowed", [False, True])
def test_an_identity_sync_policy_with_new_members_is_ours_unless_they_are_set(target: Bench, allowed: bool) -> None:
    target.make_partner()
    target.make_sync_policy(roleEnabledGroupSyncInbound={"isSyncAllowed": allowed})
    provider = target.provider(IdentitySyncPolicyProvider)
    made = provider.create(target.policy(SYNC))
    provider.delete(made.id, made.outs)
    assert target.has_sync_policy() is allowed


def test_clean_up_in_the_source_restores_an_adopted_policy(source: Bench) -> None:
    source.make_partner(b2bCollaborationInbound={"a": 1})
    provider = source.provider(PartnerBaselineProvider)
    planned = json.dumps({CONSENT: {"outboundAllowed": True}})
    made = provider.create({"homeTenantId": SOURCE_ID, "tenantId": TARGET_ID, "planned": planned})
    source.flags()["outboundAllowed"] = True
    provider.delete(made.id, made.outs)
    assert source.flags()["outboundAllowed"] is None
    with pytest.raises(RefusedError, match="onExisting"):
        source.provider(PartnerBaselineProvider, "fail").create({"homeTenantId": SOURCE_ID, "tenantId": TARGET_ID})


SYNC = {"displayName": "d", "userSyncInbound": {"isSyncAllowed": True}}


def test_identity_sync_put_and_patch_take_each_others_place(target: Bench) -> None:
    target.make_partner()
    target.policies.put_identity_sync(SOURCE_ID, {"displayName": "old"})
    provider = target.provider(IdentitySyncPolicyProvider)
    target.graph.once("GET", "identitySynchronization", refusal(404, "Request_ResourceNotFound"))
    provider.create(target.policy(SYNC))
    assert [call.split()[0] for call in target.graph.calls] == ["GET", "PUT", "PATCH"]
    target.graph.once("PATCH", "identitySynchronization", lambda: target.policies.delete_identity_sync(SOURCE_ID))
    props = target.policy({**SYNC, "displayName": "new"}) | {"former": "null"}
    provider.update(SOURCE_ID, props, props)
    policy = target.policies.partners[SOURCE_ID].identity_sync
    assert policy is not None
    assert policy.members["displayName"] == "new"
    provider.delete(SOURCE_ID, props)
    assert not target.has_sync_policy()


def test_a_lost_job_is_found_and_not_made_twice(source: Bench) -> None:
    source.graph.policies()
    principal, made = source.graph.configuration(), []

    def lose() -> TransportError:
        made.append(source.graph.job(principal))
        return LOST

    source.graph.once("POST", "/jobs", lose)
    props = {
        "homeTenantId": SOURCE_ID,
        "servicePrincipalId": principal,
        "appRoleId": source.graph.role(principal),
        "templateId": "Azure2Azure",
        "targetTenantId": TARGET_ID,
        "onDemand": False,
        "madeByHand": False,
        "remembered": "",
    }
    assert [source.provider(SyncJobProvider).create(props).id] == made
    assert source.graph.writes.count("POST jobs") == 1


@pytest.mark.parametrize(("state", "writes"), [("Active", []), ("Disabled", ["POST start"])])
def test_a_running_job_is_never_started(source: Bench, state: Any, writes: list[str]) -> None:
    props, job = source.job()
    job.schedule_state, job.status_code = state, "NotRun"
    made = source.provider(JobStartProvider).create({**props, "appRoleId": "r", "principals": [], "assignments": ""})
    assert source.graph.writes == writes
    assert made.outs["jobState"] == "Active"


def test_quarantine_is_a_partial_read_even_without_an_engine(source: Bench) -> None:
    props, job = source.job()
    now = source.graph.entra.clock.now()
    job.schedule_state, job.status_code = "Active", "Quarantine"
    job.quarantine = Quarantine("Unknown", "Unknown", "m", now, now)
    with pytest.raises(Partial, match=r"in quarantine \(Unknown\): Microsoft does not say why"):
        source.provider(JobStartProvider).read(job.id, props)


def test_objects_of_another_tenant_are_refused(source: Bench) -> None:
    with pytest.raises(RefusedError, match="one pair for life"):
        source.provider(JobStartProvider).read("j", {"homeTenantId": TARGET_ID})
    assert source.graph.calls == []
    assert isinstance(source.clock, SettableClock)


def test_a_pause_waits_for_the_cycle_that_runs() -> None:
    from xtsync_resources.sync_job.running import cycle_ended

    clock = SettableClock()
    running = {"units": "pages", "completedUnits": 1, "totalUnits": 9}

    class Job:
        reads = 0

    def job(done: int) -> dict[str, Any]:
        progress = [{**running, "completedUnits": done}] if done < 9 else []
        return {"id": "j", "schedule": {"state": "Paused"}, "status": {"code": "Paused", "progress": progress}}

    answers = iter([job(3), job(6), job(9)])

    class Operation:
        client = type("Client", (), {"clock": clock})
        remaining = 900.0

        def wait_until(self, _call: Any, done: Any, _why: str) -> Any:
            for found in answers:
                Job.reads += 1
                if done(found):
                    return found
            raise AssertionError

    assert cycle_ended(Operation(), "sp", "j", job(1))["status"]["progress"] == []  # type: ignore[arg-type]
    assert Job.reads == 3


def test_another_sdk_is_noticed_at_start_and_messages_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the program reads of the SDK, the served call on the stack, is not there in this process."""
    monkeypatch.setattr("sys.argv", ["provider", "127.0.0.1:1"])
    monkeypatch.setattr("sys.tracebacklimit", 1000, raising=False)
    monkeypatch.setattr(runtime, "end_with", lambda _: None)
    monkeypatch.setattr(runtime, "gate_output", lambda: None)
    values = {"xtsync:side": "source", "xtsync:tenantName": "Contoso", "xtsync:tenantId": SOURCE_ID}
    JobStartProvider().configure(type("Request", (), {"config": values})())
    assert "is not one that this program knows" in capsys.readouterr().out
    report("adopts the existing job j")
    report("waiting", status=True)
    assert capsys.readouterr().out == "adopts the existing job j\n"


def test_the_sdk_that_is_pinned_shows_the_call_it_serves() -> None:
    """Read, not imported: to import the module is to serve until the end of time."""
    found = importlib.util.find_spec("pulumi.dynamic.__main__")
    assert found is not None
    assert found.origin is not None
    functions = {
        node.name: [argument.arg for argument in node.args.args]
        for node in ast.walk(ast.parse(Path(found.origin).read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    for name in ("Check", "Diff", "Create", "Read", "Update", "Delete", "wrapper"):
        assert functions[name] == ["self", "request", "context"]
