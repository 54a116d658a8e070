"""The settings of the synchronization in every writing that was seen: read alike, no drift, and sent back in full."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtsync_resources.sync_secrets.model import (
    NOTIFICATION,
    addresses,
    adopting,
    deletion_threshold,
    from_graph,
    protection_weakens,
    restored,
    same,
    settings_by_key,
    settings_for,
    sync_all,
    truth,
    whole,
    with_others,
)

TARGET = "d81e4b3c-92f5-4a07-8b6d-2c94e7f0a522"


def told(**members: Any) -> dict[str, str]:
    """The settings with these members of the notification settings."""
    return {NOTIFICATION: json.dumps(members)}


def by_key(**values: Any) -> dict[str, str]:
    """Settings as they are read from an answer."""
    return settings_by_key({"value": [{"key": key, "value": value} for key, value in values.items()]})


@pytest.mark.parametrize(
    ("value", "found"),
    [(True, True), ("true", True), ("True", True), (" TRUE ", True), (False, False), ("False", False), ("false", False),
     ("", None), (None, None), (1, None), ("yes", None), ([], None)],
)  # fmt: skip
def test_true_and_false_in_any_writing(value: Any, found: bool | None) -> None:
    assert truth(value) is found


@pytest.mark.parametrize(
    ("value", "found"),
    [(500, 500), ("500", 500), (" 500 ", 500), (500.0, 500), ("500.0", 500), (0, 0), ("0", 0), (-1, None), (True, None),
     ("many", None), (None, None), ("", None), (1e300, None), ("9" * 19, None), (7.5, None), ("٣", None)],
)  # fmt: skip
def test_whole_numbers_in_any_writing(value: Any, found: int | None) -> None:
    assert whole(value) == found


@pytest.mark.parametrize(
    ("settings", "threshold"),
    [
        ({}, 500),
        (told(), 500),
        ({NOTIFICATION: "not JSON"}, 500),
        (told(Enabled=True), 500),
        (told(DeleteThresholdEnabled=True), 500),
        (told(DeleteThresholdEnabled="True", DeleteThresholdValue="40"), 40),
        (told(DeleteThresholdValue=40), 40),
        (told(DeleteThresholdEnabled=True, DeleteThresholdValue=None), 500),
        (told(DeleteThresholdEnabled=True, DeleteThresholdValue="many"), 500),
        (told(DeleteThresholdEnabled=True, DeleteThresholdValue=0), 0),
        (told(DeleteThresholdEnabled=False, DeleteThresholdValue=40), None),
        (told(DeleteThresholdEnabled="False"), None),
    ],
)
def test_deletions_are_held_back_unless_it_is_said_that_they_are_not(
    settings: dict[str, str], threshold: int | None
) -> None:
    assert deletion_threshold(settings) == threshold


@pytest.mark.parametrize(
    ("value", "found"),
    [("true", True), ("True", True), (True, True), ("false", False), ("False", False), (False, False), (None, False)],
)
def test_everybody_in_any_writing(value: Any, found: bool) -> None:
    assert sync_all(by_key(SyncAll=value)) is found


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"Enabled": True, "Recipients": "a@b.c"}, "a@b.c"),
        ({"Enabled": "True", "Recipients": "a@b.c;d@e.f"}, "a@b.c;d@e.f"),
        ({"Enabled": True, "Recipients": ["a@b.c", "d@e.f"]}, "a@b.c,d@e.f"),
        ({"Recipients": "a@b.c"}, "a@b.c"),
        ({"Enabled": False, "Recipients": "a@b.c"}, ""),
        ({"Enabled": "False", "Recipients": "a@b.c"}, ""),
        ({"Enabled": True}, ""),
        ({"Enabled": True, "Recipients": None}, ""),
    ],
)
def test_who_is_told(members: dict[str, Any], found: str) -> None:
    assert addresses(told(**members)) == found


@pytest.mark.parametrize(
    ("wanted", "live", "is_same"),
    [
        ("a@b.c,d@e.f", "D@e.f; a@b.c", True),
        ("a@b.c,d@e.f", ["d@e.f", "a@b.c"], True),
        ("a@b.c", "a@b.c,d@e.f", False),
        ("a@b.c", None, False),
    ],
)
def test_recipients_are_the_same_in_any_order(wanted: str, live: Any, is_same: bool) -> None:
    assert same("Recipients", wanted, live) is is_same


SPELLED_BOOLEANS = st.sampled_from([lambda one: one, str, lambda one: str(one).lower(), lambda one: str(one).upper()])
SPELLED_NUMBERS = st.sampled_from([lambda one: one, str, float])
SPELLED_RECIPIENTS = st.sampled_from(
    [
        lambda one: one,
        lambda one: one.split(","),
        lambda one: one.replace(",", "; "),
        lambda one: ",".join(reversed(one.split(","))),
    ]
)
WANTED = st.builds(
    settings_for,
    st.just(TARGET),
    st.sampled_from(["", "a@b.c", "a@b.c,d@e.f"]),
    st.sampled_from([0, 1, 40, 500, 501]),
)


@given(WANTED, SPELLED_BOOLEANS, SPELLED_NUMBERS, SPELLED_RECIPIENTS)
def test_the_same_in_another_writing_is_no_drift(wanted: Any, boolean: Any, number: Any, people: Any) -> None:
    def spelled(name: str, value: Any) -> Any:
        if isinstance(value, bool):
            return boolean(value)
        return number(value) if isinstance(value, int) else people(value) if name == "Recipients" else value

    members = {name: spelled(name, value) for name, value in wanted[NOTIFICATION].items()}
    live = by_key(
        CompanyId=TARGET.upper(),
        AuthenticationType="SyncPolicy",
        SyncAll=boolean(False),
        **{NOTIFICATION: json.dumps(members)},
    )
    assert from_graph(wanted, live) == wanted
    assert adopting(live, wanted) == []
    assert not protection_weakens(live, wanted)
    assert from_graph(wanted, with_others(wanted, live)) == wanted


@given(WANTED)
def test_what_the_service_does_by_itself_need_not_be_said(wanted: Any) -> None:
    members = {name: value for name, value in wanted[NOTIFICATION].items() if name in ("Enabled", "Recipients")}
    found = from_graph(wanted, with_others({**wanted, NOTIFICATION: members}, {}))[NOTIFICATION]
    as_by_itself = wanted[NOTIFICATION].get("DeleteThresholdValue") == 500
    assert (found == wanted[NOTIFICATION]) is as_by_itself


def test_drift_shows_as_it_is() -> None:
    wanted = settings_for(TARGET, "a@b.c", 40)
    live = by_key(
        SyncAll="True", CompanyId="x", **told(Enabled="False", DeleteThresholdValue="7", Recipients=["z@b.c"])
    )
    found = from_graph(wanted, live)
    assert (found["SyncAll"], found["CompanyId"]) == ("True", "x")
    members = {"Enabled": "False", "DeleteThresholdValue": "7", "Recipients": ["z@b.c"]}
    assert members.items() <= found[NOTIFICATION].items()


def test_settings_that_were_not_there_are_emptied_in_the_way_the_service_takes() -> None:
    ours = settings_for(TARGET, "", 500)
    sent = restored(ours, {"CompanyId": TARGET, NOTIFICATION: ""}, {"Other": "x", "Empty": "", "Password": "*"})
    nothing = {"AuthenticationType": "", "SyncAll": "", NOTIFICATION: "{}"}
    assert sent == {"CompanyId": TARGET, "Other": "x", **nothing}


def test_keys_of_others_survive() -> None:
    live = by_key(SkipOutOfScopeDeletions=True, Password="*", Domain=None, **told(Enabled=True, Later="x"))
    sent = with_others(settings_for(TARGET, "a@b.c", 500), live)
    assert sent["SkipOutOfScopeDeletions"] == "true"
    assert "Password" not in sent
    assert "Domain" not in sent
    assert json.loads(sent[NOTIFICATION])["Later"] == "x"
