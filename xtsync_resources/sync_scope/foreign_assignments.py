"""Users and groups whom somebody has put in scope by hand, and what becomes of them.

They are named. By xtsync:foreignAssignments they stay whoever's they are, become this stack's, so that they leave with
it, or are taken out. The last two happen in an `up`, after a preview that names them: what `refresh` has seen is drift.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..assignments.operations import (
    Assignment,
    assignments,
    in_scope,
    listed,
    name_and_id,
    names_in,
    principal_of,
)
from ..graph.consistency import FOREIGN_ASSIGNMENTS, MEMBERSHIP
from ..graph.errors import RefusedError
from ..pulumi_runtime.engine import WARNING, report
from ..pulumi_runtime.provider import Properties
from .affected import ids, named

if TYPE_CHECKING:
    from ..graph.operation import Operation

REPORT, ADOPT, REMOVE = "report", "adopt", "remove"
# The names of the inputs: what is wanted, whom `refresh` has seen, and whom the stack has adopted.
WANTED, SEEN, ADOPTED = "foreignAssignments", "foreign", "adopted"
OUT = (
    "Whoever leaves the scope is deleted in the target by the job's next cycle, restorable there for 30 days, unless "
    "another group or assignment, or xtsync:flowTypes, keeps them"
)
WHAT_BECOMES = {
    REPORT: "add them to xtsync:users or xtsync:groups, or remove the assignments in the portal; until then they stay. "
    f"{OUT}. What becomes of such people is xtsync:foreignAssignments: report (as now), adopt or remove",
    ADOPT: "run `pulumi up --refresh --diff` to make them this stack's: they stay, and leave the scope when the pair "
    "ends (xtsync:foreignAssignments is adopt). To take them out instead, remove the assignments in the portal. "
    f"{OUT}",
    REMOVE: "run `pulumi up --refresh --diff` to take them out of the scope (xtsync:foreignAssignments is remove). "
    f"{OUT}. To keep them, add them to xtsync:users or xtsync:groups before",
}
BY_ANOTHER_ROLE = (
    "remove the assignments in the portal (Users and groups) if they should go, as this stack takes that role from "
    f"nobody, whatever xtsync:foreignAssignments says. {OUT}"
)
# Names as the configuration has them, "user ..." or "group ...", and object ids.
Principals = Mapping[str, str]


@dataclass(frozen=True)
class Foreign:
    """What is wanted, and whom the state says that the stack has adopted."""

    wanted: str
    adopted: Principals


def settled_foreign_assignments(operation: Operation, properties: Properties) -> list[Assignment]:
    """The foreign assignments that several looks see, by whatever role of the application.

    Call: GET appRoleAssignedTo, repeated where something follows.
    """

    def look() -> list[Assignment]:
        return foreign(properties, in_scope(operation, properties["servicePrincipalId"]))

    found = look()

    def nobody() -> bool | None:
        there = {principal_of(one) for one in look()}
        found[:] = [one for one in found if principal_of(one) in there]
        return None if found else True

    if found and properties[WANTED] != REPORT:
        operation.look_again(FOREIGN_ASSIGNMENTS, nobody, at_once=False)
    return found


def foreign(properties: Mapping[str, Any], listed: Iterable[Assignment]) -> list[Assignment]:
    """The assignments that are neither this stack's nor were there before it."""
    known = {*properties["principals"].values(), *properties["foundPeople"], *properties[ADOPTED].values()}
    return [one for one in listed if principal_of(one) not in known]


def as_principals(found: Iterable[Assignment]) -> dict[str, str]:
    """Whom assignments put in scope, by kind and object id: their names are whoever's who chose them."""
    ids = [(str(one.get("principalType") or "user").lower(), principal_of(one)) for one in found]
    return {f"{kind} {object_id}": object_id for kind, object_id in sorted(ids)}


def report_foreign(
    found: Collection[Assignment], by_other_roles: Collection[Assignment] = (), wanted: str = REPORT
) -> None:
    """Say who is in scope besides those who are configured, and what becomes of them.

    Args:
        found: their assignments, by the role that this stack assigns.
        by_other_roles: of those who have another role only.
        wanted: what becomes of the former.
    """
    ways = (
        (found, "", WHAT_BECOMES[wanted]),
        (by_other_roles, " by another role of the application", BY_ANOTHER_ROLE),
    )
    for those, how, becomes in ways:
        if those:
            who = "1 user or group is" if len(those) == 1 else f"{len(those)} users and groups are"
            names = ", ".join(map(name_and_id, those))
            report(
                f"{who} in scope{how} and not configured: {names}. Somebody has assigned them by hand: {becomes}",
                severity=WARNING,
            )


def due(operation: Callable[[], Operation], olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, str]:
    """Whom the next update adopts or takes out: those `refresh` has seen, all there are where that is newly wanted.

    Call: in the latter case GET appRoleAssignedTo.

    Args:
        operation: begins one in the source.
        olds: the former inputs or outputs; empty before the first `up`.
        news: the new inputs.
    """
    if not olds or news[WANTED] == REPORT or olds["servicePrincipalId"] != news["servicePrincipalId"]:
        return {}
    found: dict[str, str] = olds[SEEN]
    if olds[WANTED] != news[WANTED]:
        there = assignments(operation(), olds["servicePrincipalId"], olds["appRoleId"])
        found = as_principals(foreign(olds, there))
    configured = set(news["principals"].values())
    return {name: object_id for name, object_id in found.items() if object_id not in configured}


def adopted(olds: Properties, news: Properties, coming: Principals) -> dict[str, str]:
    """Whom the stack has adopted; whoever is configured needs that no more, and neither does another application.

    The former ones come from the program: of a resource that is made anew the engine shows nothing of before.
    """
    if olds and olds["servicePrincipalId"] != news["servicePrincipalId"]:
        return {}
    configured = set(news["principals"].values())
    return {name: object_id for name, object_id in {**news[ADOPTED], **coming}.items() if object_id not in configured}


def left_behind(operation: Callable[[], Operation], olds: Properties, news: Properties) -> None:
    """Say who is assigned to an application that is made anew, and will not be to the new one.

    Call: where it is another one, GET appRoleAssignedTo.
    """
    if not olds or olds["servicePrincipalId"] == news["servicePrincipalId"]:
        return
    known = {**olds, "foundPeople": (), ADOPTED: {}}
    there = assignments(operation(), olds["servicePrincipalId"], olds["appRoleId"])
    configured = {*ids(olds), *ids(news)}
    if there:
        names = ", ".join(map(name_and_id, foreign(known, there)))
    else:  # the former one is gone, and with it who was assigned to it by hand
        found = set(olds["foundPeople"]) - configured
        names = names_in(operation(), found) if found else ""
    if names:
        report(
            f"the application is another one, to which nobody is assigned but who is configured: {names} leave the "
            "scope, and stay in the target as they are. Add them to xtsync:users or xtsync:groups",
            severity=WARNING,
        )


def announce(operation: Callable[[], Operation], found: Principals, wanted: str) -> None:
    """Say in a preview what becomes of them. Calls: none where there are none, else those of `names_in`."""
    if not found:
        return
    names = names_in(operation(), list(found.values()))
    if wanted == REMOVE:
        report(f"takes out of the scope whom somebody has assigned by hand: {names}", severity=WARNING)
    else:
        report(f"takes over whom somebody has assigned by hand, who leave the scope when the pair ends: {names}")


def announce_adopted(operation: Callable[[], Operation], olds: Properties, news: Properties, there: Principals) -> None:
    """Say that those who were adopted stay where others are to be taken out. Calls: those of `names_in`, where so."""
    if there and news[WANTED] == REMOVE and olds.get(WANTED) not in (None, REMOVE):
        names = names_in(operation(), list(there.values()))
        report(
            f"stay in scope, as this stack has adopted them: {names}. To let them leave before the pair ends, add them "
            "to xtsync:users or xtsync:groups, run `pulumi up`, and take them out again",
            severity=WARNING,
        )


def announce_end(operation: Operation, found: Principals) -> None:
    """Say that the end of the pair deletes those who were adopted as well. Calls: those of `names_in`."""
    names = names_in(operation, list(found.values()))
    report(f"with xtsync:onDestroy drain, `destroy` deletes those who were adopted, too: {names}", severity=WARNING)


def refuse(operation: Operation, props: Properties, new: Collection[str]) -> None:
    """Refuse to take over assignments that somebody made. Call: GET appRoleAssignedTo.

    Raises:
        RefusedError: there are some.
    """
    found: set[str] = set()

    def nobody() -> bool | None:
        there = assignments(operation, props["servicePrincipalId"], props["appRoleId"])
        found.clear()
        found.update({principal_of(one) for one in there} & set(new))
        return None if found else True

    if operation.look_again(MEMBERSHIP, nobody) is None:
        raise RefusedError(
            f"Will not take over assignments in {operation.tenant} of {listed(named(props, found))}",
            "xtsync:onExisting is fail, and somebody has assigned them by hand",
            "set xtsync:onExisting to adopt to take the assignments over, or remove them",
        )
