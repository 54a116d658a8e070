"""`xtsync pause`, `resume` and `restart`: act on the job, after saying what that means.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronizationjob-restart
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from ..graph.errors import CallError, RefusedError
from ..sync_job.calls import RESTART, RESTART_FULL, restart_job
from ..sync_job.model import ACTIVE, holds_deletions, may_start, quarantine_explained, quarantine_reason, schedule_state
from ..sync_job.quarantine import sentence
from ..sync_job.running import at_rest, set_running
from .health import ASSIGN_NEW, Health, read_health
from .held_back import at_a_glance, changes_by_up
from .held_back import judged as judged_by_scope
from .in_scope import out_of_scope, unassigned
from .screen import refuse_to_ask_nobody
from .status import judged, portal_url, read_job, show

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..sync_job.model import Job
    from .screen import Screen
    from .stack import Stack

MEANING = {
    "pause": "Nobody is created, changed or removed in {target} while the job is paused. A cycle that runs is "
    "finished first; nothing is forgotten. `xtsync resume` ends the pause, and so do `pulumi up --refresh --diff`, and "
    "a `pulumi up` that changes who is in scope, unless xtsync:running is false.",
    "resume": "The job goes on every 40 minutes with everything that changed since.",
    "restart": "The job looks at everybody again: longer cycles, the same people. Whoever is not in scope any more "
    "leaves {target}, within xtsync:deletionThreshold.",
    "restart --full": "The job forgets all it knows and begins like a new one, with an initial cycle over everybody "
    "in scope.",
}
# What is true once it was done.
DONE = {
    "pause": "the job is paused: nobody is created, changed or removed in {target} until it goes on",
    "resume": "the job is started: what has changed since comes with its next cycle, which may begin at once, and does "
    "within 40 minutes. `xtsync status` says how the cycle went",
    "restart": "the job is restarted: its next cycle looks at everybody again. `xtsync status` says how it went",
    "restart --full": "the job is restarted and has forgotten what it knew: its next cycle is an initial one, over "
    "everybody in scope. `xtsync status` says how it went",
}
ENDS_QUARANTINE = "The quarantine ({reason}) ends with it."
ENDED_QUARANTINE = ". The quarantine ({reason}) is over, though Graph may show it until that cycle"
RAN_ALREADY = "nothing: the job runs already, and was not started again. `xtsync status` says how it does"
AT_REST_ALREADY = "nothing new: the job did not run, and does not run now"


def confirmed(stack: Stack, screen: Screen, action: str, yes: bool, job: Job) -> bool:
    """Say what an action means and ask; `yes` answers for scripts."""
    source, target = stack.settings.source.name, stack.settings.target.name
    if yes:
        return True
    screen.tell(f"{action} the job of {source} → {target}.", style="bold")
    screen.tell(MEANING[action].format(target=target))
    if action == "resume" and (reason := quarantine_reason(job)):
        screen.tell(ENDS_QUARANTINE.format(reason=reason))
    return screen.confirm("Go on?")


def command(stack: Stack, screen: Screen, action: str, yes: bool) -> int:
    """Do it and show the state that follows; 1 if it was declined."""
    if not yes:
        refuse_to_ask_nobody("--yes")
    operation = stack.operation("source")
    job = read_job(operation, stack)
    refuse_quarantine(operation, stack, job, action)
    if action != "pause":
        refuse_missing_assignments(operation, stack, action)
    if not confirmed(stack, screen, action, yes, job):
        screen.declined("the question was answered with no")
        return 1
    before = job
    if action in ("pause", "resume"):
        job = set_running(operation, stack.service_principal, stack.job, action == "resume", job)
        if action == "resume":
            # Another look may have seen what nothing is to let loose, so that it was not started.
            refuse_quarantine(operation, stack, job, action)
    else:
        restart(operation, stack, job, RESTART_FULL if action == "restart --full" else RESTART)
        job = read_job(operation, stack)
    done_now = what_was_done(stack, action, before, job) + kept_by(stack, action)
    health = judged(operation, stack, job) if job is before else health_after(stack, job)
    show(stack, screen, health, operation.client.clock.now(), done_now=done_now)
    return 0


def what_was_done(stack: Stack, action: str, before: Job, now: Job) -> str:
    """What is true once an action was carried out on a job."""
    if action == "resume" and now is before:  # `set_running` gives back what it has left alone
        return RAN_ALREADY
    if action == "pause" and at_rest(before):
        return AT_REST_ALREADY
    reason = quarantine_reason(before) if action == "resume" else ""
    ended = ENDED_QUARANTINE.format(reason=reason) if reason else ""
    return DONE[action].format(target=stack.settings.target.name) + ended


def kept_by(stack: Stack, action: str) -> str:
    """How long what was done lasts, where the stack file says otherwise; "" where it says the same."""
    paused = action == "pause"
    if paused is not stack.settings.running:
        return ""
    if paused:
        ends = (
            "`xtsync resume` ends that, and so do `pulumi up --refresh --diff`, and a `pulumi up` that changes who is "
            "in scope"
        )
        return f". {ends}; xtsync:running: false keeps it"
    return ". The next `pulumi up --refresh --diff` pauses it again, as xtsync:running is false"


def health_after(stack: Stack, job: Job) -> Health:
    """What a job's answer means right after it was acted upon.

    Without the time: a job that was paused for long has not run since, and does so next. And without advice, which
    would be about what was before.
    """
    return replace(read_health(job, running=stack.settings.running, portal=portal_url(stack)), remedy="")


def restart(operation: Operation, stack: Stack, job: Job, scope: str) -> None:
    """Restart a job that runs. Call: POST jobs/{id}/restart.

    Raises:
        RefusedError: it does not run; restarting would start it by the way.
    """
    if schedule_state(job) != ACTIVE:
        raise RefusedError(
            f"Cannot restart the job {stack.job} in {operation.tenant}",
            f"it is {schedule_state(job) or 'not running'}, and restarting would start it",
            "run `xtsync resume` first",
        )
    operation.send(restart_job(stack.service_principal, stack.job, scope))


def refuse_missing_assignments(operation: Operation, stack: Stack, action: str) -> None:
    """Never let the job find somebody unassigned who is configured: it would delete them in the target.

    Calls: those of `unassigned`.

    Raises:
        RefusedError: somebody configured is not assigned, or cannot be found.
    """
    outside, count = unassigned(operation, stack), len({*stack.settings.users, *stack.settings.groups})
    if not outside.all:
        return
    why = (
        f"{len(outside.all)} of {count} configured users and groups are not assigned ({', '.join(outside.all[:5])}); "
        f"whoever is not would be deleted in {stack.settings.target.name}"
    )
    do = "run `xtsync doctor`, which says why, and `pulumi up --refresh --diff`, which assigns whoever is there"
    if outside.only_new:
        why, do = f"{why} where they are there from before", ASSIGN_NEW
    raise RefusedError(f"Will not {action} the job {stack.job} in {operation.tenant}", why, do)


def refuse_quarantine(operation: Operation, stack: Stack, job: Job, action: str) -> None:
    """Never release deletions that are held back, or what nobody knows: that is a decision about people, made by hand.

    Calls: where it refuses, those of `at_a_glance` and `out_of_scope`.

    Raises:
        RefusedError: the action would clear such a quarantine, or lose sight of it.
    """
    if holds_deletions(job) or (action != "pause" and not may_start(job)):
        effect = "could hide" if action == "pause" else "would clear"
        outside = None
        with contextlib.suppress(CallError):  # what it refuses counts more
            outside = out_of_scope(operation, stack) if holds_deletions(job) else None
        held = at_a_glance(operation, stack.service_principal, stack.job, job, stack.settings, changes_by_up(outside))
        do = quarantine_explained(job)
        if held:
            do = judged_by_scope(judged(operation, stack, job), held, outside).remedy
        if held and held.let_go and not held.change and action == "pause":
            do += ". To gain time, stop provisioning in the portal"
        raise RefusedError(
            f"Will not {action} the job {stack.job} in {operation.tenant}",
            f"it is in quarantine ({quarantine_reason(job)}), which this {effect}"
            + (f". {sentence(held.sentence(stack.settings.target.name))}" if held else ""),
            do,
        )
