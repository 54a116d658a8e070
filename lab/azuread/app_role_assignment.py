"""`azuread.AppRoleAssignment`: a user or group in the scope of a service principal."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.azuread.exceptions import GraphError, ProviderError
from lab.azuread.graph import NOT_FOUND, Graph
from lab.azuread.http import Answer, Deadline
from lab.azuread.resource import Input, is_uuid
from lab.azuread.values import Properties

_ID = re.compile(r"/servicePrincipals/(?P<principal>[^/]+)/appRoleAssignedTo/(?P<assignment>[^/]+)", re.IGNORECASE)
_WIRE = {
    "appRoleId": "appRoleId",
    "principalDisplayName": "principalDisplayName",
    "principalObjectId": "principalId",
    "principalType": "principalType",
    "resourceDisplayName": "resourceDisplayName",
    "resourceObjectId": "resourceId",
}


@dataclass(frozen=True)
class _Id:
    principal: str
    assignment: str

    def __str__(self) -> str:
        return (
            f'Service Principal Id App Role Assigned To (Service Principal: "{self.principal}"\n'
            f'App Role Assignment: "{self.assignment}")'
        )

    @property
    def path(self) -> str:
        return f"/servicePrincipals/{self.principal}/appRoleAssignedTo/{self.assignment}"


def _parsed(object_id: str) -> _Id:
    found = _ID.fullmatch(object_id)
    if not found:
        raise ProviderError(f'Parsing App Role Assignment ID: parsing "{object_id}": it is not one')
    return _Id(**found.groupdict())


def _not_replicated(answer: Answer) -> bool:
    """Whether one of the two objects may be too new."""
    return answer.status == NOT_FOUND or (answer.status == 400 and answer.mentions("Not a valid reference update"))


class AppRoleAssignment:
    """Every change replaces it; one that exists already is an error."""

    inputs = tuple(
        Input(name, is_uuid, replaces=True) for name in ("appRoleId", "principalObjectId", "resourceObjectId")
    )
    create_seconds = 300.0
    computed = ("principalDisplayName", "principalType", "resourceDisplayName")

    def make(self, graph: Graph, inputs: Properties, deadline: Deadline) -> str:
        """Assign, with patience for objects that are new."""
        resource = inputs["resourceObjectId"]
        self._look_for_resource(graph, resource)
        body = {_WIRE[wanted.name]: inputs[wanted.name] for wanted in self.inputs}
        path = f"/servicePrincipals/{resource}/appRoleAssignedTo"
        try:
            made = graph.call("POST", path, body, retry=_not_replicated, deadline=deadline)
        except GraphError as error:
            raise ProviderError(f"Could not create app role assignment: {error}") from error
        for member, words in (("id", "ID"), ("resourceId", "Resource ID")):
            if not made.get(member):
                raise ProviderError(f"Bad API response: {words} returned for app role assignment is nil")
        return f"/servicePrincipals/{made['resourceId']}/appRoleAssignedTo/{made['id']}"

    @staticmethod
    def _look_for_resource(graph: Graph, resource: str) -> None:
        try:
            found = graph.find(f"/servicePrincipals/{resource}")
        except GraphError as error:
            why = f'Could not retrieve service principal for resource (Object ID: "{resource}"): {error}'
            raise ProviderError(why) from error
        if found is None:
            raise ProviderError(f'Service principal not found for resource (Object ID: "{resource}")')

    def settle(self, _graph: Graph, _object_id: str, _deadline: Deadline) -> None:
        """Wait for nothing: the read that follows may come too early."""

    def read(self, graph: Graph, object_id: str) -> Properties | None:
        """Read it."""
        wanted = _parsed(object_id)
        try:
            found = graph.find(wanted.path)
        except GraphError as error:
            raise ProviderError(f"retrieving {wanted}: {error}") from error
        return None if found is None else {name: found.get(member) or "" for name, member in _WIRE.items()}

    def update(self, _graph: Graph, _object_id: str, _news: Properties, _deadline: Deadline) -> None:
        """There is nothing to change in place.

        Raises:
            ProviderError: always.
        """
        raise ProviderError("doesn't support update")

    def delete(self, graph: Graph, object_id: str, deadline: Deadline) -> None:
        """Take the principal out of scope."""
        wanted = _parsed(object_id)
        try:
            graph.call("DELETE", wanted.path, deadline=deadline)
        except GraphError as error:
            raise ProviderError(f"Deleting {wanted}: {error}") from error
