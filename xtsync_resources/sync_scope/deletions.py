"""Whom a job deletes of those whose deletion it holds back, once some are back in scope.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/accidental-deletions
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..assignments.operations import TooManyPeople, in_scope, kinds_of, people_in
from ..directory.find import by_id
from ..directory.members import GROUP, USER
from ..graph.errors import CallError, RefusedError, XtsyncError
from ..sync_job.held_back import may_be_more, staged
from ..sync_job.model import ACTIVE, holds_deletions, message_of_quarantine, quarantine_explained, schedule_state
from ..sync_job.provisioning_log import Identity
from ..sync_job.quarantine import sentence
from ..sync_schema.calls import get_schema
from ..sync_schema.document import UnusableSchemaError
from ..sync_schema.model import FILTERS, live_parts
from ..sync_secrets.calls import get_secrets
from ..sync_secrets.model import deletion_threshold, settings_by_key
from .prediction import NEXT, NO_CHANGE, ONCE_STARTED, Change, HeldBack, among, by_change, first_told

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.model import Job

# Where nobody decides, and the first names will do.
A_GLANCE = 1_000
MOST_IN_SCOPE = 2_000
LATE = "the provisioning log does not say yet whose they are; its events come some minutes late"


def put_back(
    operation: Operation, service_principal: str, job_id: str, several: Sequence[Identity]
) -> list[Identity] | None:
    """Those of some people who are assigned; None where that says nothing, as of filters, or cannot be seen in time.

    Calls: those of `is_filtered` and `in_scope_by`.
    """
    if is_filtered(operation, service_principal, job_id):
        return None
    (found,) = in_scope_by(operation, service_principal, several, [NO_CHANGE])
    return found


def is_filtered(operation: Operation, service_principal: str, job_id: str) -> bool:
    """Whether scoping filters may keep out who is assigned; also where nobody can say. Call: GET jobs/{id}/schema."""
    try:
        schema = operation.send(get_schema(service_principal, job_id))
        return bool(live_parts(schema, {FILTERS: None})[FILTERS])
    except (CallError, UnusableSchemaError):
        return True


def in_scope_by(
    operation: Operation, service_principal: str, several: Collection[Identity], changes: Sequence[Change]
) -> list[list[Identity] | None]:
    """Those of some people who are assigned by each of some changes; None for one where that cannot be seen in time.

    Calls: GET appRoleAssignedTo, GET groups/{id}/members, page by page; those of `by_id`.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        several: the people.
        changes: what is taken for done already, each by itself.
    """
    ids = {one.id for one in several}
    try:
        assigned = kinds_of(in_scope(operation, service_principal))
        there = {id_ for _, id_ in assigned}
        coming = {id_: None for change in changes for id_ in change.comes if id_ not in there}
        # Who comes is of those people, or may be a group that has them.
        maybe = coming.keys() - ids
        groups = by_id(operation, GROUP, maybe) if maybe else ()
        new = [(USER if id_ in ids else GROUP, id_) for id_ in coming if id_ in ids or id_ in groups]
        people = people_by_principal(operation, [*assigned, *new])
        scopes = [(there - {*one.leaves}) | ({id_ for _, id_ in new} & {*one.comes}) for one in changes]
        back = [ids_in(scope, people, ids) for scope in scopes]
        # Graph may go on listing the assignment of whoever was deleted.
        anyone = set().union(*(one for one in back if one))
        alive = by_id(operation, USER, anyone) if anyone else {}
    except CallError:
        return [None for _ in changes]
    return [None if one is None else [who for who in several if who.id in one and who.id in alive] for one in back]


def ids_in(scope: Collection[str], people: Mapping[str, set[str] | None], ids: Collection[str]) -> set[str] | None:
    """Those of some object ids whom a scope has; None where somebody of it is not known."""
    found: set[str] = set()
    for principal in scope:
        several = people[principal]
        if several is None:
            return None
        found |= several & {*ids}
    return found


def people_by_principal(operation: Operation, principals: Iterable[tuple[str, str]]) -> dict[str, set[str] | None]:
    """Object ids of the people of each user or group; None for one whose members are too many, or may not be read.

    Calls: those of `people_in`.
    """
    found: dict[str, set[str] | None] = {}
    everybody: set[str] = set()
    for kind, id_ in principals:
        if id_ in found:
            continue
        people = None
        if len(everybody) <= MOST_IN_SCOPE:
            with contextlib.suppress(CallError, TooManyPeople):
                people = people_in(operation, [(kind, id_)], MOST_IN_SCOPE)
        everybody |= people or set()
        found[id_] = people if len(everybody) <= MOST_IN_SCOPE else None
    return found


def at_a_glance(
    operation: Operation,
    service_principal: str,
    job_id: str,
    job: Job,
    *,
    filtered: bool = False,
    changes: Sequence[Change] = (),
) -> HeldBack | None:
    """Whom a job is about to delete; None where it holds nothing back. A call that fails here fails nothing.

    Calls: those of `staged`, `is_filtered` and `in_scope_by`, and GET secrets, where it does.

    Args:
        operation: in the source.
        service_principal: the configuration's service principal.
        job_id: the job.
        job: as it is now.
        filtered: whether the stack file has something that may keep out who is assigned, beside the job's own filters.
        changes: what is taken for done already, where nobody can tell which of them a run makes; see `first_told`.
    """
    if not holds_deletions(job):
        return None
    message = message_of_quarantine(job)
    said = f". Graph says: {message}" if message else ""
    words = changes[0].words if changes else ""
    cycle = NEXT if schedule_state(job) == ACTIVE else ONCE_STARTED
    try:
        people = staged(operation, job_id, job, A_GLANCE)
        threshold = deletion_threshold(settings_by_key(operation.send(get_secrets(service_principal))))
    except CallError as error:
        return HeldBack(unknown=f"{error.why}. {error.do}{said}", cycle=cycle, change=words)
    except RefusedError as error:
        return HeldBack(unknown=f"{error.why}{said}", cycle=cycle, change=words)
    if not people:
        unknown = f"{LATE}. `xtsync approve-deletions` shows them once it does{said}"
        return HeldBack(unknown=unknown, cycle=cycle, change=words)
    young = may_be_more(job, len(people), threshold, operation.client.clock.now())
    unsure = filtered or is_filtered(operation, service_principal, job_id)
    leaving = [replace(one, leaves={*one.leaves, *one.may_leave}) for one in changes]
    every = [NO_CHANGE, *changes, *leaving]
    found = [None for _ in every] if unsure else in_scope_by(operation, service_principal, people, every)
    now, then = found[0], found[1 : len(changes) + 1]
    told = [
        held
        for change, most, least in zip(changes, then, found[len(changes) + 1 :], strict=True)
        for held in by_change(change, people, now, most, least, threshold, young=young)
    ]
    return replace(first_told(among(people, now, threshold, young=young), told), cycle=cycle)


def quarantine_in_words(operation: Operation, service_principal: str, job_id: str, job: Job) -> str:
    """What the quarantine of a job means and what to do, with whose deletion it holds back where it does.

    Calls: those of `at_a_glance`.
    """
    explained = quarantine_explained(job)
    try:
        held = at_a_glance(operation, service_principal, job_id, job)
    except XtsyncError as error:
        return f"{explained}. Whose deletion it holds back could not be read: {error.why}"
    if held is None:
        return explained
    who = sentence(held.sentence("the target"))
    if held.advice and schedule_state(job) == ACTIVE:
        return f"{who}. {held.advice}"
    return f"{explained}. {who}"
