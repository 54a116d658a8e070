"""Who comes into scope and who leaves it, in people, told before anything happens.

A group is opened only where it comes or leaves, or where somebody who leaves may stay through it.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..assignments.operations import USER_TYPE, assignments, names_in, people_in, people_of, principal_of
from ..directory.calls import get_group, list_members
from ..directory.find import names_now
from ..graph.errors import GraphError, RefusedError, TenantName
from ..pulumi_runtime.engine import WARNING, report
from ..pulumi_runtime.provider import Properties

if TYPE_CHECKING:
    from ..graph.operation import Operation

# More are not opened: a preview is not to list a whole directory.
MOST_LEAVING, MOST_STAYING = 2000, 20_000
GROUP_TYPE = "#microsoft.graph.group"
DYNAMIC = "DynamicMembership"
NOT_COUNTED = (
    "how many people that is was not counted: it takes the permission GroupMember.Read.All, and at most "
    f"{MOST_LEAVING} people who leave"
)
PEOPLE_GO = (
    "Their people are removed from the target with the next cycle of a job that runs (restorable there for 30 days), "
    "within xtsync:deletionThreshold; flowTypes without delete keeps them"
)
# Kind (`user`, `group`) and object id.
Principal = tuple[str, str]
Answer = Mapping[str, Any] | GraphError
# A group's name, and the answers for it and for its members.
GroupRead = tuple[str, Answer, Answer]


@dataclass(frozen=True)
class Leaving:
    """How many people may leave the scope in one run (None for any number), and whether the job deletes them."""

    most: int | None
    deletes: bool


# --- who is who --------------------------------------------------------------------------------------------


def ids(properties: Mapping[str, Any]) -> set[str]:
    """Object ids of the users and groups that are to be in scope."""
    return set(properties["principals"].values())


def named(properties: Mapping[str, Any], wanted: Collection[str]) -> list[str]:
    """What the configuration calls these users and groups."""
    return sorted(name for name, object_id in properties["principals"].items() if object_id in wanted)


def kinds(principals: Mapping[str, str], wanted: Collection[str]) -> list[Principal]:
    """Whether these are users or groups, with their object ids."""
    return [(name.partition(" ")[0], id_) for name, id_ in principals.items() if id_ in wanted]


def groups_among(principals: Mapping[str, str]) -> dict[str, str]:
    """The groups among users and groups, by name."""
    return {name: object_id for name, object_id in principals.items() if name.startswith("group ")}


def counted(names: Sequence[str], one: str, many: str) -> str:
    """Who does something, by number and name."""
    return f"{len(names)} of the users and groups {one if len(names) == 1 else many}: {', '.join(names)}"


def as_found_first(olds: Properties, news: Properties) -> Properties:
    """The new inputs, with what was found before this stack as it was found first.

    A job that is made anew, or taken over again, is found with what this stack has put into it.
    """
    if not olds or olds["servicePrincipalId"] != news["servicePrincipalId"]:
        return news
    return {**news, **{key: olds[key] for key in ("foundState", "foundPeople", "foundCycle") if key in olds}}


def announce(olds: Properties, news: Properties) -> None:
    """Say who comes into scope and who leaves it, and what becomes of them."""
    coming, gone, before = ids(news) - ids(olds), ids(olds) - ids(news), set(olds.get("foundPeople") or ())
    leaving, staying = named(olds, gone - before), named(olds, gone & before)
    if coming:
        report(counted(named(news, coming), "comes into scope", "come into scope"))
    if leaving:
        report(f"{counted(leaving, 'leaves the scope', 'leave the scope')}. {PEOPLE_GO}", severity=WARNING)
    if staying:
        report(
            f"{counted(staying, 'is not configured any more', 'are not configured any more')}. They had been assigned "
            "before this stack took the pair over, so they stay in scope; remove them in the portal if they should go",
            severity=WARNING,
        )


# --- who comes ---------------------------------------------------------------------------------------------


def groups_that_come(operation: Operation, groups: Mapping[str, str]) -> list[str]:
    """A sentence for each group that comes into scope; see `read_groups`."""
    return [sentence(*one) for one in read_groups(operation, groups)]


def read_groups(operation: Operation, groups: Mapping[str, str]) -> list[GroupRead]:
    """Groups with the first page of their members, by name.

    Calls: POST $batch of GET groups/{id} and the first page of GET groups/{id}/members (GroupMember.Read.All).

    Args:
        operation: in the source.
        groups: object ids by name.

    Raises:
        XtsyncError: Graph could not be asked.
    """
    from ..graph.batch import read_all  # noqa: PLC0415 - HTTP, which the program does not need

    reads = [call for id_ in groups.values() for call in (get_group(id_), list_members(id_))]
    answers = iter(read_all(operation, reads, "count who comes into scope"))
    return list(zip(groups, answers, answers, strict=True))


def sentence(name: str, group: Answer, members: Answer) -> str:
    """How many people a group brings into scope, and what it does not."""
    if isinstance(members, GraphError):
        return f"{name}: its members could not be counted ({members.why})"
    entries = members["value"]
    groups = sum(one.get("@odata.type") == GROUP_TYPE for one in entries)
    people = sum(one.get("@odata.type", USER_TYPE) == USER_TYPE for one in entries)
    more = "more than " if "@odata.nextLink" in members else ""
    parts = [f"{name} brings {more}{people} {'person' if people == 1 and not more else 'people'} into scope"]
    if groups:
        parts.append(
            f"not the members of the {groups} group{'' if groups == 1 else 's'} in it: only direct members are"
        )
    if not isinstance(group, GraphError) and DYNAMIC in (group.get("groupTypes") or ()):
        parts.append("its membership is dynamic: a rule decides who comes and goes, and no preview tells")
    return "; ".join(parts)


# --- who leaves --------------------------------------------------------------------------------------------


def people_who_leave(
    operation: Operation, scope: Mapping[str, Any], gone: Sequence[Principal], coming: Sequence[Principal]
) -> set[str] | None:
    """Object ids of the people whom nothing else keeps in scope; None where that cannot be counted.

    Calls: GET groups/{id}/members of groups (GroupMember.Read.All), GET appRoleAssignedTo, page by page.

    Args:
        operation: in the source.
        scope: service principal and role, by the names of the scope's inputs.
        gone: who leaves.
        coming: who comes.

    Raises:
        XtsyncError: Graph could not be asked.
    """
    ids = {object_id for _, object_id in gone}
    assigned = assignments(operation, scope["servicePrincipalId"], scope["appRoleId"])
    leaving = people_in(operation, gone, MOST_LEAVING)
    staying = people_of(operation, [one for one in assigned if principal_of(one) not in ids], MOST_STAYING)
    arriving = people_in(operation, coming, MOST_STAYING)
    return None if leaving is None or staying is None or arriving is None else leaving - staying - arriving


def report_who_leaves(operation: Operation, people: Collection[str] | None, *, deletes: bool) -> None:
    """Say how many people leave, and who; `deletes` is whether the job does. Calls: GET users/{id} of who is named."""
    if people is None:
        report(NOT_COUNTED, severity=WARNING)
    elif people:
        count = "1 person leaves" if len(people) == 1 else f"{len(people)} people leave"
        where = "the target with that" if deletes else "the scope with that, not the target (xtsync:flowTypes)"
        report(f"{count} {where}: {names_in(operation, people)}", severity=WARNING)
    else:
        report("nobody leaves the target with that: everybody stays in scope by another group or assignment")


def too_many(people: Collection[str], most: int | None) -> bool:
    """Whether more people leave than may; None is any number."""
    return most is not None and len(people) > most


def refuse_many(tenant: TenantName, people: Collection[str] | None, most: int | None) -> None:
    """Refuse to let more people leave than the stack file allows; what was not counted is not refused.

    Raises:
        RefusedError: by number.
    """
    if people is not None and too_many(people, most):
        raise RefusedError(
            f"Will not let {len(people)} people leave the scope in {tenant}",
            "that is as many as xtsync:deletionThreshold or more: the job would hold their deletion back",
            f"if they are to leave, set xtsync:allowDeletions to {len(people)}, run `pulumi up`, and then `xtsync "
            "approve-deletions` once the job has held them back; else put them back",
        )


def who_exists(operation: Operation, scope: Properties, wanted: Collection[str]) -> set[str]:
    """Those of the users and groups in scope who are still there: whoever is gone cannot be protected.

    Calls: POST $batch of GET users/{id}, GET groups/{id}.
    """
    there = kinds(scope["principals"], wanted)
    return {id_ for (_, id_), name in zip(there, names_now(operation, there), strict=True) if name is not None}


def refuse_to_remove(operation: Callable[[], Operation], olds: Properties, news: Properties) -> None:
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
