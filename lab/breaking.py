"""What can be broken in the served tenants, as somebody would at the portal, and which runbook that rehearses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab import breaks
from lab.breaks import Done, NotThereError
from lab.entra import Entra
from lab.entra.exceptions import GraphError

__all__ = ["BREAKS", "Break", "Breaker", "NotThereError"]


@dataclass(frozen=True)
class Break:
    """Something that goes wrong.

    Attributes:
        words: what somebody does, or what happens.
        rehearses: the row of docs/runbooks.md, or the heading of docs/operations.md.
        do: does it, to what is named.
        find: mends at the portal what something else has broken in the same way; None where nothing there does.
        name: whom or what, unless it is said; empty where there is one only.
    """

    words: str
    rehearses: str
    do: Callable[[Entra, str], Done]
    find: Callable[[Entra, str], str] | None = None
    name: str = ""


RENAME = "rename-group"
DRIFT = "What is drift, and what repairs it"
BREAKS: Mapping[str, Break] = {
    "user": Break(
        "a user is deleted",
        "somebody has left the company",
        breaks.delete_user,
        breaks.find_deleted_user,
        "alice@contoso.com",
    ),
    RENAME: Break("a group gets another name", "a group was renamed", breaks.rename_group, name="Finance"),
    "group": Break(
        "a group is deleted", "a group was deleted", breaks.delete_group, breaks.find_deleted_group, "Finance"
    ),
    "unassign": Break(
        "somebody unassigns a user or group at the portal",
        "somebody was unassigned by hand",
        breaks.unassign_by_hand,
        name="Finance",
    ),
    "accounts": Break(
        "the job's accounts are deleted in the target",
        "a wrong change has taken people out",
        breaks.delete_accounts,
        breaks.find_deleted_accounts,
    ),
    "application": Break(
        "the configuration application is deleted",
        "the application was deleted",
        breaks.delete_application,
        breaks.find_deleted_application,
    ),
    "second-configuration": Break(
        "somebody makes one by hand, before the first `up`",
        "there is a second configuration",
        breaks.another_configuration,
    ),
    "pause": Break("somebody pauses the job", "somebody has paused the job", breaks.pause_job),
    "job": Break("somebody deletes the job", "the job was deleted", breaks.delete_job),
    "held-back": Break(
        "everybody leaves a group, and the threshold is one",
        "deletions are held back",
        breaks.empty_group,
        name="Finance",
    ),
    "threshold": Break(
        "somebody raises the deletion threshold at the portal, as after `held-back`",
        "deletions are held back",
        breaks.raise_threshold,
    ),
    "consent": Break("the target lets nobody in any more: quarantine", "Quarantine", breaks.withdraw_consent),
    "redemption": Break("the target turns automatic redemption off", DRIFT, breaks.turn_redemption_off),
    "target": Break("the target tenant is gone", "one tenant is gone", breaks.lose_target),
    "sign-in": Break("every sign-in is blocked", "conditional access is in the way", breaks.block_sign_ins),
}


class Breaker:
    """Breaks and mends in one world, and remembers what each break took.

    Args:
        entra: the world.
    """

    def __init__(self, entra: Entra) -> None:
        self._entra = entra
        self._made: dict[str, list[tuple[str, Done]]] = {what: [] for what in BREAKS}

    def perform(self, what: str, name: str = "", *, undo: bool = False) -> str:
        """Break something, or give back what that took; what was done.

        Raises:
            NotThereError: what is to be broken or mended is not there, or was so already.
        """
        with self._entra.lock:
            try:
                return self._undo(what, name) if undo else self._do(what, name or BREAKS[what].name)
            except GraphError as error:
                raise NotThereError(error.message) from None

    def _do(self, what: str, name: str) -> str:
        made = self._made[what]
        called = name if what == RENAME else self._called(name)
        try:
            done = BREAKS[what].do(self._entra, called)
        except (NotThereError, GraphError) as error:
            if all(of != name for of, _ in made):
                raise
            why = (error.message if isinstance(error, GraphError) else str(error)).rstrip(".")
            raise NotThereError(f"{why}. `{what}` was done before: --undo gives back what it took") from None
        made.append((name, done))
        return done.words

    def _undo(self, what: str, name: str) -> str:
        made, wanted = self._made[what], name or BREAKS[what].name
        found = next((one for one in reversed(made) if wanted in names(*one)), None)
        if found is None and not name and made:
            found = made[-1]
        if found is None:
            find = BREAKS[what].find
            if find is None:
                raise NotThereError(f"`{what}` was not done here, or is undone: there is nothing to give back")
            return find(self._entra, wanted)
        words = found[1].undo()
        made.remove(found)
        again = "; it was done before that, too: --undo once more" if any(of == found[0] for of, _ in made) else ""
        return words + again

    def _called(self, name: str) -> str:
        """The name that a group of this name has by now, as it may have been renamed here."""
        groups = [one.group for of, one in self._made[RENAME] if one.group and of == name]
        return groups[-1].display_name if groups else name


def names(of: str, done: Done) -> tuple[str, ...]:
    """By what names a break may be undone."""
    return (of, done.group.display_name) if done.group else (of,)
