"""`azuread.ApplicationFromTemplate`: an instance of a gallery application."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.azuread.exceptions import GraphError, ProviderError
from lab.azuread.graph import Graph
from lab.azuread.http import Deadline
from lab.azuread.resource import Input, is_not_empty, is_uuid
from lab.azuread.values import Properties

_GOOD_READS, _SECONDS_BETWEEN_READS = 5, 5
_ID = re.compile(
    r"/applicationTemplates/(?P<template>[^/]+)/instantiate/(?P<application>[^/]+)/(?P<principal>[^/]+)", re.IGNORECASE
)


@dataclass(frozen=True)
class _Id:
    template: str
    application: str
    principal: str

    def __str__(self) -> str:
        return (
            f'Application From Template (Template ID: "{self.template}", Application ID: "{self.application}", '
            f'Service Principal ID: "{self.principal}")'
        )


def _parsed(object_id: str) -> _Id:
    found = _ID.fullmatch(object_id)
    if not found:
        raise ProviderError(f'parsing "{object_id}": it is not the ID of an application from a template')
    return _Id(**found.groupdict())


class ApplicationFromTemplate:
    """Waits for the application, and not for its service principal."""

    inputs = (Input("displayName", is_not_empty), Input("templateId", is_uuid, replaces=True))
    create_seconds = 600.0
    computed = ("applicationId", "applicationObjectId", "servicePrincipalId", "servicePrincipalObjectId")

    def make(self, graph: Graph, inputs: Properties, deadline: Deadline) -> str:
        """Instantiate the template. Like the real one it repeats this after a 504, and may so make a second one."""
        template = inputs["templateId"]
        creating = f'creating Application Template (Application Template ID: "{template}")'
        path = f"/applicationTemplates/{template}/instantiate"
        try:
            made = graph.call("POST", path, {"displayName": inputs["displayName"]}, deadline=deadline)
        except GraphError as error:
            raise ProviderError(f"{creating}: {error}") from error
        for half in ("application", "servicePrincipal"):
            if not (made.get(half) or {}).get("id"):
                raise ProviderError(f"{creating}: {half} was nil")
        return (
            f"/applicationTemplates/{template}/instantiate/{made['application']['id']}/{made['servicePrincipal']['id']}"
        )

    def settle(self, graph: Graph, object_id: str, deadline: Deadline) -> None:
        """Wait for five good reads of the application in a row."""
        wanted = _parsed(object_id)
        good = 0
        while True:
            try:
                found = graph.find(f"/applications/{wanted.application}")
            except GraphError as error:
                raise ProviderError(_timed_out(wanted)) from error
            good = 0 if found is None else good + 1
            if good == _GOOD_READS:
                return
            if not deadline.pause(_SECONDS_BETWEEN_READS):
                raise ProviderError(_timed_out(wanted))

    def read(self, graph: Graph, object_id: str) -> Properties | None:
        """Read the application; what else there is, the id says."""
        wanted = _parsed(object_id)
        try:
            application = graph.find(f"/applications/{wanted.application}")
        except GraphError as error:
            raise ProviderError(f"retrieving {wanted}: {error}") from error
        if application is None:
            return None
        return {
            "displayName": application.get("displayName") or "",
            "templateId": wanted.template,
            "applicationId": f"/applications/{wanted.application}",
            "applicationObjectId": wanted.application,
            "servicePrincipalId": f"/servicePrincipals/{wanted.principal}",
            "servicePrincipalObjectId": wanted.principal,
        }

    def update(self, graph: Graph, object_id: str, news: Properties, deadline: Deadline) -> None:
        """Rename the application."""
        wanted = _parsed(object_id)
        body = {"displayName": news["displayName"]}
        try:
            graph.call("PATCH", f"/applications/{wanted.application}", body, deadline=deadline)
        except GraphError as error:
            raise ProviderError(f"updating {wanted}: {error}") from error

    def delete(self, graph: Graph, object_id: str, deadline: Deadline) -> None:
        """Delete the application; one that is gone already is an error."""
        wanted = _parsed(object_id)
        try:
            graph.call("DELETE", f"/applications/{wanted.application}", deadline=deadline)
        except GraphError as error:
            raise ProviderError(f"deleting {wanted}: {error}") from error


def _timed_out(wanted: _Id) -> str:
    return (
        f'creating Application Template (Application Template ID: "{wanted.template}"): '
        "timed out waiting for replication of new application"
    )
