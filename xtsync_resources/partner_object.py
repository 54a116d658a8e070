"""The shared partner object: pure rules of merging, comparing and telling ours from others'.

Nothing here calls anything. A `crossTenantAccessPolicyConfigurationPartner` is a plain JSON object; `None`
inside it means "inherit the default".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import records

Json = Mapping[str, Any]
# Managed fields by complex value: {"automaticUserConsentSettings": {"inboundAllowed": True}}
Values = Mapping[str, Mapping[str, Any]]

CONSENT = "automaticUserConsentSettings"
TRUST = "inboundTrust"
COLLABORATION = {"source": "b2bCollaborationOutbound", "target": "b2bCollaborationInbound"}
DIRECT_CONNECT = {"source": "b2bDirectConnectOutbound", "target": "b2bDirectConnectInbound"}
B2B_MEMBERS = ("usersAndGroups", "applications")
# The complex values we may write, with all their documented members: they are always written whole.
COMPLEX_VALUES: Mapping[str, tuple[str, ...]] = {
    CONSENT: ("inboundAllowed", "outboundAllowed"),
    TRUST: ("isMfaAccepted", "isCompliantDeviceAccepted", "isHybridAzureADJoinedDeviceAccepted"),
    **{name: B2B_MEMBERS for names in (COLLABORATION, DIRECT_CONNECT) for name in names.values()},
}
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


def without_annotations(document: Json) -> dict[str, Any]:
    """An answer without its OData annotations."""
    return {key: value for key, value in document.items() if not key.startswith("@")}


def leaf(partner: Json, name: str, member: str) -> Any:
    """One member of a complex value, None where either is null or absent."""
    return (partner.get(name) or {}).get(member)


def live_values(partner: Json, managed: Values) -> dict[str, dict[str, Any]]:
    """The managed fields as they are in a partner object."""
    return {name: {m: leaf(partner, name, m) for m in members} for name, members in managed.items()}


def whole(partner: Json, name: str, members: Mapping[str, Any]) -> dict[str, Any] | None:
    """A complex value with some members changed and the rest as they are.

    With nothing set it goes back to null, which is how Graph shows it untouched; consent is never null. A part of a
    B2B setting is left out rather than sent as null, unless there is something to be reset.
    """
    merged = {m: leaf(partner, name, m) for m in COMPLEX_VALUES[name]} | dict(members)
    if name != CONSENT and all(value is None for value in merged.values()):
        return None
    if COMPLEX_VALUES[name] is B2B_MEMBERS:
        return {m: plain(v) for m, v in merged.items() if v is not None or leaf(partner, name, m) is not None}
    return merged


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
    targets = sorted((str(one.get("target", "")).lower(), str(one.get("targetType", ""))) for one in value["targets"])
    return value.get("accessType"), targets


def changes(partner: Json, wanted: Values, written: Values | None = None) -> dict[str, Any]:
    """The body that makes the wanted fields so: whole complex values, and only those that differ.

    Args:
        partner: the object as just read.
        wanted: the fields.
        written: what we wrote last, as far as known. Where that is not what is wanted, the field is sent even if the
            read says that nothing is to be done: the read may be older than our own write.
    """
    known = written or {}
    return {
        name: whole(partner, name, members)
        for name, members in wanted.items()
        if not all(
            same(leaf(partner, name, member), value) and same((known.get(name) or {}).get(member, value), value)
            for member, value in members.items()
        )
    }


def inherited(managed: Values) -> dict[str, dict[str, Any]]:
    """The managed fields, all back to "inherit"."""
    return {name: dict.fromkeys(members) for name, members in managed.items()}


def without(partner: Json, managed: Values) -> dict[str, Any]:
    """A partner object as it would be with the managed fields back to "inherit"."""
    return {
        **partner,
        **{name: whole(partner, name, members) for name, members in inherited(managed).items()},
    }


def is_nothing(value: Any) -> bool:
    """Whether a property says nothing: null, or made of nulls only."""
    if isinstance(value, Mapping):
        return all(is_nothing(item) for item in value.values())
    return value is None or value == []


def settings_of(partner: Json) -> dict[str, Any]:
    """The properties of a partner object that say something."""
    markers = ("isServiceProvider", "isInMultiTenantOrganization")  # false says nothing here
    return {
        key: value
        for key, value in without_annotations(partner).items()
        if key != "tenantId" and not is_nothing(value) and not (key in markers and value is False)
    }


def foreign_settings(partner: Json, managed: Values, as_created: Json) -> dict[str, Any]:
    """What others set: all that is neither managed by us nor was there when we created the object."""
    created = settings_of(without(as_created, managed)) if as_created else {}
    rest = settings_of(without(partner, managed))
    return {key: value for key, value in rest.items() if comparable(created.get(key)) != comparable(value)}


def describe(before: Values, after: Values) -> list[str]:
    """Old -> new, a line for each field that changes."""
    return [
        f"{name}.{member}: {json.dumps(before[name][member])} -> {json.dumps(value)}"
        for name, members in after.items()
        for member, value in members.items()
        if not same(before[name][member], value)
    ]
