"""The emulated world: tenants with a backend per area, a clock, switches, faults and the record of traffic."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from lab.entra.applications.models import ApplicationBackend
from lab.entra.audit.models import AuditBackend
from lab.entra.clock import Clock
from lab.entra.context import Context, new_id
from lab.entra.directory.models import DirectoryBackend, Group, User
from lab.entra.faults import Faults
from lab.entra.login.models import Client, LoginBackend
from lab.entra.policies.models import PolicyBackend
from lab.entra.settings import Settings
from lab.entra.synchronization.cycles import run_due_cycles
from lab.entra.synchronization.models import SynchronizationBackend
from lab.entra.traffic import Exchange, write_line
from lab.entra.workload.models import Workloads


class Tenant:
    """One emulated tenant. Its backends may be changed directly, as someone at the portal would."""

    def __init__(self, entra: Entra, display_name: str, tenant_id: str, domain: str) -> None:
        self._entra = entra
        self._own_settings: Settings | None = None
        self.tenant_id = tenant_id
        self.display_name = display_name
        self.domain = domain
        self.guest_invitations_allowed = True
        self.deleted = False
        context = Context(tenant_id, entra.clock, lambda: self.settings)
        self.login = LoginBackend(context)
        self.policies = PolicyBackend(context)
        self.applications = ApplicationBackend(context)
        self.synchronization = SynchronizationBackend(context)
        self.directory = DirectoryBackend(context)
        self.audit = AuditBackend(context)

    @property
    def settings(self) -> Settings:
        """This tenant's own switches if it has any, else those of the world."""
        return self._own_settings or self._entra.settings

    @settings.setter
    def settings(self, settings: Settings | None) -> None:
        self._own_settings = settings

    def add_user(self, user_principal_name: str, **more: Any) -> User:
        """Make an account; the rest as in `DirectoryBackend.add_user`."""
        return self.directory.add_user(user_principal_name, **more)

    def add_group(
        self, display_name: str, members: Iterable[User | Group] = (), *, group_id: str | None = None
    ) -> Group:
        """Make a group of users and groups."""
        return self.directory.add_group(display_name, members, group_id)

    def register_client(self, client_id: str, secret: str, permissions: Iterable[str]) -> Client:
        """Let an application sign in, with consent to application permissions."""
        principal = self.applications.add_principal(client_id, f"Sign-in {client_id[:8]}")
        return self.login.add(Client(client_id, principal.id, secret, frozenset(permissions)))

    def forget_expired(self) -> None:
        """Drop what was deleted too long ago to be restored."""
        self.policies.forget_expired()
        self.applications.forget_expired()
        self.directory.forget_expired()

    def snapshot(self, *, deleted: bool) -> dict[str, Any]:
        """All state as plain values."""
        live: dict[str, Any] = {
            "displayName": self.display_name,
            "policyDefault": self.policies.default,
            "partners": self.policies.partners,
            "applications": self.applications.applications,
            "servicePrincipals": self.applications.principals,
            "users": self.directory.users,
            "groups": self.directory.groups,
        }
        gone = {
            "deletedPartners": self.policies.deleted_partners,
            "deletedSyncPolicies": self.policies.deleted_sync_policies,
            "deletedApplications": self.applications.deleted_applications,
            "deletedServicePrincipals": self.applications.deleted_principals,
            "deletedUsers": self.directory.deleted_users,
            "deletedGroups": self.directory.deleted_groups,
        }
        plain: dict[str, Any] = _plain({**live, **gone} if deleted else live)
        return plain


class Entra:
    """Any number of tenants in one process. Hold `lock` while changing state beside a running server."""

    def __init__(self, clock: Clock | None = None, *, traffic_file: Path | None = None) -> None:
        self.clock = clock or Clock()
        self.settings = Settings()
        self.faults = Faults()
        self.workloads = Workloads()
        self.traffic: list[Exchange] = []
        self.tenants: dict[str, Tenant] = {}
        self.lock = threading.RLock()
        self._traffic_file = traffic_file

    def add_tenant(self, display_name: str, *, tenant_id: str | None = None, domain: str) -> Tenant:
        """Make a tenant."""
        tenant = Tenant(self, display_name, tenant_id or new_id(), domain)
        self.tenants[tenant.tenant_id] = tenant
        return tenant

    def pass_time(self, *, minutes: float) -> None:
        """Let time pass on the clock, and everything happen that falls due meanwhile."""
        with self.lock:
            self.clock.advance(minutes=minutes)
            self.run_due_cycles()

    def run_due_cycles(self) -> int:
        """Run every synchronization cycle whose time has come; how many there were."""
        with self.lock:
            for tenant in self.tenants.values():
                tenant.forget_expired()
            return run_due_cycles(self)

    def record(self, exchange: Exchange) -> None:
        """Keep an exchange."""
        self.traffic.append(exchange)
        if self._traffic_file:
            with self._traffic_file.open("a", encoding="utf-8") as file:
                write_line(exchange, file)

    def snapshot(self, *, deleted: bool = True) -> dict[str, Any]:
        """All tenants' state as plain values, to compare before with after; traffic and logs are not in it."""
        with self.lock:
            return {tenant_id: tenant.snapshot(deleted=deleted) for tenant_id, tenant in self.tenants.items()}


def _plain(value: Any) -> Any:
    def convert(inner: Any) -> Any:
        return asdict(inner) if is_dataclass(inner) and not isinstance(inner, type) else str(inner)

    return json.loads(json.dumps(value, default=convert))
