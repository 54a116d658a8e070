"""A served world, and callers that have signed in to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from lab.entra import Clock, Entra, Server, Tenant, serve
from lab.world import (
    SOURCE_CLIENT,
    SOURCE_SECRET,
    SOURCE_TENANT,
    TARGET_CLIENT,
    TARGET_SECRET,
    TARGET_TENANT,
    dev_world,
)
from tests.patience import PATIENCE_SECONDS

TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"


def fetch_token(server: Server, tenant_id: str, **form: str) -> requests.Response:
    return requests.post(
        f"{server.url}/{tenant_id}/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "scope": f"{server.url}/.default", **form},
        verify=str(server.ca_file),
        timeout=PATIENCE_SECONDS,
    )


@dataclass
class Caller:
    server: Server
    tenant_id: str
    client_id: str
    secret: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.verify = str(self.server.ca_file)
        self.session.trust_env = False
        self.sign_in()

    def sign_in(self) -> None:
        answer = fetch_token(self.server, self.tenant_id, client_id=self.client_id, client_secret=self.secret)
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def __call__(
        self, method: str, path: str, body: Any = None, version: str = "v1.0", **more: Any
    ) -> requests.Response:
        url = path if path.startswith("https://") else f"{self.server.url}/{version}{path}"
        if body is not None:
            more["json"] = body
        return self.session.request(method, url, timeout=PATIENCE_SECONDS, **more)


@dataclass
class World:
    entra: Entra
    server: Server
    source: Caller
    target: Caller

    def fetch_token(self, tenant_id: str, **form: str) -> requests.Response:
        return fetch_token(self.server, tenant_id, **form)

    def pass_time(self, minutes: float) -> None:
        """Let time pass; tokens end with it, so both sign in again."""
        self.entra.pass_time(minutes=minutes)
        self.source.sign_in()
        self.target.sign_in()

    @property
    def source_tenant(self) -> Tenant:
        return self.entra.tenants[SOURCE_TENANT]

    @property
    def target_tenant(self) -> Tenant:
        return self.entra.tenants[TARGET_TENANT]

    def user_id(self, name: str) -> str:
        return self.source_tenant.directory.user(f"{name}@contoso.com").id

    def group_id(self, name: str) -> str:
        groups = self.source_tenant.directory.groups.values()
        return next(group.id for group in groups if group.display_name == name)

    def open_policies(self) -> None:
        """Both tenants say yes."""
        inbound = {"tenantId": SOURCE_TENANT, "automaticUserConsentSettings": {"inboundAllowed": True}}
        outbound = {"tenantId": TARGET_TENANT, "automaticUserConsentSettings": {"outboundAllowed": True}}
        partners = "/policies/crossTenantAccessPolicy/partners"
        sync = {"userSyncInbound": {"isSyncAllowed": True}}
        assert self.target("POST", partners, inbound).status_code == 201
        assert self.target("PUT", f"{partners}/{SOURCE_TENANT}/identitySynchronization", sync).status_code == 204
        assert self.source("POST", partners, outbound).status_code == 201

    def instantiate(self) -> tuple[str, str, str]:
        """A configuration application: application id, service principal id, role id."""
        answer = self.source("POST", f"/applicationTemplates/{TEMPLATE}/instantiate", {"displayName": "Fabrikam"})
        assert answer.status_code == 201
        application, principal = answer.json()["application"], answer.json()["servicePrincipal"]
        return application["id"], principal["id"], principal["appRoles"][0]["id"]

    def synchronization(self, **settings: str) -> Pair:
        """Everything up to a job that is not started."""
        self.open_policies()
        application, principal, role = self.instantiate()
        base = f"/servicePrincipals/{principal}/synchronization"
        job = self.source("POST", f"{base}/jobs", {"templateId": "Azure2Azure"}).json()["id"]
        pairs = {"AuthenticationType": "SyncPolicy", "CompanyId": TARGET_TENANT, "SyncAll": "false", **settings}
        body = {"value": [{"key": key, "value": value} for key, value in pairs.items()]}
        assert self.source("PUT", f"{base}/secrets", body).status_code == 204
        return Pair(self, application, principal, role, f"{base}/jobs/{job}")


@dataclass
class Pair:
    world: World
    application: str
    principal: str
    role: str
    job: str

    def assign(self, principal_id: str) -> str:
        body = {"appRoleId": self.role, "principalId": principal_id, "resourceId": self.principal}
        answer = self.world.source("POST", f"/servicePrincipals/{self.principal}/appRoleAssignedTo", body)
        assert answer.status_code == 201, answer.text
        identifier: str = answer.json()["id"]
        return identifier

    def unassign(self, assignment_id: str) -> None:
        path = f"/servicePrincipals/{self.principal}/appRoleAssignedTo/{assignment_id}"
        assert self.world.source("DELETE", path).status_code == 204

    def start(self) -> None:
        assert self.world.source("POST", f"{self.job}/start").status_code == 204

    def cycle(self, minutes: float = 40) -> None:
        self.world.pass_time(minutes)

    def status(self) -> dict[str, Any]:
        body: dict[str, Any] = self.world.source("GET", self.job).json()
        return body

    def people(self) -> list[str]:
        """Mail addresses of the people the source has in the target."""
        users = self.world.target_tenant.directory.users.values()
        return sorted(user.mail or "" for user in users if user.origin)


@pytest.fixture
def world() -> Iterator[World]:
    entra = dev_world(Clock(datetime(2026, 11, 23, 9, 0, tzinfo=UTC)))
    with serve(entra) as server:
        source = Caller(server, SOURCE_TENANT, SOURCE_CLIENT, SOURCE_SECRET)
        target = Caller(server, TARGET_TENANT, TARGET_CLIENT, TARGET_SECRET)
        yield World(entra, server, source, target)
