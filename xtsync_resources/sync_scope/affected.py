"""Who comes into scope and who leaves it, told before anything happens.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..assignments.operations import MOST_NAMES, assignments, listed, principal_of
from ..directory.calls import count_members, get_group, list_members
from ..directory.find import names_now
from ..directory.hidden import hidden_members, hides_members
from ..directory.members import GROUP, NOT_PEOPLE, USER, read_member, skipped_because
from ..graph.errors import CallError, GraphError, RefusedError
from ..pulumi_runtime.engine import WARNING, report
from ..pulumi_runtime.provider import Properties, is_unknown
from ..service_principal.calls import get_service_principal
from ..service_principal.model import assignable_role
from .leavers import Principal

if TYPE_CHECKING:
    from ..graph.operation import Operation

DYNAMIC = "DynamicMembership"
MORE, COUNT = "@odata.nextLink", "@odata.count"
PURPOSE = "count who comes into scope"
OWN_PEOPLE = (
    "only the tenant's own people are synchronized. Take them out of xtsync:users, unless somebody is about to change "
    "their userType to Member"
)
Answer = Mapping[str, Any] | CallError
# A group's name, and the answers for it and for its members.
GroupRead = tuple[str, Answer, Answer]
# Object ids by what the configuration calls users and groups.
Principals = Mapping[str, str]


@dataclass(frozen=True)
class Leaving:
    """What becomes of people who leave the scope.

    Attributes:
        most: how many may leave in one run; None for any number.
        deletes: whether the job deletes them.
        holds_from: from how many on the job holds their deletion back; 0 for never.
    """

    most: int | None
    deletes: bool
    holds_from: int


@dataclass(frozen=True)
class Affected:
    """Users and groups whom a change of the configuration concerns.

    Attributes:
        comes: who comes into scope.
        already: who is configured anew and in scope already, as somebody has assigned them by hand.
        leaves: who leaves the scope.
        stays: who is configured no more and stays, as they had been assigned before this stack.
        left: who of those who leave had been assigned before this stack as well, and is not assigned now.
    """

    comes: Principals = field(default_factory=dict)
    already: Principals = field(default_factory=dict)
    leaves: Principals = field(default_factory=dict)
    stays: Principals = field(default_factory=dict)
    left: Principals = field(default_factory=dict)


# --- who is who --------------------------------------------------------------------------------------------


def ids(properties: Mapping[str, Any]) -> set[str]:
    """Object ids of the users and groups that are to be in scope."""
    return set(properties["principals"].values())


def named(properties: Mapping[str, Any], wanted: Collection[str]) -> list[str]:
    """What the configuration calls these users and groups."""
    return sorted(name for name, object_id in properties["principals"].items() if object_id in wanted)


def kinds(principals: Principals) -> list[Principal]:
    """Whether they are users or groups, with their object ids."""
    return [(name.partition(" ")[0], id_) for name, id_ in principals.items()]


def those_of(principals: Principals, wanted: Collection[str]) -> Principals:
    """Some of them, by object id."""
    return {name: id_ for name, id_ in principals.items() if id_ in wanted}


def groups_among(principals: Principals) -> dict[str, str]:
    """The groups among users and groups, by name."""
    return {name: object_id for name, object_id in principals.items() if name.startswith("group ")}


def as_found_first(olds: Properties, news: Properties) -> Properties:
    """The new inputs, with what was found before this stack as it was found first.

    A job that is made anew, or taken over again, is found with what this stack has put into it. One that this stack
    makes where it had taken one over goes at the end: who was in scope is all that stays remembered.
    """
    if not olds or olds["servicePrincipalId"] != news["servicePrincipalId"]:
        return news
    of_job = ("foundState", "foundCycle") if news.get("foundState") else ()
    return {**news, **{key: olds[key] for key in ("foundPeople", *of_job) if key in olds}}


def affected(
    olds: Mapping[str, Any], news: Mapping[str, Any], assigned: Collection[str] | None, *, anew: bool = False
) -> Affected:
    """Whom a change concerns.

    Args:
        olds: the former inputs; empty before the first `up`.
        news: the new ones.
        assigned: object ids of who is in scope; None where that could not be read.
        anew: whether everybody comes anew, as a run that was cut off has taken them out.
    """
    before = ids(olds) if olds else set[str]()
    found = found_before(olds, news)
    # A run that was cut off while it took an assignment over has removed it, and not made it anew.
    first = found if assigned is None else found & set(assigned)
    assigned = assigned or ()
    coming, gone = ids(news) - (set() if anew else before), before - ids(news)
    return Affected(
        comes=those_of(news["principals"], coming.difference(assigned)),
        already=those_of(news["principals"], coming.intersection(assigned)),
        leaves=those_of(olds.get("principals", {}), gone - first),
        stays=those_of(olds.get("principals", {}), gone & first),
        left=those_of(olds.get("principals", {}), gone & (found - first)),
    )


def found_before(olds: Mapping[str, Any], news: Mapping[str, Any]) -> set[str]:
    """Object ids of who was assigned before this stack; nobody was, to an application that is made anew."""
    same = olds.get("servicePrincipalId") == news.get("servicePrincipalId")
    return set(olds.get("foundPeople") or ()) if same else set()


def already_assigned(operation: Callable[[], Operation], olds: Mapping[str, Any], news: Mapping[str, Any]) -> set[str]:
    """Object ids of who is in scope before anybody who is new is assigned.

    Calls: none where nobody is new or leaves who was there before, or the run knows it; else GET appRoleAssignedTo, and
    before the application is in the state GET servicePrincipals/{id}.
    """
    service_principal, role = news["servicePrincipalId"], news["appRoleId"]
    if is_unknown(service_principal):
        return set()
    if olds and ids(news) <= ids(olds) and not found_before(olds, news) & (ids(olds) - ids(news)):
        return set()
    if not olds and not is_unknown(news["foundPeople"]):
        return set(news["foundPeople"])
    if is_unknown(role):
        role = assignable_role(operation().read(get_service_principal(service_principal)) or {})
    return {principal_of(one) for one in assignments(operation(), service_principal, role)}


def told(principals: Principals) -> str:
    """Their names on one line; the first of them, where there are many."""
    more = " (`xtsync plan` names all)" if len(principals) > MOST_NAMES else ""
    return f"{listed(sorted(principals))}{more}"


def announce(change: Affected) -> None:
    """Say who comes into scope and who leaves it."""
    if change.comes:
        report(f"{'comes' if len(change.comes) == 1 else 'come'} into scope: {told(change.comes)}")
    if change.already:
        report(f"adopts assignments, of who is in scope already: {told(change.already)}")
    if change.leaves:
        verb = "leaves" if len(change.leaves) == 1 else "leave"
        report(f"{verb} the scope: {told(change.leaves)}", severity=WARNING)
    if change.left:
        report(
            f"not assigned any more, though they had been before this stack took the pair over: {told(change.left)}. "
            "Somebody, or a run that was cut off, has removed that. Put them into the stack file again to keep them",
            severity=WARNING,
        )
    if change.stays:
        report(
            f"not configured any more: {told(change.stays)}. They had been assigned before this stack took "
            "the pair over, so they stay in scope; remove them in the portal if they should go",
            severity=WARNING,
        )


def skipped_among(principals: Principals, skipped: Mapping[str, str]) -> list[str]:
    """Those of them whom the service skips, each with why; `skipped` says that by object id."""
    return sorted(f"{name} ({skipped[object_id]})" for name, object_id in principals.items() if object_id in skipped)


def announce_skipped(change: Affected, skipped: Mapping[str, str]) -> None:
    """Warn of users who are assigned and do not arrive."""
    if names := skipped_among({**change.comes, **change.already}, skipped):
        report(f"the service skips {listed(names)}: {OWN_PEOPLE}", severity=WARNING)


# --- who comes ---------------------------------------------------------------------------------------------


def read_groups(operation: Operation, groups: Principals) -> list[GroupRead]:
    """Groups with the first page of their members, by name, and with the number of all where there are more.

    Calls: POST $batch of GET groups/{id} and the first page of GET groups/{id}/members (GroupMember.Read.All); of
    groups with more pages the same call for their number.

    Args:
        operation: in the source.
        groups: object ids by name.

    Raises:
        XtsyncError: Graph could not be asked.
    """
    from ..graph.batch import read_all  # noqa: PLC0415 - HTTP, which the program does not need

    reads = [call for id_ in groups.values() for call in (get_group(id_), list_members(id_))]
    answers = iter(read_all(operation, reads, PURPOSE))
    found = dict(zip(groups, zip(answers, answers, strict=True), strict=True))
    pages = {name: members for name, (_, members) in found.items() if not isinstance(members, GraphError)}
    large = [name for name, members in pages.items() if MORE in members]
    try:
        counted = read_all(operation, [count_members(groups[name]) for name in large], PURPOSE)
    except CallError:  # The number is told where it is had; the first page is enough for all else.
        counted = []
    for name, answer in zip(large, counted, strict=False):
        if not isinstance(answer, GraphError):
            pages[name] = {**pages[name], COUNT: answer.get(COUNT)}
    read = {name: (group, pages.get(name, members)) for name, (group, members) in found.items()}
    return [(name, group, seen(operation, groups[name], group, members)) for name, (group, members) in read.items()]


def seen(operation: Operation, group_id: str, group: Answer, members: Answer) -> Answer:
    """The members of a group, or that they are hidden."""
    if isinstance(group, CallError) or isinstance(members, CallError) or members["value"]:
        return members
    return hidden_members(operation, group_id) if hides_members(operation, group) else members


def sentence(name: str, group: Answer, members: Answer) -> str:
    """How many people a group brings into scope, and what it does not."""
    if isinstance(members, CallError):
        return f"{name}: its members could not be counted ({members.why})"
    found = [read_member(entry, USER) for entry in members["value"]]
    skipped = Counter(why for member in found if (why := skipped_because(member)))
    people = len(found) - skipped.total()
    more = "more than " if MORE in members else ""
    parts = [f"{name} brings {more}{people} {'person' if people == 1 and not more else 'people'} into scope"]
    if (number := members.get(COUNT) or 0) > len(found):
        parts.append(f"it has {number:,} direct members")
    if groups := sum(member.kind == GROUP for member in found):
        parts.append(
            f"not the members of the {groups} group{'' if groups == 1 else 's'} in it: only direct members are"
        )
    if others := [f"{count} {why}" for why, count in sorted(skipped.items()) if why != NOT_PEOPLE[GROUP]]:
        parts.append(f"the service skips what else is in it: {', '.join(others)}")
    if not isinstance(group, CallError) and DYNAMIC in (group.get("groupTypes") or ()):
        parts.append("its membership is dynamic: a rule decides who comes and goes, and no preview tells")
    return "; ".join(parts)


# --- who may not leave -------------------------------------------------------------------------------------


def who_exists(operation: Operation, scope: Mapping[str, Any], wanted: Collection[str]) -> set[str]:
    """Those of the users and groups in scope who are still there: whoever is gone cannot be protected.

    Calls: POST $batch of GET users/{id}, GET groups/{id}.
    """
    there = kinds(those_of(scope["principals"], wanted))
    return {id_ for (_, id_), name in zip(there, names_now(operation, there), strict=True) if name is not None}


def refuse_to_remove(operation: Callable[[], Operation], olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
    """Refuse to let somebody leave who is protected, and exists. Calls: where it would refuse, those of `who_exists`.

    Raises:
        RefusedError: naming them.
    """
    protected = (ids(olds) - ids(news)) & set(olds["neverRemove"])
    if protected and (there := who_exists(operation(), olds, protected)):
        raise RefusedError(
            f"Will not take {', '.join(named(olds, there))} out of the scope in {operation().tenant}",
            "xtsync:neverRemove names them",
            "put them back; if they are to leave, take them out of xtsync:neverRemove first and run `pulumi up`, then "
            "out of xtsync:users or xtsync:groups",
        )
