"""Breaks combine: whatever is broken after one another, and mended in whichever order, the tenants are as before."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from lab.breaking import BREAKS, Breaker, NotThereError
from lab.entra import Clock, Entra
from lab.entra.applications.models import SYNC_TEMPLATE
from lab.entra.synchronization.schema import template_schema
from lab.world import SOURCE_TENANT, TARGET_TENANT, dev_world

PAIRS = list(itertools.permutations(BREAKS, 2))
# What needs something that the other has taken, or what it has done already, is refused.
REFUSED = {
    ("group", "rename-group"),
    ("group", "held-back"),
    ("group", "unassign"),
    ("job", "pause"),
    ("pause", "held-back"),
    ("consent", "held-back"),
    ("redemption", "held-back"),
    ("job", "held-back"),
    ("job", "consent"),
    ("application", "unassign"),
    ("application", "pause"),
    ("application", "job"),
    ("application", "held-back"),
    ("application", "consent"),
    ("application", "redemption"),
    ("application", "threshold"),
}


def world_with_a_pair(clock: Clock | None = None) -> Entra:
    """The tenants after `up` and a first cycle."""
    entra = dev_world(clock)
    source, target = entra.tenants[SOURCE_TENANT], entra.tenants[TARGET_TENANT]
    target.policies.create(SOURCE_TENANT, {"automaticUserConsentSettings": {"inboundAllowed": True}})
    target.policies.put_identity_sync(SOURCE_TENANT, {"userSyncInbound": {"isSyncAllowed": True}})
    source.policies.create(TARGET_TENANT, {"automaticUserConsentSettings": {"outboundAllowed": True}})
    _, principal = source.applications.instantiate(SYNC_TEMPLATE, "Contoso to Fabrikam", "")
    state = principal.synchronization
    state.secrets = {
        "AuthenticationType": "SyncPolicy",
        "CompanyId": TARGET_TENANT,
        "SyncNotificationSettings": '{"DeleteThresholdEnabled":true,"DeleteThresholdValue":500}',
    }
    finance = next(one.id for one in source.directory.groups.values() if one.display_name == "Finance")
    for object_id in (source.directory.user("alice@contoso.com").id, finance):
        source.applications.assign(principal, principal.roles[-1]["id"], source.directory.assignee(object_id))
    source.synchronization.start(source.synchronization.create_job(state, template_schema()))
    entra.pass_time(minutes=41)
    return entra


def as_it_is(entra: Entra, broken: set[str]) -> dict[str, Any]:
    """The tenants, but for when cycles ran, and for what Graph does not bring back with what was deleted."""
    found = entra.snapshot(deleted=False)
    gone = {name for what, name in (("user", "Alice"), ("group", "Finance")) if what in broken}
    for tenant in found.values():
        for principal in tenant["servicePrincipals"].values():
            principal["assignments"] = {
                one["principal_id"]: one["role_id"]
                for one in principal["assignments"].values()
                if one["principal_name"] not in gone and "application" not in broken
            }
            state = principal["synchronization"]
            for key, job in state["jobs"].items():
                state["jobs"][key] = {name: job[name] for name in ("schema", "schedule_state", "exported", "everybody")}
            if "application" in broken:
                principal["synchronization"] = None
    return {**found, "gone": [one.deleted for one in entra.tenants.values()], "faults": entra.faults.pending}


def do(breaker: Breaker, entra: Entra, what: str) -> bool:
    """Break it, if it can be; a break that cannot be made changes nothing."""
    before = as_it_is(entra, set())
    try:
        breaker.perform(what)
    except NotThereError:
        assert as_it_is(entra, set()) == before
        return False
    assert as_it_is(entra, set()) != before
    return True


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
@pytest.mark.parametrize(("first", "second"), PAIRS, ids=map("+".join, PAIRS))
def test_two_breaks_undone_in_either_order_leave_the_tenants_as_before(
    first: str, second: str, backwards: bool
) -> None:
    entra = dev_world() if "second-configuration" in (first, second) else world_with_a_pair()
    breaker, both = Breaker(entra), {first, second}
    before = as_it_is(entra, both)
    made = [what for what in (first, second) if do(breaker, entra, what)]
    if "second-configuration" not in both:
        assert (second not in made) is ((first, second) in REFUSED)
    for what in reversed(made) if backwards else made:
        breaker.perform(what, undo=True)
    assert as_it_is(entra, both) == before


@pytest.mark.parametrize("what", BREAKS)
def test_a_break_that_is_done_twice_says_so_and_one_that_is_undone_is_not_undone_again(what: str) -> None:
    entra = dev_world() if what == "second-configuration" else world_with_a_pair()
    breaker = Breaker(entra)
    breaker.perform(what)
    with pytest.raises(NotThereError, match="was done before: --undo gives back what it took"):
        breaker.perform(what)
    breaker.perform(what, undo=True)
    if BREAKS[what].find is None:
        with pytest.raises(NotThereError, match="there is nothing to give back"):
            breaker.perform(what, undo=True)
    before = as_it_is(entra, set())
    if what != "application":  # which has lost its job
        breaker.perform(what)
        breaker.perform(what, undo=True)
        assert as_it_is(entra, set()) == before


def test_held_back_gives_back_everybody_however_often_it_is_done_and_whatever_comes_between() -> None:
    entra = world_with_a_pair()
    directory = entra.tenants[SOURCE_TENANT].directory
    (finance,) = (one for one in directory.groups.values() if one.display_name == "Finance")
    members, breaker = list(finance.members), Breaker(entra)
    breaker.perform("held-back")
    breaker.perform("rename-group")
    finance.members.append(members[0])
    breaker.perform("held-back")
    assert "--undo once more" in breaker.perform("held-back", undo=True)
    breaker.perform("rename-group", undo=True)
    breaker.perform("held-back", "Finance", undo=True)
    assert finance.members == members


def test_a_group_is_known_by_the_name_it_had_before_it_was_renamed_here() -> None:
    entra = world_with_a_pair()
    breaker = Breaker(entra)
    breaker.perform("rename-group")
    assert "everybody has left Finance of old" in breaker.perform("held-back")
    assert "everybody is in Finance of old again" in breaker.perform("held-back", "Finance of old", undo=True)
    assert "Finance of old is deleted" in breaker.perform("group", "Finance")
    assert "Finance of old is restored" in breaker.perform("group", undo=True)
    assert "is called Finance again" in breaker.perform("rename-group", undo=True)
