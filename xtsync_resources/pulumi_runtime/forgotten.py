"""A tenant that is gone: taking the other half of a pair apart without it.

`XTSYNC_FORGET=target pulumi destroy` forgets what the state has in the target, and says what was left there. It is a
word of whoever runs the command: no stack file can say it. That the tenant is gone is not for them alone to say: a
tenant that lets us in is never forgotten, nor is one that could not be asked.

For a source see operate/forget.py: azuread does not even start without a sign-in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..graph.errors import ForbiddenError, RefusedError, SignInRefusedError
from .engine import WARNING, program_runs, report
from .messages import Stopped

if TYPE_CHECKING:
    from ..graph.call import Call
    from ..graph.operation import Operation
    from .provider import TenantResourceProvider

FORGET = "XTSYNC_FORGET"
TARGET = "target"
UNSET = f"unset {FORGET}"


def refuse_in_program(environment: Mapping[str, str]) -> None:
    """Refuse to run a program that would make again what is to be forgotten.

    Raises:
        Stopped: the variable is set.
    """
    if environment.get(FORGET):
        raise Stopped(
            f"{FORGET} is for `pulumi destroy` alone, without --run-program; nothing was changed.", f"Do: {UNSET}."
        )


def forgets(provider: TenantResourceProvider, word: str, properties: Mapping[str, Any]) -> bool:
    """Whether a resource is forgotten rather than deleted; says what is left. Call: one GET in the target.

    Args:
        provider: of the resource.
        word: of the variable.
        properties: of the resource.

    Raises:
        RefusedError: the word is another one, this is no `destroy`, people would have to go first, or the tenant lives.
        XtsyncError: it could not be found out whether the tenant lives.
    """
    tenant = provider.settings.tenant
    what = f"Will not delete anything in {tenant} while {FORGET} is {word}"
    if word != TARGET:
        do = f"{UNSET}; where the source is gone, run `xtsync forget --side source` first"
        raise RefusedError(what, f"the only word that it takes is {TARGET}", do)
    if program_runs():
        raise RefusedError(what, "it is for `pulumi destroy` alone, without --run-program", UNSET)
    if tenant.side != TARGET:
        if provider.settings.on_destroy == "drain":
            why = "xtsync:onDestroy is drain, and nobody can be removed from a tenant that is gone"
            raise RefusedError(what, why, f"{UNSET}, set xtsync:onDestroy to release, run `pulumi up`, then again")
        return False
    why = refuse_while_it_answers(provider.operation(), provider.liveness_call(properties))
    if left := provider.describe_remains(properties):
        report(f"forgotten, as {tenant} does not let us in ({why}). Left there: {left}", severity=WARNING)
    return True


def refuse_while_it_answers(operation: Operation, call: Call) -> str:
    """Refuse to forget a tenant that lets us in; gives why this one does not. Call: the one that is given.

    Raises:
        RefusedError: it answers.
        XtsyncError: it could not be asked, which says nothing.
    """
    try:
        operation.read(call)
    except (SignInRefusedError, ForbiddenError) as error:
        return error.why
    raise RefusedError(
        f"Will not forget {operation.tenant}",
        "it answers, and the sign-in works: what this stack made there would stay, and stay open",
        "run `pulumi destroy` without XTSYNC_FORGET, which takes it back",
    )
