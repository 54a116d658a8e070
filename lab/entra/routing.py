"""How an area declares its calls: method, address, versions, permissions and the function that answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from lab.entra.login.models import Client
    from lab.entra.models import Entra, Tenant

OWNED = "Application.ReadWrite.OwnedBy"
Needs = tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Call:
    """One authorised request to Graph."""

    entra: Entra
    tenant: Tenant
    client: Client
    roles: frozenset[str]
    host_url: str
    version: str
    method: str
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]

    @property
    def base(self) -> str:
        """The address everything of this version is below."""
        return f"{self.host_url}/{self.version}"

    def context(self, fragment: str) -> str:
        """The `@odata.context` of an answer."""
        return f"{self.base}/$metadata#{fragment}"


@dataclass(frozen=True)
class Answer:
    """What a handler gives back; no body means 204-like emptiness."""

    status: int = 204
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One call. `needs` are alternatives; each is a set of permissions that are all wanted."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    needs: Needs
    versions: tuple[str, ...]
    owned: Literal["principal", "application", "deleted"] | None = None
    synchronization: bool = False


def any_of(*alternatives: str | frozenset[str]) -> Needs:
    """Alternatives: a permission, or a set of permissions wanted together."""
    return tuple(one if isinstance(one, frozenset) else frozenset({one}) for one in alternatives)


def route(
    method: str,
    template: str,
    handler: Handler,
    needs: Needs,
    *,
    versions: Sequence[str] = ("v1.0", "beta"),
    owned: Literal["principal", "application", "deleted"] | None = None,
    synchronization: bool = False,
) -> Route:
    """Declare a call; `{name}` in the template stands for one path segment."""
    quoted = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    return Route(method, re.compile(f"{quoted}/?$"), handler, needs, tuple(versions), owned, synchronization)
