"""What Microsoft 365 keeps of a partner (free/busy, calendars, mailbox moves), which goes with the partner policy.

A plain read of the policy does not show it, and the permission to write policies does not include reading it.

Source: https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ..graph.consistency import UNCLEAR
from ..graph.errors import (
    NOT_OFFERED,
    Answer,
    ForbiddenError,
    GraphError,
    ThrottledError,
    UnavailableError,
    UnusableAnswerError,
)
from . import calls

if TYPE_CHECKING:
    from ..graph.operation import Operation


class Capabilities(Enum):
    """Whether there is something."""

    NONE = "there are none"
    SOME = "there are some"
    HIDDEN = "they cannot be seen"


def capabilities(operation: Operation, partner: str) -> Capabilities:
    """See whether a partner policy has any; a service that does not know them has none.

    Call: GET partners/{id}/m365Capabilities (Policy.Read.All), again where the answer says nothing clear.
    """
    return operation.look_again(UNCLEAR, lambda: look(operation, partner)) or Capabilities.HIDDEN


def look(operation: Operation, partner: str) -> Capabilities | None:
    """What one answer says; None where that is not clear."""
    try:
        some = any(True for _ in operation.pages(calls.list_m365_capabilities(partner)))
    except ForbiddenError:
        return Capabilities.HIDDEN
    except UnusableAnswerError:
        return None
    except GraphError as error:
        if does_not_know_them(error.answer):
            return Capabilities.NONE
        if isinstance(error, (ThrottledError, UnavailableError)):
            raise
        return None
    return Capabilities.SOME if some else Capabilities.NONE


def does_not_know_them(answer: Answer) -> bool:
    """Whether a service answers that it has nothing of that name: the words are OData's."""
    if answer.status == 400:
        return answer.mentions("segment") or answer.mentions("property named")
    return answer.status in (404, *NOT_OFFERED)


def removal(operation: Operation, partner: str) -> str:
    """The command that removes a partner policy, for somebody who has seen that nobody needs it."""
    url = f"{operation.client.endpoints.graph}/v1.0{calls.delete_partner(partner).path}"
    return f"`az rest --method DELETE --url {url}`"
