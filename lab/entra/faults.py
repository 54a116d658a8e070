"""Faults a test plans ahead: which calls they hit, how often, and what goes wrong."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lab.entra.exceptions import GraphError
from lab.entra.login.exceptions import LoginError

if TYPE_CHECKING:
    from lab.entra.gateway import Incoming

Kind = Literal["status", "reset", "truncate", "delay", "hold", "html", "empty", "hollow"]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong for the calls it matches, `times` times, after `skip` of them went well.

    Attributes:
        kind: an error answer, a connection reset, a body cut off half-way, a late answer, one that is held back until
            `Faults.release`, HTML where JSON belongs, no body at all, or an object without properties.
        when: before the call does anything, or after its effect took place.
        tenant: tenant id; `None` is any.
        method: HTTP method; `None` is any.
        path: regular expression searched in the path below the version.
        version: `v1.0` or `beta`; `None` is any, login and metadata included.
        client: `azuread`, or how the user agent begins; "" is any.
        in_batch: whether it hits calls inside of a batch, or all others; `None` is any.
        headers: of the answer, such as `Retry-After`.
        seconds: how late the answer of `delay` is.
    """

    kind: Kind = "status"
    when: Literal["before", "after"] = "before"
    tenant: str | None = None
    method: str | None = None
    path: str = ""
    version: str | None = None
    client: str = ""
    in_batch: bool | None = None
    times: int = 1
    skip: int = 0
    status: int = 503
    code: str = "ServiceUnavailable"
    message: str = "The service is temporarily unavailable."
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0

    def matches(self, tenant: str | None, call: Incoming) -> bool:
        """Whether a call is one of those this fault is about."""
        return (
            self.tenant in (None, tenant)
            and self.method in (None, call.method)
            and self.version in (None, call.version)
            and call.client.startswith(self.client)
            and self.in_batch in (None, call.in_batch)
            and re.search(self.path, call.below) is not None
        )

    def error(self) -> GraphError | LoginError:
        """The answer of a `status` fault; the login service's has a code of its own in front of its words."""
        if code := re.match(r"AADSTS(\d+): ", self.message):
            return LoginError(self.status, self.code, int(code[1]), self.message[code.end() :])
        return GraphError(self.status, self.code, self.message, headers=self.headers)


@dataclass
class _Planned:
    fault: Fault
    skip_left: int
    times_left: int


class Faults:
    """The planned faults, in the order they were added; the first that matches a call takes it."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self.released = threading.Event()

    def release(self) -> None:
        """Let every answer go that is held back, now and from now on."""
        self.released.set()

    def add(self, *faults: Fault) -> None:
        """Plan faults."""
        self._planned += [_Planned(fault, fault.skip, fault.times) for fault in faults]

    def remove(self, fault: Fault) -> None:
        """Forget one fault."""
        self._planned = [planned for planned in self._planned if planned.fault != fault]

    def clear(self) -> None:
        """Forget all faults that have not happened."""
        self._planned.clear()

    @property
    def pending(self) -> list[Fault]:
        """Faults that have not happened, or not as often as planned."""
        return [planned.fault for planned in self._planned]

    def take(self, tenant: str | None, call: Incoming) -> Fault | None:
        """The fault that hits this call, if any, used up by one."""
        for planned in self._planned:
            if not planned.fault.matches(tenant, call):
                continue
            if planned.skip_left:
                planned.skip_left -= 1
                continue
            planned.times_left -= 1
            if not planned.times_left:
                self._planned.remove(planned)
            return planned.fault
        return None
