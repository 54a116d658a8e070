"""What the next cycle does to those whose deletion a job holds back, as it is and by what a run may do; pure.

Source: https://learn.microsoft.com/entra/identity/app-provisioning/accidental-deletions
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..assignments.operations import listed, number_of_people
from ..sync_job.provisioning_log import Identity
from ..sync_job.quarantine import sentence

NEXT, ONCE_STARTED = "the next cycle", "the first cycle after a start"
UNSEEN = "Who of them is back in scope by now cannot be seen here"
KEPT_OUT = (
    "unless something else keeps them out of scope (a scoping filter, foreignAssignments: remove, or that they are "
    "guests)"
)
FEWER = "where fewer than the deletion threshold stay out, {cycle} deletes those without asking"
SINCE = (
    "Not named here: whoever has left the scope since the last cycle, as by leaving a group; {cycle} deletes them, "
    "unless as many as the deletion threshold are out of scope then"
)
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
        may_leave: of those who may leave it beside, all of them, some, or none.
    """

    words: str
    comes: Collection[str] = ()
    leaves: Collection[str] = ()
    may_leave: Collection[str] = ()


NO_CHANGE = Change("")
TAKES_OUT = ", where that takes somebody out of scope who is not in the stack file"


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
        change: what makes another scope of it than is now, as "with this change"; "" where nothing does.
        may_be_fewer: whether the change may take only some of those out of scope who are not among `assigned`.
        or_held: whether as many of them as the deletion threshold are held back all the same.
        then: what else may be made of it, each, if it comes before that cycle; see `first_told`.
    """

    people: Sequence[Identity] = ()
    unknown: str = ""
    let_go: str = ""
    assigned: Sequence[Identity] | None = ()
    cycle: str = NEXT
    change: str = ""
    may_be_fewer: bool = False
    or_held: bool = False
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
            both = f". {sentence(fewer)}" if self.change else ""
            return f"{unknown}{both}. {SINCE.format(cycle=self.cycle)}"
        back = ""
        if self.assigned:
            when = f"In scope {self.change}" if self.change else "Assigned by now"
            back = f". {when}: {named(self.assigned)}; they stay, {KEPT_OUT}"
        elif self.assigned is None:
            unseen = f"Who of them is in scope {self.change} cannot be seen here" if self.change else UNSEEN
            back = f". {unseen}{'' if self.let_go else f'; {fewer}'}"
        if self.let_go and (going := self.outside):
            then = "".join(f". {one.in_time(self.cycle)}" for one in self.then)
            going_on = f"{named(going)}{back}{then}. {SINCE.format(cycle=self.cycle)}"
            return f"{self.let_go}: {self.cycle} DELETES {self.number} in {target}: {going_on}"
        # Nobody asks about whom a filter keeps out all the same.
        lets_go = f". {self.let_go}: {self.cycle} deletes whoever is out of scope" if self.let_go else ""
        held_back = f"{named(self.people)}{back}{lets_go}. {SINCE.format(cycle=self.cycle)}"
        return f"{number_of_people(len(self.people))} would be deleted in {target}, as of the last cycle: {held_back}"

    @property
    def number(self) -> str:
        """How many of them are out of scope, in words."""
        of_them = "whoever is still out of scope of " if self.assigned is None else ""
        of_them = "whoever is out of scope then of " if self.may_be_fewer else of_them
        return f"{of_them}{number_of_people(len(self.outside))}"

    def in_time(self, cycle: str) -> str:
        """What the next cycle does to them in words, where the change comes before it."""
        fewer = FEWER.format(cycle=cycle)
        if not self.change:
            return f"{UNSEEN}; {fewer}"
        if self.assigned is None:
            unseen = "who of them is in scope then cannot be seen here"
            all_of_them = f"it DELETES whoever is out of scope then of {number_of_people(len(self.people))}"
            does = f"{all_of_them}: {named(self.people)}" if self.let_go else f"{unseen}; {fewer}"
        elif not self.outside:
            does = f"it deletes none of them, {KEPT_OUT}"
        else:
            verb = "DELETES" if self.let_go else "holds back"
            as_far = ", as far as the deletion threshold lets it" if self.or_held else ""
            does = f"it {verb} {self.number}{as_far}: {named(self.outside)}"
        return sentence(f"{self.change}, if that comes before {cycle}, {does}")


def named(several: Sequence[Identity]) -> str:
    """The first of their names."""
    return listed([str(one) for one in several])


def among(
    people: Sequence[Identity],
    back: Sequence[Identity] | None,
    threshold: int | None,
    *,
    young: bool,
    change: str = "",
    may_stay: int = 0,
) -> HeldBack:
    """Whom the next cycle deletes; pure.

    Args:
        people: whose deletion the last cycle has staged.
        back: those of them who are in scope again; None where nobody can tell.
        threshold: from how many on a cycle holds deletions back now; None for never.
        young: whether the log may not have named all yet, as a cycle holds back no fewer than its threshold.
        change: see `HeldBack`.
        may_stay: how many of the others the change may leave in scope; at least one goes.
    """
    outside = len(people) - len(back or ())
    fewest = max(1, outside - may_stay + 1) if may_stay else outside
    or_held = False
    if young:
        unless = "unless the log, which is some minutes late, lacks others"
        let_go = f"The threshold is {threshold}. {sentence(f'{change}, {unless}' if change else unless)}"
    elif threshold is None or len(people) < threshold:
        let_go = f"The threshold was raised since{f'. {sentence(change)}' if change else ''}"
    elif 0 < fewest < threshold:
        fewer = f"fewer of those held back stay out of scope than the deletion threshold, which is {threshold}"
        let_go = sentence(f"{change}{', and' if may_stay else ''} {fewer}" if change else fewer)
        or_held = outside >= threshold
    else:
        let_go = ""
    return HeldBack(people, let_go=let_go, assigned=back, change=change, may_be_fewer=may_stay > 1, or_held=or_held)


def by_change(
    change: Change,
    people: Sequence[Identity],
    now: Sequence[Identity] | None,
    most: Sequence[Identity] | None,
    least: Sequence[Identity] | None,
    threshold: int | None,
    *,
    young: bool,
) -> list[HeldBack]:
    """What a change makes of those held back, without and with whom it may take out; nothing for what is so now; pure.

    Args:
        change: the change.
        people: see `among`.
        now: those of them who are in scope as it is.
        most: who are where nobody leaves who may.
        least: who are where all of those leave.
        threshold: see `among`.
        young: see `among`.
    """
    told = [] if most == now else [among(people, most, threshold, young=young, change=change.words)]
    if least == most:
        return told
    # Where it cannot be seen who is in scope without those who leave, any number of them may stay.
    may_stay = len(people) if most is None else len(most) - len(least or ())
    words = change.words + TAKES_OUT
    return [*told, among(people, least, threshold, young=young, change=words, may_stay=may_stay)]


def first_told(now: HeldBack, then: Sequence[HeldBack]) -> HeldBack:
    """What counts of what is so now, and of what changes make of it, where nobody can tell which of them is made; pure.

    Whom the next cycle deletes as it is comes first, and what else the changes make of that; else whom changes let go,
    with what cannot be seen; else that alone; else the change that brings back most.

    Args:
        now: as it is.
        then: by each change, in their order.
    """
    if now.let_go and now.outside:
        return replace(now, then=unlike(now, then))
    if condemning := [one for one in then if one.let_go and one.outside]:
        first = condemning[0]
        rest = [one for one in (now, *then) if one in condemning or one.assigned is None]
        return replace(first, then=unlike(first, rest))
    unseen = next((one for one in (now, *then) if one.assigned is None), None)
    return unseen or min((*then, now), key=lambda one: len(one.outside))


def unlike(first: HeldBack, others: Sequence[HeldBack]) -> tuple[HeldBack, ...]:
    """Those of some who say something else than the first and each other; pure."""

    def said(held: HeldBack) -> tuple[bool, bool, Sequence[Identity], bool]:
        return held.assigned is None, bool(held.let_go), held.outside, held.may_be_fewer

    told = [first]
    for held in others:
        told += [] if said(held) in map(said, told) else [held]
    return tuple(told[1:])
