"""Who comes into scope, and by which mail addresses the target may have accounts of theirs already.

Source: https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-overview
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..directory.find import by_id
from ..directory.hidden import HiddenMembersError
from ..graph.errors import CallError, ForbiddenError, NotFoundError
from ..graph.permissions import HIDDEN_MEMBERS, READ_GROUPS, READ_USERS
from .affected import Answer, GroupRead, groups_among, kinds, read_groups

if TYPE_CHECKING:
    from ..graph.operation import Operation

# Of more newcomers nobody reads the names, and a preview is not to search a whole directory.
MOST_LOOKED_UP = 500
LONGEST_ADDRESS = 254
# A hint is not worth more of the time of a preview.
SECONDS = 30.0


def coming(wanted: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, str]:
    """Users and groups that come into scope, by name.

    Args:
        wanted: object ids of the configured ones, by name.
        before: the outputs of the pair's `SyncScope`; empty where there is none.
    """
    stay = {*(before.get("principals") or {}).values(), *(before.get("foundPeople") or ())}
    return {name: object_id for name, object_id in wanted.items() if object_id not in stay}


@dataclass(frozen=True)
class Newcomers:
    """Who comes into scope, by mail address.

    Attributes:
        mails: in lower case; of some only, where `left_out` says so.
        unread: why the addresses of some could not be read; "" where they could.
        left_out: whether there are more people than are looked at.
    """

    mails: Sequence[str] = ()
    unread: str = ""
    left_out: bool = False


def mails_of(operation: Operation, principals: Mapping[str, str], groups: Sequence[GroupRead]) -> Newcomers:
    """The mail addresses of users and of direct members of groups: of 500 people, and of a group's first page.

    Calls: those of `find_objects` (User.Read.All).

    Args:
        operation: in the source.
        principals: users and groups, by name.
        groups: the groups among them, with the first page of their members.

    Raises:
        CallError: Graph could not be asked.
    """
    users = [object_id for kind, object_id in kinds(principals) if kind == "user"]
    found: list[Mapping[str, Any]] = []
    unread: set[str] = set()
    left_out = len(users) > MOST_LOOKED_UP
    try:
        found += by_id(operation, "user", users[:MOST_LOOKED_UP]).values()
    except ForbiddenError:
        unread.add(READ_USERS)
    for _, _, members in groups:
        try:
            found += members_of(members)
        except ForbiddenError:
            unread.add(READ_GROUPS)
        except HiddenMembersError:
            unread.add(HIDDEN_MEMBERS)
        left_out |= not isinstance(members, CallError) and "@odata.nextLink" in members
    mails = sorted({mail for one in found if is_address(mail := str(one.get("mail") or "").lower())})
    why = f"that takes {' and '.join(sorted(unread))} in the source" if unread else ""
    return Newcomers(mails[:MOST_LOOKED_UP], why, left_out or len(mails) > MOST_LOOKED_UP)


def is_address(mail: str) -> bool:
    """Whether a text can be a mail address; a longer one would break the request that it is looked for with."""
    return "@" in mail and len(mail) <= LONGEST_ADDRESS


def newcomers(operation: Operation, wanted: Mapping[str, str], before: Mapping[str, Any]) -> Newcomers:
    """Whoever comes into scope; no call where nobody does.

    Calls: those of `mails_of` and `read_groups`.
    """
    principals = coming(wanted, before)
    if not principals:
        return Newcomers()
    groups = groups_among(principals)
    return mails_of(operation, principals, read_groups(operation, groups) if groups else ())


def members_of(answer: Answer) -> Sequence[Mapping[str, Any]]:
    """The members that an answer lists; none of a group that is gone."""
    if isinstance(answer, NotFoundError):
        return ()
    if isinstance(answer, CallError):
        raise answer
    found: Sequence[Mapping[str, Any]] = answer.get("value") or ()
    return found
