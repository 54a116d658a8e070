"""Reading the settings of the synchronization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import records
from . import calls
from .model import settings_by_key, sync_all

if TYPE_CHECKING:
    from ..graph.operation import Operation


def live_settings(operation: Operation, service_principal: str) -> dict[str, str] | None:
    """What is set now, None without a service principal. Call: GET secrets."""
    answer = operation.read_settled(calls.get_secrets(service_principal))
    return None if answer is None else settings_by_key(answer)


def was_everybody(found: str) -> bool | None:
    """Whether the settings that were found had everybody in scope; None where they had not, or there were none."""
    return sync_all(records.parse(found)) or None
