"""Applications and service principals as Microsoft Graph has them, as far as they are read.

What is not named here is passed on as it is; a member that is not required may be missing or null. Of a collection
`value` is required: an answer without it says nothing, and must not be taken for an empty one.

Source: https://learn.microsoft.com/graph/api/resources/serviceprincipal
"""

# Not with postponed annotations: `Required` in a text is not seen.
from typing import Required, TypedDict

from ..graph.json_reader import Id


class Instance(TypedDict, total=False):
    """A service principal of the template, among others."""

    id: Required[Id]
    appId: Required[str]
    displayName: str | None


class Instances(TypedDict):
    """A page of them."""

    value: list[Instance]


class Application(TypedDict, total=False):
    """An application."""

    id: Required[Id]
    appId: str | None
    displayName: str | None
    applicationTemplateId: str | None
    createdDateTime: str | None


class Applications(TypedDict):
    """A page of applications."""

    value: list[Application]


class Owner(TypedDict):
    """Who owns an application."""

    id: Id


class Owners(TypedDict):
    """A page of owners."""

    value: list[Owner]
