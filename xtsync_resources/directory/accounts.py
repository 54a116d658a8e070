"""Accounts of a tenant by their mail addresses, as the synchronization matches people with them.

Source: https://learn.microsoft.com/graph/filter-query-parameter
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..graph.errors import CallError, ForbiddenError
from ..graph.permissions import READ_DIRECTORY, READ_USERS, WRITE_DIRECTORY, WRITE_USERS
from .calls import search_users
from .find import MOST_IN_A_FILTER

if TYPE_CHECKING:
    from ..graph.operation import Operation


# Whose token says one of these may read users.
READERS = frozenset({READ_USERS, WRITE_USERS, READ_DIRECTORY, WRITE_DIRECTORY})


def accounts_with(operation: Operation, mails: Sequence[str]) -> list[str] | None:
    """What the accounts are called that have one of these mail addresses; None where they may not be read.

    Call: POST $batch of GET users (User.Read.All); none where an application's token says that it may not.

    Raises:
        CallError: a look-up failed.
    """
    from ..graph.batch import read_all  # noqa: PLC0415 - HTTP, which nothing needs where nobody comes

    roles = operation.claims().get("roles")
    if isinstance(roles, list) and READERS.isdisjoint(map(str, roles)):
        return None
    searches = [
        search_users("mail", mails[start : start + MOST_IN_A_FILTER])
        for start in range(0, len(mails), MOST_IN_A_FILTER)
    ]
    names: list[str] = []
    for answer in read_all(operation, searches, "look for accounts that exist already"):
        if isinstance(answer, ForbiddenError):
            return None
        if isinstance(answer, CallError):
            raise answer
        names += [str(one.get("userPrincipalName") or one["id"]) for one in answer["value"]]
    return sorted(names)
