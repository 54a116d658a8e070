"""The calls for the settings of the synchronization: step 8 of the how-to.

Source: https://learn.microsoft.com/graph/api/synchronization-synchronization-secrets
"""

from collections.abc import Mapping
from typing import Any, Required, TypedDict

from ..graph.call import Call
from ..service_principal.calls import synchronization_call


class Setting(TypedDict, total=False):
    """A synchronization setting; its value comes as a text, or typed."""

    key: Required[str]
    value: Any


class Settings(TypedDict):
    """A service principal's synchronization settings."""

    value: list[Setting]


def get_secrets(service_principal: str) -> Call:
    """Read the settings ("secrets") of the synchronization; sensitive values come back as `*`."""
    purpose = f"read the synchronization settings of {service_principal}"
    return synchronization_call("GET", service_principal, "secrets", purpose, answer=Settings, whole=True)


def put_secrets(service_principal: str, values: Mapping[str, str]) -> Call:
    """Write settings of the synchronization (step 8)."""
    body = {"value": [{"key": key, "value": value} for key, value in values.items()]}
    purpose = f"save the synchronization settings of {service_principal}"
    return synchronization_call("PUT", service_principal, "secrets", purpose, body)
