"""Users named on the command line -> object ids in the source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..directory.calls import get_user
from ..directory.find import read
from ..graph.errors import ConfigurationError
from ..graph.json_reader import NO_IDS

if TYPE_CHECKING:
    from ..graph.operation import Operation


def find(operation: Operation, names: Sequence[str]) -> dict[str, str]:
    """Object ids by name: user principal names or object ids. Calls: POST $batch of GET users/{id} (User.Read.All).

    Raises:
        ConfigurationError: some are not there; all of them are named.
        XtsyncError: the lookup failed.
    """
    asked = [name for name in names if name.strip() not in NO_IDS]
    users = dict(zip(asked, read(operation, [get_user(name) for name in asked]), strict=True))
    found = {name: str(user["id"]) for name, user in users.items() if user}
    if unknown := [name for name in names if name not in found]:
        what = f"Cannot find {', '.join(unknown)} in {operation.tenant}"
        raise ConfigurationError(what, "nobody there has this name", "give a user principal name or an object id")
    return found
