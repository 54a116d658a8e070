"""Switches for everything Microsoft leaves undocumented, so that both answers can be tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Settings:
    """How the emulated service behaves where the documentation is silent or contradicts itself.

    Attributes:
        partner_recreate_conflict_seconds: after a partner's deletion a new one answers 409 for this long.
        partner_post_consent: what POST partners does with `automaticUserConsentSettings` in its body.
        complex_patch: whether PATCH of a complex value keeps the members it does not name.
        identity_sync_put: what PUT does with an identity sync policy that exists.
        m365_capabilities: whether the service knows the relationship `m365Capabilities` of a partner.
        identity_sync_absent: what GET identitySynchronization answers where there is none: 404, no content, or nulls.
        secrets_put: whether PUT secrets keeps the keys it does not name.
        secrets_extra: keys the server adds to every GET secrets.
        notification_settings_reordered: GET gives the members of SyncNotificationSettings in another order.
        secrets_spelled: how GET secrets writes booleans and numbers.
        blank_unauthorized: synchronization calls without permission answer 401 with an empty UnknownError.
        user_role: new configuration applications expose the role "User" beside "msiam_access".
        principal_lag_seconds: a new service principal is invisible for this long on the clock.
        principal_lag_calls: a new service principal is invisible for this many calls.
        principal_lag_status: what a call to an invisible service principal answers.
        lag_reads: after a write this many reads of the object still see the state before it.
        lag_spares: kinds of objects of which every read is current all the same.
        lag_seconds: after a write reads of the object see the state before it for this long on the clock.
        policy_propagation_seconds: the other side learns of a changed policy this much later.
        schema_directories: whether GET schema gives the directories by itself, or only to `$expand`, or never.
        schema_additions: GET schema gives members of the service's own, which PUT refuses.
        unary_operands: what GET schema gives as values of operators that have none.
        parse_expression: whether the service parses expressions of mappings on demand.
        audit_throttled: the provisioning log and provisionOnDemand answer 5 requests in 10 s and refuse the rest.
        counts_entries: whether a job counts what it keeps (`synchronizedEntryCountByType`).
        started_shows: what a job that was started shows as its last execution until its next cycle has ended.
        first_cycle_seconds: from start to the end of the first cycle.
        empty_first_page: every collection begins with a page without entries.
        page_size: entries on a page when a request does not say.
        latency_seconds: real time before every answer.
    """

    partner_recreate_conflict_seconds: float = 0
    partner_post_consent: Literal["honour", "ignore", "refuse"] = "honour"
    complex_patch: Literal["merge", "replace"] = "merge"
    identity_sync_put: Literal["conflict", "replace"] = "conflict"
    m365_capabilities: Literal["known", "unknown"] = "known"
    identity_sync_absent: Literal["404", "204", "nulls"] = "404"
    secrets_put: Literal["merge", "replace"] = "merge"
    secrets_extra: tuple[tuple[str, str], ...] = ()
    notification_settings_reordered: bool = False
    secrets_spelled: Literal["as sent", "capitalised", "typed"] = "as sent"
    blank_unauthorized: bool = False
    user_role: bool = False
    principal_lag_seconds: float = 0
    principal_lag_calls: int = 0
    principal_lag_status: Literal[400, 403, 404] = 404
    lag_reads: int = 0
    lag_spares: frozenset[str] = frozenset()
    lag_seconds: float = 0
    policy_propagation_seconds: float = 0
    schema_directories: Literal["inline", "expanded", "never"] = "inline"
    schema_additions: bool = False
    unary_operands: Literal["as sent", "blank"] = "as sent"
    parse_expression: Literal["offered", "missing"] = "offered"
    audit_throttled: bool = False
    counts_entries: bool = True
    started_shows: Literal["last", "none yet"] = "last"
    first_cycle_seconds: float = 30
    empty_first_page: bool = False
    page_size: int = 100
    latency_seconds: float = 0
