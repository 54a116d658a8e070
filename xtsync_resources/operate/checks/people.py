"""Users and groups in scope: whether they exist, and who of them would be skipped.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...config import GUID, Problem
from ...directory.calls import find_groups, get_group, get_user, list_members
from ...directory.find import read
from ...directory.hidden import hides_members
from ...directory.members import GROUP, NOT_PEOPLE, USER, Member, read_member, skipped_because
from ...graph.permissions import HIDDEN_MEMBERS, READ_USERS
from ...sync_scope.principals import Given, Principal, missing_objects, other_objects
from ..scoping import attributes_needed, evaluate
from .finding import ADVICE, Finding, Look, as_advice, counted, listed

if TYPE_CHECKING:
    from ...graph.operation import Operation

AREA = "users and groups"
# Large groups come in many pages.
SECONDS = 300.0
NOT_SECURITY_ENABLED = "Entra assigns no group to an application whose securityEnabled is false in Graph:"


@dataclass
class Scope:
    """Who is in scope, each once, and what was not found."""

    members: dict[str, Member] = field(default_factory=dict)
    assigned: dict[str, list[str]] = field(default_factory=dict)
    unknown_users: list[str] = field(default_factory=list)
    unknown_groups: list[str] = field(default_factory=list)
    ambiguous_groups: list[str] = field(default_factory=list)
    hidden_groups: list[str] = field(default_factory=list)
    unassignable_groups: list[str] = field(default_factory=list)


# --- reading ---------------------------------------------------------------------------------------------------


def scope_of(look: Look) -> Scope:
    """The scope of the configuration, read once for all checks. Calls: those of `read_scope`."""
    with look.lock:
        if AREA not in look.memory:
            look.memory[AREA] = read_scope(look)
        scope: Scope = look.memory[AREA]
    return scope


def read_scope(look: Look) -> Scope:
    """Look up everyone the configuration names, and who is directly in the groups.

    Calls: POST $batch of GET users/{id} (User.Read.All); for each group GET groups or groups/{id} and its members
    (GroupMember.Read.All).
    """
    operation, scope = look.operation(SECONDS), Scope()
    more = attributes_needed(look.settings.scoping_filters or ())
    users = look.settings.users
    in_scope = {name.lower() for name in users}
    on_demand = [name for name in look.settings.provision_on_demand if name.lower() not in in_scope]
    answers = read(operation, [*(get_user(one, more) for one in users), *map(get_user, on_demand)])
    for name, user in zip([*users, *on_demand], answers, strict=True):
        if not user:
            scope.unknown_users.append(name)
        elif name not in on_demand:
            member = read_member(user, USER)
            scope.members[member.object_id] = member
            scope.assigned.setdefault(member.object_id, []).append(name)
    for name in look.settings.groups:
        read_group(operation, name, scope, more)
    return scope


def read_group(operation: Operation, name: str, scope: Scope, more: Sequence[str]) -> None:
    """Find one group and add its direct members; members of members are never synchronized."""
    if GUID.fullmatch(name):
        group = operation.read(get_group(name))
        found = [] if group is None else [group]
    else:
        found = list(operation.pages(find_groups(name)))
    if len(found) != 1:
        (scope.ambiguous_groups if found else scope.unknown_groups).append(name)
        return
    if found[0].get("securityEnabled") is False:
        scope.unassignable_groups.append(name)
    group_id = str(found[0]["id"])
    scope.assigned.setdefault(group_id, []).append(name)
    members = [read_member(entry) for entry in operation.pages(list_members(group_id, more))]
    if not members and hides_members(operation, found[0]):
        scope.hidden_groups.append(name)
    for member in members:
        scope.members.setdefault(member.object_id, member)


def check(look: Look) -> list[Finding]:
    """Look up the scope in the source. Calls: those of `read_scope`."""
    scope = scope_of(look)
    # A group in a group that is named itself is not skipped.
    named = scope.assigned.keys()
    members = [one for one in scope.members.values() if one.kind != GROUP or one.object_id not in named]
    # Who was not found may be everybody: that nobody is in scope is then not known.
    unread = (scope.unknown_users, scope.unknown_groups, scope.ambiguous_groups, scope.hidden_groups)
    known = members or not any(unread)
    return [*name_findings(look, scope), *(scope_findings(look, members) if known else [])]


# --- words -----------------------------------------------------------------------------------------------------


def name_findings(look: Look, scope: Scope) -> list[Finding]:
    """Names in the configuration with which `pulumi up` would refuse to begin."""
    changed = [] if not look.meant else changed_names(look, scope)
    explained = {one.value for one in changed}
    unknown = {
        kind: [name for name in names if name not in explained]
        for kind, names in ((USER, scope.unknown_users), (GROUP, scope.unknown_groups))
    }
    twice = [" = ".join(names) for names in scope.assigned.values() if len(names) > 1]
    table = (
        (unknown[USER], "there is no user", "check the spelling, or give the object id"),
        (unknown[GROUP], "there is no group", "check the spelling, or give the object id"),
        (scope.ambiguous_groups, "there are several groups", "give the object id"),
        (scope.unassignable_groups, NOT_SECURITY_ENABLED, "give a security group"),
        (twice, "the same is named twice:", "remove one of the two"),
    )
    problems = [look.problem(AREA, f"{why} {listed(names)}", do) for names, why, do in table if names]
    problems += [look.problem(AREA, f"{one.value}: {one.why}", as_advice(one.do)) for one in changed]
    return [*problems, *hidden(look, scope), *named_groups(look, scope)]


def hidden(look: Look, scope: Scope) -> list[Finding]:
    """Groups of whose members nobody is seen."""
    if not scope.hidden_groups:
        return []
    found = f"the members are hidden of {listed(scope.hidden_groups)}, so that nobody of them is seen or counted here"
    return [look.warning(AREA, found, f"give the sign-in {HIDDEN_MEMBERS}")]


def changed_names(look: Look, scope: Scope) -> list[Problem]:
    """What became of entries whose name nobody or another object has now, as a preview says it.

    Calls: those of `missing_objects` and `other_objects`: none where every name means what it meant.
    """
    operation, known, source = look.operation(), look.meant, look.tenant.name
    missing = [
        Given(f"xtsync:{kind}s", kind, name)
        for kind, names in ((USER, scope.unknown_users), (GROUP, scope.unknown_groups))
        for name in names
        if f"{kind} {name}".lower() in known
    ]
    named = [
        Principal(f"xtsync:{kind_of(look, name)}s", kind_of(look, name), name, object_id)
        for object_id, names in scope.assigned.items()
        for name in names
    ]
    return [
        *missing_objects(operation, missing, known, source),
        *other_objects(operation, named, known, source),
    ]


def kind_of(look: Look, name: str) -> str:
    """Whether an entry of the stack file is a user or a group."""
    return GROUP if name in look.settings.groups else USER


def named_groups(look: Look, scope: Scope) -> list[Finding]:
    """Advice to give ids: whoever may name groups decides what a name means, at the first `up` at least."""
    meant = [
        f"{name} ({object_id})"
        for object_id, names in scope.assigned.items()
        for name in names
        if name in look.settings.groups and not GUID.fullmatch(name)
    ]
    if not meant:
        return []
    why = "Where people own groups or may make them, only an object id means the same group for ever"
    return [look.ok(AREA, f"{ADVICE}give object ids instead of names: {listed(meant)}. {why}")]


def scope_findings(look: Look, members: Sequence[Member]) -> list[Finding]:
    """How many people are in scope, and who would be skipped and why; pure."""
    people = [member for member in members if member.kind == USER]
    skipped = [(member, why) for member in members if (why := skipped_because(member))]
    text = f"the stack file puts {counted(len(people), 'person', 'people')} in scope"
    disabled = [member.name for member in people if not member.enabled and not skipped_because(member)]
    if disabled:
        text += f", of whom {len(disabled)} disabled, also in the target: {listed(disabled)}"
    findings = [look.ok(AREA, text)]
    if skipped:
        names = listed([f"{member.name} ({why})" for member, why in skipped])
        findings = [look.warning(AREA, f"{text}, {len(skipped)} would be skipped: {names}", skip_remedy(skipped))]
    elif not people:
        findings = [look.warning(AREA, "nobody is in scope: the groups are empty", "add people to them")]
    return [*findings, *filtered(look, people), *unreadable(look, people), *same_mail(look, people)]


def filtered(look: Look, people: Sequence[Member]) -> list[Finding]:
    """People the scoping filters keep out, and those of whom that cannot be told here."""
    filters = look.settings.scoping_filters or ()
    # Of whom Graph tells the id only, the rest being null, nothing is known.
    looked_at = [one for one in people if not skipped_because(one)]
    attributes = [one.attributes if one.principal_name else {} for one in looked_at]
    verdicts = [(one.name, verdict) for one, verdict in zip(looked_at, evaluate(filters, attributes), strict=True)]
    outside = "check the filters: whom they keep out is not synchronized, or removed where they were"
    unsure = "see with `xtsync provision USER` what the service says"
    findings = []
    for holds, text, do in ((False, "outside", outside), (None, "perhaps outside", unsure)):
        found = [f"{name} ({verdict.why})" for name, verdict in verdicts if verdict.holds is holds]
        if found:
            number = counted(len(found), "person", "people")
            findings.append(look.warning(AREA, f"{number} {text} of the scoping filters: {listed(found)}", do))
    return findings


def skip_remedy(skipped: Iterable[tuple[Member, str]]) -> str:
    """What to do about who would be skipped."""
    reasons = {why for _, why in skipped}
    nested = "name nested groups in xtsync:groups themselves"
    rest = "take the others out of the scope, or leave it so: only the tenant's own people are synchronized"
    return "; ".join(
        [*([nested] if NOT_PEOPLE[GROUP] in reasons else []), *([rest] if reasons - {NOT_PEOPLE[GROUP]} else [])]
    )


def unreadable(look: Look, people: Sequence[Member]) -> list[Finding]:
    """Members of whom Graph told the id only: whether they are guests cannot be said."""
    hidden = [member for member in people if not member.principal_name]
    if not hidden:
        return []
    found = f"{counted(len(hidden), 'member')} of groups may not be read: whether they are guests is unknown"
    return [look.warning(AREA, found, f"give the sign-in {READ_USERS}")]


def same_mail(look: Look, people: Sequence[Member]) -> list[Finding]:
    """People with the same address: both would be linked to one account in the target."""
    addresses = Counter(member.mail.lower() for member in people if member.mail and not skipped_because(member))
    shared = [address for address, number in addresses.items() if number > 1]
    if not shared:
        return []
    found = f"several people have the same mail and would share one account in the target: {listed(shared)}"
    return [look.warning(AREA, found, "give each their own mail")]
