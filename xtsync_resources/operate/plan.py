"""`xtsync plan`: whom and what the next `pulumi up` touches, in people, for both tenants. It changes nothing.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..config import SIDES
from ..directory.accounts import accounts_with
from ..directory.find import names_now
from ..graph.errors import CallError
from ..graph.permissions import READ_USERS
from ..identity_sync_policy.calls import get_identity_sync
from ..identity_sync_policy.model import permissions_of, sync_values
from ..partner_policy.calls import get_partner
from ..partner_policy.open_doors import changes_of_doors
from ..state import type_token
from ..sync_scope.affected import (
    MOST_LEAVING,
    GroupRead,
    Principal,
    groups_among,
    kinds,
    people_who_leave,
    read_groups,
    sentence,
    too_many,
)
from ..sync_scope.newcomers import coming, mails_of
from ..sync_scope.principals import look_up
from .checks.finding import counted, listed
from .recorded import recorded
from .screen import Rows, line

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..program.stack_state import Recorded
    from .screen import Screen
    from .stack import Stack


@dataclass(frozen=True)
class Plan:
    """What the next `up` does to people and policies.

    Attributes:
        stack: whose `up`.
        comes: entries of the stack file that come into scope.
        groups: a sentence for each group among them.
        leaves: those that leave it.
        people_who_leave: whom nothing else keeps in scope; None where they could not be counted.
        existing: accounts in the target that people who come may be matched with; None where nobody could look.
        opens: what is opened, by tenant.
        closes: what is closed, by tenant.
        refused: why `up` would refuse; "" where it would not.
    """

    stack: str
    comes: Sequence[str] = ()
    groups: Sequence[str] = ()
    leaves: Sequence[str] = ()
    people_who_leave: Sequence[str] | None = ()
    existing: Sequence[str] | None = ()
    opens: Mapping[str, Sequence[str]] = field(default_factory=dict)
    closes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    refused: str = ""


# --- from the state and Graph ----------------------------------------------------------------------------------


def scope_before(stack: Stack, state: Sequence[Recorded]) -> Mapping[str, Any]:
    """The outputs of the pair's `SyncScope`; empty where there is none."""
    kind, target = type_token("SyncScope"), stack.settings.target.id
    return next((one.outputs for one in state if one.type == kind and one.outputs.get("targetTenantId") == target), {})


def make(stack: Stack, state: Sequence[Recorded]) -> Plan:
    """Work out the plan.

    Calls: those of `look_up`, `read_groups`, `people_who_leave`, `names_now`, `accounts_for`; in both tenants GET
    partners/{id}, in the target GET identitySynchronization.

    Raises:
        Stopped: somebody in the stack file does not exist, or nobody could look.
        XtsyncError: Graph could not be asked.
    """
    settings, operation = stack.settings, stack.operation("source")
    people = look_up(settings, stack.client("source"), state)
    wanted = {f"{one.kind} {one.name}": one.object_id for one in people.principals}
    before = scope_before(stack, state)
    known: Mapping[str, str] = before.get("principals") or {}
    found_first: Sequence[str] = before.get("foundPeople") or ()
    newcomers = coming(wanted, before)
    remaining = {*wanted.values(), *found_first}
    gone = {name: object_id for name, object_id in known.items() if object_id not in remaining}
    groups = groups_among(newcomers)
    opened = read_groups(operation, groups) if groups else []
    leaving = people_who_leave(operation, before, everybody(gone), everybody(newcomers)) if gone else set[str]()
    return Plan(
        stack=stack.name,
        comes=sorted(newcomers),
        groups=[sentence(*one) for one in opened],
        leaves=sorted(gone),
        people_who_leave=None if leaving is None else named(operation, leaving),
        existing=accounts_for(stack, operation, newcomers, opened),
        refused=refusal(stack, leaving),
        **doors(stack),
    )


def everybody(principals: Mapping[str, str]) -> list[Principal]:
    """All of them, by kind and object id."""
    return kinds(principals, principals.values())


def named(operation: Operation, people: Collection[str]) -> list[str]:
    """What the source calls people. Calls: POST $batch of GET users/{id}."""
    ids = sorted(people)
    names = names_now(operation, [("user", one) for one in ids])
    return sorted(name or object_id for name, object_id in zip(names, ids, strict=True))


def refusal(stack: Stack, leaving: Collection[str] | None) -> str:
    """Why `up` would refuse to let so many leave; "" where it would not."""
    if leaving is None or not too_many(leaving, stack.settings.may_leave):
        return ""
    return (
        f"{len(leaving)} people would leave, which is as many as xtsync:deletionThreshold or more: `pulumi up` refuses "
        f"unless xtsync:allowDeletions is {len(leaving)}"
    )


def doors(stack: Stack) -> dict[str, dict[str, list[str]]]:
    """What is opened and closed in each tenant."""
    settings, found = stack.settings, dict[str, dict[str, list[str]]](opens={}, closes={})
    for side in SIDES:
        tenant, partner = (getattr(settings, one) for one in (side, SIDES[1 - SIDES.index(side)]))
        operation = stack.operation(side)
        live: Mapping[str, Any] = operation.read(get_partner(partner.id)) or {}
        wanted: Mapping[str, Any] = settings.partner_policy(side)
        if side == "target":
            sync = get_identity_sync(partner.id, groups=settings.sync_groups)
            policy = (operation.read(sync) or {}) if live else {}
            live = {**live, **policy}
            wanted = {**wanted, **permissions_of(sync_values(settings.display_name, settings.sync_groups))}
        opened, closed = changes_of_doors(live, wanted)
        for word, texts in (("opens", opened), ("closes", closed)):
            if texts:
                found[word][tenant.name] = texts
    return found


def accounts_for(
    stack: Stack, operation: Operation, principals: Mapping[str, str], groups: Sequence[GroupRead]
) -> list[str] | None:
    """Accounts that the target has already with the mail addresses of people who come: the job may match them.

    Calls: those of `mails_of` in the source and of `accounts_with` in the target; None where they may not be made.
    """
    try:
        found = mails_of(operation, principals, groups)
        if found.unread and not found.mails:
            return None
        return accounts_with(stack.operation("target"), found.mails) if found.mails else []
    except CallError:  # a hint fails no plan
        return None


# --- words -----------------------------------------------------------------------------------------------------


def as_table(stack: Stack, plan: Plan) -> Rows:
    """The plan for people."""
    target = stack.settings.target.name
    table = Rows()
    rows: list[tuple[str, str, str]] = []
    if plan.comes:
        rows.append(("Comes into scope", "green", ", ".join(plan.comes)))
    rows += [("", "", text) for text in plan.groups]
    if plan.existing is None:
        rows.append(("", "", f"whether {target} has accounts of theirs was not seen: it takes {READ_USERS} there"))
    elif plan.existing:
        what = counted(len(plan.existing), "account")
        rows.append(("Exists already", "yellow", f"{what} in {target}, may be matched: {listed(plan.existing)}"))
    if plan.leaves:
        rows.append(("Leaves the scope", "yellow", ", ".join(plan.leaves)))
        rows.append((f"Leaves {target}", "yellow", who_leaves(plan)))
    for word, doors_of in (("Opens", plan.opens), ("Closes", plan.closes)):
        rows += [(f"{word} {tenant}", "yellow", "; ".join(texts)) for tenant, texts in doors_of.items()]
    if plan.refused:
        rows.append(("Refused", "bold red", plan.refused))
    for label, colour, text in rows:
        table.add(line((label, "bold")), line((text, colour)))
    return table


def who_leaves(plan: Plan) -> str:
    """Whom the job removes."""
    if plan.people_who_leave is None:
        return (
            f"not counted: that takes the permission GroupMember.Read.All, and at most {MOST_LEAVING} people who leave"
        )
    if not plan.people_who_leave:
        return "nobody: everybody stays in scope by another group or assignment"
    return f"{counted(len(plan.people_who_leave), 'person', 'people')}: {listed(plan.people_who_leave)}"


# --- the command -----------------------------------------------------------------------------------------------


def command(stack: Stack, screen: Screen) -> int:
    """Show the plan; 1 if `pulumi up` would refuse it."""
    screen.status("reading both tenants")
    plan = make(stack, recorded(stack))
    if screen.as_json:
        screen.json(plan)
    elif not (plan.comes or plan.leaves or plan.opens or plan.closes):
        screen.print("Nobody comes or goes, and nothing is opened or closed. Nothing was changed.")
    else:
        screen.print(as_table(stack, plan), "", "Nothing was changed. `pulumi preview` shows every resource.")
    return 1 if plan.refused else 0
