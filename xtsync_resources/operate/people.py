"""Users named on the command line -> object ids in the source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..graph import calls
from ..graph.answers import NO_IDS
from ..graph.errors import ConfigurationError

if TYPE_CHECKING:
    from ..graph.operation import Operation


def find(operation: Operation, names: Sequence[str]) -> dict[str, str]:
    """Object ids by name: user principal names or object ids. Calls: GET users/{id} each (User.Read.All).

    Raises:
        ConfigurationError: some are not there; all of them are named.
        XtsyncError: the lookup failed.
    """
    found: dict[str, str] = {}
    unknown: list[str] = []
    for name in names:
        user = None if name.strip() in NO_IDS else operation.read(calls.get_user(name))
        if user is None:
            unknown.append(name)
        else:
            found[name] = str(user["id"])
    if unknown:
        what = f"Cannot find {', '.join(unknown)} in {operation.tenant}"
        raise ConfigurationError(what, "nobody there has this name", "give a user principal name or an object id")
    return found
