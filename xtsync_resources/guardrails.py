"""Guardrails: rules about a pair, as data.

The program checks them before it declares anything, the policy pack (policy/) checks the resources of a stack, and
`xtsync doctor` shows them; so nothing here knows of Pulumi. A rule looks at `PairFacts`, which are made from the
configuration or from resources. What is not known (None) breaks no rule. docs/guardrails.md has the table of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .graph.hosts import Host, listed, may_get_credentials

if TYPE_CHECKING:
    from .config import Settings

OFF, ADVISE, STOP = "off", "advise", "stop"
LEVELS = (OFF, ADVISE, STOP)
# Far more deletions in one cycle than any leaver process makes; ten times the service's own default.
MOST_DELETIONS = 5_000

# Resource types of ours that say something about a pair, without the prefix of dynamic resources.
PARTNER, SYNC, JOB, SECRETS = "PartnerPolicy", "IdentitySyncPolicy", "SyncJob", "SyncSecrets"
SCHEMA = "SyncSchema"
# What leads them all to a tenant, in full.
PROVIDER = "pulumi:providers:pulumi-python"


@dataclass(frozen=True)
class Sayings:
    """What an organisation has said about its pairs, for the rules to hold them against.

    Attributes:
        allowed: the tenants that may be connected, in lower case; None where there is no list.
        everyone: whether it is said that everyone of the source is meant.
        hosts: that may get credentials besides the known clouds'.
    """

    allowed: frozenset[str] | None = None
    everyone: bool = False
    hosts: frozenset[Host] = frozenset()

    @classmethod
    def of(cls, allowed: Sequence[str] | None, everyone: bool, hosts: Sequence[str] = ()) -> Sayings:
        """From lists of tenant ids and of hosts as people write them."""
        tenants = None if allowed is None else frozenset(one.strip().lower() for one in allowed)
        return cls(tenants, everyone, listed(hosts))


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
        sync_all: whether everyone of the source is in scope rather than who is assigned.
        deletion_threshold: 0 is off.
        notified: whether somebody is told of failures.
        user_type: what people become in the target; "" is not stated.
        metadata_host: says where login and Graph are; "" is where the cloud has them.
        said: what the organisation has said.
    """

    source: str | None = None
    target: str | None = None
    names: Mapping[str, str] | None = None
    outbound_redemption: bool | None = None
    inbound_redemption: bool | None = None
    inbound_sync: bool | None = None
    sync_all: bool | None = None
    deletion_threshold: int | None = None
    notified: bool | None = None
    user_type: str | None = None
    metadata_host: str | None = None
    said: Sayings = Sayings()

    def tenant(self, side: str) -> str:
        """A side in words: `the source Contoso (GUID)`."""
        id_ = (self.source if side == "source" else self.target) or "(unknown)"
        name = (self.names or {}).get(id_, "")
        return f"the {side} {name} ({id_})" if name and name != id_ else f"the {side} {id_}"


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        id: in kebab case; part of the configuration, never renamed.
        title: what holds where it is kept.
        reason: why anybody should care.
        level: what to do where it is broken, if not configured otherwise.
        remedy: what to do about it.
        broken: says what was found, "" where the rule is kept.
        types: the resources it can be told from, each alone; none where it takes them together, or none tells.
        together: whether it takes all resources of a stack.
        says: the key of what it holds a pair against, if any.
    """

    id: str
    title: str
    reason: str
    level: str
    remedy: str
    broken: Callable[[PairFacts], str]
    types: tuple[str, ...] = ()
    together: bool = False
    says: str = ""


@dataclass(frozen=True)
class Finding:
    """A rule that is broken."""

    rule: Rule
    level: str
    found: str

    def __str__(self) -> str:
        return f"{self.rule.id}: {self.found}. {self.rule.remedy}."


# --- what breaks a rule --------------------------------------------------------------------------------------------


def on_list(facts: PairFacts, tenant: str | None) -> bool:
    """Whether a tenant is on the list; so is every tenant where there is none, and one that is not known."""
    return facts.said.allowed is None or tenant is None or tenant.lower() in facts.said.allowed


def unlisted_tenants(facts: PairFacts) -> str:
    """Ends of the pair that are not on the list."""
    ends = [facts.tenant(side) for side in ("source", "target") if not on_list(facts, getattr(facts, side))]
    return f"not in allowedTenants: {' and '.join(ends)}" if ends else ""


def inbound_from_unlisted(facts: PairFacts) -> str:
    """What lets people of an unlisted tenant in."""
    doors = {"identity sync": facts.inbound_sync, "automatic redemption": facts.inbound_redemption}
    ways = [name for name, opened in doors.items() if opened]
    if not ways or on_list(facts, facts.source):
        return ""
    return f"{facts.tenant('target')} would let people of {facts.tenant('source')} in ({' and '.join(ways)})"


def half_open(facts: PairFacts) -> str:
    """Identity sync without automatic redemption in both tenants, or the reverse."""
    redemptions = {
        f"outbound in {facts.tenant('source')}": facts.outbound_redemption,
        f"inbound in {facts.tenant('target')}": facts.inbound_redemption,
    }
    absent = [where for where, allowed in redemptions.items() if allowed is False]
    present = [where for where, allowed in redemptions.items() if allowed]
    if facts.inbound_sync and absent:
        return f"identity sync is allowed without automatic redemption {' and '.join(absent)}"
    if facts.inbound_sync is False and present:
        return f"automatic redemption {' and '.join(present)} is on without identity sync"
    return ""


def everyone_once(facts: PairFacts) -> str:
    """Everyone is in scope, and that is said only once."""
    if facts.sync_all and not facts.said.everyone:
        return f"everyone of {facts.tenant('source')} is in scope (SyncAll is true)"
    return ""


def loose_threshold(facts: PairFacts) -> str:
    """The deletion threshold is off, or so high that it never holds."""
    if facts.deletion_threshold == 0:
        return "the deletion threshold is off"
    if facts.deletion_threshold is not None and facts.deletion_threshold > MOST_DELETIONS:
        return f"the deletion threshold is {facts.deletion_threshold}, above {MOST_DELETIONS}"
    return ""


def nobody_told(facts: PairFacts) -> str:
    """Nobody is told of failures."""
    return "nobody is told of failures and of deletions held back" if facts.notified is False else ""


def no_user_type(facts: PairFacts) -> str:
    """Nobody decided what people become."""
    return "it is not stated whether people become members or guests" if facts.user_type == "" else ""


def stray_credentials(facts: PairFacts) -> str:
    """A metadata host that is neither a known cloud's nor listed."""
    host = facts.metadata_host
    if not host or may_get_credentials(host, facts.said.hosts):
        return ""
    return f"credentials would go where {host} says"


RULES = (
    Rule(
        "tenants-allowed",
        "Both tenants are on the list of tenants that may be connected",
        "Tenant ids look alike, and a wrong one connects you with strangers",
        STOP,
        "Check the tenant id; if the tenant is meant, have it added to allowedTenants",
        unlisted_tenants,
        types=(PARTNER, JOB),
        says="allowedTenants",
    ),
    Rule(
        "inbound-allowed",
        "Inbound identity sync and inbound automatic redemption are for listed tenants only",
        "Whoever owns the source can make accounts in the target, without consent of anybody: a known backdoor",
        STOP,
        "Find out who asked for it; if the source is meant, have it added to allowedTenants",
        inbound_from_unlisted,
        types=(PARTNER, SYNC),
        says="allowedTenants",
    ),
    Rule(
        "host-allowed",
        "Login and Graph are at Microsoft's hosts, or where a listed host says",
        "Every credential goes there: one line in a stack file leads them all to whoever owns the host",
        STOP,
        "Find out who asked for it; if the host is meant, have it added to allowedHosts",
        stray_credentials,
        types=(PROVIDER,),
        says="allowedHosts",
    ),
    Rule(
        "redemption-with-sync",
        "Automatic redemption and identity sync are on together",
        "Redemption alone drops consent for no purpose; sync alone fails, as redemption must be on in both tenants",
        STOP,
        "Turn both on, or both off",
        half_open,
        together=True,
    ),
    Rule(
        "scope-not-everyone",
        "Everyone is in scope only where that is said twice",
        "One word puts every account of the source into the target: service accounts, leavers and all",
        STOP,
        "Assign users and groups (SyncAll false), or also say everyone: true in the guardrails",
        everyone_once,
        types=(SECRETS,),
        says="everyone",
    ),
    Rule(
        "deletion-threshold",
        f"The deletion threshold is on, and not above {MOST_DELETIONS}",
        "A group emptied by mistake deletes its people in the target with the next cycle",
        ADVISE,
        "Set xtsync:deletionThreshold to what a bad day may delete; the default is 500",
        loose_threshold,
        types=(SECRETS,),
    ),
    Rule(
        "notify-address",
        "Somebody is told of provisioning failures",
        "A job in quarantine, or one that holds deletions back, is found out when somebody complains",
        ADVISE,
        "Set xtsync:notifyEmail to a mailbox that is read",
        nobody_told,
        types=(SECRETS,),
    ),
    Rule(
        "user-type-stated",
        "It is stated whether people become members or guests",
        "By default they become members, who see more of the target than guests do",
        ADVISE,
        "Set xtsync:userType",
        no_user_type,
        together=True,
    ),
)
BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}


# --- checking ------------------------------------------------------------------------------------------------------


def findings(facts: PairFacts, levels: Mapping[str, str] | None = None) -> list[Finding]:
    """The rules a pair breaks.

    Args:
        facts: of the pair.
        levels: by rule id, where not as the rule has it.
    """
    given = levels or {}
    found = [(rule, given.get(rule.id, rule.level), rule.broken(facts)) for rule in RULES]
    return [Finding(rule, level, text) for rule, level, text in found if text and level != OFF]


def facts_of_settings(settings: Settings) -> PairFacts:
    """What the configuration asks for, together with what tenant_pair.py always declares.

    The metadata host is left out: no level softens what is asked of it where the configuration is read.
    """
    rails = settings.guardrails
    return PairFacts(
        source=settings.source.id,
        target=settings.target.id,
        names={one.id: one.name for one in (settings.source, settings.target)},
        outbound_redemption=True,
        inbound_redemption=True,
        inbound_sync=True,
        sync_all=False,
        deletion_threshold=settings.deletion_threshold,
        notified=bool(settings.notify_email),
        user_type=stated_user_type(settings),
        said=Sayings.of(rails.allowed_tenants, rails.everyone),
    )


def stated_user_type(settings: Settings) -> str:
    """What people become as far as the configuration states it; "" where it does not."""
    mapped = (one for one in settings.attribute_mappings if one.target.lower() == "usertype" and not one.remove)
    return settings.user_type or next((one.constant or "as mapped" for one in mapped), "")


def table() -> str:
    """The rules as docs/guardrails.md has them."""
    rows = [f"| `{one.id}` | {one.level} | {one.title} | {one.reason} | {one.remedy} |" for one in RULES]
    return "\n".join(["| rule | level | what it asks | why | what to do |", "|---|---|---|---|---|", *rows])
