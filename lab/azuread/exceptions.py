"""What goes wrong in this provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ProviderError(Exception):
    """The operation failed; the text is in azuread's manner, `doing` goes before it."""

    doing = ""


class NotConfigured(ProviderError):  # noqa: N818 - says what is the case
    """There are no credentials to make a call with."""


class GraphError(ProviderError):
    """A call failed. `status` is 0 when no answer came."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class InitFailed(ProviderError):  # noqa: N818 - Pulumi's word
    """The object was made, but the rest of its creation failed."""

    def __init__(self, object_id: str, properties: Mapping[str, Any], reason: str) -> None:
        super().__init__(reason)
        self.object_id = object_id
        self.properties = properties


class NilState(ProviderError):  # noqa: N818 - the bridge's words
    """An object was made but could not be read back at once, so nobody knows of it: an error of the bridge itself."""


def one_error(text: str) -> str:
    """An error as the bridge prints it."""
    return f"1 error occurred:\n\t* {text}\n\n"
