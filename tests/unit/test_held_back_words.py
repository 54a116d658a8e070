"""Whom the next cycle deletes, in words and with what to do, by who was put back since and from how many on it asks."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import pytest

from tests.unit.graph_fakes import SOURCE_ID, TARGET_ID
from xtsync_resources.config import Settings, Tenant
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.operate.health import ASSIGN_NEW, read_health
from xtsync_resources.operate.held_back import (
    BEFORE_IT,
    BY_REFRESH,
    BY_UP,
    PUT_BACK_FIRST,
    changes_by_up,
    judged,
)
from xtsync_resources.operate.in_scope import Outside, who_may_leave
from xtsync_resources.sync_job.provisioning_log import Identity
from xtsync_resources.sync_scope.prediction import (
    ONCE_STARTED,
    PUT_BACK,
    TAKES_OUT,
    UNSEEN,
    WAIT,
    Change,
    HeldBack,
    among,
    by_change,
    first_told,
)

ALICE, BOB, CAROL = (Identity(name, f"id-{name}") for name in ("alice", "bob", "carol"))
ALL = (ALICE, BOB, CAROL)
QUARANTINE = {"code": "Quarantine", "quarantine": {"reason": "TooManyDeletes"}}
DELETES = "the next cycle DELETES"
FEWER = "ewer of those held back stay out of scope than the deletion threshold, which is 3"
WAITS = "3 people would be deleted in Fabrikam, as of the last cycle: alice, bob, carol"


@pytest.mark.parametrize(
    ("back", "threshold", "young", "words", "do"),
    [
        ((), 3, False, WAITS, ""),
        ((ALICE,), 2, False, f"{WAITS}. Assigned by now: alice; they stay, unless", ""),
        ((ALICE,), 3, False, f"{FEWER}: {DELETES} 2 people in Fabrikam: bob,",
         PUT_BACK),
        ((ALICE, BOB), 3, False, f"{DELETES} 1 person in Fabrikam: carol. Assigned by now: alice, bob", PUT_BACK),
        (ALL, 3, False, f"{WAITS}. Assigned by now: alice, bob, carol; they stay, unless something else", WAIT),
        (ALL, 1, False, f"{WAITS}. Assigned by now", WAIT),
        (None, 3, False, f"{WAITS}. Who of them is back in scope by now cannot be seen here", ""),
        (None, 500, False, f"{DELETES} whoever is still out of scope of 3 people in Fabrikam: alice, bob, carol. Who",
         PUT_BACK),
        ((), 500, False, f"The threshold was raised since: {DELETES} 3 people in Fabrikam", PUT_BACK),
        ((), None, False, f"The threshold was raised since: {DELETES} 3 people in Fabrikam", PUT_BACK),
        ((ALICE,), 500, False, f"{DELETES} 2 people in Fabrikam: bob, carol", PUT_BACK),
        (ALL, 500, False, "The threshold was raised since: the next cycle deletes whoever is out of scope", PUT_BACK),
        ((), 5, True, f"Unless the log, which is some minutes late, lacks others: {DELETES}", PUT_BACK),
        (ALL, 5, True, "lacks others: the next cycle deletes whoever is out of scope", PUT_BACK),
    ],
)  # fmt: skip
def test_whom_the_next_cycle_deletes(
    back: tuple[Identity, ...] | None, threshold: int | None, young: bool, words: str, do: str
) -> None:
    held = among(ALL, back, threshold, young=young)
    health = read_health({"id": "j", "schedule": {"state": "Active"}, "status": QUARANTINE})
    said = held.sentence("Fabrikam")
    assert words in said
    assert ("DELETES" in said) is bool(do == PUT_BACK and held.outside)
    assert judged(health, held, None).remedy == (do or health.remedy)
    assert "approve-deletions" in health.remedy


@pytest.mark.parametrize("back", [(), (ALICE,), ALL])
@pytest.mark.parametrize("threshold", [1, 3, 500])
@pytest.mark.parametrize("state", ["Paused", "Disabled"])
def test_of_a_job_that_does_not_run_no_cycle_is_waited_for(
    back: tuple[Identity, ...], threshold: int, state: str
) -> None:
    health = read_health({"id": "j", "schedule": {"state": state}, "status": QUARANTINE})
    assert judged(health, among(ALL, back, threshold, young=False), None).remedy == health.remedy
    assert "It does not run" in health.remedy


def test_of_a_job_that_does_not_run_the_first_cycle_after_a_start_counts() -> None:
    raised = replace(among(ALL, (), 500, young=False), cycle=ONCE_STARTED)
    assert "The threshold was raised since: the first cycle after a start DELETES 3 people" in raised.sentence(
        "Fabrikam"
    )
    unseen = replace(among(ALL, None, 3, young=False), cycle=ONCE_STARTED)
    assert "the first cycle after a start deletes those without asking" in unseen.sentence("Fabrikam")


def test_where_nobody_can_be_named_the_jobs_own_advice_stands() -> None:
    health = read_health({"id": "j", "schedule": {"state": "Active"}, "status": QUARANTINE})
    assert judged(health, HeldBack(unknown="the log is late"), None).remedy == health.remedy


def test_a_quarantine_that_is_over_is_not_advised_about() -> None:
    well = read_health({"id": "j", "schedule": {"state": "Active"}, "status": {}})
    assert judged(well, among(ALL, (), 500, young=False), None).remedy == well.remedy == ""


@pytest.mark.parametrize(
    ("back", "words", "do"),
    [
        ((ALICE, BOB), f"With this change f{FEWER}: {DELETES} 1 person in Fabrikam: carol. "
         "In scope with this change: alice, bob; they stay", f"{PUT_BACK_FIRST}Then {ASSIGN_NEW}"),
        (ALL, f"{WAITS}. In scope with this change: alice, bob, carol; they stay", f"{ASSIGN_NEW}{BEFORE_IT}"),
        ((), WAITS, ""),
    ],
)  # fmt: skip
def test_what_a_change_makes_of_those_held_back_is_told_beforehand(
    back: tuple[Identity, ...], words: str, do: str
) -> None:
    health = read_health({"id": "j", "schedule": {"state": "Active"}, "status": QUARANTINE})
    held = among(ALL, back, 3, young=False, change="with this change")
    assert words in held.sentence("Fabrikam")
    said = judged(health, held, Outside(new=["alice"])).remedy
    assert said == do if do else said.startswith(ASSIGN_NEW)
    assert ("approve-deletions" in said) is not bool(do)


def test_before_a_change_it_is_said_that_fewer_are_not_held_back_where_nobody_can_be_named() -> None:
    unknown = HeldBack(unknown="the log is late", change="with this change")
    assert "the log is late. Where fewer than the deletion threshold stay out, the next cycle deletes those" in (
        unknown.sentence("Fabrikam")
    )


def test_where_all_are_back_and_another_is_not_in_scope_nobody_just_waits() -> None:
    """The next cycle deletes that one, who alone is below the threshold."""
    health = read_health({"id": "j", "schedule": {"state": "Active"}, "status": QUARANTINE})
    said = judged(health, among(ALL, ALL, 3, young=False), Outside(unassigned=["dora"])).remedy
    assert said.startswith("restore whose account is deleted in the target already")
    assert said.endswith(WAIT)
    for outside in (Outside(unassigned=["alice"], ids=["id-alice"]), Outside(unassigned=["alice"], nameless=["eve"])):
        ahead = judged(health, among(ALL, ALL, 3, young=False, change="with this change"), outside).remedy
        assert "An entry that nobody has stops it" in ahead


@pytest.mark.parametrize(
    ("foreign_assignments", "known", "leaves"),
    [
        ("remove", {"user bob": "id-bob"}, {"id-bob", "id-eve"}),
        ("report", {"user bob": "id-bob"}, {"id-bob"}),
        ("adopt", {"user alice": "id-alice"}, set()),
        ("report", {}, {"id-bob", "id-eve"}),
    ],
)
def test_who_may_leave_with_an_up(foreign_assignments: Any, known: dict[str, str], leaves: set[str]) -> None:
    tenants = Tenant(SOURCE_ID, "Contoso", side="source"), Tenant(TARGET_ID, "Fabrikam", side="target")
    settings = Settings(*tenants, cloud=CLOUDS["public"], foreign_assignments=foreign_assignments)
    assert who_may_leave(known, ["id-bob", "id-eve"], settings) == leaves


@pytest.mark.parametrize("new", [[], ["id-carol"]])
@pytest.mark.parametrize("unassigned", [[], ["id-bob"]])
@pytest.mark.parametrize("leaves", [(), ("id-alice",)])
@pytest.mark.parametrize("may_leave", [(), ("id-dora",)])
def test_what_up_does_for_sure_and_what_it_may_do(
    new: list[str], unassigned: list[str], leaves: tuple[str, ...], may_leave: tuple[str, ...]
) -> None:
    everybody = [*unassigned, *new]
    assert changes_by_up(Outside(ids=everybody, new_ids=new, may_leave=may_leave), leaves) == [
        *([Change(BY_UP, new, leaves, may_leave)] if new or leaves or may_leave else []),
        *([Change(BY_REFRESH, everybody, leaves, may_leave)] if unassigned else []),
    ]
    assert changes_by_up(None, leaves) == []


Back = tuple[Identity, ...] | None


def ahead(now: Back, threshold: int | None, *then: Back, young: bool = False) -> HeldBack:
    """What is told of those held back, of whom some are back now, and others by a change or another."""
    return may_leave(now, threshold, *[(back, back) for back in then], young=young)


def may_leave(now: Back, threshold: int | None, *then: tuple[Back, Back], young: bool = False) -> HeldBack:
    """The same, where a change may take somebody out: who is back where nobody goes, and where all of those do."""
    told = [
        held
        for (most, least), words in zip(then, [BY_UP, BY_REFRESH], strict=False)
        for held in by_change(Change(words), ALL, now, most, least, threshold, young=young)
    ]
    return first_told(among(ALL, now, threshold, young=young), told)


@pytest.mark.parametrize(
    ("back", "words", "do"),
    [
        ((ALICE, BOB), "it DELETES 1 person: carol", f"{PUT_BACK_FIRST}Then {ASSIGN_NEW}"),
        (ALL, "it deletes none of them, unless something else keeps them out of scope", PUT_BACK),
        ((ALICE, CAROL), "it DELETES 1 person: bob", f"{PUT_BACK_FIRST}Then {ASSIGN_NEW}"),
    ],
)
@pytest.mark.parametrize(("threshold", "young"), [(3, False), (500, False), (3, True)])
def test_whom_the_next_cycle_deletes_already_is_told_first_and_what_a_change_makes_of_it(
    back: tuple[Identity, ...], words: str, do: str, threshold: int, young: bool
) -> None:
    health = read_health({"id": "j", "schedule": {"state": "Active"}, "status": QUARANTINE})
    held = ahead((ALICE,), threshold, back, young=young)
    said = held.sentence("Fabrikam")
    assert f"{DELETES} 2 people in Fabrikam: bob, carol. Assigned by now: alice; they stay" in said
    assert f". With the next `pulumi up`, if that comes before the next cycle, {words}" in said
    outside = Outside(new=["bob"], ids=["id-bob"], new_ids=["id-bob"])
    assert judged(health, held, outside).remedy.endswith(do)


def test_whom_a_change_condemns_beside_those_whom_the_next_cycle_deletes_already_is_told() -> None:
    said = ahead((ALICE, BOB), 3, (ALICE,)).sentence("Fabrikam")
    assert f"{DELETES} 1 person in Fabrikam: carol" in said
    assert "if that comes before the next cycle, it DELETES 2 people: bob, carol. Not named here: whoever" in said
    held = ahead((ALICE, BOB), 2, ()).sentence("Fabrikam")
    assert "if that comes before the next cycle, it holds back 3 people: alice, bob, carol. Not" in held


def test_what_a_change_leaves_as_it_is_is_not_told() -> None:
    for nothing in (ahead((ALICE,), 3, (ALICE,)), ahead((ALICE,), 3)):
        assert nothing == among(ALL, (ALICE,), 3, young=False)
    assert len(ahead((ALICE,), 3, ALL, ALL).then) == 1
    assert [one.change for one in ahead((ALICE,), 3, (ALICE, BOB), ALL).then] == [BY_UP, BY_REFRESH]


def test_of_several_changes_that_counts_which_lets_people_go_else_what_cannot_be_seen_else_most() -> None:
    lets_go = ahead((), 3, (ALICE,), ALL)
    assert f"With the next `pulumi up` f{FEWER}: {DELETES} 2 people in Fabrikam: bob, carol" in (
        lets_go.sentence("Fabrikam")
    )
    assert ahead((), 3, (ALICE,), None).change == BY_UP
    assert ahead((), 3, (), None).assigned is None
    assert ahead(None, 2, ()).assigned is None
    assert ahead((), 3, (), ALL).change == BY_REFRESH
    assert ahead((), 3, (), ()).change == ""


def test_of_changes_that_condemn_different_people_each_is_told() -> None:
    said = ahead(ALL, 500, (ALICE, BOB), (BOB, CAROL)).sentence("Fabrikam")
    assert said.startswith(f"The threshold was raised since. With the next `pulumi up`: {DELETES} 1 person in Fabrikam")
    assert "--refresh`, if that comes before the next cycle, it DELETES 1 person: alice. Not" in said
    assert ahead(ALL, 500, ALL, (BOB, CAROL)).change == BY_REFRESH
    young = ahead(ALL, 5, (ALICE, BOB), young=True).sentence("Fabrikam")
    assert f"With the next `pulumi up`, unless the log, which is some minutes late, lacks others: {DELETES} 1" in young


def test_a_change_that_cannot_be_seen_is_told_where_the_next_cycle_deletes_already() -> None:
    held = ahead((ALICE,), 3, None)
    assert (
        "if that comes before the next cycle, who of them is in scope then cannot be seen here; where fewer than the "
        "deletion threshold stay out, the next cycle deletes those without asking. Not"
    ) in held.sentence("Fabrikam")
    raised = ahead((ALICE,), 500, None).sentence("Fabrikam")
    assert "it DELETES whoever is out of scope then of 3 people: alice, bob, carol. Not" in raised
    health = read_health({"id": "j", "schedule": {"state": "Active"}, "status": QUARANTINE})
    assert judged(health, held, None).remedy.startswith(PUT_BACK_FIRST)


def test_who_may_be_taken_out_is_put_in_the_stack_file_first_and_nobody_is_sent_to_up() -> None:
    health = read_health({"id": "j", "schedule": {"state": "Active"}, "status": QUARANTINE})
    said = judged(health, ahead((ALICE, BOB), 3, (ALICE,)), Outside(may_leave=["id-bob"])).remedy
    assert said == f"{PUT_BACK_FIRST}{PUT_BACK}"


ANY_THEN = "where fewer than the deletion threshold stay out, the next cycle deletes those without asking"


def condemned(outcomes: list[Back], threshold: int | None, young: bool) -> set[str]:
    """Names of those whom the next cycle deletes by any of several outcomes that can be seen."""
    verdicts = [among(ALL, back, threshold, young=young) for back in outcomes if back is not None]
    return {one.name for held in verdicts if held.let_go for one in held.outside}


def named_in(said: str) -> set[str]:
    """The names that are said to be deleted."""
    return {name for names in re.findall(r"DELETES [^:]*: ([^.;]*)", said) for name in names.split(", ")}


SUBSETS = [tuple(one) for size in range(4) for one in combinations(ALL, size)]


@pytest.mark.parametrize(
    ("threshold", "young"), [(1, False), (2, False), (3, False), (4, False), (4, True), (None, False)]
)
def test_whoever_is_deleted_as_it_is_or_by_any_change_is_named(threshold: int | None, young: bool) -> None:
    for now, up, refresh in product([None, *SUBSETS], repeat=3):
        said = ahead(now, threshold, up, refresh, young=young).sentence("Fabrikam")
        assert condemned([now, up, refresh], threshold, young) <= named_in(said), (now, up, refresh, said)
        if None in (now, up, refresh):
            assert named_in(said) == {"alice", "bob", "carol"} or ANY_THEN in said, (now, up, refresh, said)


def parts(several: tuple[Identity, ...]) -> list[tuple[Identity, ...]]:
    return [tuple(one) for size in range(len(several) + 1) for one in combinations(several, size)]


@pytest.mark.parametrize(
    ("threshold", "young"), [(1, False), (2, False), (3, False), (4, False), (4, True), (None, False)]
)
def test_whoever_is_deleted_where_any_part_of_those_leaves_who_may_is_named(threshold: int | None, young: bool) -> None:
    for now, most, other in product([None, *SUBSETS], [None, *SUBSETS], SUBSETS):
        for least in parts(ALL if most is None else most):
            held = may_leave(now, threshold, (most, least), (other, other), young=young)
            said = held.sentence("Fabrikam")
            # Whoever nothing puts in scope may stay in it, or leave it.
            between = [one for one in SUBSETS if {*least} <= {*one} <= {*(ALL if most is None else most)}]
            assert condemned([now, other, *between], threshold, young) <= named_in(said), (now, most, least, said)


def test_where_a_part_of_those_may_leave_it_is_said_that_so_few_are_deleted() -> None:
    """Two may leave, and the threshold is 2: either of them alone is deleted."""
    said = may_leave(ALL, 2, (ALL, (CAROL,))).sentence("Fabrikam")
    assert said.startswith(
        f"With the next `pulumi up`{TAKES_OUT}, and fewer of those held back stay out of scope than the deletion "
        f"threshold, which is 2: {DELETES} whoever is out of scope then of 2 people in Fabrikam: alice, bob. In scope"
    )
    deletes = may_leave((ALICE, BOB), 2, ((ALICE, BOB), ())).sentence("Fabrikam")
    assert "it holds back whoever is out of scope then of 3 people: alice, bob, carol. Not" in deletes
    also = may_leave((ALICE, BOB), 3, ((ALICE, BOB), ())).sentence("Fabrikam")
    assert (
        "whoever is out of scope then of 3 people, as far as the deletion threshold lets it: alice, bob, carol."
    ) in also


def test_who_leaves_alone_if_anybody_does_is_told_plainly() -> None:
    said = may_leave(ALL, 2, (ALL, (BOB, CAROL))).sentence("Fabrikam")
    assert f"{DELETES} 1 person in Fabrikam: alice. In scope" in said


def test_where_what_is_so_now_cannot_be_seen_and_a_change_condemns_somebody_both_are_told() -> None:
    said = ahead(None, 3, (ALICE,)).sentence("Fabrikam")
    assert f"{DELETES} 2 people in Fabrikam: bob, carol" in said
    assert f"{UNSEEN}; where fewer than the deletion threshold stay out, the next cycle deletes those" in said


def test_what_of_a_change_cannot_be_seen_is_said_and_puts_back_first() -> None:
    health = read_health({"id": "j", "schedule": {"state": "Active"}, "status": QUARANTINE})
    for held in (ahead((), 3, None), ahead((), 3, (ALICE,), None)):
        assert "cannot be seen here" in held.sentence("Fabrikam")
        assert judged(health, held, Outside(new=["alice"])).remedy == f"{PUT_BACK_FIRST}Then {ASSIGN_NEW}"


@pytest.mark.parametrize("threshold", [3, 500, None])
def test_where_what_is_so_now_cannot_be_seen_nobody_is_sent_to_an_up_before_whoever_is_to_stay_is_configured(
    threshold: int | None,
) -> None:
    """Filters, a group that cannot be read, a log that is late: an `up` may leave fewer of them out of scope."""
    health = read_health({"id": "j", "schedule": {"state": "Active"}, "status": QUARANTINE})
    new = Outside(new=["alice"], ids=["id-alice"], new_ids=["id-alice"])
    for held in (ahead(None, threshold, None, None), HeldBack(unknown="the log is late", change=BY_UP)):
        assert judged(health, held, new).remedy == f"{PUT_BACK_FIRST}Then {ASSIGN_NEW}"
        assert judged(health, held, Outside()).remedy == (held.advice or health.remedy)


def test_the_threshold_is_said_to_hold_back_only_where_it_may() -> None:
    for threshold in (None, 500):
        said = may_leave((ALICE, BOB), threshold, ((ALICE, BOB), ())).sentence("Fabrikam")
        assert "it DELETES whoever is out of scope then of 3 people: alice, bob, carol" in said


def test_who_is_back_is_told_where_a_change_may_take_all_of_them_out() -> None:
    assert ahead(ALL, 2, ()) == among(ALL, ALL, 2, young=False)
