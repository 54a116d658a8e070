"""Guardrails: rules about a pair, as data.

The program checks them before it declares anything, the policy pack (policy/) checks the resources of a stack, and
`xtsync doctor` shows them; so nothing here knows of Pulumi. A rule looks at `PairFacts`, which are made from the
configuration or from resources. What is not known (None) breaks no rule. docs/guardrails.md has the table of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..graph.hosts import may_get_credentials
from ..sync_secrets.model import DEFAULT_THRESHOLD
from .pair_facts import Opening, PairFacts, facts_of_settings

if TYPE_CHECKING:
    from ..config import Settings

OFF, ADVISE, STOP = "off", "advise", "stop"
LEVELS = (OFF, ADVISE, STOP)
# Far more deletions in one cycle than any leaver process makes; ten times the service's own default.
MOST_DELETIONS = 5_000

# Resource types of ours that say something about a pair, without the prefix of dynamic resources.
PARTNER, SYNC, JOB, SECRETS = "PartnerPolicy", "IdentitySyncPolicy", "SyncJob", "SyncSecrets"
SCHEMA = "SyncSchema"
# What leads them all to a tenant, in full: ours, and azuread's.
PROVIDER, AZUREAD = "pulumi:providers:pulumi-python", "pulumi:providers:azuread"


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


def is_allowed(facts: PairFacts) -> bool:
    """Whether the pair may be, in this direction; so may every pair where there is no list."""
    return facts.said.allowed is None or facts.said.allowed.lets(facts.source, facts.target)


def unlisted_tenants(facts: PairFacts) -> str:
    """Ends of the pair that are not on the list, or not together in this direction."""
    allowed = facts.said.allowed
    if allowed is None or is_allowed(facts):
        return ""
    unknown = [side for side in ("source", "target") if (id_ := facts.id(side)) and not allowed.names(id_)]
    if unknown:
        return f"not in allowedTenants: {' and '.join(map(facts.tenant, unknown))}"
    return f"not in allowedTenants in this direction: {facts.tenant('source')} -> {facts.tenant('target')}"


def inbound_from_unlisted(facts: PairFacts) -> str:
    """What lets people of an unlisted tenant in."""
    doors = {
        "identity sync": facts.inbound_sync,
        "synchronization of groups": facts.group_sync,
        "automatic redemption": facts.inbound_redemption,
    }
    ways = [name for name, opened in doors.items() if opened]
    ways += [opening.setting for opening in facts.openings if opening.side == "target"]
    ways += [f"trust in {claim}" for claim in facts.trusted]
    if not ways or is_allowed(facts):
        return ""
    return f"{facts.tenant('target')} would let people of {facts.tenant('source')} in ({' and '.join(ways)})"


def outbound_to_unlisted(facts: PairFacts) -> str:
    """What lets people out to an unlisted tenant."""
    ways = ["automatic redemption"] if facts.outbound_redemption else []
    ways += [opening.setting for opening in facts.openings if opening.side == "source"]
    if not ways or is_allowed(facts):
        return ""
    return f"{facts.tenant('source')} would let its people out to {facts.tenant('target')} ({' and '.join(ways)})"


def b2b_for_everyone(facts: PairFacts) -> str:
    """B2B collaboration that names nobody."""
    return opened(facts, [one for one in facts.openings if one.wide and not one.direct])


def direct_connect(facts: PairFacts) -> str:
    """B2B direct connect that lets anybody through."""
    return opened(facts, [one for one in facts.openings if one.direct])


def opened(facts: PairFacts, found: list[Opening]) -> str:
    """What B2B settings open, and on which end."""
    words = []
    for one in found:
        to = f" to {' and '.join(one.wide)}" if one.wide else ""
        words.append(f"{one.setting} of {facts.tenant(one.side)} is open{to}")
    return " and ".join(words)


def trusting(facts: PairFacts) -> str:
    """Claims of the source that the target trusts."""
    if not facts.trusted:
        return ""
    return f"{facts.tenant('target')} trusts {' and '.join(facts.trusted)} of {facts.tenant('source')}"


def draining(facts: PairFacts) -> str:
    """The end of the pair deletes people."""
    return f"`pulumi destroy` removes {people(facts)} (onDestroy is drain)" if facts.drains else ""


def people(facts: PairFacts) -> str:
    """Whose people, and where."""
    if facts.target is None:
        return f"people of {facts.tenant('source')} from the target"
    return f"people of {facts.tenant('source')} from {facts.tenant('target')}"


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
        "The pair is on the list of what may be connected",
        "Tenant ids look alike, and a wrong one connects you with strangers",
        STOP,
        "Check the tenant ids and the direction; if the pair is meant, have it added to allowedTenants",
        unlisted_tenants,
        types=(PARTNER, JOB),
        says="allowedTenants",
    ),
    Rule(
        "inbound-allowed",
        "A tenant is open (identity sync, automatic redemption, B2B settings, trust) to people of listed pairs only",
        "Whoever owns the source can make accounts in the target, without consent of anybody: a known backdoor",
        STOP,
        "Find out who asked for it; if the source is meant, have the pair added to allowedTenants",
        inbound_from_unlisted,
        types=(PARTNER, SYNC),
        says="allowedTenants",
    ),
    Rule(
        "outbound-allowed",
        "A tenant lets its people out (automatic redemption, B2B settings) to targets of listed pairs only",
        "Its people are signed in to a tenant that nobody has looked at, without being asked",
        STOP,
        "Find out who asked for it; if the target is meant, have the pair added to allowedTenants",
        outbound_to_unlisted,
        types=(PARTNER,),
        says="allowedTenants",
    ),
    Rule(
        "host-allowed",
        "Login and Graph are at Microsoft's hosts, or where a listed host says",
        "Every credential goes there: one line in a stack file leads them all to whoever owns the host",
        STOP,
        "Find out who asked for it; if the host is meant, have it added to allowedHosts",
        stray_credentials,
        types=(PROVIDER, AZUREAD),
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
        f"Set xtsync:deletionThreshold to what a bad day may delete; the default is {DEFAULT_THRESHOLD}",
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
        "b2b-not-everyone",
        "B2B collaboration names who may come, and to what",
        "Everyone of the source may then be invited, or is let out, to everything, also where nobody synchronizes them",
        ADVISE,
        "Name groups and applications in xtsync:b2bCollaboration, or leave it out, which leaves it as it is",
        b2b_for_everyone,
        types=(PARTNER,),
    ),
    Rule(
        "direct-connect-closed",
        "B2B direct connect is closed",
        "It lets people in without an account in the target, where reviews and blocked accounts then do not reach them",
        ADVISE,
        "Leave xtsync:b2bDirectConnect out where nobody needs shared channels; else name groups and applications",
        direct_connect,
        types=(PARTNER,),
    ),
    Rule(
        "inbound-trust-meant",
        "The target does not take the source's word for MFA and devices",
        "Whoever can reset an MFA method or enrol a device in the source then passes the target's Conditional Access",
        ADVISE,
        "Trust only claims that the target's Conditional Access asks for, where the source is run as strictly",
        trusting,
        types=(PARTNER,),
    ),
    Rule(
        "destroy-releases",
        "The end of the pair leaves people in the target",
        "A destroy of the wrong stack deletes people's accounts; within 30 days they can be restored, one by one",
        ADVISE,
        "Set xtsync:onDestroy to drain only when the pair is to end",
        draining,
        types=(PROVIDER,),
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


def broken_by(settings: Settings) -> list[Finding]:
    """The rules that a pair breaks, as it is configured."""
    return findings(facts_of_settings(settings), settings.guardrails.levels)


def table() -> str:
    """The rules as docs/guardrails.md has them."""
    rows = [f"| `{one.id}` | {one.level} | {one.title} | {one.reason} | {one.remedy} |" for one in RULES]
    return "\n".join(["| rule | level | what it asks | why | what to do |", "|---|---|---|---|---|", *rows])
