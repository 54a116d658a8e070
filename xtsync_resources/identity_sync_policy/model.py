"""The identity sync policy: pure rules of reading, comparing and restoring it.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantidentitysyncpolicypartner
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import records
from ..partner_policy.model import USER_SYNC, Json, Values, settings_of
from .calls import GROUP_SYNC

MANAGED = ("displayName", USER_SYNC, GROUP_SYNC)


def sync_values(display_name: str, groups: bool) -> dict[str, Any]:
    """What the policy is to say; without `groups` nothing of them."""
    allowed = {"isSyncAllowed": True}
    values = {"displayName": display_name, USER_SYNC: allowed}
    return {**values, GROUP_SYNC: allowed} if groups else values


def managed_values(properties: Mapping[str, Any]) -> dict[str, Any]:
    """To Graph: the policy's body."""
    return {name: properties[name] for name in MANAGED if name in properties}


def live_values(policy: Json, *, groups: bool) -> dict[str, Any]:
    """From Graph: the members we manage; `groupSyncInbound` (unless configured) and others stay whoever's they are."""
    members = MANAGED if groups else MANAGED[:2]
    return {name: policy.get(name) if name == "displayName" else permission(policy.get(name)) for name in members}


def permissions_of(values: Mapping[str, Any]) -> Values:
    """Those of the members that let something be synchronized."""
    return {name: values[name] for name in (USER_SYNC, GROUP_SYNC) if name in values}


def permission(value: Json | None) -> dict[str, Any]:
    """One kind of objects: whether they may be synchronized."""
    return {"isSyncAllowed": (value or {}).get("isSyncAllowed")}


def differing(policy: Json, wanted: Mapping[str, Any], written: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The wanted members that a policy does not have yet; also those we wrote otherwise, as the read may be older."""
    live, known = live_values(policy, groups=GROUP_SYNC in wanted), written or {}
    return {name: value for name, value in wanted.items() if live[name] != value or known.get(name, value) != value}


def made_by_us(policy: Json, wanted: Mapping[str, Any]) -> bool:
    """Whether a policy is exactly what we make: a run that was killed has made it."""
    said = {name: value for name, value in settings_of(policy).items() if name != "deletedDateTime"}
    return said == dict(wanted)


def closed_by_us(policy: Json, wanted: Mapping[str, Any]) -> bool:
    """Whether a policy is what we leave where others let groups in by it: see `restore_identity_sync`."""
    said = {name: policy.get(name) for name in ("displayName", USER_SYNC)}
    return said == {"displayName": wanted["displayName"], USER_SYNC: {"isSyncAllowed": False}}


def group_values_before(properties: Mapping[str, Any]) -> dict[str, Any]:
    """To Graph: what the policy said of groups before we did; {} where we do not.

    Nothing said is "not allowed", which Graph takes in every version; it does not say whether it takes null.
    """
    if GROUP_SYNC not in properties:
        return {}
    before = records.parse(properties.get("groupBaseline") or "null")
    return {GROUP_SYNC: {"isSyncAllowed": (before or {}).get("isSyncAllowed") is True}}
