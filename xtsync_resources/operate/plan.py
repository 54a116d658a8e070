"""`xtsync plan`: whom and what the next `pulumi up` touches, in people, for both tenants. It changes nothing.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..config import SIDES
from ..directory.accounts import accounts_with
from ..directory.find import names_of
from ..graph.errors import CallError
from ..graph.permissions import READ_USERS
from ..identity_sync_policy.calls import get_identity_sync
from ..identity_sync_policy.model import permissions_of, sync_values
from ..partner_policy.calls import get_partner
from ..partner_policy.open_doors import changes_of_doors
from ..state import type_token
from ..sync_schema.model import PARTS
from ..sync_scope import foreign_assignments
from ..sync_scope.affected import (
    OWN_PEOPLE,
    GroupRead,
    affected,
    already_assigned,
    groups_among,
    kinds,
    read_groups,
    sentence,
    skipped_among,
)
from ..sync_scope.cut_off import scope_of
from ..sync_scope.leavers import (
    GONE,
    Leavers,
    already_deleted,
    people_who_leave,
    refuse_forgotten,
    what_becomes,
)
from ..sync_scope.newcomers import mails_of
from ..sync_scope.principals import look_up
from .checks.doors import as_made, in_effect, left_by_up, seen
from .checks.finding import counted, listed
from .plan_adoption import assigned_to, parts_that_change, to_take_over
from .plan_job import SWAP, after_refusal, job_ahead, switched
from .plan_refusals import guarded, raising, refusal, refused_by, second_one, too_many, would_pause
from .recorded import recorded
from .screen import Rows, line

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..program.stack_state import Recorded
    from .screen import Screen
    from .stack import Stack


DRIFT = (
    "The state of the last `pulumi up` does not know that, so `pulumi preview` does not see it; `pulumi up --refresh "
    "--diff` takes it back"
)
ASK_BEFORE = ". Ask there before who has closed it and why"

NOTHING_BY_UP = (
    "Without `--refresh` the next `pulumi up` brings nobody into scope and takes nobody out, and opens and closes "
    "nothing, but for what a run that was cut off has left to do."
)


@dataclass(frozen=True)
class Plan:
    """What the next `up` does to people and policies.

    Attributes:
        stack: whose `up`.
        comes: entries of the stack file that come into scope.
        adopts: who is in scope already, as somebody has assigned them by hand, and becomes this stack's.
        groups: a sentence for each group that comes.
        skipped: users who come and whom the service skips, with why.
        leaves: entries that leave the scope.
        stays: entries that are gone and stay in scope, as they had been there before this stack.
        removed_by_hand: whom somebody has put in scope by hand, and `up` takes out (`foreignAssignments`).
        people_who_leave: whom nothing else keeps in scope; None where they were not counted.
        how_many_leave: their number, in words; "" where nobody leaves.
        deleted_in_source: how many more who leave are deleted in the source already.
        leavers_are_deleted: whether the job removes whoever leaves from the target.
        lost_job: what has become of the job that knows who leaves, who then stay in the target; "" where it is there.
        schema: which parts of the schema change, which may let people in or remove them; a preview says how.
        existing: accounts in the target that people who come may be matched with; None where nobody could look.
        opens: what is opened, by tenant.
        closes: what is closed, by tenant.
        drift: what of that the stack file and the state have already, and somebody has changed in the tenant since: an
            `up` without `--refresh` does not see it.
        lets_go: whose deletion the job holds back and `up` lets go (`allowDeletions`); "" for nobody's.
        refused: why `up` would refuse; "" where it would not.
        job: what keeps the job from doing that, or whose deletion it holds back; "" where it runs well, or is not there
            yet.
        job_do: what to do about the job; "" where nothing is to be done.
    """

    stack: str
    comes: Sequence[str] = ()
    adopts: Sequence[str] = ()
    groups: Sequence[str] = ()
    skipped: Sequence[str] = ()
    leaves: Sequence[str] = ()
    stays: Sequence[str] = ()
    removed_by_hand: Sequence[str] = ()
    people_who_leave: Sequence[str] | None = ()
    how_many_leave: str = ""
    deleted_in_source: int = 0
    leavers_are_deleted: bool = True
    lost_job: str = ""
    schema: Sequence[str] = ()
    existing: Sequence[str] | None = ()
    opens: Mapping[str, Sequence[str]] = field(default_factory=dict)
    closes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    drift: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lets_go: str = ""
    refused: str = ""
    job: str = ""
    job_do: str = ""

    @property
    def changes(self) -> bool:
        """Whether it says anything."""
        people = (self.comes, self.adopts, self.leaves, self.stays, self.removed_by_hand)
        return any((*people, self.schema, self.opens, self.closes, self.lets_go, self.refused))


# --- from the state and Graph ----------------------------------------------------------------------------------


def scope_before(stack: Stack, operation: Operation, state: Sequence[Recorded]) -> tuple[Mapping[str, Any], bool]:
    """The outputs of the pair's `SyncScope`, empty where there is none; and whether they are those of `scope_of`.

    Calls: none as a rule, else those of `scope_of`.
    """
    scopes, records = (
        [one.outputs for one in state if one.type == type_token(kind)] for kind in ("SyncScope", "ScopeRecord")
    )
    for scope in scopes:
        if scope.get("targetTenantId") == stack.settings.target.id:
            return scope, False
    return ({}, False) if scopes or len(records) != 1 else (scope_of(operation, records[0]), True)


def make(stack: Stack, state: Sequence[Recorded]) -> Plan:
    """Work out the plan.

    Calls: those of `look_up`, `assigned_to`, `parts_that_change`, `foreign_assignments.due`, `already_assigned`,
    `read_groups`, `people_who_leave`, `names_now`, `accounts_for`, `second_one`, `raising`, `job_ahead`; in both
    tenants GET partners/{id}, in the target GET identitySynchronization.

    Raises:
        Stopped: somebody in the stack file does not exist, or nobody could look.
        XtsyncError: Graph could not be asked.
    """
    settings, operation = stack.settings, stack.operation("source")
    people = look_up(settings, stack.client("source"), state)
    before, anew = scope_before(stack, operation, state)
    wanted = {f"{one.kind} {one.name}": one.object_id for one in people.principals}
    news = {**before, "principals": wanted, foreign_assignments.WANTED: settings.foreign_assignments}
    by_hand = foreign_assignments.due(lambda: operation, before, news)
    removed = by_hand if settings.foreign_assignments == foreign_assignments.REMOVE else {}
    taken_over = "" if before else to_take_over(state)
    if taken_over:
        assigned = assigned_to(operation, taken_over)
    else:
        assigned = already_assigned(lambda: operation, {} if anew else before, news) if before else set[str]()
    change = affected(before, news, assigned, anew=anew)
    groups = groups_among(change.comes)
    opened = read_groups(operation, groups) if groups else []
    gone, coming = {**change.leaves, **removed}, {**change.comes, **change.already}
    names = {object_id: name for name, object_id in gone.items()}
    found = people_who_leave(operation, before, kinds(gone), kinds(coming), settings.may_leave) if gone else Leavers()
    leavers = found.named(names)
    job = switched(stack, state, job_ahead(stack, operation, change.comes, wanted, gone.values()))
    lets_go, not_raised = raising(stack, operation, state)
    second = second_one(stack, operation, state)
    swap = SWAP if job.holds and gone and coming else ""
    lost = GONE if job.gone and gone and settings.deletes else ""
    forgotten = refused_by(lambda: refuse_forgotten(operation.tenant, leavers, lost))
    of_people = refusal(stack, operation, before, news, change) or forgotten or too_many(stack, leavers)
    paused = would_pause(stack, state, holds=job.holds)
    refused = guarded(stack) or second or of_people or not_raised or swap or paused
    return Plan(
        stack=stack.name,
        comes=sorted(change.comes),
        adopts=[*sorted(change.already), *named(operation, {} if removed else by_hand.values())],
        groups=[sentence(*one) for one in opened],
        skipped=skipped_among(coming, people.skipped),
        leaves=sorted(change.leaves),
        stays=sorted(change.stays),
        removed_by_hand=named(operation, removed.values()),
        people_who_leave=None if leavers.more_than else named(operation, leavers.ids),
        how_many_leave=str(leavers) if leavers.ids or leavers.groups or leavers.more_than else "",
        deleted_in_source=leavers.deleted,
        leavers_are_deleted=settings.deletes,
        lost_job=lost,
        schema=parts_that_change(operation, taken_over, stack.settings.schema_inputs())
        if taken_over
        else changed_parts(stack, state, before),
        existing=accounts_for(stack, operation, change.comes, opened),
        lets_go=lets_go,
        refused=refused,
        job=job.told,
        job_do=after_refusal(job.do, refused) if refused or not lets_go else "",
        **doors(stack, state),
    )


def named(operation: Operation, people: Collection[str]) -> list[str]:
    """What the source calls users and groups, given by object id. Calls: those of `names_of`."""
    return sorted(names_of(operation, people).values())


def changed_parts(stack: Stack, state: Sequence[Recorded], before: Mapping[str, Any]) -> list[str]:
    """The parts of the schema that the stack file has otherwise than the last run."""
    kind, job = type_token("SyncSchema"), before.get("jobId")
    known = next((one.outputs for one in state if one.type == kind and one.outputs.get("jobId") == job), {})
    wanted = stack.settings.schema_inputs()
    return [part for part in PARTS if wanted.get(part) != known.get(part)] if before else []


def doors(stack: Stack, state: Sequence[Recorded]) -> dict[str, dict[str, list[str]]]:
    """What is opened and closed in each tenant, and what of that is drift, which the state does not know."""
    settings, found = stack.settings, dict[str, dict[str, list[str]]](opens={}, closes={}, drift={})
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
        made = as_made(left_by_up(state, tenant.id, partner.id), wanted)
        live = in_effect(operation, live, wanted)
        opened, closed = changes_of_doors(live, wanted)
        drift = [text for texts in changes_of_doors(live, seen(live, made)) for text in texts]
        for word, texts in (("opens", opened), ("closes", closed), ("drift", drift)):
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
    rows += [("", "yellow", f"the service skips {listed(plan.skipped)}: {OWN_PEOPLE}")] if plan.skipped else []
    if plan.existing is None:
        rows.append(("", "", f"whether {target} has accounts of theirs was not seen: it takes {READ_USERS} there"))
    elif plan.existing:
        what = counted(len(plan.existing), "account")
        rows.append(("Exists already", "yellow", f"{what} in {target}, may be matched: {listed(plan.existing)}"))
    entries = (("Adopts", "", plan.adopts), ("Leaves the scope", "yellow", plan.leaves), ("Stays", "", plan.stays))
    rows += [(label, colour, ", ".join(names)) for label, colour, names in entries if names]
    if plan.removed_by_hand:
        rows.append(("Taken out", "yellow", f"assigned by hand: {listed(plan.removed_by_hand)}"))
    if plan.leaves or plan.removed_by_hand:
        label = f"Leaves {target}" if plan.leavers_are_deleted and not plan.lost_job else "People who leave"
        rows.append((label, "yellow", who_leaves(plan, target, stack.settings.deletion_threshold)))
    if plan.schema:
        rows.append(("Schema", "yellow", f"{', '.join(plan.schema)} change: `pulumi preview` says what for people"))
    for word, doors_of in (("Opens", plan.opens), ("Closes", plan.closes)):
        for tenant, texts in doors_of.items():
            # What is drift, `up` alone does not do.
            if told := [text for text in texts if text not in plan.drift.get(tenant, ())]:
                rows.append((f"{word} {tenant}", "yellow", "; ".join(told)))
    for tenant, texts in plan.drift.items():
        shut = plan.opens.get(tenant, ())
        by_hand = [f"{'closed' if one in shut else 'opened'} by hand: {one}" for one in texts]
        ask = ASK_BEFORE if any(one in shut for one in texts) else ""
        rows.append((f"Drift in {tenant}", "yellow", f"{'; '.join(by_hand)}. {DRIFT}{ask}"))
    if plan.lets_go:
        rows.append((f"Leaves {target}", "bold red", plan.lets_go))
    if plan.refused:
        rows.append(("Refused", "bold red", plan.refused))
    if plan.job:
        rows += [
            ("Job", "bold red" if plan.job_do else "", plan.job),
            *([("Do", "", plan.job_do)] if plan.job_do else []),
        ]
    for label, colour, text in rows:
        table.add(line((label, "bold")), line((text, colour)))
    return table


def who_leaves(plan: Plan, target: str, holds_from: int) -> str:
    """Who leaves, in people, and what becomes of them; the job holds deletions back from so many on (0: never)."""
    becomes = (
        what_becomes(len(plan.people_who_leave or ()), holds_from, plan.lost_job)
        if plan.leavers_are_deleted
        else f"They stay in {target} (xtsync:flowTypes)"
    )
    deleted = plan.deleted_in_source and already_deleted(
        plan.deleted_in_source, deletes=plan.leavers_are_deleted, lost=plan.lost_job
    )
    if not plan.how_many_leave:
        return deleted or "nobody: everybody stays in scope by another group or assignment"
    names = f": {listed(plan.people_who_leave)}" if plan.people_who_leave else ""
    return f"{plan.how_many_leave}{names}. {becomes}{f'. {deleted}' if deleted else ''}"


# --- the command -----------------------------------------------------------------------------------------------


def command(stack: Stack, screen: Screen) -> int:
    """Show the plan; 1 if `pulumi up` would refuse it."""
    screen.status("reading both tenants")
    plan = make(stack, recorded(stack))
    if screen.as_json:
        screen.json(plan)
    elif plan.changes:
        screen.print(as_table(stack, plan), "", "Nothing was changed. `pulumi preview` shows every resource.")
    elif plan.job:
        screen.print(as_table(stack, plan), "", f"{NOTHING_BY_UP} Nothing was changed.")
    else:
        screen.print("Nobody comes or goes, and nothing is opened or closed. Nothing was changed.")
    return 1 if plan.refused else 0
