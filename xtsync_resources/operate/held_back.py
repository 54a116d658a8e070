"""What to do about a job that holds deletions back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sync_job.model import ACTIVE

if TYPE_CHECKING:
    from ..sync_scope.held_back import HeldBack
    from .health import Health

PUT_BACK = "Put back in scope before that cycle whoever is to stay: nothing asks again"
WAIT = (
    "Wait for the next cycle, which ends the quarantine then; `xtsync status` says how it went. If it still holds them "
    "back, something else keeps them out of scope: `xtsync doctor` tells whom the service skips"
)
RUN_UP = (
    "Run `pulumi up` before the next cycle, which ends the quarantine then: who is in scope by then is not deleted, "
    "and nobody is to be approved"
)


def remedy(held: HeldBack, health: Health) -> str:
    """What to do about a job that holds deletions back, or did."""
    if not held.people or health.state != ACTIVE or not health.quarantine:
        return health.remedy
    if held.let_go:
        return PUT_BACK
    if held.outside:
        return health.remedy
    return RUN_UP if held.change else WAIT
