"""Which calls to Graph a command makes, told apart by who makes them, method and path."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lab.entra import Exchange, Fault

OURS = "xtsync"
# Part of a path that is an id: it has a digit, which no fixed part has.
ID = re.compile(r"[^/]*\d[^/]*")


@dataclass(frozen=True, order=True)
class GraphCall:
    """All calls alike but for ids.

    Attributes:
        client: who makes it, "xtsync" or "azuread".
        method: HTTP method.
        path: below the version, with "*" for each id.
        in_batch: whether it is part of a batch.
    """

    client: str
    method: str
    path: str
    in_batch: bool = False

    def fault(self, **what: Any) -> Fault:
        """A fault that hits such a call."""
        path = "[^/]+".join(re.escape(part) for part in self.path.split("*"))
        return Fault(client=self.client, method=self.method, path=f"^{path}$", in_batch=self.in_batch, **what)

    @property
    def reads(self) -> bool:
        """Whether it has no effect."""
        return self.method == "GET"

    def __str__(self) -> str:
        where = " in a batch" if self.in_batch else ""
        return f"{self.client}: {self.method} {self.path}{where}"


def graph_call(exchange: Exchange) -> GraphCall:
    client = OURS if exchange.client.startswith(OURS) else exchange.client
    return GraphCall(client, exchange.method, ID.sub("*", exchange.path), exchange.in_batch)


def counted(exchanges: Iterable[Exchange]) -> Counter[GraphCall]:
    """How often each is made, in the order of the first ones."""
    return Counter(graph_call(exchange) for exchange in exchanges)
