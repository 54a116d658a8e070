"""What the program's hooks share: they run in the program, with the source's sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from . import messages
from .azuread_errors import explain, reason
from .config import Settings
from .graph.errors import lines_of

if TYPE_CHECKING:
    from .graph.calls import Call
    from .graph.operation import Operation


async def source_secret(settings: Settings) -> str:
    """The source's client secret from the stack's configuration; "" where it is elsewhere."""
    given = settings.source_client_secret
    return str(await given.future() or "") if given is not None else ""


def source_operation(settings: Settings, secret: str) -> Operation:
    """An operation of the program itself in the source."""
    from .clients import client_of  # noqa: PLC0415 - HTTP and sign-in are rarely needed in the program

    return client_of(settings, settings.source, secret).operation(60 * settings.deadline_minutes)


def tell_of(failed: pulumi.ErrorHookArgs, call: Call, settings: Settings) -> None:
    """Say what azuread's error means, where that is known."""
    error = explain(reason(failed.errors[0]), call, settings.source) if failed.errors else None
    if error is not None:
        messages.warn(*lines_of(error))
