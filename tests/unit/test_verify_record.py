"""What `xtsync verify` makes of answers: where they differ, and nothing of what they say."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, get_args, get_origin, is_typeddict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.graph_fakes import (
    BEGINNING,
    SOURCE,
    SOURCE_ID,
    TARGET,
    TARGET_ID,
    ScriptedTransport,
    answer,
    client_for,
    refusal,
)
from xtsync_resources.config import Settings, Tenant
from xtsync_resources.graph import json_reader
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.graph.errors import NoAnswerError
from xtsync_resources.graph.permissions import POLICY_READ, POLICY_ROLE
from xtsync_resources.graph.shape_walk import REFUSED, Verdict, parts
from xtsync_resources.graph.transport import TransportError
from xtsync_resources.operate.checks import Look
from xtsync_resources.operate.screen import document_of
from xtsync_resources.operate.verify.command import in_words, questions, told
from xtsync_resources.operate.verify.facts import OURS, Heard, facts, writing
from xtsync_resources.operate.verify.known import NOT_READ, SETTING_KEYS, WORDS_OF, is_identifier, is_known
from xtsync_resources.operate.verify.reads import (
    Planned,
    clock_skew,
    compared,
    of_application,
    of_configuration,
    of_policies,
    read,
    read_tenant,
)
from xtsync_resources.operate.verify.record import FURTHER, MOST_NAMES, UNSHOWN, Outcome, Read, What, compare
from xtsync_resources.partner_policy.graph_types import PartnerPolicy
from xtsync_resources.sync_job.graph_types import Job
from xtsync_resources.sync_job.quarantine import REASONS
from xtsync_resources.sync_schema.graph_types import Schema
from xtsync_resources.untrusted import json_text

PRINCIPAL, JOB = "33333333-3333-4333-8333-333333333333", "Azure2Azure.1111.2222"
OUTPUTS = {"servicePrincipalId": PRINCIPAL, "jobId": JOB}


def look(side: str = "source", *replies: Any, outputs: Any = None, **given_settings: Any) -> Look:
    source, target = Tenant(SOURCE_ID, "Contoso", side="source"), Tenant(TARGET_ID, "Fabrikam", side="target")
    client, _ = client_for(ScriptedTransport(*replies), SOURCE if side == "source" else TARGET)
    settings = Settings(source, target, CLOUDS["public"], "x", users=("a@contoso.com",), **given_settings)
    return Look(settings, side, client, OUTPUTS if outputs is None else outputs)


PLANNED = [*of_policies(look(sync_groups=True)), *of_configuration(look())]
APPLICATION = next(
    of_application([Heard(Read("source", "service principal", "", "", Outcome.EXPECTED), {"appId": "x"})])
)
SHAPES = [planned.call.answer for planned in (*PLANNED, APPLICATION)]
OWNERS = {owner for owner, _ in WORDS_OF} | set(NOT_READ)


# --- hostile answers -------------------------------------------------------------------------------------------

CANARY = "canary"
# Whatever is an id, an address, a sentence or a secret holds the canary or is made of signs that no identifier has.
SECRETS = st.sampled_from(
    [
        f"{CANARY}@contoso.com",
        f"{CANARY} of Contoso",
        f"{CANARY}.onmicrosoft.com",
        f"{CANARY}\n::error::",
        f"\x1b[31m{CANARY}",
        f"<{{%reset%}}>{CANARY}",
        f"a5c2f7d0-3b6e-4c1a-9d52-{CANARY}",
        f"a5c2f7d03b6e4c1a9d52{CANARY}",
        f"+49123456789{CANARY}",
        f"{CANARY}@odata.contoso",
        f"@odata.{CANARY}",
        f"{CANARY}/../..",
        f"{CANARY}{'x' * 80}",
        f"кот{CANARY}",
    ]
)
NAMED = sorted({name for owner in OWNERS for name in json_reader.members_of(owner)} | {"value", "somethingNew"})
LEAVES = (
    st.none() | st.booleans() | st.integers(0, 9) | SECRETS | st.text(max_size=8).map(lambda text: text + CANARY + " ")
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMED) | SECRETS, inner, max_size=6),
    max_leaves=30,
)


def shaped(shape: Any) -> st.SearchStrategy[Any]:
    """Answers that are of a shape for the most part: deep enough for all of it, with strange values and more names."""
    if is_typeddict(shape):
        named = {name: shaped(inner) for name, inner in json_reader.members_of(shape).items()}
        members = st.fixed_dictionaries({}, optional=named)
        return (
            st.builds(lambda one, more: {**more, **one}, members, st.dictionaries(SECRETS, LEAVES, max_size=2)) | LEAVES
        )
    inner = get_args(shape)
    if get_origin(shape) is list:
        return st.lists(shaped(inner[0]), max_size=2) | LEAVES
    if type(None) in inner:
        return shaped(inner[0]) | st.none()
    return VALUES if shape in (Any, dict) else LEAVES


ANSWERS = st.one_of([st.tuples(st.just(shape), shaped(shape) | VALUES) for shape in SHAPES])


def recorded(shape: Any, found: Any) -> tuple[Any, list[Any]]:
    """What is recorded of an answer to each read of its shape."""
    heard = []
    for planned in (*PLANNED, APPLICATION):
        if planned.call.answer is shape:
            one = compared("source", planned, found)
            usable = isinstance(found, dict) and not any(
                each.what in (What.MISSING_MEMBER, What.ANOTHER_KIND) for each in one.differences
            )
            heard.append(Heard(one, found if usable else None))
    return document_of([one.read for one in heard]), document_of(facts(heard))


@given(ANSWERS)
def test_nothing_of_a_hostile_answer_is_in_the_record(both: tuple[Any, Any]) -> None:
    reads, seen = recorded(*both)
    assert reads
    text = json_text([reads, seen])
    assert CANARY not in text
    assert "a5c2f7d0" not in text
    assert text.isascii()
    paths = [one["path"] for read in reads for kind in ("members", "differences") for one in read[kind]]
    segments = {
        segment for path in paths for segment in re.split(r"[.]|(?=\[\])", re.sub(r"@odata\.", "@odata-", path))
    }
    shown = {segment.replace("@odata-", "@odata.") for segment in segments} - {"[]", "(the answer)", UNSHOWN, FURTHER}
    assert all(is_identifier(one) for one in shown)
    values = {value for read in reads for one in read["members"] for value in one["values"]}
    assert values <= {word for words in WORDS_OF.values() for word in words.known}


@given(ANSWERS)
def test_the_screen_says_as_little(both: tuple[Any, Any]) -> None:
    shape, found = both
    planned = next(one for one in (*PLANNED, APPLICATION) if one.call.answer is shape)
    one = compared("source", planned, found)
    assert not [text for text in told(one) if CANARY in text]
    assert not [text for text in map(in_words, one.differences) if CANARY in text]
    assert questions(facts([Heard(one)])).row_count


@given(ANSWERS)
@example((Job, {"id": "..", "schedule": {"state": "Active"}}))
def test_the_walk_refuses_what_the_reader_refuses(both: tuple[Any, Any]) -> None:
    shape, found = both
    refused = [part for part in parts(found, shape) if part.verdict in REFUSED]
    with contextlib.ExitStack() as stack:
        if refused:
            stack.enter_context(pytest.raises(json_reader.ShapeError))
        json_reader.check(found, shape, "answer")


@given(st.uuids(), st.emails(), st.text())
def test_ids_and_addresses_are_no_identifiers(uuid: Any, mail: str, text: str) -> None:
    assert not is_identifier(str(uuid))
    assert not is_identifier(f"x{uuid.hex}")
    assert not is_identifier(mail)
    assert not is_identifier(text) or re.fullmatch(r"[A-Za-z0-9@._-]+", text)


@pytest.mark.parametrize(
    "name", ["b2bCollaborationInbound", "@odata.context", "value@odata.nextLink", "request-id", "x"]
)
def test_names_that_graph_documents_are_identifiers(name: str) -> None:
    assert is_identifier(name)


@pytest.mark.parametrize("name", ["", "1a", "contoso.com", "a b", "ünlaut", "a" * 65, "tel49123456789", "@", "a@b"])
def test_other_names_are_none(name: str) -> None:
    assert not is_identifier(name)


def test_a_secret_is_no_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XTSYNC_SOURCE_CLIENT_SECRET", "correcthorse")
    assert not is_identifier("correcthorse")


def test_names_without_end_are_cut_short() -> None:
    found = compare({"tenantId": "x", **{f"new{letter}": 1 for letter in map(str, range(500))}}, PartnerPolicy)
    assert len(found.differences) == MOST_NAMES + 1
    assert found.differences[-1].path == FURTHER
    assert found.differences[-1].count == 500 - MOST_NAMES


# --- what differs ----------------------------------------------------------------------------------------------


def test_differences_are_counted_by_place() -> None:
    mappings = [{"flowType": "Sometimes"}, {"flowType": "Always", "matchingPriority": "1"}, {"flowType": "Never"}]
    rule = {"objectMappings": [{"flowTypes": "add, Explode", "attributeMappings": mappings, "colour": 1}]}
    found = compare({"synchronizationRules": [rule], "@odata.context": "x", "version": "1"}, Schema)
    at = "synchronizationRules[].objectMappings[]"
    assert [(one.what, one.path, one.count) for one in found.differences] == [
        (What.UNKNOWN_VALUE, f"{at}.flowTypes", 1),
        (What.UNKNOWN_VALUE, f"{at}.attributeMappings[].flowType", 2),
        (What.ANOTHER_KIND, f"{at}.attributeMappings[].matchingPriority", 1),
        (What.UNKNOWN_MEMBER, f"{at}.colour", 1),
    ]
    assert "directories" in found.left_out
    (missing,) = compare({"version": "1"}, Schema).differences
    assert (missing.what, missing.path) == (What.MISSING_MEMBER, "synchronizationRules")
    members = {one.path: one for one in found.members}
    assert members[f"{at}.attributeMappings[].flowType"].kinds == {"a text": 3}
    assert members[f"{at}.flowTypes"].values == {"Add": 1}
    assert members["version"].kinds == {"a text": 1}


def test_an_answer_that_is_no_object() -> None:
    (one,) = compare([], Job).differences
    assert (one.path, one.expected, one.found) == ("(the answer)", "an object", "a list")


def test_a_quarantine_is_known_in_any_case() -> None:
    schedule = {"state": "Active"}
    for reason in ("toomanydeletes", *(one.name for one in REASONS)):
        job = {"id": "x", "schedule": schedule, "status": {"code": "Quarantine", "quarantine": {"reason": reason}}}
        assert not compare(job, Job).differences


def test_what_is_known_beside_the_shapes_is_not_in_them() -> None:
    reached = {part.owner for shape in SHAPES for part in parts(filled(shape), shape)}
    assert set(NOT_READ) | {owner for owner, _ in WORDS_OF} <= reached
    for owner, name in WORDS_OF:
        assert name in json_reader.members_of(owner)
    assert is_known(PartnerPolicy, "tenantRestrictions")
    assert set(OURS) <= SETTING_KEYS


def filled(shape: Any) -> Any:
    """An answer with everything that its shape names."""
    inner = get_args(shape)
    if is_typeddict(shape):
        return {name: filled(one) for name, one in json_reader.members_of(shape).items()}
    if get_origin(shape) is list:
        return [filled(inner[0])]
    if type(None) in inner:
        return filled(inner[0])
    return {str: "x", bool: True, int: 1, json_reader.Id: "x"}.get(shape)


def test_every_verdict_is_reached() -> None:
    found = {"tenantId": 1, "isServiceProvider": None, "other": 1}
    verdicts = {part.verdict for part in parts(found, PartnerPolicy)} | {
        part.verdict for part in parts({}, PartnerPolicy)
    }
    assert verdicts == set(Verdict)


# --- reading ---------------------------------------------------------------------------------------------------


def test_it_only_reads_and_says_no_id_of_a_request() -> None:
    for planned in (*PLANNED, APPLICATION):
        assert planned.call.method == "GET"
        assert is_typeddict(planned.call.answer)
        assert not [one for one in (SOURCE_ID, TARGET_ID, PRINCIPAL, JOB) if one in planned.request]


def test_only_what_is_there_is_read() -> None:
    assert not [*of_configuration(look("target"))]
    assert not [*of_configuration(look(outputs={}))]
    without_job = [planned.name for planned in of_configuration(look(outputs={"servicePrincipalId": PRINCIPAL}))]
    assert without_job == ["service principal", "jobs", "secrets", "template schema", "assignments"]
    assert not [*of_application([])]


def partner_read(*replies: Any) -> Read:
    where = look("target", *replies)
    return read(where, next(of_policies(where))).read


def test_what_an_error_answer_means() -> None:
    assert partner_read(refusal(404, "Request_ResourceNotFound")).outcome is Outcome.GONE
    forbidden = partner_read(refusal(403, "Authorization_RequestDenied"))
    assert (forbidden.outcome, forbidden.permission, forbidden.role) == (Outcome.NOT_READ, POLICY_READ, POLICY_ROLE)
    assert told(forbidden)[1] == f"Do: give the sign-in {POLICY_READ}, or the person the role {POLICY_ROLE}"
    stale = partner_read(refusal(401, "InvalidAuthenticationToken"), refusal(401, "InvalidAuthenticationToken"))
    assert (stale.outcome, stale.permission, stale.status) == (Outcome.NOT_READ, "", 401)
    other = partner_read(refusal(400, "carol of Contoso"))
    assert (other.outcome, other.error_code) == (Outcome.NOT_READ, UNSHOWN)


def test_a_tenant_that_cannot_be_reached_is_left() -> None:
    replies = [TransportError("Failed to resolve", unsent=True)] * 500
    (one,) = read_tenant(look("target", *replies), lambda _: None)
    assert (one.read.outcome, one.read.status) == (Outcome.NOT_READ, None)
    assert one.answer is None


def test_a_read_without_an_answer_ends_only_itself() -> None:
    where = look("target", *[TransportError("reset by peer", unsent=False)] * 500)
    with pytest.raises(NoAnswerError):
        read(where, next(of_policies(where)))


@pytest.mark.parametrize(("date", "skew"), [(None, None), ("yesterday", None), (format_datetime(BEGINNING), 90)])
def test_the_clock(date: str | None, skew: int | None) -> None:
    assert clock_skew(date, BEGINNING + timedelta(seconds=90)) == skew


def test_an_answer_says_its_status_and_time() -> None:
    when = {"date": format_datetime(datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC), usegmt=True)}
    found = partner_read(replace(answer(200, {"tenantId": SOURCE_ID}), headers=when))
    assert (found.status, found.clock_skew_seconds, found.outcome) == (200, -30, Outcome.EXPECTED)


# --- open questions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("*", "masked"),
        ("****", "masked"),
        ("", "an empty text"),
        ("x", "in clear"),
        (None, "null"),
        (True, "true or false"),
    ],
)
def test_how_a_setting_is_written(value: Any, words: str) -> None:
    assert writing(value) == words


def test_notification_settings_are_told_by_their_members() -> None:
    text = json.dumps({"Enabled": True, "Recipients": "carol@contoso.com", "carol@contoso.com": 1})
    planned = next(one for one in PLANNED if one.name == "secrets")
    found = {"value": [{"key": "SyncNotificationSettings", "value": text}]}
    seen = {one.name: one.seen for one in facts([Heard(compared("source", planned, found), found)])}
    assert seen["notificationMembers"] == [
        {"member": "Enabled", "kind": "true or false"},
        {"member": "Recipients", "kind": "a text"},
        {"member": UNSHOWN, "kind": "a whole number"},
    ]


@pytest.mark.parametrize(("status", "seen"), [(404, 1), (400, 1), (403, 0), (429, 0), (503, 0)])
def test_an_unset_policy_is_any_error_that_is_about_it(status: int, seen: int) -> None:
    planned = Planned("identity sync policy", "x", PLANNED[0].call)
    one = Read("source", planned.name, "x", "v1.0", Outcome.NOT_READ, status=status)
    assert len(facts([Heard(one)])[1].seen) == seen
