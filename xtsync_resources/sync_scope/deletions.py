"""Whom a job deletes of those whose deletion it holds back, once some are back in scope.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/accidental-deletions
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..assignments.operations import (
    TooManyPeople,
    in_scope,
    kinds_of,
    listed,
    number_of_people,
    people_in,
)
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

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.model import Job

# Where nobody decides, and the first names will do.
A_GLANCE = 1_000
MOST_IN_SCOPE = 2_000
LATE = "the provisioning log does not say yet whose they are; its events come some minutes late"
NEXT, ONCE_STARTED = "the next cycle", "the first cycle after a start"
UNSEEN = "Who of them is back in scope by now cannot be seen here"
KEPT_OUT = (
    "unless something else keeps them out of scope (a scoping filter, foreignAssignments: remove, or that they are "
    "guests)"
)
FEWER = "where fewer than the deletion threshold stay out, {cycle} deletes those without asking"
PUT_BACK = "Put back in scope before that cycle whoever is to stay: nothing asks again"
WAIT = (
    "Wait for the next cycle, which ends the quarantine then; `xtsync status` says how it went. If it still holds them "
    "back, something else keeps them out of scope: `xtsync doctor` tells whom the service skips"
)


@dataclass(frozen=True)
class Change:
    """What a run is about to do to the scope.

    Attributes:
        words: as "with this change".
        comes: object ids of users and groups who are to be in scope, whether they are already or not.
        leaves: object ids of users and groups who leave it.
    """

    words: str
    comes: Collection[str] = ()
    leaves: Collection[str] = ()


NO_CHANGE = Change("")


@dataclass(frozen=True)
class HeldBack:
    """Whom a job is about to delete.

    Attributes:
        people: in the order of their names.
        unknown: why they cannot be told; "" where they can.
        let_go: why the next cycle deletes them, as they are fewer than the deletion threshold; "" where it does not.
        assigned: those of them who are in scope again, themselves or by a group; null where nobody can tell, as where
            the job has scoping filters, which keep out people who are assigned.
        cycle: which cycle looks at them next.
        change: by what some of them are in scope who are not yet, as "with this change"; "" where nobody comes so.
        then: what else other changes make of it, each, if it comes before that cycle; see `first_told`.
    """

    people: Sequence[Identity] = ()
    unknown: str = ""
    let_go: str = ""
    assigned: Sequence[Identity] | None = ()
    cycle: str = NEXT
    change: str = ""
    then: Sequence[HeldBack] = ()

    @property
    def outside(self) -> Sequence[Identity]:
        """Those of them whom nothing is known to put in scope."""
        return [one for one in self.people if one not in (self.assigned or ())]

    @property
    def advice(self) -> str:
        """What to do about them while the job runs; "" where its quarantine says it."""
        if not self.people:
            return ""
        if self.let_go:
            return PUT_BACK
        return "" if self.outside else WAIT

    def sentence(self, target: str) -> str:
        """Them in words, with the first names."""
        fewer = FEWER.format(cycle=self.cycle)
        if self.unknown:
            unknown = f"whose deletion is held back cannot be told here: {self.unknown}"
            return f"{unknown}. {sentence(fewer)}" if self.change else unknown
        back = ""
        if self.assigned:
            when = f"In scope {self.change}" if self.change else "Assigned by now"
            back = f". {when}: {named(self.assigned)}; they stay, {KEPT_OUT}"
        elif self.assigned is None:
            unseen = f"Who of them is in scope {self.change} cannot be seen here" if self.change else UNSEEN
            back = f". {unseen}{'' if self.let_go else f'; {fewer}'}"
        if self.let_go and (going := self.outside):
            of_them = "whoever is still out of scope of " if self.assigned is None else ""
            number = f"{of_them}{number_of_people(len(going))}"
            then = "".join(f". {one.in_time(self.cycle)}" for one in self.then)
            return f"{self.let_go}: {self.cycle} DELETES {number} in {target}: {named(going)}{back}{then}"
        # Nobody asks about whom a filter keeps out all the same.
        lets_go = f". {self.let_go}: {self.cycle} deletes whoever is out of scope" if self.let_go else ""
        number = number_of_people(len(self.people))
        return f"{number} would be deleted in {target}, as of the last cycle: {named(self.people)}{back}{lets_go}"

    def in_time(self, cycle: str) -> str:
        """What the next cycle does to them in words, where the change comes before it."""
        if self.assigned is None:
            does = "who of them is in scope then cannot be seen here"
        elif not self.outside:
            does = f"it deletes none of them, {KEPT_OUT}"
        else:
            verb = "DELETES" if self.let_go else "holds back"
            does = f"it {verb} {number_of_people(len(self.outside))}: {named(self.outside)}"
        return sentence(f"{self.change}, if that comes before {cycle}, {does}")


def named(several: Sequence[Identity]) -> str:
    """The first of their names."""
    return listed([str(one) for one in several])


# --- from Graph ------------------------------------------------------------------------------------------------


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
    every = [NO_CHANGE, *changes]
    found = [None for _ in every] if unsure else in_scope_by(operation, service_principal, people, every)
    now, *then = [
        # What is so already is no work of a change.
        among(people, back, threshold, young=young, change="" if back == found[0] else change.words)
        for back, change in zip(found, every, strict=True)
    ]
    return replace(first_told(now, then), cycle=cycle)


def first_told(now: HeldBack, then: Sequence[HeldBack]) -> HeldBack:
    """What counts of what is so now, and of what changes make of it, where nobody can tell which of them is made; pure.

    Whom the next cycle deletes as it is comes first, and what else the changes make of that; else whom changes let go;
    else what cannot be seen; else the change that brings back most.

    Args:
        now: as it is.
        then: by each change, in their order.
    """
    if now.let_go and now.outside:
        return replace(now, then=unlike(now, then))
    if condemning := [one for one in then if one.let_go and one.outside]:
        first = condemning[0]
        return replace(first, then=unlike(first, [one for one in then if one in condemning or one.assigned is None]))
    unseen = next((one for one in (now, *then) if one.assigned is None), None)
    return unseen or min((*then, now), key=lambda one: len(one.outside))


def unlike(first: HeldBack, others: Sequence[HeldBack]) -> tuple[HeldBack, ...]:
    """Those of some who say something else than the first and each other; pure."""
    told = [first]
    for held in others:
        same = [one for one in told if (one.assigned is None, one.outside) == (held.assigned is None, held.outside)]
        told += [held] if held.change and not same else []
    return tuple(told[1:])


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


def among(
    people: Sequence[Identity], back: Sequence[Identity] | None, threshold: int | None, *, young: bool, change: str = ""
) -> HeldBack:
    """Whom the next cycle deletes; pure.

    Args:
        people: whose deletion the last cycle has staged.
        back: those of them who are in scope again; None where nobody can tell.
        threshold: from how many on a cycle holds deletions back now; None for never.
        young: whether the log may not have named all yet, as a cycle holds back no fewer than its threshold.
        change: see `HeldBack`.
    """
    outside = len(people) - len(back or ())
    if young:
        unless = "unless the log, which is some minutes late, lacks others"
        let_go = f"The threshold is {threshold}. {sentence(f'{change}, {unless}' if change else unless)}"
    elif threshold is None or len(people) < threshold:
        let_go = f"The threshold was raised since{f'. {sentence(change)}' if change else ''}"
    elif 0 < outside < threshold:
        fewer = f"fewer of those held back stay out of scope than the deletion threshold, which is {threshold}"
        let_go = sentence(f"{change} {fewer}" if change else fewer)
    else:
        let_go = ""
    return HeldBack(people, let_go=let_go, assigned=back, change=change)
