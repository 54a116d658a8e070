"""Users and groups whom somebody has put in scope by hand, and what becomes of them.

They are named. By xtsync:foreignAssignments they stay whoever's they are, become this stack's, so that they leave with
it, or are taken out. The last two happen in an `up`, after a preview that names them: what `refresh` has seen is drift.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .assigned import Assignment, assignments, name_of, names_in, principal_of
from .lifecycle import WARNING, Properties, tell

if TYPE_CHECKING:
    from .graph.operation import Operation

REPORT, ADOPT, REMOVE = "report", "adopt", "remove"
# The names of the inputs: what is wanted, whom `refresh` has seen, and whom the stack has adopted.
WANTED, SEEN, ADOPTED = "foreignAssignments", "foreign", "adopted"
WHAT_BECOMES = {
    REPORT: "They stay; add them to xtsync:users or xtsync:groups, or remove them in the portal",
    ADOPT: "The next `pulumi up` makes them this stack's: they stay, and leave the scope when the pair ends",
    REMOVE: "The next `pulumi up` takes them out of the scope, and their people leave the target",
}
# Names as the configuration has them, "user ..." or "group ...", and object ids.
Principals = Mapping[str, str]


def strangers(properties: Mapping[str, Any], listed: Iterable[Assignment]) -> list[Assignment]:
    """The assignments that are neither this stack's nor were there before it."""
    known = {*properties["principals"].values(), *properties["assignedBefore"], *properties[ADOPTED].values()}
    return [one for one in listed if principal_of(one) not in known]


def as_principals(found: Iterable[Assignment]) -> dict[str, str]:
    """Whom assignments put in scope, by kind and object id: their names are whoever's who chose them."""
    ids = [(str(one.get("principalType") or "user").lower(), principal_of(one)) for one in found]
    return {f"{kind} {object_id}": object_id for kind, object_id in sorted(ids)}


def report(found: Collection[Assignment], wanted: str = REPORT) -> None:
    """Say who is in scope besides those who are configured, and what becomes of them."""
    if found:
        names = ", ".join(name_of(one) for one in found)
        tell(
            f"{len(found)} users and groups are in scope that are not configured: {names}. Somebody has assigned them "
            f"by hand. {WHAT_BECOMES[wanted]}",
            severity=WARNING,
        )


def due(operation: Callable[[], Operation], olds: Properties, news: Properties) -> dict[str, str]:
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
        listed = assignments(operation(), olds["servicePrincipalId"], olds["appRoleId"])
        known = {**olds, "assignedBefore": olds["foundPeople"]}
        found = as_principals(strangers(known, listed))
    configured = set(news["principals"].values())
    return {name: object_id for name, object_id in found.items() if object_id not in configured}


def adopted(olds: Properties, news: Properties, coming: Principals) -> dict[str, str]:
    """Whom the stack has adopted; whoever is configured needs that no more, and neither does another application."""
    if not olds or olds["servicePrincipalId"] != news["servicePrincipalId"]:
        return {}
    configured = set(news["principals"].values())
    return {name: object_id for name, object_id in {**olds[ADOPTED], **coming}.items() if object_id not in configured}


def announce(operation: Callable[[], Operation], found: Principals, wanted: str) -> None:
    """Say in a preview what becomes of them. Calls: none where there are none, else those of `names_in`."""
    if not found:
        return
    names = names_in(operation(), list(found.values()))
    if wanted == REMOVE:
        tell(f"takes out of the scope whom somebody has assigned by hand: {names}", severity=WARNING)
    else:
        tell(f"takes over whom somebody has assigned by hand, who leave the scope when the pair ends: {names}")
