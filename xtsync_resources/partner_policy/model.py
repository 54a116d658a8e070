"""The shared partner object: pure rules of merging, comparing and telling ours from others'.

Nothing here calls anything. A `crossTenantAccessPolicyConfigurationPartner` is a plain JSON object; `None`
inside it means "inherit the default".
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .. import records
from .b2b import comparable_targets

Json = Mapping[str, Any]
# Managed fields by complex value: {"automaticUserConsentSettings": {"inboundAllowed": True}}
Values = Mapping[str, Mapping[str, Any]]

CONSENT = "automaticUserConsentSettings"
TRUST = "inboundTrust"
USER_SYNC = "userSyncInbound"
COLLABORATION = {"source": "b2bCollaborationOutbound", "target": "b2bCollaborationInbound"}
DIRECT_CONNECT = {"source": "b2bDirectConnectOutbound", "target": "b2bDirectConnectInbound"}
B2B_MEMBERS = ("usersAndGroups", "applications")
# The complex values we may write, with all their documented members.
COMPLEX_VALUES: Mapping[str, tuple[str, ...]] = {
    CONSENT: ("inboundAllowed", "outboundAllowed"),
    TRUST: ("isMfaAccepted", "isCompliantDeviceAccepted", "isHybridAzureADJoinedDeviceAccepted"),
    **{name: B2B_MEMBERS for names in (COLLABORATION, DIRECT_CONNECT) for name in names.values()},
}
# Where false is not the same as nothing: also in an identity sync policy.
DECISIONS: Mapping[str, tuple[str, ...]] = {**COMPLEX_VALUES, USER_SYNC: ("isSyncAllowed",)}
# What a side may have set besides its redemption flag.
OF_SIDE: Mapping[str, tuple[str, ...]] = {
    "source": (COLLABORATION["source"], DIRECT_CONNECT["source"]),
    "target": (TRUST, COLLABORATION["target"], DIRECT_CONNECT["target"]),
}
# What the side a tenant plays needs in its partner policy, and what the opposite direction needs there.
REDEMPTION = {"source": "outboundAllowed", "target": "inboundAllowed"}
OPPOSITE = {"source": "target", "target": "source"}


@dataclass(frozen=True)
class Baseline:
    """What a tenant had for the partner before this stack touched anything; None is "was not there"."""

    partner: Json | None
    identity_sync: Json | None

    def text(self) -> str:
        """As kept in state."""
        return records.text({"partner": self.partner, "identitySynchronization": self.identity_sync})

    @classmethod
    def parse(cls, text: str) -> Baseline:
        """Read back what `text` wrote."""
        document = records.parse(text)
        return cls(document["partner"], document["identitySynchronization"])

    def looks_like_opposite_direction(self, side: str) -> bool:
        """Whether all that was there is what the opposite pair's stack puts into this tenant."""
        if self.partner is None:
            return False
        flag = REDEMPTION[OPPOSITE[side]]
        expected: Values = {
            CONSENT: {flag: True},
            **{name: self.partner.get(name) or {} for name in OF_SIDE[OPPOSITE[side]]},
        }
        return leaf(self.partner, CONSENT, flag) is True and not settings_of(without(self.partner, expected))

    def may_be_joined(self, side: str) -> bool:
        """Whether `onExisting: fail` lets the pair be made beside this: the opposite pair's stack is all that was here.

        In the target that has no identity sync policy, which would be the one that this pair needs.
        """
        return self.looks_like_opposite_direction(side) and (side == "source" or self.identity_sync is None)


def without_annotations(document: Json) -> dict[str, Any]:
    """An answer without its OData annotations."""
    return {key: value for key, value in document.items() if not key.startswith("@")}


def leaf(partner: Json, name: str, member: str) -> Any:
    """One member of a complex value, None where either is null or absent."""
    return (partner.get(name) or {}).get(member)


def live_values(partner: Json, managed: Values) -> dict[str, dict[str, Any]]:
    """The managed fields as they are in a partner object."""
    return {name: {m: leaf(partner, name, m) for m in members} for name, members in managed.items()}


def with_values(partner: Json, values: Values) -> dict[str, Any]:
    """A partner object as it would be with some members changed."""
    return {**partner, **{name: {**(partner.get(name) or {}), **members} for name, members in values.items()}}


def plain(value: Any) -> Any:
    """A value without the annotations that Graph's answers carry at any depth."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if not key.startswith("@")}
    return [plain(item) for item in value] if isinstance(value, list) else value


def same(left: Any, right: Any) -> bool:
    """Whether two values of a member mean the same: the order of targets means nothing."""
    return bool(comparable(left) == comparable(right))


def comparable(value: Any) -> Any:
    """A value in the one form in which all that mean the same are equal."""
    if not isinstance(value, Mapping):
        return value
    if not (isinstance(value.get("targets"), list) and all(isinstance(one, Mapping) for one in value["targets"])):
        return {name: comparable(part) for name, part in value.items() if part is not None}
    return value.get("accessType"), comparable_targets(value)


def changes(partner: Json, wanted: Values, written: Values | None = None) -> dict[str, dict[str, Any]]:
    """The body that makes the wanted fields so: of each complex value in which something differs, our own members.

    A part of a B2B setting is left out rather than sent as null, unless there is something to be reset.

    Args:
        partner: the object as just read.
        wanted: the fields.
        written: what we wrote last, as far as known. Where that is not what is wanted, the field is sent even if the
            read says that nothing is to be done: the read may be older than our own write.
    """
    known = written or {}
    body = {}
    for name, members in wanted.items():
        differing = [
            member
            for member, value in members.items()
            if not same(leaf(partner, name, member), value)
            or not same((known.get(name) or {}).get(member, value), value)
        ]
        if differing:
            may_be_null = COMPLEX_VALUES[name] is not B2B_MEMBERS
            body[name] = {m: plain(v) for m, v in members.items() if v is not None or may_be_null or m in differing}
    return body


def members_of_others(partner: Json, body: Values) -> dict[str, dict[str, Any]]:
    """What others have set in the complex values of a body, where Graph might replace those."""
    found = {
        name: {
            member: plain(leaf(partner, name, member))
            for member in COMPLEX_VALUES[name]
            if member not in members and leaf(partner, name, member) is not None
        }
        for name, members in body.items()
    }
    return {name: members for name, members in found.items() if members}


def lost(others: Values, partner: Json) -> dict[str, dict[str, Any]]:
    """What of others' values is not there any more."""
    found = {
        name: {member: value for member, value in members.items() if leaf(partner, name, member) is None}
        for name, members in others.items()
    }
    return {name: members for name, members in found.items() if members}


def inherited(managed: Values) -> dict[str, dict[str, Any]]:
    """The managed fields, all back to "inherit"."""
    return {name: dict.fromkeys(members) for name, members in managed.items()}


def without(partner: Json, managed: Values) -> dict[str, Any]:
    """A partner object as it would be with the managed fields back to "inherit"."""
    return with_values(partner, inherited(managed))


def what_is_said(value: Any, decisions: Collection[str] = ()) -> Any:
    """What a value says; None where it says nothing.

    Null, empty and false say nothing, so that members which Graph may add some day change no decision as long as
    nobody has set them.

    Args:
        value: of any shape.
        decisions: the members of which false says something, as it is not the same as "inherit".
    """
    if isinstance(value, Mapping):
        parts = {
            name: part if name in decisions and isinstance(part, bool) else what_is_said(part)
            for name, part in without_annotations(value).items()
        }
        return {name: part for name, part in parts.items() if part is not None} or None
    if isinstance(value, list):
        return value if any(what_is_said(one) is not None for one in value) else None
    return value or None


def settings_of(policy: Json) -> dict[str, Any]:
    """What the properties of a partner object or an identity sync policy say, without those that say nothing."""
    found = {name: what_is_said(value, DECISIONS.get(name, ())) for name, value in without_annotations(policy).items()}
    return {name: value for name, value in found.items() if name != "tenantId" and value is not None}


def foreign_settings(partner: Json, managed: Values, as_created: Json) -> dict[str, Any]:
    """What others set: all that was not there when we created the object.

    Args:
        partner: the object with our fields as they were before.
        managed: our fields.
        as_created: the object as we created it; {} where that is not known.
    """
    created = settings_of(without(as_created, managed))
    return {
        name: value
        for name, value in settings_of(partner).items()
        if comparable(created.get(name)) != comparable(value)
    }


def describe(before: Values, after: Values) -> list[str]:
    """Old -> new, a line for each field that changes."""
    return [
        f"{name}.{member}: {json.dumps(before[name][member])} -> {json.dumps(value)}"
        for name, members in after.items()
        for member, value in members.items()
        if not same(before[name][member], value)
    ]
