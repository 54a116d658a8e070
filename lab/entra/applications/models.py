"""Applications and service principals of one tenant: state and rules."""

from __future__ import annotations

import base64
import copy
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lab.entra.applications.exceptions import (
    assignment_exists,
    not_a_reference,
    principal_hidden,
    unknown_role,
)
from lab.entra.context import Context, new_id
from lab.entra.exceptions import not_found
from lab.entra.synchronization.models import Synchronization

SYNC_TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
CUSTOM_TEMPLATE = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
DELETED_ARE_KEPT = timedelta(days=30)
TEMPLATES = {SYNC_TEMPLATE: "Azure AD to Azure AD synchronization", CUSTOM_TEMPLATE: "Custom"}


@dataclass
class RoleAssignment:
    """A user or group in the scope of a service principal."""

    id: str
    role_id: str
    principal_id: str
    principal_type: str
    principal_name: str
    created_at: datetime


@dataclass
class Application:
    """An app registration."""

    id: str
    app_id: str
    display_name: str
    template_id: str | None
    roles: list[dict[str, Any]]
    owners: list[str]
    created_at: datetime
    details: dict[str, Any] = field(default_factory=dict)
    deleted_at: datetime | None = None


@dataclass
class ServicePrincipal:
    """An enterprise application; synchronization and assignments live and die with it."""

    id: str
    app_id: str
    display_name: str
    template_id: str | None
    roles: list[dict[str, Any]]
    owners: list[str]
    created_at: datetime
    details: dict[str, Any] = field(default_factory=dict)
    assignments: dict[str, RoleAssignment] = field(default_factory=dict)
    synchronization: Synchronization = field(default_factory=Synchronization)
    calls_until_visible: int = 0
    deleted_at: datetime | None = None


class ApplicationBackend:
    """All applications and service principals of one tenant."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.applications: dict[str, Application] = {}
        self.principals: dict[str, ServicePrincipal] = {}
        self.deleted_applications: dict[str, Application] = {}
        self.deleted_principals: dict[str, ServicePrincipal] = {}

    def instantiate(self, template_id: str, display_name: str, owner: str) -> tuple[Application, ServicePrincipal]:
        """Make an application and its service principal from a gallery template."""
        if template_id not in TEMPLATES:
            raise not_found(template_id)
        names = ["msiam_access"] + (["User"] if self._context.settings.user_role else [])
        roles = [_role(name) for name in names]
        app_id, now = new_id(), self._context.now()
        application = Application(new_id(), app_id, display_name, template_id, roles, [owner], now)
        principal = ServicePrincipal(new_id(), app_id, display_name, template_id, copy.deepcopy(roles), [owner], now)
        principal.calls_until_visible = self._context.settings.principal_lag_calls
        self._context.replica.before_write("applications", application.id, None)
        self.applications[application.id] = application
        self.principals[principal.id] = principal
        return application, principal

    def add_principal(self, app_id: str, display_name: str) -> ServicePrincipal:
        """A service principal without an app registration here, such as a sign-in client."""
        principal = ServicePrincipal(new_id(), app_id, display_name, None, [], [], self._context.now())
        self.principals[principal.id] = principal
        return principal

    def application(self, object_id: str) -> Application:
        """An application as a reader finds it."""
        found = self._context.replica.see("applications", object_id, self.applications.get(object_id))
        if found is None:
            raise not_found(object_id)
        return found

    def all_applications(self) -> list[Application]:
        """All applications as a reader finds them."""
        return self._context.replica.see_all("applications", self.applications)

    def visible_principal(self, object_id: str) -> ServicePrincipal:
        """A service principal, unless it has not replicated; counts as one call to it."""
        principal = self.principals.get(object_id)
        if principal is None:
            raise not_found(object_id)
        if not self._visible(principal):
            principal.calls_until_visible = max(principal.calls_until_visible - 1, 0)
            raise principal_hidden(self._context.settings.principal_lag_status, object_id)
        return principal

    def read_principal(self, object_id: str) -> ServicePrincipal:
        """A service principal as a reader finds it."""
        current = self.visible_principal(object_id)
        return self._context.replica.see("principals", object_id, current) or current

    def all_principals(self) -> list[ServicePrincipal]:
        """The service principals that have replicated."""
        return [principal for principal in self.principals.values() if self._visible(principal)]

    def _visible(self, principal: ServicePrincipal) -> bool:
        lag = timedelta(seconds=self._context.settings.principal_lag_seconds)
        known_long_enough = principal.template_id is None or self._context.now() >= principal.created_at + lag
        return known_long_enough and principal.calls_until_visible == 0

    def principal_of(self, application: Application) -> ServicePrincipal | None:
        """The service principal of an application in its own tenant."""
        return next((one for one in self.principals.values() if one.app_id == application.app_id), None)

    def update_application(self, object_id: str, display_name: str | None, details: dict[str, Any]) -> None:
        """PATCH an application; the service principal takes the new name over."""
        application = self.applications.get(object_id)
        if application is None:
            raise not_found(object_id)
        self._context.replica.before_write("applications", object_id, application)
        application.display_name = display_name or application.display_name
        application.details.update(details)
        principal = self.principal_of(application)
        if principal and display_name:
            self.update_principal(principal, display_name, {})

    def update_principal(self, principal: ServicePrincipal, display_name: str | None, details: dict[str, Any]) -> None:
        """PATCH a service principal."""
        self._context.replica.before_write("principals", principal.id, principal)
        principal.display_name = display_name or principal.display_name
        principal.details.update(details)

    def delete_application(self, object_id: str) -> None:
        """Soft-delete an application; its service principal goes with it."""
        application = self.applications.get(object_id)
        if application is None:
            raise not_found(object_id)
        principal = self.principal_of(application)
        if principal:
            self.delete_principal(principal.id)
        self._context.replica.before_write("applications", object_id, application)
        del self.applications[object_id]
        application.deleted_at = self._context.now()
        self.deleted_applications[object_id] = application

    def delete_principal(self, object_id: str) -> None:
        """Soft-delete a service principal; its jobs, secrets and assignments are gone for good."""
        principal = self.principals.pop(object_id, None)
        if principal is None:
            raise not_found(object_id)
        principal.synchronization = Synchronization()
        principal.assignments.clear()
        principal.deleted_at = self._context.now()
        self.deleted_principals[object_id] = principal

    def restore(self, object_id: str) -> Application | ServicePrincipal:
        """Undo a soft delete; an application brings its service principal back."""
        if object_id in self.deleted_applications:
            application = self.deleted_applications.pop(object_id)
            application.deleted_at = None
            self.applications[object_id] = application
            for principal in [one for one in self.deleted_principals.values() if one.app_id == application.app_id]:
                self.restore(principal.id)
            return application
        if object_id not in self.deleted_principals:
            raise not_found(object_id)
        principal = self.principals[object_id] = self.deleted_principals.pop(object_id)
        principal.deleted_at = None
        return principal

    def assign(
        self, principal: ServicePrincipal, role_id: str, assignee: tuple[str, str, str] | None
    ) -> RoleAssignment:
        """Bring a user or group, given as id, type and name, into scope."""
        if assignee is None:
            raise not_a_reference()
        known = {role["id"] for role in principal.roles} or {DEFAULT_ACCESS}
        if role_id not in known:
            raise unknown_role()
        taken = {(one.principal_id, one.role_id) for one in principal.assignments.values()}
        if (assignee[0], role_id) in taken:
            raise assignment_exists()
        identifier = base64.urlsafe_b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes).decode().rstrip("=")
        assignment = RoleAssignment(identifier, role_id, *assignee, self._context.now())
        self._context.replica.before_write(f"assignments of {principal.id}", identifier, None)
        principal.assignments[identifier] = assignment
        return assignment

    def assignments(self, principal: ServicePrincipal) -> list[RoleAssignment]:
        """The assignments of a service principal as a reader finds them."""
        return self._context.replica.see_all(f"assignments of {principal.id}", principal.assignments)

    def unassign(self, principal: ServicePrincipal, assignment_id: str) -> None:
        """Take a user or group out of scope."""
        assignment = principal.assignments.get(assignment_id)
        if assignment is None:
            raise not_found(assignment_id)
        self._context.replica.before_write(f"assignments of {principal.id}", assignment_id, assignment)
        del principal.assignments[assignment_id]

    def forget_expired(self) -> None:
        """Drop what was deleted too long ago to be restored."""
        limit = self._context.now() - DELETED_ARE_KEPT
        for application in list(self.deleted_applications.values()):
            if application.deleted_at and application.deleted_at < limit:
                del self.deleted_applications[application.id]
        for principal in list(self.deleted_principals.values()):
            if principal.deleted_at and principal.deleted_at < limit:
                del self.deleted_principals[principal.id]


def _role(name: str) -> dict[str, Any]:
    return {
        "allowedMemberTypes": ["User"],
        "description": name,
        "displayName": name,
        "id": new_id(),
        "isEnabled": True,
        "origin": "Application",
        "value": None,
    }
