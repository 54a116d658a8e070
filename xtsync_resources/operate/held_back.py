"""Whose deletions a job holds back, with what a stack file says, and what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..sync_job.model import ACTIVE
from ..sync_scope import deletions
from ..sync_scope.deletions import Change
from ..sync_scope.foreign_assignments import REMOVE
from .health import ASSIGN, ASSIGN_NEW, STOPS, where_missing

if TYPE_CHECKING:
    from ..config import Settings
    from ..graph.operation import Operation
    from ..sync_job.model import Job
    from ..sync_scope.deletions import HeldBack
    from .health import Health
    from .in_scope import Outside

BY_UP, BY_REFRESH = "with the next `pulumi up`", "with the next `pulumi up --refresh`"
PUT_BACK_FIRST = (
    "put in the stack file whoever else is to stay, before any `pulumi up`: after that nothing asks again, and the "
    "next cycle deletes the others. Then "
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


def changes_by_up(outside: Outside | None, settings: Settings) -> list[Change]:
    """What `up` does to the scope, by who of the stack file is not in it; none for nothing; pure.

    It assigns whoever is new; whom somebody has unassigned or assigned by hand it sees with `--refresh` only.
    """
    if not outside:
        return []
    leaves = outside.foreign if settings.foreign_assignments == REMOVE else ()
    changes = [Change(BY_UP, outside.new_ids)] if outside.new_ids else []
    return [*changes, Change(BY_REFRESH, outside.ids, leaves)] if {*outside.ids} - {*outside.new_ids} else changes


def judged(health: Health, held: HeldBack | None, outside: Outside | None) -> Health:
    """The health of a job, with what to do by whose deletion it holds back and who is not in scope; pure."""
    if held and held.people and health.state == ACTIVE and health.quarantine:
        assign, stops = (ASSIGN_NEW, "") if outside and outside.only_new else (ASSIGN, f". {STOPS}")
        if (held.change and held.let_go) or any(one.let_go and one.outside for one in held.then):
            return replace(health, remedy=f"{PUT_BACK_FIRST}{assign}{stops}")
        if held.change and not held.outside:
            return replace(health, remedy=f"{assign}{BEFORE_IT}{stops}")
        health = replace(health, remedy=held.advice or health.remedy)
    return where_missing(health, only_new=outside.only_new) if outside and outside.all else health
