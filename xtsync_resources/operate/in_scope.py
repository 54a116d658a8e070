"""Whether everybody whom the stack file names is in scope: the job deletes in the target whom it finds outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ..assignments.operations import in_scope, principal_of
from ..config import GUID
from ..directory.find import find, names_now
from ..graph.errors import ForbiddenError
from ..sync_scope.foreign_assignments import REMOVE
from ..sync_scope.principals import last_scope, meant
from .recorded import recorded_of

if TYPE_CHECKING:
    from ..config import Settings
    from ..graph.operation import Operation
    from .stack import Stack


@dataclass(frozen=True)
class Outside:
    """Entries of the stack file that put nobody in scope.

    Attributes:
        unassigned: who is there and not assigned: the job deletes in the target whom nothing else keeps.
        new: who is there, not assigned, and not in the scope that the last `up` has noted: the next one assigns them.
        nameless: names that nobody has, or several, so that nobody knows whether who was meant is assigned.
        ids: object ids of those who are there, by the name that they have now, and not assigned.
        new_ids: of those of them who are new.
        may_leave: object ids of who is assigned and not in the stack file, and whom an `up` may take out.
        deleted: those of the unassigned who are deleted in the source.
    """

    unassigned: Sequence[str] = ()
    new: Sequence[str] = ()
    nameless: Sequence[str] = ()
    ids: Collection[str] = ()
    new_ids: Collection[str] = ()
    may_leave: Collection[str] = ()
    deleted: Sequence[str] = ()

    @property
    def all(self) -> Sequence[str]:
        """All of them."""
        return [*self.unassigned, *self.new, *self.nameless]

    @property
    def only_new(self) -> bool:
        """Whether the next `up` puts all of them in scope, without looking at what somebody has done by hand."""
        return bool(self.new) and not self.unassigned and not self.nameless


def unassigned(operation: Operation, stack: Stack) -> Outside:
    """The users and groups of the stack file who are not in scope.

    Whoever is called otherwise now is who the name meant at the last run.

    Calls: those of `find` for names, of `names_now` for ids, and of `in_scope`.
    """
    given = {"user": stack.settings.users, "group": stack.settings.groups}
    names = {kind: [one for one in listed if not GUID.fullmatch(one)] for kind, listed in given.items()}
    found = find(operation, names, GUID.fullmatch)
    last = cache(lambda: meant(recorded_of(stack), stack.settings.source.id))

    def ids_of(kind: str, name: str) -> set[str]:
        if GUID.fullmatch(name):
            return {name.lower()}
        if (kind, name.lower()) in found:
            return {*found[kind, name.lower()]}
        was = last().get(f"{kind} {name}".lower())
        return {was} if was else set()

    wanted = [(kind, name, ids_of(kind, name)) for kind, listed in given.items() for name in listed]
    # Graph may go on listing the assignment of whoever was deleted; whom `find` has found is there.
    unseen = [(kind, id_) for kind, name, ids in wanted if (kind, name.lower()) not in found for id_ in ids]
    gone = {id_ for (_, id_), name in zip(unseen, names_now(operation, unseen), strict=True) if name is None}
    there = {principal_of(one) for one in in_scope(operation, stack.service_principal)} - gone
    missing = [(kind, name, ids) for kind, name, ids in wanted if len(ids) == 1 and not ids <= there]
    others = there - {id_ for _, _, ids in wanted for id_ in ids}
    record = last_scope(recorded_of(stack), stack.settings.source.id) if missing or others else {}
    new = [(kind, name) for kind, name, ids in missing if not ids & gone and is_new(record, kind, name, ids)]
    # With a name of before `up` begins nothing.
    comes = [one for one in missing if GUID.fullmatch(one[1]) or (one[0], one[1].lower()) in found]
    return Outside(
        unassigned=[name for kind, name, _ in missing if (kind, name) not in new],
        new=[name for _, name in new],
        nameless=[name for _, name, ids in wanted if len(ids) != 1],
        ids={id_ for _, _, ids in comes for id_ in ids - gone},
        new_ids={id_ for kind, name, ids in comes for id_ in ids - gone if (kind, name) in new},
        may_leave=who_may_leave(record, others, stack.settings),
        deleted=[name for _, name, ids in missing if ids & gone],
    )


def who_may_leave(known: Mapping[str, str], others: Collection[str], settings: Settings) -> set[str]:
    """Those of who is assigned beside the stack file whom `up` may take out of scope; pure.

    Args:
        known: object ids of whom the last run had in scope; empty where nobody can say.
        others: object ids of those who are assigned and not in the stack file.
        settings: of the stack.
    """
    if settings.foreign_assignments == REMOVE or not known:
        return {*others}
    return {*others} & {*known.values()}


def is_new(known: Mapping[str, str], kind: str, name: str, ids: Collection[str]) -> bool:
    """Whether an entry is not in the scope of the last run, by name or id; where there is no record, it is not."""
    return bool(known) and f"{kind} {name}".lower() not in known and not {*ids} & {*known.values()}


def out_of_scope(operation: Operation, stack: Stack) -> Outside | None:
    """Who is configured and not in scope; None where that may not be read. Calls: those of `unassigned`."""
    try:
        return unassigned(operation, stack)
    except ForbiddenError:
        return None
