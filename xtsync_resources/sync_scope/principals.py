"""Who is in scope: configured names -> object ids in the source tenant.

Every unknown name, and every group that cannot be assigned, is reported at once, before anything is created.

Source: https://learn.microsoft.com/entra/identity/enterprise-apps/assign-user-or-group-access-portal
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..assignments.operations import listed
from ..config import GUID, ConfigurationProblems, Problem, Settings
from ..directory.find import FoundObjects, find_objects, names_now
from ..directory.members import USER, read_member, skipped_because
from ..graph.errors import CallError, lines_of
from ..program.stack_state import Recorded, outputs_of
from ..pulumi_runtime.messages import Stopped
from ..pulumi_runtime.provider import HOME
from ..state import type_token
from .remembered_names import is_another, ways_out

if TYPE_CHECKING:
    from ..graph.client import GraphClient
    from ..graph.operation import Operation

ON_DEMAND = "xtsync:provisionOnDemand"
ASSIGNMENT_TYPE = "azuread:index/appRoleAssignment:AppRoleAssignment"
UNRECORDED = (
    "leave the stack file, and the scope has no record of them: if a run with targets has assigned them, they stay in "
    "scope. `pulumi refresh` names who is; remove them in the portal if they should go"
)
NOT_ASSIGNABLE = (
    "the group is not security enabled (securityEnabled is false in Graph, as of a distribution list), and Entra "
    "assigns no such group to an application"
)
WHAT_FOLLOWS = {
    "user": ", and the job's next cycle deletes the account in the target",
    "group": ", and the job's next cycle deletes its people in the target, but for those whom another entry keeps",
}
RESTORE_OR_TAKE_OUT = (
    "If that was a mistake, let the job rest (`xtsync pause`; one that holds deletions back is not paused: it "
    "deletes nobody as long as as many as its threshold stay out), restore what was deleted (the Entra admin center "
    "keeps for 30 days what can be restored), in "
    "the target also the accounts that are deleted already, and run `pulumi up --refresh --diff`, which assigns it and "
    "starts the job where it is to run. Else take it out of the list, and let that happen"
)
# Resources that remember whom the configuration named.
RECORDS = {type_token("SyncScope"), type_token("ProvisionOnDemand")}


@dataclass(frozen=True)
class Given:
    """An entry of the configuration; `key` says where it stands."""

    key: str
    kind: str
    name: str


@dataclass(frozen=True)
class Principal(Given):
    """The user or group that an entry means."""

    object_id: str


@dataclass(frozen=True)
class Scope:
    """Who is assigned, and the object ids of who is provisioned at once, by configured name.

    `skipped` says of users who are assigned why the service skips them, by object id.
    """

    principals: tuple[Principal, ...]
    on_demand: Mapping[str, str]
    skipped: Mapping[str, str] = field(default_factory=dict)

    def by_name(self) -> dict[str, Principal]:
        """Who is assigned, by what the resource is called.

        That is the first part of the object id, which somebody who is renamed or written otherwise keeps: removing an
        assignment removes the person from the target. Where two share it, it is the whole.
        """
        short = [f"{one.kind}-{one.object_id.partition('-')[0]}" for one in self.principals]
        shared = {name for name, count in Counter(short).items() if count > 1}
        return {
            f"{one.kind}-{one.object_id}" if name in shared else name: one
            for name, one in zip(short, self.principals, strict=True)
        }


def look_up(settings: Settings, client: GraphClient, state: Iterable[Recorded]) -> Scope:
    """Find everyone who is named. Calls: those of `find_objects` and `names_now`.

    Args:
        settings: the stack's configuration.
        client: of the source.
        state: what the last run left.

    Raises:
        ConfigurationProblems: some user or group does not exist or cannot be assigned, or two names mean the
            same object.
        Stopped: nobody could look.
    """
    operation = client.operation(60 * settings.deadline_minutes)
    people = dict.fromkeys((*settings.users, *settings.provision_on_demand))
    try:
        found = find_objects(operation, {"user": people, "group": settings.groups}, GUID.fullmatch)
        named, problems = tell_apart(settings, found)
        problems += not_assignable(named, found)
        missing = [one for one in given(settings) if not found.get((one.kind, one.name.lower()))]
        known = meant(state, settings.source.id)
        problems += missing_objects(operation, missing, known, settings.source.name)
        problems += other_objects(operation, named, known, settings.source.name)
    except CallError as error:
        raise Stopped(*lines_of(error)) from None
    principals = tuple(one for one in named if not one.key.startswith(ON_DEMAND))
    problems += duplicates(principals)
    if problems:
        raise ConfigurationProblems(problems)
    on_demand = {one.name: one.object_id for one in named if one.key.startswith(ON_DEMAND)}
    return Scope(principals, on_demand, skipped_users(principals, found))


def given(settings: Settings) -> list[Given]:
    """Everybody whom the configuration names."""
    lists = (("users", "user", settings.users), ("groups", "group", settings.groups))
    on_demand = ("provisionOnDemand", "user", settings.provision_on_demand)
    return [
        Given(f"xtsync:{key}[{index}]", kind, name)
        for key, kind, names in (*lists, on_demand)
        for index, name in enumerate(names)
    ]


def tell_apart(settings: Settings, found: FoundObjects) -> tuple[list[Principal], list[Problem]]:
    """Whom each entry means, and those that could mean several."""
    named, problems = [], []
    for one in given(settings):
        ids = sorted(found.get((one.kind, one.name.lower()), ()))
        if len(ids) > 1:
            why = f"{settings.source.name} has several {one.kind}s of this name: {listed(ids)}"
            problems.append(Problem(one.key, one.name, why, "Give the object id"))
        named += [Principal(one.key, one.kind, one.name, ids[0])] if len(ids) == 1 else []
    return named, problems


# --- who was renamed or deleted ----------------------------------------------------------------------------


def missing_objects(
    operation: Operation, missing: Sequence[Given], known: Mapping[str, str], tenant: str
) -> list[Problem]:
    """What to say of entries that nobody answers to; `known` are the object ids that names meant at the last run."""
    ids = {one: known.get(f"{one.kind} {one.name}".lower()) for one in missing}
    remembered = [(one, object_id) for one, object_id in ids.items() if object_id]
    names = names_now(operation, [(one.kind, object_id) for one, object_id in remembered])
    now = {one: name for (one, _), name in zip(remembered, names, strict=True)}
    return [problem_of(one, ids[one], now.get(one), tenant) for one in missing]


def problem_of(one: Given, object_id: str | None, name: str | None, tenant: str) -> Problem:
    """What to say of one entry: unknown, deleted since, or called otherwise now."""
    if object_id is None:
        why, do = f"{tenant} has no such {one.kind}", "Check the spelling, or give the object id"
        return Problem(one.key, one.name, why, do)
    if name is None:
        why = f"the {one.kind} was deleted in {tenant} (object id {object_id}){WHAT_FOLLOWS[one.kind]}"
        return Problem(one.key, one.name, why, RESTORE_OR_TAKE_OUT)
    why = f"the {one.kind} is now called {name}"
    return Problem(one.key, one.name, why, "Write that name, or the object id, which stays: " + object_id)


def meant(state: Iterable[Recorded], tenant: str) -> dict[str, str]:
    """Object ids by what the configuration called them, as the stack's `SyncScope` and the like remember them."""
    found: dict[str, str] = {}
    for one in state:
        if one.outputs.get(HOME) == tenant and one.type in RECORDS:
            at_once = {f"user {name}": id_ for name, id_ in one.outputs.get("users", {}).items()}
            principals = one.outputs.get("principals", {})
            found |= {name.lower(): id_ for name, id_ in {**at_once, **principals}.items()}
    return found


def last_scope(state: Iterable[Recorded], tenant: str) -> dict[str, str]:
    """Object ids of whom the stack's `SyncScope` has put in scope or adopted, by what it calls them."""
    found: dict[str, str] = {}
    for one in state:
        if one.outputs.get(HOME) == tenant and one.type == type_token("SyncScope"):
            entries = {**(one.outputs.get("adopted") or {}), **one.outputs.get("principals", {})}
            found |= {name.lower(): id_ for name, id_ in entries.items()}
    return found


def to_assign_anew(component: str, state: Sequence[Recorded], people: Scope) -> list[str]:
    """Object ids of those whose assignment is in the state and may not be in the tenant.

    azuread made it and then failed to read it, which it has no way to mend. Or `SyncScope` has taken them out already,
    in a run that did not come to its end or was given targets.
    """
    in_scope = recorded_scope(component, state)
    made = {one.name: one.outputs for one in state if one.type == ASSIGNMENT_TYPE}
    return [
        one.object_id
        for short, one in people.by_name().items()
        if (outputs := made.get(f"{component}-{short}")) is not None
        and (not outputs.get("principalType") or (in_scope is not None and one.object_id not in in_scope))
    ]


def unrecorded(component: str, state: Sequence[Recorded], people: Scope) -> list[str]:
    """Object ids of those who leave and whom no record has, so that nobody takes them out.

    They were assigned by a run that was given targets, without the scope.
    """
    in_scope, wanted = recorded_scope(component, state), {one.object_id for one in people.principals}
    made = [one.outputs for one in state if one.type == ASSIGNMENT_TYPE and one.name.startswith(f"{component}-")]
    ids = {str(outputs.get("principalObjectId")) for outputs in made}
    return sorted(ids - wanted - in_scope) if in_scope is not None else []


def recorded_scope(component: str, state: Sequence[Recorded]) -> set[str] | None:
    """Object ids of those whom the stack's `SyncScope` has; None where there is none."""
    outputs = outputs_of(state, type_token("SyncScope"), f"{component}-scope")
    return None if outputs is None else set((outputs.get("principals") or {}).values())


# --- whose name it is now ----------------------------------------------------------------------------------


def other_objects(
    operation: Operation, named: Iterable[Principal], known: Mapping[str, str], source: str
) -> list[Problem]:
    """Names that another object has now: whoever may give one away must not decide who is in scope."""
    remembered = [(one, known.get(f"{one.kind} {one.name}".lower())) for one in named if not GUID.fullmatch(one.name)]
    others = [(one, was) for one, was in remembered if was and was != one.object_id]
    names = names_now(operation, [(one.kind, was) for one, was in others])
    problems = []
    for (one, was), name in zip(others, names, strict=True):
        became = "deleted since" if name is None else f"now called {name}"
        why = f"{is_another(one.kind)} in {source}: {one.object_id}, where it was {was} ({became})"
        key = one.key.partition(":")[2].partition("[")[0]
        problems.append(Problem(one.key, one.name, why, ways_out(one.kind, key)))
    return problems


# --- what else can be wrong --------------------------------------------------------------------------------


def not_assignable(named: Iterable[Principal], found: FoundObjects) -> list[Problem]:
    """Groups that Entra refuses to assign; where Graph does not say whether one is security enabled, it may be."""
    do = "Give a security group, or set securityEnabled of a Microsoft 365 group to true"
    return [
        Problem(one.key, one.name, NOT_ASSIGNABLE, do)
        for one in named
        if found[one.kind, one.name.lower()][one.object_id].get("securityEnabled") is False
    ]


def skipped_users(principals: Iterable[Principal], found: FoundObjects) -> dict[str, str]:
    """Why the service skips users, by object id. It is no problem of the configuration: the tenant can change it."""
    users = ((one, found[USER, one.name.lower()][one.object_id]) for one in principals if one.kind == USER)
    return {one.object_id: why for one, user in users if (why := skipped_because(read_member(user, USER)))}


def duplicates(principals: Iterable[Principal]) -> list[Problem]:
    """Names that mean the same object: it can be assigned only once."""
    seen: dict[str, Principal] = {}
    problems = []
    for principal in principals:
        other = seen.setdefault(principal.object_id, principal)
        if other is not principal:
            why = f"the same {principal.kind} as {other.name}"
            problems.append(Problem(f"xtsync:{principal.kind}s", principal.name, why, "Remove one of the two"))
    return problems
