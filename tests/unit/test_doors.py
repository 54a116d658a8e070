"""Who has opened or closed what a tenant lets through, and what is advised then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.advice import is_action
from tests.unit.graph_fakes import SOURCE_ID, TARGET, TARGET_ID, ScriptedTransport, answer, client_for
from xtsync_resources.config import Settings, Tenant
from xtsync_resources.config.b2b_keys import B2B, Setting, UsersAndGroups
from xtsync_resources.graph.clouds import CLOUDS
from xtsync_resources.operate.checks import Level, Look, policies
from xtsync_resources.operate.checks.doors import as_made, left_by_up
from xtsync_resources.operate.checks.drift import MEND
from xtsync_resources.program.stack_state import Recorded
from xtsync_resources.pulumi_runtime.provider import HOME
from xtsync_resources.state import type_token

STAFF, OTHERS = "7c6ad9f7-4d83-4f5b-8f2d-0f6f5cd7d0a1", "7c6ad9f7-4d83-4f5b-8f2d-0f6f5cd7d0a2"
IN = "b2bCollaborationInbound"
CONSENT = {"automaticUserConsentSettings": {"inboundAllowed": True}}
TRUST = {"inboundTrust": {"isMfaAccepted": True}}
ALLOWED: dict[str, Any] = {"isSyncAllowed": True}
ASK = "ask in Fabrikam before who has closed it and why"
NOT_SURE = "where somebody has closed it by hand, ask in Fabrikam before why"
AGAIN, MAYBE = f"{MEND}, and opens that again; {ASK}", f"{MEND}, and opens that; {NOT_SURE}"
CLOSES = f"{MEND}, and closes what somebody has opened by hand"


def people(*ids: str, access: str = "allowed", kind: str = "group") -> dict[str, Any]:
    return {IN: {"usersAndGroups": {"accessType": access, "targets": [{"target": i, "targetType": kind} for i in ids]}}}


EVERYONE, NOBODY = people("AllUsers", kind="user"), people("AllUsers", access="blocked", kind="user")


def by_up(*values: dict[str, Any], sync: dict[str, Any] | None = None) -> list[Recorded]:
    """The state of an `up` that has made the partner policy, and the identity sync policy."""
    merged = {name: members for one in values for name, members in one.items()}
    home = {HOME: TARGET_ID, "tenantId": SOURCE_ID}
    former = json.dumps({name: dict.fromkeys(members) for name, members in merged.items()})
    elsewhere = {**home, "tenantId": "another", **EVERYONE, "former": json.dumps({IN: {"usersAndGroups": None}})}
    return [
        Recorded("other", type_token("PartnerPolicy"), elsewhere),
        Recorded("partner", type_token("PartnerPolicy"), {**home, **merged, "former": former}),
        *([] if sync is None else [Recorded("sync", type_token("IdentitySyncPolicy"), {**home, **sync})]),
    ]


def look(state: Sequence[Recorded], *answers: Any, job: str = "job0", **settings: Any) -> Look:
    pair = Tenant(SOURCE_ID, "Contoso", side="source"), Tenant(TARGET_ID, "Fabrikam", side="target")
    client, _ = client_for(ScriptedTransport(*answers), TARGET)
    outputs = {"jobId": job} if job else {"servicePrincipalId": "sp"}
    return Look(Settings(*pair, cloud=CLOUDS["public"], **settings), "target", client, outputs, state=lambda: state)


MFA = {"inbound_trust": {"isMfaAccepted": True}}
STAFF_ONLY = {"b2b_collaboration": B2B(inbound=Setting(UsersAndGroups("allowed", groups=(STAFF,))))}
OFF = {"automaticUserConsentSettings": {"inboundAllowed": False}}
NOT_TRUSTED = {"inboundTrust": {"isMfaAccepted": False}}
SYNC = {"displayName": "xtsync", "userSyncInbound": ALLOWED}


@pytest.mark.parametrize(
    ("settings", "state", "live", "default", "do"),
    [
        ({}, by_up(CONSENT), OFF, None, AGAIN),
        ({}, by_up(CONSENT), {}, {**OFF}, AGAIN),
        ({}, by_up(CONSENT), {}, {}, MAYBE),
        ({}, by_up(CONSENT), {}, 403, MAYBE),
        ({}, by_up(CONSENT), {}, {**CONSENT}, MEND),
        ({}, [], OFF, None, MAYBE),
        # A refresh has taken over what somebody has closed.
        ({}, by_up(OFF), OFF, None, MAYBE),
        # A key that no `up` has applied yet.
        (MFA, by_up(CONSENT), {**CONSENT, **NOT_TRUSTED}, None, f"{MEND}, and opens that"),
        (MFA, by_up(CONSENT), {**OFF, **NOT_TRUSTED}, None, MAYBE),
        (MFA, by_up(CONSENT, TRUST), {**CONSENT, **NOT_TRUSTED}, None, AGAIN),
        (STAFF_ONLY, by_up(CONSENT, people(STAFF)), {**CONSENT, **EVERYONE}, None, CLOSES),
        (STAFF_ONLY, by_up(CONSENT, people(STAFF)), {**CONSENT, **people(STAFF, OTHERS)}, None, CLOSES),
        (STAFF_ONLY, by_up(CONSENT, people(STAFF)), CONSENT, EVERYONE, CLOSES),
        (STAFF_ONLY, by_up(CONSENT, people(STAFF)), CONSENT, NOBODY, AGAIN),
        (STAFF_ONLY, by_up(CONSENT, people(STAFF)), CONSENT, 403, MAYBE),
        (
            {**STAFF_ONLY, "inbound_trust": {"isMfaAccepted": False}},
            by_up(CONSENT, people(STAFF), NOT_TRUSTED),
            {**CONSENT, **TRUST},
            403,
            f"{CLOSES}, and opens the rest; {NOT_SURE}",
        ),
        (STAFF_ONLY, by_up(CONSENT, people(STAFF)), {**CONSENT, **NOBODY}, None, AGAIN),
        (
            STAFF_ONLY,
            by_up(CONSENT, people(STAFF)),
            {**CONSENT, **people(OTHERS)},
            None,
            f"{CLOSES}, and opens the rest again; {ASK}",
        ),
        (
            STAFF_ONLY,
            by_up(CONSENT, people(STAFF)),
            {**OFF, **EVERYONE},
            None,
            f"{CLOSES}, and opens the rest again; {ASK}",
        ),
        (STAFF_ONLY, [], {**CONSENT, **EVERYONE}, None, f"{MEND}, and closes what goes beyond the stack file"),
        (STAFF_ONLY, by_up(CONSENT), {**CONSENT, **NOBODY}, None, f"{MEND}, and opens that"),
    ],
)
def test_whom_to_ask_is_said_where_somebody_has_closed_and_nobody_is_asked_before_closing(
    settings: dict[str, Any], state: list[Recorded], live: dict[str, Any], default: Any, do: str
) -> None:
    refused = answer(403, {"error": {"code": "Forbidden", "message": "no"}})
    answers = [] if default is None else [refused if default == 403 else answer(200, default)]
    seen = look(state, *answers, **settings)
    (finding,) = policies.drift(seen, seen.operation(), live, SYNC | {"displayName": seen.settings.display_name})
    assert (finding.level, finding.do) == (Level.PROBLEM, do)
    assert is_action(do)


PUT_BACK = "run `pulumi up --refresh --diff`, which puts it back"


@pytest.mark.parametrize(
    ("state", "job", "do"),
    [
        (by_up(CONSENT, sync=SYNC), "job0", f"{PUT_BACK}, and opens that again; {ASK}"),
        ([], "job0", f"{PUT_BACK}, and opens that; {NOT_SURE}"),
        # A refresh has forgotten what somebody has deleted.
        ([Recorded("x", "other", {})], "job0", f"{PUT_BACK}, and opens that; {NOT_SURE}"),
        ([], "", ""),
    ],
)
def test_who_has_deleted_the_partner_policy_is_to_be_asked(state: list[Recorded], job: str, do: str) -> None:
    seen = look(state, answer(200, OFF), job=job)
    (finding,) = policies.partner_missing(seen, seen.operation())
    assert (finding.level, finding.do) == (Level.PROBLEM if do else Level.OK, do)


@pytest.mark.parametrize(
    ("state", "job", "live", "do"),
    [
        (by_up(CONSENT, sync=SYNC), "job0", None, AGAIN),
        (by_up(CONSENT, sync=SYNC), "job0", {"userSyncInbound": {"isSyncAllowed": False}}, AGAIN),
        (by_up(CONSENT, sync={"userSyncInbound": {}}), "job0", {"userSyncInbound": None}, MAYBE),
        (by_up(CONSENT), "job0", None, MAYBE),
        ([], "job0", None, MAYBE),
        # The run that was to make it did not come so far.
        (by_up(CONSENT), "", None, f"{MEND}, and opens that"),
    ],
)
def test_who_has_closed_the_identity_sync_policy_is_to_be_asked(
    state: list[Recorded], job: str, live: dict[str, Any] | None, do: str
) -> None:
    seen = look(state, job=job)
    name = {"displayName": seen.settings.display_name}
    (finding,) = policies.drift_of_sync(seen, seen.operation(), None if live is None else {**live, **name})
    assert (finding.level, finding.do) == (Level.PROBLEM, do)


def test_groups_that_are_asked_for_anew_nobody_has_closed() -> None:
    seen = look(by_up(CONSENT, sync=SYNC), sync_groups=True)
    live = {"displayName": seen.settings.display_name, "userSyncInbound": ALLOWED}
    (finding,) = policies.drift_of_sync(seen, seen.operation(), live)
    assert finding.do == f"{MEND}, and opens that"


def test_of_the_state_only_the_policies_of_this_pair_count() -> None:
    known = left_by_up(by_up(CONSENT, sync=SYNC), TARGET_ID, SOURCE_ID)
    assert known == {**CONSENT, "userSyncInbound": ALLOWED}
    assert left_by_up(by_up(CONSENT), SOURCE_ID, TARGET_ID) == {}
    assert as_made(known, {**CONSENT, **TRUST})["automaticUserConsentSettings"] == {"inboundAllowed": True}
    assert as_made(known, OFF) == {"automaticUserConsentSettings": {}}
