"""Whose deletions a job holds back, with what a stack file says, and what to do about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..sync_job.model import ACTIVE
from ..sync_job.quarantine import sentence
from ..sync_scope import deletions
from ..sync_scope.prediction import Change
from .health import ASSIGN, ASSIGN_NEW, STOPS, where_missing

if TYPE_CHECKING:
    from ..config import Settings
    from ..graph.operation import Operation
    from ..sync_job.model import Job
    from ..sync_scope.prediction import HeldBack
    from .health import Health
    from .in_scope import Outside

BY_UP, BY_REFRESH = "with the next `pulumi up`", "with the next `pulumi up --refresh`"
PUT_BACK_FIRST = (
    "put in the stack file whoever else is to stay, before any `pulumi up`: after that nothing asks again, and the "
    "next cycle deletes the others. "
)
BEFORE_IT = ", before the next cycle, which ends the quarantine then"


def at_a_glance(
    operation: Operation,
    service_principal: str,
    job_id: str,
    job: Job,
    settings: Settings,
    changes: Sequence[Change] = (),
) -> HeldBack | None:
    """Whom a job is about to delete; None where it holds nothing back. A call that fails here fails nothing.

    Calls: those of `deletions.at_a_glance`.
    """
    # A filter of the stack file may come with the next `up`.
    filtered = bool(settings.scoping_filters)
    return deletions.at_a_glance(operation, service_principal, job_id, job, filtered=filtered, changes=changes)


def changes_by_up(outside: Outside | None, leaves: Collection[str] = ()) -> list[Change]:
    """What `up` may do to the scope, by who of the stack file is not in it, and who else is; none for nothing; pure.

    It assigns whoever is new; whom somebody has unassigned or assigned by hand it sees with `--refresh` only.

    Args:
        outside: who is not in scope; None where nobody can tell.
        leaves: object ids of who leaves it for sure.
    """
    if not outside:
        return []
    changes = []
    if outside.new_ids or outside.may_leave or leaves:
        changes.append(Change(BY_UP, outside.new_ids, leaves, outside.may_leave))
    if {*outside.ids} - {*outside.new_ids}:
        changes.append(Change(BY_REFRESH, outside.ids, leaves, outside.may_leave))
    return changes


def judged(health: Health, held: HeldBack | None, outside: Outside | None) -> Health:
    """The health of a job, with what to do by whose deletion it holds back and who is not in scope; pure."""
    if held and health.state == ACTIVE and health.quarantine:
        assign, stops = (ASSIGN_NEW, "") if outside and outside.only_new else (ASSIGN, f". {STOPS}")
        advice = held.advice or health.remedy
        unseen = bool(held.unknown) or held.assigned is None
        condemns = any(
            one.change and one.outside and (one.let_go or one.assigned is None) for one in (held, *held.then)
        )
        if (condemns and outside is None) or ((condemns or unseen) and outside and outside.all):
            return replace(health, remedy=f"{PUT_BACK_FIRST}Then {assign}{stops}")
        if condemns:
            return replace(health, remedy=f"{PUT_BACK_FIRST}{sentence(advice)}")
        if held.people and held.change and not held.outside:
            return replace(health, remedy=f"{assign}{BEFORE_IT}{stops}")
        health = replace(health, remedy=advice)
    return where_missing(health, only_new=outside.only_new) if outside and outside.all else health
