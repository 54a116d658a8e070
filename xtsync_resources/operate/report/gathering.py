"""Reading what the report says: the stack's files, the job, its settings and scope, and its log. Nothing is changed."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ...assignments.operations import by_role, in_scope
from ...graph.call import literal
from ...graph.errors import GraphError, RefusedError, UnusableAnswerError, XtsyncError
from ...graph.pace import Pace
from ...pulumi_runtime.messages import Stopped
from ...service_principal.calls import get_service_principal
from ...service_principal.model import assignable_role
from ...sync_job.held_back import STAGED
from ...sync_job.model import holds_deletions, message_of_quarantine
from ...sync_job.provisioning_log import Event, events
from .. import stack as stacks
from ..checks import Finding, Level, Look, synchronization
from ..doctor import CHECKS as OF_DOCTOR
from ..doctor import Check, findings_of
from ..gone import NotWellError
from ..recorded import remembered
from ..status import judged_with_scope, read_job
from .section import EVENTS, KINDS, Cycle, Section
from .settings import described

if TYPE_CHECKING:
    from ..screen import Screen

CYCLES = 12
FAILURES = 20


class Gathering:
    """Reads pairs, several at the same time. What cannot be read of one is said in its section; the others go on."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        # The rate of the logs is bounded for an application in a tenant, whichever pair it is asked about.
        self._paces: dict[tuple[str, str], Pace] = {}

    def section(self, name: str, location: stacks.Location) -> Section:
        """Read one pair."""
        try:
            stack = stacks.read(name, location, self._screen.status)
            given = stacks.own_values(location, stack.name)
        except (XtsyncError, Stopped) as error:
            return Section(name, problems=[str(error)], unknown=True)
        source, target = stack.settings.source, stack.settings.target
        section = Section(
            stack.called,
            (source.name, source.id),
            (target.name, target.id),
            described(stack.settings, given, os.environ),
        )
        return self._with_logs(stack, with_findings(stack, with_health(stack, section), self._screen.status))

    def _with_logs(self, stack: stacks.Stack, section: Section) -> Section:
        """Add cycles and failures, unless it is clear already that nothing can be read in the tenant.

        Call: GET auditLogs/provisioning (ProvisioningLog.Read.All), `EVENTS` entries at most.
        """
        if section.tenant_closed:
            return section
        try:
            found = list(itertools.islice(self._recent(stack), EVENTS))
        except XtsyncError as error:
            return dataclasses.replace(section, problems=[*section.problems, str(error)])
        failures = [event for event in found if event.status == "failure"][:FAILURES]
        return dataclasses.replace(section, cycles=by_cycle(found), failures=failures, entries=len(found))

    def _recent(self, stack: stacks.Stack) -> Iterator[Event]:
        """The job's last events, newest first."""
        operation, source = stack.operation("source"), stack.settings.source
        pace = self._paces.setdefault((source.id, source.client_id), Pace(operation.client.clock))
        return events(operation, pace, f"jobId eq {literal(stack.job)}")


def with_health(stack: stacks.Stack, section: Section) -> Section:
    """Add how the job does. Calls: GET jobs/{id} (Synchronization.Read.All); those of `judged_with_scope`."""
    try:
        operation = stack.operation("source")
        job = read_job(operation, stack)
        health = judged_with_scope(operation, stack, job)
    except XtsyncError as error:
        # A job that is gone, or may not be read, has logs all the same; without sign-in or network there are none.
        closed = not isinstance(error, RefusedError | GraphError | UnusableAnswerError)
        return dataclasses.replace(
            section,
            problems=[str(error)],
            tenant_closed=closed,
            unknown=not isinstance(error, NotWellError),
            remedy=error.do,
        )
    # The page does not name whose deletions are held back, so that how many they are is told by Graph alone.
    if holds_deletions(job) and (message := message_of_quarantine(job)):
        health = dataclasses.replace(health, headline=f"{health.headline}: {message}")
    return dataclasses.replace(section, health=health)


def with_findings(stack: stacks.Stack, section: Section, status: Callable[[str], None]) -> Section:
    """Add what `xtsync doctor` finds that needs somebody. Calls: those of the doctor."""
    if section.tenant_closed:
        return section
    held = section.health is not None and section.health.holds_deletions
    try:
        examined = findings_of(stack, remembered(stack), status, checks(held=held))
    except XtsyncError as error:
        return dataclasses.replace(section, problems=[*section.problems, str(error)])
    found = [one for one in examined if one.level is not Level.OK and not one.missing]
    return dataclasses.replace(section, findings=found)


def checks(*, held: bool) -> tuple[Check, ...]:
    """Those of the doctor, but for the job, which is told in words of its own.

    Args:
        held: whether the job holds deletions back.
    """
    own = functools.partial(pair_findings, held=held)
    return tuple(Check(one.area, own, one.sides) if one.area == synchronization.AREA else one for one in OF_DOCTOR)


def pair_findings(look: Look, *, held: bool) -> list[Finding]:
    """What of settings, scope and schema is not as the stack file says."""
    operation = look.operation()
    principal = operation.read(get_service_principal(look.own))
    if not principal:
        return []
    assigned, others = by_role(in_scope(operation, look.own), assignable_role(principal))
    return synchronization.beside_the_job(look, assigned, others, held=held)


def by_cycle(events: Sequence[Event]) -> list[Cycle]:
    """What each cycle did, oldest first; at most the last ones."""
    counts: dict[str, dict[str, int]] = {}
    when: dict[str, datetime | None] = {}
    for event in events:
        when[event.cycle] = event.when
        of_cycle = counts.setdefault(event.cycle, {})
        if kind := kind_of(event):
            of_cycle[kind] = of_cycle.get(kind, 0) + 1
    cycles = [Cycle(when[cycle], found) for cycle, found in counts.items()]
    return cycles[:CYCLES][::-1]


def kind_of(event: Event) -> str:
    """What an event counts as; "" for one that did nothing. A deletion that is held back may be logged as skipped."""
    if event.status == "failure":
        return "failed"
    if event.action.lower() == STAGED.lower():
        return STAGED
    return (event.action if event.action in KINDS else "other") if event.status == "success" else ""
