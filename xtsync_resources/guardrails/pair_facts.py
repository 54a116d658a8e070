"""What the guardrails look at: what a pair opens, on both ends and by direction, and what an organisation has said.

Knows nothing of Pulumi. What is not known (None, or absent) breaks no rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..graph.hosts import Host, listed
from ..partner_policy.b2b import EVERYONE, is_part, shut, wide
from ..partner_policy.model import B2B_MEMBERS, COLLABORATION, DIRECT_CONNECT, REDEMPTION, TRUST

if TYPE_CHECKING:
    from ..config import Settings

ARROW = re.compile(r"\s*->\s*")
# The settings of a partner policy by which people get from the source into the target, by the end that has them.
B2B: Mapping[str, tuple[str, ...]] = {side: (COLLABORATION[side], DIRECT_CONNECT[side]) for side in COLLABORATION}


# --- what an organisation has said ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Allowed:
    """The tenants that may be connected.

    Attributes:
        tenants: may be connected with each other, in both directions.
        pairs: source and target that may be connected in this direction.
    """

    tenants: frozenset[str]
    pairs: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, entries: Sequence[str]) -> Allowed:
        """From entries as people write them: a tenant id, or `source -> target`."""
        split = [tuple(ARROW.split(one.strip().lower())) for one in entries]
        return cls(
            frozenset(one[0] for one in split if len(one) == 1),
            frozenset((one[0], one[1]) for one in split if len(one) == 2),
        )

    def lets(self, source: str | None, target: str | None) -> bool:
        """Whether an ordered pair may be; an end that is not known is taken for one that may."""
        if all(one is None or one in self.tenants for one in (source, target)):
            return True
        return any(source in (None, one) and target in (None, other) for one, other in self.pairs)

    def names(self, tenant: str) -> bool:
        """Whether a tenant is in any entry."""
        return tenant in self.tenants or any(tenant in pair for pair in self.pairs)


@dataclass(frozen=True)
class Sayings:
    """What an organisation has said about its pairs, for the rules to hold them against.

    Attributes:
        allowed: the tenants that may be connected; None where there is no list.
        everyone: whether it is said that everyone of the source is meant.
        hosts: that may get credentials besides the known clouds'.
    """

    allowed: Allowed | None = None
    everyone: bool = False
    hosts: frozenset[Host] = frozenset()

    @classmethod
    def of(cls, allowed: Sequence[str] | None, everyone: bool, hosts: Sequence[str] = ()) -> Sayings:
        """From lists of tenants and pairs, and of hosts, as people write them."""
        return cls(None if allowed is None else Allowed.of(allowed), everyone, listed(hosts))


# --- what a pair opens ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opening:
    """What a B2B setting lets through.

    Attributes:
        side: the end that has it.
        setting: Graph's name of it.
        wide: what it names nobody for, in words: `everyone`, `every application`.
    """

    side: str
    setting: str
    wide: tuple[str, ...] = ()

    @property
    def direct(self) -> bool:
        """Whether it is B2B direct connect, which makes no object in the other tenant."""
        return self.setting in DIRECT_CONNECT.values()


@dataclass(frozen=True)
class PairFacts:
    """What the rules look at. None is "not known here".

    Attributes:
        source: its tenant id, in lower case.
        target: its tenant id, in lower case.
        names: what people call the tenants, by tenant id.
        outbound_redemption: whether the source redeems invitations of its people automatically.
        inbound_redemption: whether the target does.
        inbound_sync: whether the target lets the source synchronize people into it.
        group_sync: whether the target lets the source synchronize groups into it.
        openings: what B2B settings of either end let through, as far as that is known.
        trusted: claims of the source that the target trusts.
        sync_all: whether everyone of the source is in scope rather than who is assigned.
        deletion_threshold: 0 is off.
        notified: whether somebody is told of failures.
        user_type: what people become in the target; "" is not stated.
        drains: whether the end of the pair removes people from the target.
        metadata_host: says where login and Graph are; "" is where the cloud has them.
        said: what the organisation has said.
    """

    source: str | None = None
    target: str | None = None
    names: Mapping[str, str] | None = None
    outbound_redemption: bool | None = None
    inbound_redemption: bool | None = None
    inbound_sync: bool | None = None
    group_sync: bool | None = None
    openings: tuple[Opening, ...] = ()
    trusted: tuple[str, ...] = ()
    sync_all: bool | None = None
    deletion_threshold: int | None = None
    notified: bool | None = None
    user_type: str | None = None
    drains: bool | None = None
    metadata_host: str | None = None
    said: Sayings = Sayings()

    def id(self, side: str) -> str | None:
        """The tenant id of a side."""
        return self.source if side == "source" else self.target

    def tenant(self, side: str) -> str:
        """A side in words: `the source Contoso (GUID)`."""
        id_ = self.id(side) or "(unknown)"
        name = (self.names or {}).get(id_, "")
        return f"the {side} {name} ({id_})" if name and name != id_ else f"the {side} {id_}"


def openings(side: str, partner: Mapping[str, Any]) -> Iterator[Opening]:
    """What the B2B settings of one end let through. A part that is not known, or not said, tells nothing."""
    for setting in B2B[side]:
        value = partner.get(setting)
        found = value if isinstance(value, Mapping) else {}
        parts = {name: found[name] for name in B2B_MEMBERS if is_part(found.get(name))}
        if parts and not any(shut(name, part) for name, part in parts.items()):
            yield Opening(side, setting, tuple(EVERYONE[name] for name, part in parts.items() if wide(name, part)))


def claims(partner: Mapping[str, Any]) -> tuple[str, ...]:
    """The claims a partner policy trusts."""
    trust = partner.get(TRUST)
    return tuple(sorted(name for name, value in trust.items() if value is True)) if isinstance(trust, Mapping) else ()


def facts_of_settings(settings: Settings) -> PairFacts:
    """What the configuration asks for, together with what pair.py always declares.

    The metadata host is left out: no level softens what is asked of it where the configuration is read.
    """
    rails = settings.guardrails
    ends = {side: settings.partner_policy(side) for side in REDEMPTION}
    return PairFacts(
        source=settings.source.id,
        target=settings.target.id,
        names={one.id: one.name for one in (settings.source, settings.target)},
        outbound_redemption=True,
        inbound_redemption=True,
        inbound_sync=True,
        group_sync=settings.sync_groups or None,
        openings=tuple(one for side, partner in ends.items() for one in openings(side, partner)),
        trusted=claims(ends["target"]),
        sync_all=False,
        deletion_threshold=settings.deletion_threshold,
        notified=bool(settings.notify_email),
        user_type=stated_user_type(settings),
        drains=settings.on_destroy == "drain",
        said=Sayings.of(rails.allowed_tenants, rails.everyone),
    )


def stated_user_type(settings: Settings) -> str:
    """What people become as far as the configuration states it; "" where it does not."""
    mapped = (one for one in settings.attribute_mappings if one.target.lower() == "usertype" and not one.remove)
    return settings.user_type or next((one.constant or "as mapped" for one in mapped), "")
