"""A finding, and what a check is given to find one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ...graph.errors import ForbiddenError, XtsyncError
from ...graph.permissions import READ_LICENCES, READ_TENANTS
from ...graph.remedies import permission_remedy

if TYPE_CHECKING:
    from ...config import Settings, Tenant
    from ...graph.client import GraphClient
    from ...graph.operation import Operation
    from ...program.stack_state import Recorded

# One slow or throttled endpoint must not take the time of all the others.
CHECK_SECONDS = 30.0
NAMES = 10
# What no operation of a pair needs.
ONLY_TO_LOOK = (READ_LICENCES, READ_TENANTS)
# How a finding begins that nobody needs to follow.
ADVICE = "advice: "
# What becomes of people who are configured and not in scope. When they left it, nobody knows.
DELETES = (
    "when it runs next, the job deletes in the target whom nothing else keeps (within xtsync:deletionThreshold), if it "
    "has not yet"
)
MORE = "run it again; with XTSYNC_DEBUG=1 it shows every call"


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        side: `source`, `target`, or `pair` for what concerns both.
        area: what was looked at, in a word or two.
        level: how bad it is.
        found: what was found, in one line.
        do: the remedy, in one line; "" where nothing is to be done.
        missing: the permission without which it could not be checked, where the pair works without it; "" otherwise.
        failed: whether it could not be looked at though the sign-in may: nobody knows how it is.
    """

    side: str
    area: str
    level: Level
    found: str
    do: str = ""
    missing: str = ""
    failed: bool = False

    @property
    def advice(self) -> str:
        """What is well and could be better; "" where it is no advice."""
        return self.found.removeprefix(ADVICE) if self.level is Level.OK and self.found.startswith(ADVICE) else ""


@dataclass(frozen=True)
class Look:
    """One tenant, seen as one side of the pair.

    Attributes:
        settings: the pair.
        side: the side this tenant plays.
        client: signs in with its first call.
        outputs: the stack's; empty before its first `pulumi up`.
        meant: object ids by what the stack file called users and groups at the last `pulumi up`, in lower case.
        written: mapping expressions in the service's own writing, by target attribute, as the state has them.
        stack: what Pulumi calls the stack.
        job_urn: the URN of its job; "" where that is not known.
        state: gives its resources as the last run left them, asked for where a finding needs them; none where nobody
            can say.
        unread: whether nobody can say what this stack has made already, though it may have made everything.
        memory: what several checks need and one has read, by area.
        lock: held by the one that reads it.
    """

    settings: Settings
    side: str
    client: GraphClient
    outputs: Mapping[str, Any] = field(default_factory=dict)
    meant: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    stack: str = ""
    job_urn: str = ""
    state: Callable[[], Sequence[Recorded]] = tuple
    unread: bool = False
    memory: dict[str, Any] = field(default_factory=dict, compare=False)
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @property
    def tenant(self) -> Tenant:
        """The tenant looked at."""
        return self.settings.source if self.side == "source" else self.settings.target

    @property
    def partner(self) -> Tenant:
        """The other one."""
        return self.settings.target if self.side == "source" else self.settings.source

    @property
    def set_up(self) -> bool:
        """Whether this stack has set the pair up already."""
        return bool(self.outputs)

    @property
    def may_be_set_up(self) -> bool:
        """Whether it has, or nobody can say."""
        return self.set_up or self.unread

    @property
    def own(self) -> str:
        """The service principal of the stack's configuration; "" where it has none."""
        return str(self.outputs.get("servicePrincipalId") or "")

    def operation(self, seconds: float = CHECK_SECONDS) -> Operation:
        """Begin the calls of one check."""
        return self.client.operation(seconds)

    def ok(self, area: str, found: str) -> Finding:
        """All is well."""
        return Finding(self.side, area, Level.OK, found)

    def warning(self, area: str, found: str, do: str = "") -> Finding:
        """It may work, or could not be checked."""
        return Finding(self.side, area, Level.WARNING, found, do)

    def problem(self, area: str, found: str, do: str) -> Finding:
        """It will not work."""
        return Finding(self.side, area, Level.PROBLEM, found, do)

    def not_checked(self, area: str, error: XtsyncError) -> Finding:
        """What a failed read means: a warning that names the missing permission, where it is that."""
        if isinstance(error, ForbiddenError) and error.do == permission_remedy(error.call):
            who = f"a person with the role {error.call.role}" if self.tenant.auth == "cli" else "the application"
            found = f"could not be checked: the sign-in may not {error.call.purpose}"
            missing = error.call.permission if error.call.permission in ONLY_TO_LOOK else ""
            do = f"give {who} {error.call.permission}, or check this by hand"
            return Finding(self.side, area, Level.WARNING, found, do, missing)
        # A refusal for want of a permission tells nothing of the pair, and is named; any other leaves it unknown.
        found, failed = f"could not be checked: {error.why}", not isinstance(error, ForbiddenError)
        return Finding(self.side, area, Level.WARNING, found, error.do or MORE, failed=failed)

    def not_reached(self, area: str, found: str, do: str) -> Finding:
        """Nobody answered, so that nothing is known of the tenant; a refusal is an answer."""
        return Finding(self.side, area, Level.WARNING, found, do, failed=True)


def as_advice(words: str) -> str:
    """A sentence as it stands after `Do:`."""
    return words[:1].lower() + words[1:]


def listed(names: Sequence[str]) -> str:
    """Some names in a row, and how many more there are."""
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return ", ".join(names[:NAMES]) + more


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"
