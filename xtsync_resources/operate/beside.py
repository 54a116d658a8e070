"""What `xtsync status` looks at beside the job, in both tenants: a job may run well into a shut door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..graph.errors import CallError
from .checks import Finding, Level, collaboration, people, policies, synchronization
from .checks.finding import counted, listed
from .doctor import Check, looks_at, made, not_to_be_looked_at
from .held_back import at_a_glance, changes_by_up, judged
from .in_scope import out_of_scope
from .recorded import Remembered, recorded_of

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.model import Job
    from ..sync_scope.prediction import HeldBack
    from .health import Health
    from .in_scope import Outside
    from .stack import Stack

# A few reads in each tenant; `xtsync doctor` has the rest.
CHECKS = (
    Check(synchronization.AREA, synchronization.check_settings, ("source",)),
    Check(policies.AREA, policies.check_differing),
    Check(collaboration.AREA, collaboration.check),
)
LOOKED_AT = (
    "the job, its settings and schema, whether everybody whom the stack file names is in scope, and the policies of "
    "both tenants"
)


@dataclass(frozen=True)
class Beside:
    """What is known beside the job; nothing where only the job was looked at.

    Attributes:
        looked: whether anything else was looked at.
        outside: see `out_of_scope`.
        held: see `at_a_glance`.
        findings: what of settings, schema and policies needs somebody's attention, or could not be seen.
    """

    looked: bool = False
    outside: Outside | None = None
    held: HeldBack | None = None
    findings: Sequence[Finding] = ()

    @property
    def well(self) -> bool:
        """Whether nothing was found that keeps the pair from working, nor left in the dark."""
        return not self.wrong and not self.failed

    @property
    def incomplete(self) -> bool:
        """Whether somebody is not in scope, or not known to be, whom not only the next `pulumi up` puts there."""
        return self.outside is not None and bool(self.outside.unassigned or self.outside.nameless)

    @property
    def wrong(self) -> bool:
        """Whether something is known to keep the pair from working."""
        return bool(self.incomplete or self.problems)

    @property
    def failed(self) -> list[Finding]:
        """What could not be looked at, though the sign-in may."""
        return [one for one in self.findings if one.failed]

    @property
    def problems(self) -> list[Finding]:
        """What keeps the pair from working as the stack file says."""
        return [one for one in self.findings if one.level is Level.PROBLEM]

    def judged(self, health: Health) -> Health:
        """The health of the job, with what to do where it holds deletions back no more, or somebody is not in scope."""
        return judged(health, self.held, self.outside)

    def verdict(self, health: Health) -> str:
        """Whether the pair is well, with what was looked at."""
        if not self.looked:
            return (
                f"{'the job is well' if health.healthy else 'the job is not well'}. Settings, scope and policies were "
                "not looked at: `xtsync status`"
            )
        wrong = [
            *([] if health.healthy else ["the job"]),
            *(["who is in scope"] if self.incomplete else []),
            *([counted(len(self.problems), "problem")] if self.problems else []),
        ]
        if wrong:
            return f"not well: {', '.join(wrong)}"
        if self.failed:
            return f"not known: {listed(sorted({one.area for one in self.failed}))} could not be looked at"
        if self.outside is None or self.outside.all or self.findings:
            return "well as far as it was seen; what was not, and what else there is, is told below"
        return f"well: {LOOKED_AT}"


JOB_ONLY = Beside()


def look_beside(stack: Stack, operation: Operation, job: Job, status: Callable[[str], None]) -> Beside:
    """Look at settings, scope and policies. Calls: those of `out_of_scope`, `at_a_glance` and the checks."""
    # Of the state only mappings need something: how the service writes their expressions.
    memory = Remembered(stack.outputs, recorded_of(stack) if stack.settings.schema_inputs() else ())
    found, failed = looks_at(stack, memory)
    with ThreadPoolExecutor(len(found) + 1) as threads:
        scope = threads.submit(out_of_scope, operation, stack)
        several = list(threads.map(lambda look: made(CHECKS, look, status), found))
    findings = [*not_to_be_looked_at(failed), *(one for many in several for one in many if one.level is not Level.OK)]
    outside: Outside | None = None
    try:
        outside = scope.result()
    except CallError as error:  # what is known of the job counts more
        source = next(look for look in found if look.side == "source")
        findings = [*findings, source.not_checked(people.AREA, error)]
    held = at_a_glance(operation, stack.service_principal, stack.job, job, stack.settings, changes_by_up(outside))
    return Beside(True, outside, held, findings)
