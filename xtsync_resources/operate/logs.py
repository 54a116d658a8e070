"""`xtsync logs`: what the job did, one line an event.

Source: https://learn.microsoft.com/graph/api/provisioningobjectsummary-list
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ..config import GUID
from ..directory.calls import get_user
from ..directory.find import read
from ..graph.errors import ConfigurationError, XtsyncError
from ..graph.pace import Pace
from ..sync_job.model import moment
from ..sync_job.provisioning_log import Event, events, filter_for
from . import people
from .screen import Line, line
from .status import portal_url

if TYPE_CHECKING:
    from .screen import Screen
    from .stack import Stack

PAGE = 100
LONGEST = timedelta(days=3650)
FOLLOW_SECONDS = 10.0
MOST_NAMES, NAMES_SECONDS = 100, 20.0
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
COLOURS = {"failure": "red", "skipped": "yellow", "warning": "yellow", "success": "green"}


@dataclass(frozen=True)
class Wanted:
    """Which events to show.

    Attributes:
        user: a user principal name or object id; "" for everybody.
        since: from when on; "" for the last day.
        failures: only what failed.
        follow: go on with what comes.
        details: steps and advice as well.
        most: at most so many.
    """

    user: str = ""
    since: str = ""
    failures: bool = False
    follow: bool = False
    details: bool = False
    most: int = 100


# --- to Graph --------------------------------------------------------------------------------------------------


def parse_since(text: str, now: datetime) -> datetime:
    """A point in time from `90m`, `24h`, `7d`, or an ISO date or time (UTC if it does not say).

    Raises:
        ConfigurationError: it is none of these.
    """
    if found := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return now - min(timedelta(**{UNITS[found[2]]: int(found[1])}), LONGEST)
    when = moment(text)
    if when is None:
        do = "give something like 90m, 24h, 7d, 2026-01-31 or 2026-01-31T08:00"
        raise ConfigurationError(f"Cannot understand --since {text}", "it is neither a span nor a time", do)
    return when


# --- words -----------------------------------------------------------------------------------------------------


def as_line(event: Event) -> Line:
    """One line an event."""
    when = f"{event.when.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if event.when else "?"
    source, target = str(event.source), str(event.target)
    both = source if target in ("", source) else f"{source} → {target}"
    why = " ".join(part for part in (f"{event.code}:" if event.code else "", event.reason) if part)
    return line(
        f"{when}  ",
        (f"{event.status:<8}", COLOURS.get(event.status, "")),
        f" {event.action:<8} {both}{f'  {why}' if why else ''}",
    )


def as_details(event: Event) -> list[str]:
    """What is behind an event."""
    lines = [f"    {one.kind:<12} {one.status:<8} {one.description}" for one in event.steps]
    lines += [f"    {one.name}: {one.old or '(empty)'} → {one.new or '(empty)'}" for one in event.changes]
    lines += [f"    Do: {event.advice}"] if event.advice else []
    return lines


# --- names -----------------------------------------------------------------------------------------------------


class Names:
    """What people are called in the target, where the log has their object id only.

    Args:
        stack: whose target it is.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._known: dict[str, str] = {}
        self._may_read = True

    def named(self, found: Sequence[Event]) -> list[Event]:
        """The events with the names that could be found; what fails here fails nothing, and is not tried again.

        Call: POST $batch of GET users/{id} in the target (User.Read.All), for at most `MOST_NAMES` people at a time.
        """
        wanted = [event.target.id for event in found if event.target.id and not event.target.name]
        new = [one for one in dict.fromkeys(wanted) if one not in self._known and GUID.fullmatch(one)][-MOST_NAMES:]
        if new and self._may_read:
            try:
                users = read(self._stack.operation("target", NAMES_SECONDS), [get_user(one) for one in new])
            except XtsyncError:
                self._may_read = False
            else:
                self._known |= {one: str(user.get("displayName") or "") for one, user in zip(new, users, strict=True)}
        return [
            replace(event, target=replace(event.target, name=event.target.name or self._known.get(event.target.id, "")))
            for event in found
        ]


# --- the command -----------------------------------------------------------------------------------------------


def command(stack: Stack, screen: Screen, wanted: Wanted) -> int:
    """Show events, oldest first as in any log; 0 whether there are some or not."""
    operation = stack.operation("source")
    clock = operation.client.clock
    pace = Pace(clock)
    # An id is not looked up: whoever was deleted is to be found as well.
    known = not wanted.user or GUID.fullmatch(wanted.user)
    user = wanted.user if known else people.find(operation, [wanted.user])[wanted.user]
    since = parse_since(wanted.since or "24h", clock.now())
    seen: set[str] = set()
    names = Names(stack)
    screen.tell(f"{stack.settings.source.name} → {stack.settings.target.name} (stack {stack.name})", style="bold")

    def show() -> int:
        filter_text = filter_for(stack.job, since, user, wanted.failures)
        found = list(itertools.islice(events(operation, pace, filter_text), wanted.most))[::-1]
        new = names.named([event for event in found if event.id not in seen])
        seen.update(event.id for event in new)
        if screen.as_json:
            screen.json(new)
            return len(new)
        for event in new:
            screen.print(as_line(event), *(as_details(event) if wanted.details else []))
        return len(new)

    shown = show()
    if not screen.as_json and not shown:
        screen.print(f"Nothing since {since.astimezone(UTC):%Y-%m-%d %H:%M} UTC. Events appear some minutes late.")
    elif not screen.as_json and shown == wanted.most:
        screen.print(f"The newest {wanted.most}; --most shows more.")
    if wanted.failures and (url := portal_url(stack)):
        screen.tell(f"In the portal: {url}")
    while wanted.follow:
        clock.sleep(FOLLOW_SECONDS)
        operation = stack.operation("source")
        show()
    return 0
