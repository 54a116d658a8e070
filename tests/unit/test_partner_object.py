"""The rules of the shared partner object, as properties that hold for every object."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtsync_resources.partner_policy.model import (
    COMPLEX_VALUES,
    CONSENT,
    TRUST,
    Baseline,
    changes,
    describe,
    foreign_settings,
    leaf,
    live_values,
    lost,
    members_of_others,
    settings_of,
    with_values,
    without,
    without_annotations,
)
from xtsync_resources.partner_policy.open_doors import changes_of_doors, lets

FLAG = st.sampled_from([True, False, None])
PARTNER = st.fixed_dictionaries(
    {"tenantId": st.just("t")},
    optional={
        **{
            name: st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(members, FLAG))
            for name, members in COMPLEX_VALUES.items()
        },
        "b2bCollaborationInbound": st.none() | st.just({"applications": {"accessType": "blocked"}}),
        "isServiceProvider": FLAG,
    },
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        name: st.dictionaries(st.sampled_from(members), FLAG, min_size=1) for name, members in COMPLEX_VALUES.items()
    },
)


def applied(partner: dict[str, Any], body: dict[str, Any], *, merges: bool) -> dict[str, Any]:
    """What a server makes of a PATCH: complex values merged, or replaced."""
    result = dict(partner)
    for name, value in body.items():
        result[name] = {**(partner.get(name) or {}), **value} if merges and value is not None else value
    return result


def leaves(partner: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(name, m): leaf(partner, name, m) for name, members in COMPLEX_VALUES.items() for m in members}


@given(PARTNER, VALUES, st.booleans())
def test_changes_make_it_so_and_name_what_they_do_not_touch(partner: dict[str, Any], wanted: Any, merges: bool) -> None:
    body = changes(partner, wanted)
    after = applied(partner, body, merges=merges)
    gone = lost(members_of_others(partner, body), after)
    assert gone == {} or not merges
    ours = {(name, m): value for name, members in wanted.items() for m, value in members.items()}
    assert leaves(with_values(after, gone)) == leaves(partner) | ours
    assert {k: v for k, v in after.items() if k not in COMPLEX_VALUES} == {
        k: v for k, v in partner.items() if k not in COMPLEX_VALUES
    }
    assert changes(after, wanted) == {}
    assert all(set(members) <= set(wanted[name]) for name, members in body.items())


@given(PARTNER, VALUES)
def test_former_values_come_back(partner: dict[str, Any], wanted: Any) -> None:
    former = live_values(partner, wanted)
    after = applied(partner, changes(partner, wanted), merges=True)
    back = applied(after, changes(after, former), merges=True)
    assert leaves(back) == leaves(partner)


@given(PARTNER, VALUES)
def test_without_sets_only_the_managed_fields_to_inherit(partner: dict[str, Any], managed: Any) -> None:
    ours = {(name, m): None for name, members in managed.items() for m in members}
    assert leaves(without(partner, managed)) == leaves(partner) | ours


@given(PARTNER, VALUES)
def test_our_own_writes_are_not_foreign(created: dict[str, Any], managed: Any) -> None:
    after = with_values(created, changes(created, managed))
    assert foreign_settings(without(after, managed), managed, created) == {}


def test_null_is_not_false() -> None:
    partner = {CONSENT: {"inboundAllowed": None}}
    assert changes(partner, {CONSENT: {"inboundAllowed": False}})[CONSENT]["inboundAllowed"] is False
    assert changes({CONSENT: {"inboundAllowed": False}}, {CONSENT: {"inboundAllowed": None}}) == {
        CONSENT: {"inboundAllowed": None}
    }
    assert settings_of(partner) == {}
    assert settings_of({CONSENT: {"inboundAllowed": False}}) == {CONSENT: {"inboundAllowed": False}}


@pytest.mark.parametrize("nothing", [None, False, "", [], {}, {"isAllowed": False}, {"a": [], "b": {"c": None}}])
def test_members_that_graph_may_add_say_nothing_until_somebody_sets_them(nothing: Any) -> None:
    created = {"tenantId": "t", CONSENT: {"inboundAllowed": True}}
    live = {
        **created,
        CONSENT: {"inboundAllowed": None, "newFlag": nothing},
        TRUST: {"isNewTrusted": nothing},
        "new": nothing,
    }
    managed = {CONSENT: {"inboundAllowed": True}}
    assert settings_of(live) == foreign_settings(live, managed, created) == {}
    opposite = {**live, CONSENT: {"outboundAllowed": True, "newFlag": nothing}}
    assert Baseline(opposite, None).looks_like_opposite_direction("target")


@pytest.mark.parametrize("something", [True, "blocked", 1, ["x"], {"isAllowed": True}, {"a": [{"b": "c"}]}])
@pytest.mark.parametrize("where", [(CONSENT, "newFlag"), (TRUST, "isNewTrusted"), ("new", "member")])
def test_members_that_somebody_has_set_say_something(where: tuple[str, str], something: Any) -> None:
    name, member = where
    created = {"tenantId": "t", CONSENT: {"inboundAllowed": True}}
    live = with_values(without(created, {CONSENT: {"inboundAllowed": True}}), {name: {member: something}})
    assert settings_of(live) == {name: {member: something}}
    assert set(foreign_settings(live, {CONSENT: {"inboundAllowed": True}}, created)) == {name}
    opposite = with_values(live, {CONSENT: {"outboundAllowed": True}})
    assert not Baseline(opposite, None).looks_like_opposite_direction("target")


def test_foreign_settings_are_what_came_later() -> None:
    created = {"tenantId": "t", CONSENT: {"inboundAllowed": True}, "b2bDirectConnectInbound": {"a": 1}}
    live = {**created, TRUST: {"isMfaAccepted": False}}
    managed = {CONSENT: {"inboundAllowed": True}}
    emptied = without(live, managed)
    assert set(foreign_settings(emptied, managed, created)) == {TRUST}
    assert set(foreign_settings(emptied, managed, {})) == {TRUST, "b2bDirectConnectInbound"}


@pytest.mark.parametrize(
    ("side", "partner", "opposite"),
    [
        ("source", None, False),
        ("source", {CONSENT: {"inboundAllowed": True}}, True),
        ("source", {CONSENT: {"inboundAllowed": True}, TRUST: {"isMfaAccepted": True}}, True),
        ("source", {CONSENT: {"outboundAllowed": True}}, False),
        ("source", {CONSENT: {"inboundAllowed": True, "outboundAllowed": False}}, False),
        ("target", {CONSENT: {"outboundAllowed": True}}, True),
        ("target", {CONSENT: {"outboundAllowed": True}, TRUST: {"isMfaAccepted": True}}, False),
        ("target", {CONSENT: {"outboundAllowed": True}, "b2bCollaborationInbound": {"a": 1}}, False),
        ("target", {CONSENT: {"outboundAllowed": None}}, False),
    ],
)
def test_what_the_opposite_direction_looks_like(side: str, partner: Any, opposite: bool) -> None:
    assert Baseline(partner, None).looks_like_opposite_direction(side) is opposite
    assert Baseline(partner, None).may_be_joined(side) is opposite
    assert Baseline(partner, {"displayName": "d"}).may_be_joined(side) is (opposite and side == "source")


@given(st.none() | PARTNER, st.none() | st.just({"displayName": None}))
def test_a_baseline_survives_its_text(partner: Any, sync: Any) -> None:
    assert Baseline.parse(Baseline(partner, sync).text()) == Baseline(partner, sync)


def test_annotations_and_descriptions() -> None:
    assert without_annotations({"@odata.context": "x", "a": None}) == {"a": None}
    before, after = {"a": {"x": None, "y": True}}, {"a": {"x": False, "y": True}}
    assert describe(before, after) == ["a.x: null -> false"]


B2B = "b2bCollaborationInbound"
EVERYBODY = {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]}
ALL_IN = {B2B: {"usersAndGroups": EVERYBODY}}
NOBODY = {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]}


@pytest.mark.parametrize(
    ("before", "after", "opened", "closed"),
    [
        ({}, {"inboundTrust": {"isMfaAccepted": True}}, ["multifactor authentication in the partner counts"], []),
        ({"inboundTrust": {"isMfaAccepted": True}}, {"inboundTrust": {"isMfaAccepted": True}}, [], []),
        (
            {"inboundTrust": {"isMfaAccepted": True}},
            {"inboundTrust": {"isMfaAccepted": False}},
            [],
            ["multifactor authentication in the partner counts"],
        ),
        ({}, {B2B: {"usersAndGroups": EVERYBODY}}, ["everyone may come in as guests"], []),
        (
            {B2B: {"usersAndGroups": EVERYBODY}},
            {B2B: {"usersAndGroups": NOBODY}},
            [],
            ["everyone may come in as guests"],
        ),
        ({}, {"userSyncInbound": {"isSyncAllowed": True}}, ["the partner may synchronize people into it"], []),
        ({}, {"userSyncInbound": {"isSyncAllowed": False}}, [], []),
    ],
)
def test_what_opens_and_closes_is_said(before: Any, after: Any, opened: list[str], closed: list[str]) -> None:
    found = changes_of_doors(before, after)
    assert [[text.partition(" (")[0] for text in texts] for texts in found] == [opened, closed]


def b2b(access: str, *named: str) -> dict[str, Any]:
    return {"accessType": access, "targets": [{"target": one, "targetType": "user"} for one in named]}


ALL_PEOPLE, NOT_A, NOT_AB = b2b("allowed", "AllUsers"), b2b("blocked", "a"), b2b("blocked", "a", "b")
JUST_A, JUST_B, A_AND_B = b2b("allowed", "a"), b2b("allowed", "b"), b2b("allowed", "a", "B")
A_AS_GROUP = {"accessType": "allowed", "targets": [{"target": "a", "targetType": "group"}]}
ONE, TWO = "those it names (1) may come in as guests", "those it names (2) may come in as guests"
ALL_BUT_ONE, ALL_BUT_TWO = (f"everyone but those it names ({number}) may come in as guests" for number in (1, 2))
THEN_ONE, DEFAULT = (
    ", then only those it will name (1)",
    "whoever the tenant's default lets through may come in as guests",
)


@pytest.mark.parametrize(
    ("before", "after", "opened", "closed"),
    [
        (ALL_PEOPLE, JUST_A, "", f"everyone may come in as guests{THEN_ONE}"),
        (JUST_A, ALL_PEOPLE, "everyone may come in as guests", ""),
        (A_AND_B, JUST_A, "", f"{TWO}{THEN_ONE}"),
        (JUST_A, A_AND_B, TWO, ""),
        (JUST_A, JUST_B, ONE, f"{ONE}{THEN_ONE}"),
        (JUST_A, A_AS_GROUP, ONE, f"{ONE}{THEN_ONE}"),
        (JUST_A, NOBODY, "", ONE),
        (NOBODY, JUST_A, ONE, ""),
        (ALL_PEOPLE, NOT_A, "", "everyone may come in as guests, then everyone but those it will name (1)"),
        (NOT_A, ALL_PEOPLE, "everyone may come in as guests", ""),
        (NOT_A, NOT_AB, "", f"{ALL_BUT_ONE}, then everyone but those it will name (2)"),
        (NOT_AB, NOT_A, ALL_BUT_ONE, ""),
        # A group that is let through may have a person who was kept out.
        (NOT_AB, JUST_B, ONE, f"{ALL_BUT_TWO}{THEN_ONE}"),
        (NOT_A, JUST_B, ONE, f"{ALL_BUT_ONE}{THEN_ONE}"),
        (JUST_B, NOT_A, ALL_BUT_ONE, f"{ONE}, then everyone but those it will name (1)"),
        # The default was not read: whatever may open is said to, and whatever may close.
        (None, JUST_A, ONE, f"{DEFAULT}{THEN_ONE}"),
        (None, ALL_PEOPLE, "everyone may come in as guests", ""),
        (None, NOBODY, "", DEFAULT),
        (JUST_A, None, DEFAULT, ""),
        (NOBODY, None, DEFAULT, ""),
        (ALL_PEOPLE, None, "", "everyone may come in as guests"),
        ("not known", JUST_A, ONE, f"{DEFAULT}{THEN_ONE}"),
        (JUST_A, "not known", DEFAULT, ""),
        (b2b("allowed", "allusers", "a"), ALL_PEOPLE, "", ""),
    ],
)
def test_what_lets_more_through_opens_and_what_lets_less_through_closes(
    before: Any, after: Any, opened: str, closed: str
) -> None:
    found = changes_of_doors({B2B: {"usersAndGroups": before}}, {B2B: {"usersAndGroups": after}})
    assert ["; ".join(texts) for texts in found] == [text and f"{text} ({B2B})" for text in (opened, closed)]


@pytest.mark.parametrize(
    ("before", "after", "opens", "closes"),
    [
        (None, True, True, False),
        (False, True, True, False),
        (True, False, False, True),
        (True, None, False, True),
        (None, False, False, False),
        (False, "not known", True, False),
        (True, "not known", True, False),
    ],
)
def test_a_switch_opens_or_closes(before: Any, after: Any, opens: bool, closes: bool) -> None:
    found = changes_of_doors({"inboundTrust": {"isMfaAccepted": before}}, {"inboundTrust": {"isMfaAccepted": after}})
    assert [bool(texts) for texts in found] == [opens, closes]


def test_people_and_applications_are_told_apart() -> None:
    applications = {"accessType": "allowed", "targets": [{"target": "x", "targetType": "application"}]}
    opened, _ = changes_of_doors({}, {B2B: {"usersAndGroups": JUST_A, "applications": applications}})
    assert opened == [f"{ONE} ({B2B})", f"the applications it names (1) may come in as guests ({B2B})"]


def test_every_member_that_may_be_written_has_words() -> None:
    for name, members in COMPLEX_VALUES.items():
        for member in members:
            assert lets(name, member, EVERYBODY if "b2b" in name else True)
