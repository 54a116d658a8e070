"""Why the next `pulumi up` would refuse what the stack file says, for `xtsync plan`: the same checks as there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..application.configurations import look, second_configuration
from ..application.orphans import APPLICATION_TYPE
from ..graph.errors import RefusedError
from ..guardrails.rules import STOP, broken_by
from ..state import type_token
from ..sync_scope.affected import Affected, refuse_to_remove
from ..sync_scope.before_draining import refuse_drain_while_leaving
from ..sync_scope.leavers import Leavers
from ..sync_secrets.model import settings_for, to_graph
from ..sync_secrets.operations import refuse_to_release
from .plan_job import in_a_row
from .recorded import last_settings

if TYPE_CHECKING:
    from ..graph.operation import Operation
    from ..program.stack_state import Recorded
    from .stack import Stack

PAUSE = "xtsync:running is false, and the job holds deletions back: pausing and starting it could release them"


def guarded(stack: Stack) -> str:
    """The guardrails that stop `up`; "" where none does."""
    stops = [one for one in broken_by(stack.settings) if one.level == STOP]
    return "; ".join(f"the guardrail {one}".rstrip(".") for one in stops)


def refusal(
    stack: Stack, operation: Operation, before: Mapping[str, Any], news: Mapping[str, Any], change: Affected
) -> str:
    """Why `up` would refuse what the stack file says of people; "" where it would not."""
    if change.already and stack.settings.on_existing == "fail":
        return f"somebody has assigned {', '.join(sorted(change.already))} by hand, and xtsync:onExisting is fail"
    if not before:
        return ""
    return refused_by(lambda: refuse_to_remove(lambda: operation, before, news)) or refused_by(
        lambda: refuse_drain_while_leaving(operation.tenant, before, stack.settings.on_destroy, change.leaves)
    )


def refused_by(check: Callable[[], None]) -> str:
    """Why a check of `up` refuses; "" where it does not."""
    try:
        check()
    except RefusedError as error:
        return in_a_row(error)
    return ""


def too_many(stack: Stack, leavers: Leavers) -> str:
    """Why `up` would refuse to let so many leave; "" where it would not."""
    if not leavers.exceed(stack.settings.may_leave):
        return ""
    number = "their number at least" if leavers.more_than else len(leavers.ids)
    return (
        f"{leavers} would leave, which is as many as xtsync:deletionThreshold or more: `pulumi up` refuses unless "
        f"xtsync:allowDeletions is {number}"
    )


def would_pause(stack: Stack, state: Sequence[Recorded], *, holds: bool) -> str:
    """Why `up` would refuse to pause the job, where it `holds` deletions back; "" where it would not."""
    start = (one.outputs for one in state if one.type == type_token("JobStart"))
    runs = any(one.get("running") is not False for one in start)
    return PAUSE if holds and runs and not stack.settings.running else ""


def second_one(stack: Stack, operation: Operation, state: Sequence[Recorded]) -> str:
    """Why `up` would refuse to make a second configuration; "" where it would not, or nobody could look.

    Calls: none where the state has an application, as after an import; else those of `configurations.look`.
    """
    if stack.settings.allow_second_configuration or any(one.type == APPLICATION_TYPE for one in state):
        return ""
    target = stack.settings.target.id
    found = look(operation, target, lambda _: None)
    return in_a_row(second_configuration(operation.tenant, target, found)) if found else ""


def raising(stack: Stack, operation: Operation, state: Sequence[Recorded]) -> tuple[str, str]:
    """Whose deletion `up` lets go, and why it would refuse to raise the threshold. Calls: `refuse_to_release`."""
    settings, known = stack.settings, last_settings(state, stack.settings)
    if known is None:
        return "", ""
    wanted = settings_for(settings.target.id, settings.notify_email, settings.deletion_threshold)
    before, allowed = to_graph(known["settings"]), settings.allow_deletions
    try:
        return refuse_to_release(lambda: operation, known["servicePrincipalId"], before, wanted, allowed), ""
    except RefusedError as error:
        return "", in_a_row(error)
