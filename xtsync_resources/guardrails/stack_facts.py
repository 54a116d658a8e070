"""Facts about pairs, for the guardrails, from the resources of a stack: types and inputs as the engine has them.

Knows nothing of Pulumi. Resources of others are passed over; a value that is not known (a preview's unknowns, an
encrypted secret) is None or no plain value, and nothing is concluded from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..partner_policy.model import CONSENT, OF_SIDE, REDEMPTION
from ..sync_secrets.model import (
    BY_ITSELF,
    ENABLED,
    NOTIFICATION,
    RECIPIENTS,
    SYNC_ALL,
    THRESHOLD,
    THRESHOLD_ON,
    recipients,
    threshold_of,
    truth,
)
from ..untrusted import is_plain
from .pair_facts import PairFacts, Sayings, claims, openings
from .rules import AZUREAD, JOB, PARTNER, PROVIDER, SCHEMA, SECRETS, SYNC

PREFIX = "pulumi-python:dynamic/xtsync:"
USER_TYPE = "usertype"

Resource = tuple[str, Mapping[str, Any]]
Pair = tuple[str | None, str | None]


@dataclass
class Gathered:
    """What was found so far.

    Attributes:
        pairs: facts by pair.
        names: what people call the tenants, by tenant id.
        homes: tenants this stack has policies in.
        jobs: tenants this stack has a job in.
        providers: what a provider says by itself.
        drains: whether the end of a pair removes people from its target, by source.
        user_types: what a schema says people become, by tenant of its job; None where it does not tell yet.
        unsure: whether a policy was seen that does not tell all it is about.
    """

    pairs: dict[Pair, PairFacts] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    homes: set[str | None] = field(default_factory=set)
    jobs: set[str | None] = field(default_factory=set)
    providers: list[PairFacts] = field(default_factory=list)
    drains: dict[str, bool] = field(default_factory=dict)
    user_types: dict[str | None, str | None] = field(default_factory=dict)
    unsure: bool = False

    def note(self, pair: Pair, **facts: Any) -> None:
        """Add what is known of a pair."""
        self.pairs[pair] = replace(self.pairs.get(pair, PairFacts(*pair)), **facts)


def facts_of_resources(resources: Iterable[Resource], said: Sayings, *, whole: bool) -> list[PairFacts]:
    """What resources say about the pairs they belong to.

    Args:
        resources: type and inputs of each.
        said: what the organisation has said.
        whole: whether these are all resources of a stack, so that what is absent is off.
    """
    found = Gathered()
    for type_, properties in resources:
        if type_ == PROVIDER:
            note_provider(found, properties)
        elif type_ == AZUREAD:
            found.providers.append(PairFacts(metadata_host=text(properties.get("metadataHost"))))
        elif type_.startswith(PREFIX):
            reader = READERS.get(type_.removeprefix(PREFIX))
            if reader is not None:
                reader(found, properties)
    complete = whole and not found.unsure
    facts = [with_absences(one, found) if complete else one for one in found.pairs.values()]
    if facts:
        facts = [replace(one, drains=found.drains.get(one.source or "")) for one in facts]
    # A provider alone says nothing of a pair; beside others its host is no concern of the rules about them.
    return [replace(one, names=found.names, said=said) for one in facts or found.providers]


def with_absences(facts: PairFacts, found: Gathered) -> PairFacts:
    """What no resource turns on in a tenant this stack has policies in is off; what no schema says is not stated."""
    homes = found.homes
    if facts.source is not None and facts.source in found.jobs and None not in found.user_types:
        facts = replace(facts, user_type=found.user_types.get(facts.source, ""))
    if facts.source in homes and facts.outbound_redemption is None:
        facts = replace(facts, outbound_redemption=False)
    if facts.target in homes and facts.inbound_redemption is None:
        facts = replace(facts, inbound_redemption=False)
    if facts.target in homes and facts.inbound_sync is None:
        facts = replace(facts, inbound_sync=False)
    return facts


# --- one resource --------------------------------------------------------------------------------------------------


def note_provider(found: Gathered, properties: Mapping[str, Any]) -> None:
    """Of a provider of ours: what its tenant is called, and who says where it signs in."""
    tenant, name = guid(properties.get("xtsync:tenantId")), properties.get("xtsync:tenantName")
    if tenant and isinstance(name, str) and is_plain(name):
        found.names[tenant] = name
    ends = text(properties.get("xtsync:onDestroy"))
    drains = None if ends is None else ends == "drain"
    if tenant and drains is not None:
        found.drains[tenant] = drains
    # Only a source's says how the pair ends.
    source = tenant if ends else None
    host = text(properties.get("xtsync:metadataHost"))
    found.providers.append(PairFacts(source, metadata_host=host, drains=drains))


def note_partner(found: Gathered, properties: Mapping[str, Any]) -> None:
    """Of a partner policy: what it opens, in either direction. A pair is known by any member, whatever it says."""
    home, partner = guid(properties.get("homeTenantId")), guid(properties.get("tenantId"))
    found.homes.add(home)
    found.unsure |= home is None or partner is None
    for side, pair in (("source", (home, partner)), ("target", (partner, home))):
        if any(name in properties for name in OF_SIDE[side]):
            found.note(pair)
            facts = found.pairs[pair]
            found.note(pair, openings=(*facts.openings, *openings(side, properties)))
            if side == "target":
                found.note(pair, trusted=tuple(sorted({*facts.trusted, *claims(properties)})))
    if CONSENT not in properties:
        return
    consent = properties[CONSENT]
    if not isinstance(consent, Mapping):
        found.unsure = True
        return
    for side, pair, fact in (
        ("source", (home, partner), "outbound_redemption"),
        ("target", (partner, home), "inbound_redemption"),
    ):
        if REDEMPTION[side] in consent:
            allowed = boolean(consent[REDEMPTION[side]])
            found.unsure |= allowed is None
            found.note(pair, **{fact: allowed})


def note_sync(found: Gathered, properties: Mapping[str, Any]) -> None:
    """Of an identity sync policy: whether people may be synchronized in."""
    home, partner = guid(properties.get("homeTenantId")), guid(properties.get("tenantId"))
    inbound = properties.get("userSyncInbound")
    allowed = boolean(inbound.get("isSyncAllowed")) if isinstance(inbound, Mapping) else None
    found.homes.add(home)
    found.unsure |= home is None or partner is None or allowed is None
    groups = properties.get("groupSyncInbound")
    of_groups = boolean(groups.get("isSyncAllowed")) if isinstance(groups, Mapping) else None
    found.note((partner, home), inbound_sync=allowed, **({} if of_groups is None else {"group_sync": of_groups}))


def note_job(found: Gathered, properties: Mapping[str, Any]) -> None:
    """Of a job: that there is such a pair."""
    found.jobs.add(guid(properties.get("homeTenantId")))
    found.note((guid(properties.get("homeTenantId")), guid(properties.get("targetTenantId"))))


def note_secrets(found: Gathered, properties: Mapping[str, Any]) -> None:
    """Of the settings: scope, deletion threshold, notification."""
    settings = properties.get("settings")
    if not isinstance(settings, Mapping):
        return
    pair = guid(properties.get("homeTenantId")), guid(settings.get("CompanyId"))
    everyone = settings.get(SYNC_ALL)
    facts: dict[str, Any] = {"sync_all": str(everyone).lower() == "true" if plain(everyone) else None}
    facts |= notification_facts(settings.get(NOTIFICATION, {}))
    found.note(pair, **facts)


def notification_facts(value: Any) -> dict[str, Any]:
    """Of the notification settings, an object or its JSON text; nothing where they are not known."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    if not isinstance(value, Mapping):
        return {}
    members = {ENABLED: False, RECIPIENTS: "", **BY_ITSELF, **value}
    told, to = members[ENABLED], members[RECIPIENTS]
    facts: dict[str, Any] = {}
    if plain(told) and (plain(to) or isinstance(to, list)):
        facts["notified"] = truth(told) is True and bool(recipients(to))
    on = truth(members[THRESHOLD_ON])
    if on is False or (on and plain(members[THRESHOLD])):
        facts["deletion_threshold"] = threshold_of(members) or 0
    return facts


def note_schema(found: Gathered, properties: Mapping[str, Any]) -> None:
    """Of a job's schema: what people become in the target."""
    home, mappings = guid(properties.get("homeTenantId")), properties.get("attributeMappings", [])
    if not isinstance(mappings, list) or not all(isinstance(one, Mapping) for one in mappings):
        found.user_types[home] = None
        return
    for one in mappings:
        target = one.get("target")
        if target is None:
            found.user_types[home] = None
        elif str(target).lower() == USER_TYPE and "remove" not in one:
            found.user_types[home] = str(one.get("constant") or "as mapped")


READERS = {PARTNER: note_partner, SYNC: note_sync, JOB: note_job, SECRETS: note_secrets, SCHEMA: note_schema}


# --- values --------------------------------------------------------------------------------------------------------


def plain(value: Any) -> bool:
    """Whether a value is known and in clear."""
    return isinstance(value, (str, bool, int, float))


def text(value: Any) -> str | None:
    """A text, None where it is not known."""
    return value if isinstance(value, str) else None


def boolean(value: Any) -> bool | None:
    """True or false, None where it is neither."""
    return value if isinstance(value, bool) else None


def guid(value: Any) -> str | None:
    """A tenant id in lower case, None where it is not known. What is no GUID stays: no list has it."""
    if not isinstance(value, str) or not value.strip():
        return None
    return value.strip().lower() if value.isprintable() else ascii(value)
