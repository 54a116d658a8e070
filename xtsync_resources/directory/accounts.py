"""Accounts of a tenant by their mail addresses, as the synchronization matches people with them.

Source: https://learn.microsoft.com/graph/filter-query-parameter
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..graph.errors import CallError, ForbiddenError
from ..graph.permissions import READ_USERS, covers
from .calls import search_users
from .find import in_filters

if TYPE_CHECKING:
    from ..graph.operation import Operation


def accounts_with(operation: Operation, mails: Sequence[str]) -> list[str] | None:
    """What the accounts are called that have one of these mail addresses; None where they may not be read.

    Call: POST $batch of GET users (User.Read.All); none where an application's token says that it may not.

    Raises:
        CallError: a look-up failed.
    """
    from ..graph.batch import read_all  # noqa: PLC0415 - HTTP, which nothing needs where nobody comes

    roles = operation.claims().get("roles")
    if isinstance(roles, list) and not covers(set(map(str, roles)), READ_USERS):
        return None
    searches = list(in_filters(search_users, "mail", mails))
    names: list[str] = []
    for answer in read_all(operation, searches, "look for accounts that exist already"):
        if isinstance(answer, ForbiddenError):
            return None
        if isinstance(answer, CallError):
            raise answer
        names += [str(one.get("userPrincipalName") or one["id"]) for one in answer["value"]]
    return sorted(names)
